"""Lambda functions, their permissions and the settings of their asynchronous invocations."""

import io
import zipfile
from collections.abc import Mapping
from typing import Any

from forecast_local.cloudformation.handler import (
    Handler,
    Request,
    ResourceError,
    tag_changes,
    tag_map,
)

_NAME_LIMIT = 64
_GONE = frozenset({"ResourceNotFoundException"})
_CONFIGURATION = frozenset(
    {
        "DeadLetterConfig",
        "Description",
        "Environment",
        "EphemeralStorage",
        "Handler",
        "KmsKeyArn",
        "LoggingConfig",
        "MemorySize",
        "Role",
        "Runtime",
        "Timeout",
        "TracingConfig",
        "VpcConfig",
    }
)
_FIXED_TIME = (1980, 1, 1, 0, 0, 0)


class Function(Handler):
    """AWS::Lambda::Function with inline code, or an archive in S3."""

    type_name = "AWS::Lambda::Function"
    applies = frozenset(
        {
            *_CONFIGURATION,
            "Architectures",
            "Code",
            "FunctionName",
            "ReservedConcurrentExecutions",
            "Tags",
        }
    )
    required = frozenset({"Code", "Role"})
    create_only = frozenset({"FunctionName"})
    attributes = frozenset({"Arn"})
    name_property = "FunctionName"
    tagged = True
    gone = _GONE

    def create(self, request: Request) -> str:
        """Create the function and reserve its concurrency."""
        lambda_, properties = request.client("lambda"), request.properties
        name = request.name(_NAME_LIMIT, property_name="FunctionName")
        given = request.api_arguments(
            "lambda",
            "CreateFunction",
            skip=("Code", "FunctionName", "ReservedConcurrentExecutions", "Tags"),
        )
        tags = tag_map(properties.get("Tags"))
        lambda_.create_function(FunctionName=name, Code=_code(properties), Tags=tags, **given)
        request.made(name)
        self._reserve(request, name, {})
        return name

    def update(self, request: Request, physical_id: str, old: Mapping[str, Any]) -> None:
        """Change code, configuration, concurrency and tags."""
        lambda_, new = request.client("lambda"), request.properties
        if (new["Code"], new.get("Architectures")) != (old["Code"], old.get("Architectures")):
            lambda_.update_function_code(FunctionName=physical_id, **_code(new))
        if any(new.get(key) != old.get(key) for key in _CONFIGURATION):
            skipped = tuple(set(new) - _CONFIGURATION)
            given = request.api_arguments("lambda", "UpdateFunctionConfiguration", skip=skipped)
            lambda_.update_function_configuration(FunctionName=physical_id, **given)
        self._reserve(request, physical_id, old)
        tags, removed = tag_changes(old, new)
        arn = request.arn("lambda", f"function:{physical_id}")
        if removed:
            lambda_.untag_resource(Resource=arn, TagKeys=removed)
        if tags:
            lambda_.tag_resource(Resource=arn, Tags=tag_map(tags))

    def delete(self, request: Request, physical_id: str) -> None:
        """Delete the function."""
        request.client("lambda").delete_function(FunctionName=physical_id)

    def read(self, request: Request, physical_id: str) -> dict[str, Any]:
        """Return the function's ARN."""
        return {"Arn": request.arn("lambda", f"function:{physical_id}")}

    @staticmethod
    def _reserve(request: Request, name: str, old: Mapping[str, Any]) -> None:
        key, lambda_ = "ReservedConcurrentExecutions", request.client("lambda")
        if key in request.properties:
            lambda_.put_function_concurrency(
                FunctionName=name, ReservedConcurrentExecutions=int(request.properties[key])
            )
        elif key in old:
            lambda_.delete_function_concurrency(FunctionName=name)


def _code(properties: Mapping[str, Any]) -> dict[str, Any]:
    code = dict(properties["Code"])
    if "ZipFile" not in code:
        return code
    if not str(properties.get("Runtime", "")).startswith("python"):
        raise ResourceError("the local AWS takes inline code of Python functions only")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(zipfile.ZipInfo("index.py", _FIXED_TIME), str(code["ZipFile"]))
    return {"ZipFile": buffer.getvalue()}


class Permission(Handler):
    """AWS::Lambda::Permission."""

    type_name = "AWS::Lambda::Permission"
    applies = frozenset({"Action", "FunctionName", "Principal", "SourceAccount", "SourceArn"})
    required = frozenset({"Action", "FunctionName", "Principal"})
    create_only = applies
    attributes = frozenset({"Id"})
    gone = _GONE

    def create(self, request: Request) -> str:
        """Add a statement to the function's policy."""
        statement = request.name(_NAME_LIMIT)
        request.client("lambda").add_permission(StatementId=statement, **request.properties)
        return statement

    def delete(self, request: Request, physical_id: str) -> None:
        """Remove the statement."""
        request.client("lambda").remove_permission(
            FunctionName=request.properties["FunctionName"], StatementId=physical_id
        )

    def read(self, request: Request, physical_id: str) -> dict[str, Any]:  # noqa: ARG002 - the id says it all
        """Return the statement's id."""
        return {"Id": physical_id}


class EventInvokeConfig(Handler):
    """AWS::Lambda::EventInvokeConfig."""

    type_name = "AWS::Lambda::EventInvokeConfig"
    applies = frozenset(
        {
            "DestinationConfig",
            "FunctionName",
            "MaximumEventAgeInSeconds",
            "MaximumRetryAttempts",
            "Qualifier",
        }
    )
    required = frozenset({"FunctionName", "Qualifier"})
    create_only = frozenset({"FunctionName", "Qualifier"})
    gone = _GONE

    def create(self, request: Request) -> str:
        """Put the settings."""
        self._put(request)
        name = str(request.properties["FunctionName"]).rpartition(":")[2]
        return f"{name}|{request.properties['Qualifier']}"

    def update(self, request: Request, physical_id: str, old: Mapping[str, Any]) -> None:  # noqa: ARG002 - a put replaces everything
        """Put the settings anew."""
        self._put(request)

    def delete(self, request: Request, physical_id: str) -> None:  # noqa: ARG002 - the properties hold the key
        """Delete the settings."""
        request.client("lambda").delete_function_event_invoke_config(
            FunctionName=request.properties["FunctionName"]
        )

    @staticmethod
    def _put(request: Request) -> None:
        if request.properties["Qualifier"] != "$LATEST":
            raise ResourceError("the local AWS has functions without versions: Qualifier $LATEST")
        given = request.api_arguments("lambda", "PutFunctionEventInvokeConfig", skip=("Qualifier",))
        request.client("lambda").put_function_event_invoke_config(**given)
