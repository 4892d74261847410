"""Where moto finds the actions of Lambda: beside the backend's module."""

from moto.awslambda.urls import url_bases as url_bases  # noqa: PLC0414 - moto reads it here
from moto.awslambda.urls import url_paths as url_paths  # noqa: PLC0414 - moto reads it here
