"""Where moto finds the actions of SageMaker: beside the backend's module."""

from moto.sagemaker.urls import url_bases as url_bases  # noqa: PLC0414 - moto reads it here

from forecast_local.sagemaker.responses import LocalSageMakerResponse

url_paths = {"{0}/$": LocalSageMakerResponse.dispatch}
