"""Where moto finds the actions of the SageMaker runtime: beside the backend's module."""

from moto.sagemakerruntime.urls import url_bases as url_bases  # noqa: PLC0414 - moto reads it here

from forecast_local.sagemakerruntime.responses import LocalSageMakerRuntimeResponse

url_paths = {
    "{0}/endpoints/(?P<name>[^/]+)/async-invocations$": LocalSageMakerRuntimeResponse.dispatch,
    "{0}/endpoints/(?P<name>[^/]+)/invocations$": LocalSageMakerRuntimeResponse.dispatch,
}
