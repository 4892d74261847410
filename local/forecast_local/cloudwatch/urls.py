"""Where moto finds the actions of CloudWatch: beside the backend's module."""

from moto.cloudwatch.urls import url_bases as url_bases  # noqa: PLC0414 - moto reads it here

from forecast_local.cloudwatch.responses import LocalCloudWatchResponse

url_paths = {"{0}/$": LocalCloudWatchResponse.dispatch}
