"""The models and endpoint configurations that SageMaker keeps: the requests that made them."""

from collections.abc import Mapping
from typing import Any

from moto.core.utils import utcnow
from moto.sagemaker.models import FakeEndpointConfig, Model
from moto.sagemaker.utils import arn_formatter

_UNTAGGED = {"Tags"}


class HostedModel(Model):
    """A model: the request that created it."""

    def __init__(self, request: Mapping[str, Any], *, account: str, region: str) -> None:
        # moto's own initialiser keeps a few of the properties only.
        self.request = {key: value for key, value in request.items() if key not in _UNTAGGED}
        self.model_name = request["ModelName"]
        self.arn = arn_formatter("model", self.model_name, account, region)
        self.tags = list(request.get("Tags") or [])
        self.creation_time = utcnow()

    def is_created(self) -> bool:
        """Whether it exists; moto's own CloudFormation would ask."""
        return True

    @property
    def response_object(self) -> dict[str, Any]:
        """The answer of DescribeModel."""
        return {**self.request, "ModelArn": self.arn, "CreationTime": self.creation_time}

    @property
    def container(self) -> Mapping[str, Any]:
        """The one container of the model."""
        containers = self.request.get("Containers")
        found: Mapping[str, Any] = containers[0] if containers else self.request["PrimaryContainer"]
        return found

    @property
    def model_data(self) -> str:
        """The S3 URI of the model archive."""
        container = self.container
        if "ModelDataSource" in container:
            return str(container["ModelDataSource"]["S3DataSource"]["S3Uri"])
        return str(container["ModelDataUrl"])


class HostedEndpointConfig(FakeEndpointConfig):
    """An endpoint configuration: the request that created it."""

    def __init__(self, request: Mapping[str, Any], *, account: str, region: str) -> None:
        # moto's own initialiser keeps a few of the properties and an old list of instance types.
        self.request = {key: value for key, value in request.items() if key not in _UNTAGGED}
        self.endpoint_config_name = request["EndpointConfigName"]
        self.endpoint_config_arn = FakeEndpointConfig.arn_formatter(
            self.endpoint_config_name, account, region
        )
        self.arn = self.endpoint_config_arn  # type: ignore[assignment] # moto's is a tuple by mistake
        self.tags = list(request.get("Tags") or [])
        self.production_variants = request["ProductionVariants"]
        self.creation_time = utcnow()

    def is_created(self) -> bool:
        """Whether it exists; moto's own CloudFormation would ask."""
        return True

    @property
    def response_object(self) -> dict[str, Any]:
        """The answer of DescribeEndpointConfig."""
        return {
            **self.request,
            "EndpointConfigArn": self.endpoint_config_arn,
            "CreationTime": self.creation_time,
        }
