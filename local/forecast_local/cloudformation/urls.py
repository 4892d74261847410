"""Where moto finds the actions of CloudFormation: beside the backend's module."""

from moto.cloudformation.urls import url_bases as url_bases  # noqa: PLC0414 - moto reads it here

from forecast_local.cloudformation.responses import LocalCloudFormationResponse

url_paths = {"{0}/$": LocalCloudFormationResponse.dispatch}
