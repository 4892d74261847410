"""What a CloudFormation resource type is here: a handler that calls its service's own API."""

import secrets
import string
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from botocore.exceptions import BotoCoreError, ClientError

from forecast_local import shapes
from forecast_local.clients import Clients

_SUFFIX_ALPHABET = string.ascii_letters + string.digits
_SUFFIX_LENGTH = 12


class ResourceError(Exception):
    """The reason why a resource could not be created, updated or deleted."""


@dataclass(frozen=True)
class StackIdentity:
    """Where a stack lives and what it passes on to its resources.

    Attributes:
        name: The stack's name.
        account: Account id of twelve digits.
        region: Region name.
        partition: Partition of the region, such as ``aws``.
        clients: API clients of this AWS.
    """

    name: str
    stack_id: str
    account: str
    region: str
    partition: str
    clients: Clients


@dataclass(frozen=True)
class Request:
    """One call of a handler.

    Attributes:
        stack: The stack that owns the resource.
        logical_id: The resource's name in the template.
        properties: The evaluated properties, stack tags merged into ``Tags``.
        created: What a creation has made so far; it is deleted when the rest of it fails.
    """

    stack: StackIdentity
    logical_id: str
    properties: Mapping[str, Any] = field(default_factory=dict)
    created: list[str] = field(default_factory=list)

    def made(self, physical_id: str) -> str:
        """Note that the resource exists from now on, though it is not complete yet."""
        self.created.append(physical_id)
        return physical_id

    def client(self, service: str) -> Any:
        """Return the boto3 client of a service in the stack's account and region."""
        return self.stack.clients.client(
            service, account=self.stack.account, region=self.stack.region
        )

    def name(self, limit: int, *, property_name: str | None = None) -> str:
        """Return the physical name: the given one, else one in CloudFormation's style.

        Args:
            limit: Longest name that the service takes, in characters.
            property_name: The property that may hold the name.

        Returns:
            The name, or ``<stack>-<logical id>-<random>`` cut to the limit.
        """
        if property_name is not None and property_name in self.properties:
            return str(self.properties[property_name])
        suffix = "".join(secrets.choice(_SUFFIX_ALPHABET) for _ in range(_SUFFIX_LENGTH))
        room = limit - len(suffix) - 2
        stack = self.stack.name[: max(room // 2, room - len(self.logical_id))]
        return f"{stack}-{self.logical_id[: room - len(stack)]}-{suffix}"

    def arn(self, service: str, resource: str) -> str:
        """Return the ARN of a resource in the stack's account and region."""
        stack = self.stack
        return f"arn:{stack.partition}:{service}:{stack.region}:{stack.account}:{resource}"

    def api_arguments(self, service: str, operation: str, *, skip: tuple[str, ...] = ()) -> Any:
        """Return the properties as arguments of an operation whose members have the same names.

        Raises:
            ResourceError: If a property does not fit the operation.
        """
        shape = shapes.input_shape(service, operation)
        chosen = {key: value for key, value in self.properties.items() if key not in skip}
        try:
            return {
                key: shapes.conform(shape.members[key], value, f"/{key}")
                for key, value in chosen.items()
            }
        except ValueError as error:
            raise ResourceError(f"Properties validation failed: {error}") from error


class Handler(ABC):
    """A resource type.

    Class attributes:
        type_name: CloudFormation's name of the type.
        applies: The properties that this handler really applies; any other fails the resource.
        required: The properties without which there is no resource.
        create_only: The properties whose change means a replacement.
        attributes: The names that ``Fn::GetAtt`` accepts.
        name_property: The property that holds the physical name, if there is one.
        tagged: Whether the stack's tags are merged into the property ``Tags``.
        gone: Error codes that mean, on deletion, that the resource is not there.
    """

    type_name: ClassVar[str]
    applies: ClassVar[frozenset[str]]
    required: ClassVar[frozenset[str]] = frozenset()
    create_only: ClassVar[frozenset[str]] = frozenset()
    attributes: ClassVar[frozenset[str]] = frozenset()
    name_property: ClassVar[str | None] = None
    tagged: ClassVar[bool] = False
    gone: ClassVar[frozenset[str]] = frozenset()

    @abstractmethod
    def create(self, request: Request) -> str:
        """Create the resource and return its physical id, the value of ``Ref``."""

    def update(self, request: Request, physical_id: str, old: Mapping[str, Any]) -> None:  # noqa: ARG002 - the default has no use for them
        """Bring an existing resource from its old properties to the request's, in place.

        The default serves types all of whose properties are create-only.
        """
        raise ResourceError(f"the local AWS cannot update {self.type_name} {physical_id} in place")

    @abstractmethod
    def delete(self, request: Request, physical_id: str) -> None:
        """Delete the resource; its properties are the request's."""

    def read(self, request: Request, physical_id: str) -> dict[str, Any]:  # noqa: ARG002 - the default has none
        """Return the attributes of an existing resource by name."""
        return {}

    def check(self, request: Request) -> None:
        """Refuse properties that this type does not have or that are missing.

        Raises:
            ResourceError: In the words of CloudFormation, naming the property.
        """
        given = set(request.properties)
        unknown = sorted(given - self.applies)
        if unknown:
            raise ResourceError(
                f"Properties validation failed for resource {request.logical_id} with message: "
                f"[#: extraneous key [{unknown[0]}] is not permitted] "
                f"(the local AWS applies {sorted(self.applies)} of {self.type_name})"
            )
        missing = sorted(self.required - given)
        if missing:
            raise ResourceError(
                f"Properties validation failed for resource {request.logical_id} with message: "
                f"[#: required key [{missing[0]}] not found]"
            )


def failure_reason(error: Exception) -> str:
    """Render an error as the status reason of a resource event."""
    if isinstance(error, ClientError):
        answer = error.response["Error"]
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 400)
        return (
            f'Resource handler returned message: "{answer.get("Message", "")} (Operation: '
            f"{error.operation_name}, Status Code: {status}, Error Code: "
            f'{answer.get("Code", "Unknown")})" (HandlerErrorCode: InvalidRequest)'
        )
    if isinstance(error, BotoCoreError):
        return f"Properties validation failed: {error}"
    return str(error)


def tag_map(tags: Any) -> dict[str, str]:
    """Return tags given as a list of ``Key``/``Value`` pairs as a mapping."""
    return {tag["Key"]: str(tag["Value"]) for tag in tags or []}


def tag_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Return a mapping of tags as a list of ``Key``/``Value`` pairs, sorted by key."""
    return [{"Key": key, "Value": value} for key, value in sorted(tags.items())]


def tag_changes(
    old: Mapping[str, Any], new: Mapping[str, Any]
) -> tuple[list[dict[str, str]], list[str]]:
    """Compare the ``Tags`` of two sets of properties.

    Returns:
        The tags to set, as a list of pairs, and the keys to remove.
    """
    before, after = tag_map(old.get("Tags")), tag_map(new.get("Tags"))
    changed = {key: value for key, value in after.items() if before.get(key) != value}
    return tag_list(changed), sorted(set(before) - set(after))
