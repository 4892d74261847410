"""The endpoints of a configuration, and what else is in its regions."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from forecast_config import ForecastError
from forecast_operations.endpoints.state import read_endpoint
from forecast_operations.updates.live import Live
from forecast_operations.watching.place import Place

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from forecast_config import EnvironmentSettings
    from forecast_operations.endpoints.state import EndpointState

_THREADS = 8


@dataclass(frozen=True)
class Listed:
    """One endpoint, or an environment that has none.

    Attributes:
        environment: The environment that it belongs to; None: to none of this configuration.
        name: Its name.
        region: Its region.
        state: The endpoint; None: it is not there.
        deployed: Whether its stack is deployed.
        model_version: Version that was deployed; None: not known.
        challenger_version: Version that is compared with it; None: there is none.
        deployed_config: The configuration that the stack names; None: it names none.
    """

    environment: str | None
    name: str
    region: str
    state: EndpointState | None
    deployed: bool = False
    model_version: str | None = None
    challenger_version: str | None = None
    deployed_config: str | None = None

    @property
    def remark(self) -> str:
        """What is not as it should be; empty where all is."""
        if self.environment is None:
            return "not of this configuration"
        if self.state is None:
            return "away, though deployed" if self.deployed else "not deployed"
        if not self.deployed:
            return "without its stack"
        if self.state.rollout is not None:
            return f"rolls out {self.state.rollout.config}"
        if self.deployed_config is not None and self.state.config != self.deployed_config:
            return "serves another configuration than deployed"
        return self.state.failure or ""


def list_endpoints(
    environments: Mapping[str, EnvironmentSettings], regions: Sequence[str]
) -> list[Listed]:
    """The endpoints in some regions: those of the environments first, in the order of the file.

    Args:
        environments: The environments of the configuration.
        regions: The regions to look in.

    Raises:
        CloudError: AWS refuses.
    """
    ours = [each for each in environments.values() if each.region in regions]
    lives = {region: Live.in_region(region) for region in regions}
    with ThreadPoolExecutor(max_workers=_THREADS) as pool:
        own = list(pool.map(lambda each: look_at(Place(each, lives[each.region])), ours))
        known = {(each.region, each.name) for each in own}
        strays = [
            (region, name)
            for region, live in lives.items()
            for name in names_in(live)
            if (region, name) not in known
        ]
        others = pool.map(
            lambda each: Listed(None, each[1], each[0], read_endpoint(lives[each[0]], each[1])),
            strays,
        )
        return [*own, *(each for each in others if each.state is not None)]


def names_in(live: Live) -> Iterator[str]:
    """Names of all endpoints of a region."""
    for each in live.cloud.pages("sagemaker", "list_endpoints", "Endpoints"):
        yield each["EndpointName"]


def look_at(place: Place) -> Listed:
    """The endpoint of an environment."""
    outputs = place.outputs()
    known = outputs or {}
    return Listed(
        environment=place.settings.name,
        name=place.endpoint_name,
        region=place.settings.region,
        state=read_endpoint(place.live, place.endpoint_name),
        deployed=outputs is not None,
        model_version=known.get("ModelVersion"),
        challenger_version=known.get("ChallengerVersion"),
        deployed_config=known.get("EndpointConfigName"),
    )


def place_of(environments: Mapping[str, EnvironmentSettings], name: str) -> Place | None:
    """The environment that is called so, or whose endpoint is; None: there is none."""
    for settings in environments.values():
        if name in {settings.name, settings.endpoint.name}:
            return Place.of(settings)
    return None


def find_stray(name: str, regions: Sequence[str]) -> Live:
    """Where an endpoint is that belongs to no environment.

    Raises:
        ForecastError: It is in none of the regions, or in several.
    """
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
