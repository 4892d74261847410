"""SageMaker models, endpoint configurations and endpoints."""

import time
from collections.abc import Mapping
from typing import Any, ClassVar

from forecast_local.cloudformation.handler import Handler, Request, ResourceError, tag_changes
from forecast_local.sagemaker.limits import exclusion_error

_NAME_LIMIT = 63
_POLL_SECONDS = 0.1
_SETTLED = frozenset({"InService", "Failed", "OutOfService", "UpdateRollbackFailed"})
_MODEL_PROPERTIES = frozenset(
    {
        "Containers",
        "EnableNetworkIsolation",
        "ExecutionRoleArn",
        "InferenceExecutionConfig",
        "ModelName",
        "PrimaryContainer",
        "VpcConfig",
    }
)
_CONFIG_PROPERTIES = frozenset(
    {
        "AsyncInferenceConfig",
        "DataCaptureConfig",
        "EnableNetworkIsolation",
        "EndpointConfigName",
        "ExecutionRoleArn",
        "ExplainerConfig",
        "KmsKeyId",
        "MetricsConfig",
        "ProductionVariants",
        "ShadowProductionVariants",
        "VpcConfig",
    }
)


class _Named(Handler):
    """A SageMaker resource: its Ref is an ARN, its name an attribute, its tags updatable."""

    tagged = True
    kind: ClassVar[str]
    gone = frozenset({"ValidationException"})

    def update(self, request: Request, physical_id: str, old: Mapping[str, Any]) -> None:
        """Change the tags."""
        sagemaker = request.client("sagemaker")
        tags, removed = tag_changes(old, request.properties)
        if removed:
            sagemaker.delete_tags(ResourceArn=physical_id, TagKeys=removed)
        if tags:
            sagemaker.add_tags(ResourceArn=physical_id, Tags=tags)

    def read(self, request: Request, physical_id: str) -> dict[str, Any]:  # noqa: ARG002 - the ARN says it all
        """Return ARN and name."""
        return {f"{self.kind}Arn": physical_id, f"{self.kind}Name": _name(physical_id)}


def _name(arn: str) -> str:
    return arn.rpartition("/")[2]


class Model(_Named):
    """AWS::SageMaker::Model."""

    type_name = "AWS::SageMaker::Model"
    kind = "Model"
    applies = frozenset({*_MODEL_PROPERTIES, "Tags"})
    create_only = _MODEL_PROPERTIES
    attributes = frozenset({"ModelArn", "ModelName"})
    name_property = "ModelName"

    def create(self, request: Request) -> str:
        """Create the model; SageMaker checks role and model data at once."""
        given = request.api_arguments("sagemaker", "CreateModel", skip=("ModelName",))
        name = request.name(_NAME_LIMIT, property_name="ModelName")
        return str(request.client("sagemaker").create_model(ModelName=name, **given)["ModelArn"])

    def delete(self, request: Request, physical_id: str) -> None:
        """Delete the model."""
        request.client("sagemaker").delete_model(ModelName=_name(physical_id))


class EndpointConfig(_Named):
    """AWS::SageMaker::EndpointConfig."""

    type_name = "AWS::SageMaker::EndpointConfig"
    kind = "EndpointConfig"
    applies = frozenset({*_CONFIG_PROPERTIES, "Tags"})
    required = frozenset({"ProductionVariants"})
    create_only = _CONFIG_PROPERTIES
    attributes = frozenset({"EndpointConfigArn", "EndpointConfigName"})
    name_property = "EndpointConfigName"

    def create(self, request: Request) -> str:
        """Create the endpoint configuration."""
        given = request.api_arguments(
            "sagemaker", "CreateEndpointConfig", skip=("EndpointConfigName",)
        )
        name = request.name(_NAME_LIMIT, property_name="EndpointConfigName")
        answer = request.client("sagemaker").create_endpoint_config(
            EndpointConfigName=name, **given
        )
        return str(answer["EndpointConfigArn"])

    def delete(self, request: Request, physical_id: str) -> None:
        """Delete the endpoint configuration."""
        sagemaker = request.client("sagemaker")
        sagemaker.delete_endpoint_config(EndpointConfigName=_name(physical_id))


class Endpoint(_Named):
    """AWS::SageMaker::Endpoint."""

    type_name = "AWS::SageMaker::Endpoint"
    kind = "Endpoint"
    applies = frozenset(
        {
            "DeploymentConfig",
            "EndpointConfigName",
            "EndpointName",
            "ExcludeRetainedVariantProperties",
            "RetainAllVariantProperties",
            "RetainDeploymentConfig",
            "Tags",
        }
    )
    required = frozenset({"EndpointConfigName"})
    create_only = frozenset({"EndpointName"})
    attributes = frozenset({"EndpointArn", "EndpointName"})
    name_property = "EndpointName"

    def create(self, request: Request) -> str:
        """Create the endpoint and wait until it is in service."""
        # CreateEndpoint has no such parameter: what the first update would refuse fails at once.
        refused = exclusion_error(request.properties)
        if refused is not None:
            raise ResourceError(refused)
        sagemaker = request.client("sagemaker")
        given = request.api_arguments(
            "sagemaker",
            "CreateEndpoint",
            skip=(
                "EndpointName",
                "ExcludeRetainedVariantProperties",
                "RetainAllVariantProperties",
                "RetainDeploymentConfig",
            ),
        )
        name = request.name(_NAME_LIMIT, property_name="EndpointName")
        arn = sagemaker.create_endpoint(EndpointName=name, **given)["EndpointArn"]
        request.made(arn)
        settled = _settled(sagemaker, name)
        if settled["EndpointStatus"] != "InService":
            raise ResourceError(
                f"Endpoint {name} is {settled['EndpointStatus']}: "
                f"{settled.get('FailureReason', 'no reason given')}"
            )
        return str(arn)

    def update(self, request: Request, physical_id: str, old: Mapping[str, Any]) -> None:
        """Deploy another configuration and wait until it serves, or change the tags."""
        sagemaker, name = request.client("sagemaker"), _name(physical_id)
        wanted = request.properties["EndpointConfigName"]
        if sagemaker.describe_endpoint(EndpointName=name)["EndpointConfigName"] != wanted:
            given = request.api_arguments(
                "sagemaker", "UpdateEndpoint", skip=("EndpointName", "Tags")
            )
            sagemaker.update_endpoint(EndpointName=name, **given)
            settled = _settled(sagemaker, name)
            # After a failed deployment the endpoint is in service again, with the old config.
            if settled["EndpointConfigName"] != wanted:
                raise ResourceError(
                    f"Endpoint {name} still serves {settled['EndpointConfigName']}: "
                    f"{settled.get('FailureReason', 'no reason given')}"
                )
        super().update(request, physical_id, old)

    def delete(self, request: Request, physical_id: str) -> None:
        """Delete the endpoint and stop its model servers."""
        _delete_endpoint(request.client("sagemaker"), _name(physical_id))


def _delete_endpoint(sagemaker: Any, name: str) -> None:
    """Delete an endpoint and wait until its name is free again."""
    sagemaker.delete_endpoint(EndpointName=name)
    while sagemaker.list_endpoints(NameContains=name, StatusEquals="Deleting")["Endpoints"]:
        time.sleep(_POLL_SECONDS)


def _settled(sagemaker: Any, name: str) -> dict[str, Any]:
    """Wait for the end of an endpoint's transition; the server ends it after the timeouts."""
    while True:
        endpoint: dict[str, Any] = sagemaker.describe_endpoint(EndpointName=name)
        if endpoint["EndpointStatus"] in _SETTLED:
            return endpoint
        time.sleep(_POLL_SECONDS)
