"""The endpoint that is meant by a name: an environment's, or another one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forecast_config import ForecastError
from forecast_operations.deployed.live import Live
from forecast_operations.deployed.place import Place

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forecast_config import ForecastConfig


def regions_of(project: ForecastConfig, given: Sequence[str] | None) -> list[str]:
    """The regions to look in: those that are given, else those of the environments."""
    own = (each.region for each in project.environments.values())
    return list(given) if given else list(dict.fromkeys(own))


def find(project: ForecastConfig, name: str, given: Sequence[str] | None) -> Place | Live:
    """The environment that is meant, else the region that another endpoint is in.

    Args:
        project: The configuration.
        name: Name of an environment, or of an endpoint.
        given: The regions that were asked for; None: those of the environments.

    Raises:
        ForecastError: There is none, or it is not clear which is meant.
    """
    return place_of(project, name, given) or find_stray(project, name, given)


def place_of(project: ForecastConfig, name: str, given: Sequence[str] | None) -> Place | None:
    """The environment that is called so, or whose endpoint is; None: there is none.

    Where regions are given, it is meant only when it is in one of them: an environment that has
    moved may have left an endpoint of the same name behind.

    Raises:
        ForecastError: The environment is in none of the regions.
    """
    regions = regions_of(project, given)
    for settings in project.environments.values():
        if name in {settings.name, settings.endpoint.name} and settings.region in regions:
            return Place.of(settings, project)
    named = project.environments.get(name)
    if named is None:
        return None
    raise ForecastError(
        f"expected the region of {name} ({named.region}), got {', '.join(regions)}; leave --region "
        "out, or name an endpoint that is there: forecast endpoints list "
        f"{' '.join(f'--region {region}' for region in regions)}"
    )


def find_stray(project: ForecastConfig, name: str, given: Sequence[str] | None) -> Live:
    """The region that an endpoint is in which belongs to no environment.

    Raises:
        ForecastError: It is in none of the regions, or in several.
    """
    regions = regions_of(project, given)
    lives = [Live.in_region(region) for region in regions]
    found = [live for live in lives if live.endpoint(name) is not None]
    if len(found) == 1:
        return found[0]
    listed = ", ".join(regions)
    if found:
        raise ForecastError(
            f"there is an endpoint {name} in {', '.join(each.cloud.region for each in found)}; say "
            "which is meant with --region"
        )
    raise ForecastError(
        f"there is no environment and no endpoint {name} in {listed}; see them with: forecast "
        "endpoints list, or look elsewhere with --region"
    )
