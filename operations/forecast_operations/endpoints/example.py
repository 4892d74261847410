"""The example request that was packed with the model of an environment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forecast_config import ForecastError
from forecast_operations.cloud.invocation import OK
from forecast_operations.verifying.answers import golden_requests
from forecast_packaging.building.environment import package_for

if TYPE_CHECKING:
    from forecast_config import EnvironmentSettings, ForecastConfig
    from forecast_packaging.progress import Progress


def example_request(
    project: ForecastConfig, settings: EnvironmentSettings, progress: Progress
) -> tuple[bytes, str]:
    """The first golden request that is answered, and the type of its body.

    Args:
        project: The configuration.
        settings: The environment.
        progress: Told how far the packing is, when the archive is not there yet.

    Raises:
        ForecastError: The archive cannot be had, or holds no golden requests.
    """
    packaged = package_for(project, settings, progress=progress)
    for request in golden_requests(packaged):
        if request["status"] == OK:
            return request["body"].encode(), request["content_type"]
    raise ForecastError(
        f"version {packaged.model.version} has golden requests that are refused only; give a "
        "request with: --file"
    )
