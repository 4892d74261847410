"""What is deployed now: the templates of the stacks, and the state of the endpoint."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import yaml

from forecast_config import ForecastError
from forecast_operations.cloud.cloud import Cloud

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from forecast_operations.synthesis.hosted import Template

_NO_STACK = "does not exist"
_DELETED = ("DELETE_COMPLETE", "DELETE_SKIPPED")

GONE = "Could not find"
"""What SageMaker says of an endpoint, a configuration or a model that is not there."""


@dataclass(frozen=True)
class Live:
    """What is deployed in one region; every method raises CloudError when AWS refuses.

    Attributes:
        cloud: AWS, or the local AWS, there.
    """

    cloud: Cloud

    @classmethod
    def in_region(cls, region: str) -> Live:
        """What is deployed in a region, seen with the credentials of the surroundings."""
        return cls(Cloud(region))

    def account(self) -> str:
        """Id of the account of the credentials."""
        return self.cloud.account()

    def template(self, stack: str) -> Template | None:
        """The template that a stack was deployed with; None when there is no such stack."""
        found = self.cloud.ask(
            "cloudformation",
            "get_template",
            missing=_NO_STACK,
            StackName=stack,
            TemplateStage="Original",
        )
        if found is None:
            return None
        body = found["TemplateBody"]
        return cast("Template", json.loads(body) if _is_json(body) else _read(body))

    def endpoint(self, name: str) -> dict[str, Any] | None:
        """The answer of DescribeEndpoint; None when there is no such endpoint."""
        found: dict[str, Any] | None = self.cloud.ask(
            "sagemaker", "describe_endpoint", missing=GONE, EndpointName=name
        )
        return found

    def endpoint_config(self, name: str) -> dict[str, Any] | None:
        """The answer of DescribeEndpointConfig; None when there is no such configuration."""
        found: dict[str, Any] | None = self.cloud.ask(
            "sagemaker", "describe_endpoint_config", missing=GONE, EndpointConfigName=name
        )
        return found

    def stack(self, name: str) -> dict[str, Any] | None:
        """The answer of DescribeStacks for one stack; None when there is no such stack."""
        found = self.cloud.ask(
            "cloudformation", "describe_stacks", missing=_NO_STACK, StackName=name
        )
        return cast("dict[str, Any]", found["Stacks"][0]) if found else None

    def sagemaker_model(self, name: str) -> dict[str, Any] | None:
        """The answer of DescribeModel; None when there is no such model."""
        found: dict[str, Any] | None = self.cloud.ask(
            "sagemaker", "describe_model", missing=GONE, ModelName=name
        )
        return found

    def tags_of(self, arn: str) -> dict[str, str]:
        """The tags of an endpoint, a configuration or a model, by key."""
        pages = self.cloud.pages("sagemaker", "list_tags", "Tags", ResourceArn=arn)
        return {each["Key"]: each["Value"] for each in pages}

    def outputs(self, stack: str) -> dict[str, str] | None:
        """The outputs of a stack by key; None when there is no such stack."""
        found = self.stack(stack)
        return None if found is None else outputs_of(found)

    def output(self, stack: str, key: str) -> str | None:
        """An output of a stack; None when it has none of this name."""
        return (self.outputs(stack) or {}).get(key)

    def stack_resources(self, stack: str) -> list[dict[str, Any]]:
        """The resources of a stack, as ListStackResources tells them, but for those that are gone.

        Args:
            stack: Its name; it is there.
        """
        listed = self.cloud.pages(
            "cloudformation", "list_stack_resources", "StackResourceSummaries", StackName=stack
        )
        return [each for each in listed if each["ResourceStatus"] not in _DELETED]


def outputs_of(stack: Mapping[str, Any]) -> dict[str, str]:
    """The outputs of a stack by key.

    Args:
        stack: The answer of DescribeStacks for it.
    """
    return {each["OutputKey"]: each["OutputValue"] for each in stack.get("Outputs", ())}


def variants_in(configuration: Mapping[str, Any]) -> Iterator[tuple[dict[str, Any], bool]]:
    """The variants of an endpoint or of its configuration, and whether each is a shadow.

    Args:
        configuration: An answer of DescribeEndpoint or DescribeEndpointConfig, or the properties of
            a configuration in a template.
    """
    for kind, is_shadow in (("ProductionVariants", False), ("ShadowProductionVariants", True)):
        for variant in configuration.get(kind) or ():
            yield variant, is_shadow


def check_account(live: Live, account: str | None) -> None:
    """Refuse credentials of another account than the environment's.

    Args:
        live: Where the credentials lead.
        account: The account of the environment; None: that of the credentials, whichever it is.

    Raises:
        ForecastError: The credentials are of another account.
    """
    if account is None:
        return
    actual = live.account()
    if actual != account:
        raise ForecastError(
            f"expected credentials of account {account}, as the environment says, got those of "
            f"{actual}; take on a role in {account} (AWS_PROFILE, aws sso login) and run it again"
        )


def _is_json(body: Any) -> bool:
    return isinstance(body, str) and body.lstrip().startswith("{")


def _read(body: Any) -> Any:
    """A template as botocore gives it: parsed already when it is JSON, else the text."""
    return yaml.safe_load(body) if isinstance(body, str) else body
