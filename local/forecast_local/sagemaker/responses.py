"""The actions of SageMaker hosting; all others are moto's."""

from typing import Any

from moto.core.responses import ActionResult
from moto.sagemaker.responses import SageMakerResponse

from forecast_local.sagemaker.models import LocalSageMakerBackend


class LocalSageMakerResponse(SageMakerResponse):
    """moto's answers, with requests of hosting kept whole."""

    @property
    def _local(self) -> LocalSageMakerBackend:
        backend = self.sagemaker_backend
        assert isinstance(backend, LocalSageMakerBackend)  # noqa: S101 - see extensions.py
        return backend

    def _request(self) -> dict[str, Any]:
        return {key: value for key, value in self._get_params().items() if value is not None}

    def create_model(self) -> ActionResult:
        """CreateModel."""
        return ActionResult({"ModelArn": self._local.host_model(self._request()).arn})

    def describe_model(self) -> ActionResult:
        """DescribeModel."""
        return ActionResult(self._local.hosted_model(self._get_param("ModelName")).response_object)

    def create_endpoint_config(self) -> ActionResult:
        """CreateEndpointConfig."""
        config = self._local.host_endpoint_config(self._request())
        return ActionResult({"EndpointConfigArn": config.endpoint_config_arn})

    def create_endpoint(self) -> ActionResult:
        """CreateEndpoint."""
        return ActionResult({"EndpointArn": self._local.host_endpoint(self._request()).arn})

    def update_endpoint(self) -> ActionResult:
        """UpdateEndpoint, which moto lacks."""
        return ActionResult({"EndpointArn": self._local.redeploy_endpoint(self._request()).arn})
