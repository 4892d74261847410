"""Where moto finds the actions of Application Auto Scaling: beside the backend's module."""

from moto.applicationautoscaling.urls import url_bases as url_bases  # noqa: PLC0414 - moto reads it here

from forecast_local.applicationautoscaling.responses import LocalApplicationAutoScalingResponse

url_paths = {"{0}/$": LocalApplicationAutoScalingResponse.dispatch}
