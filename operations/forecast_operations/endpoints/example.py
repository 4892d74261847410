"""The example request that was packed with the model of an environment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forecast_config import ForecastError
from forecast_inference.golden import read_requests
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
    if packaged.golden is None:
        raise ForecastError(
            f"{packaged.archive.name} holds no golden requests; give a request with: --file"
        )
    requests = read_requests(packaged.golden)
    answered = next((each for each in requests if each["status"] < 400), None)  # noqa: PLR2004
    if answered is None:
        raise ForecastError(
            f"{packaged.archive.name} holds refusals only; give a request with: --file"
        )
    return answered["body"].encode(), answered["content_type"]
