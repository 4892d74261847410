"""The endpoints of a configuration, and what else is in its regions."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from forecast_operations.cloud.refusals import CloudError, CredentialsError, NotAllowedError
from forecast_operations.deployed.endpoint import read_endpoint
from forecast_operations.deployed.live import Live, variants_in
from forecast_operations.deployed.place import Place

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from forecast_config import EnvironmentSettings
    from forecast_operations.deployed.endpoint import EndpointState

_THREADS = 8
_CONFIGURATION = "EndpointConfigName"


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
        unread: Why it could not be read; None: it was.
    """

    environment: str | None
    name: str
    region: str
    state: EndpointState | None
    deployed: bool = False
    model_version: str | None = None
    challenger_version: str | None = None
    deployed_config: str | None = None
    unread: str | None = None

    @property
    def remark(self) -> str:
        """What is not as it should be; empty where all is."""
        if self.unread is not None or self.environment is None:
            return self.unread or "not of this configuration"
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

    What the credentials do not allow is told where it would stand, and so is a region that does
    not answer while another one does.

    Args:
        environments: The environments of the configuration.
        regions: The regions to look in.

    Raises:
        CloudError: AWS refuses everywhere.
    """
    ours = [each for each in environments.values() if each.region in regions]
    lives = {region: Live.in_region(region) for region in regions}
    with ThreadPoolExecutor(max_workers=_THREADS) as pool:
        named = dict(zip(regions, pool.map(_names_or_refusal, lives.values()), strict=True))
        closed = {region: found for region, found in named.items() if isinstance(found, CloudError)}
        shut = _shut(closed, regions)
        own = list(pool.map(lambda each: _own(each, lives[each.region], shut), ours))
        known = {(each.region, each.name) for each in own}
        strays = [
            (region, name)
            for region, found in named.items()
            for name in (() if isinstance(found, CloudError) else found)
            if (region, name) not in known
        ]
        others = pool.map(lambda each: _stray(lives[each[0]], each[1]), strays)
        unlisted = [
            Listed(None, "-", region, None, unread=shut.get(region) or _reason(error))
            for region, error in closed.items()
        ]
        return [*own, *(each for each in others if each.state or each.unread), *unlisted]


def _names_or_refusal(live: Live) -> list[str] | CloudError:
    try:
        return list(names_in(live))
    except CloudError as error:
        return error


def _shut(closed: Mapping[str, CloudError], regions: Sequence[str]) -> dict[str, str]:
    """Regions that are not open to the account, and why that is known.

    Credentials that AWS knows in one region it knows in every region that is open (AWS account
    management reference guide, "Enable or disable AWS Regions").

    Raises:
        CloudError: AWS refuses for another reason, or in all regions.
    """
    shut = {
        region: error for region, error in closed.items() if not isinstance(error, NotAllowedError)
    }
    for error in shut.values():
        if len(shut) == len(regions) or (error.code and not isinstance(error, CredentialsError)):
            raise error
    return {region: f"region not open: {error}" for region, error in shut.items()}


def _own(settings: EnvironmentSettings, live: Live, shut: Mapping[str, str]) -> Listed:
    name, region = settings.endpoint.name, settings.region
    if region in shut:
        return Listed(settings.name, name, region, None, unread=shut[region])
    try:
        return look_at(Place(settings, live))
    except NotAllowedError as error:
        return Listed(settings.name, name, region, None, unread=_reason(error))


def _stray(live: Live, name: str) -> Listed:
    region = live.cloud.region
    try:
        return Listed(None, name, region, read_endpoint(live, name))
    except NotAllowedError as error:
        return Listed(None, name, region, None, unread=_reason(error))


def _reason(error: CloudError) -> str:
    if isinstance(error, NotAllowedError):
        return f"not allowed: {error.permission}"
    return str(error)


def names_in(live: Live) -> Iterator[str]:
    """Names of all endpoints of a region."""
    for each in live.cloud.pages("sagemaker", "list_endpoints", "Endpoints"):
        yield each["EndpointName"]


def configs_in(live: Live) -> Iterator[tuple[str, str, str]]:
    """Endpoints of a region, each with a configuration, and whether it `serves` or `gets` that.

    Under a rollout an endpoint has two.
    """
    for name in names_in(live):
        endpoint: dict[str, Any] = live.endpoint(name) or {}
        if endpoint.get(_CONFIGURATION):
            yield name, endpoint[_CONFIGURATION], "serves"
        pending = endpoint.get("PendingDeploymentSummary") or {}
        if pending.get(_CONFIGURATION):
            yield name, pending[_CONFIGURATION], "gets"


def models_of(config: Mapping[str, Any] | None) -> set[str]:
    """Names of the models that a configuration serves.

    Args:
        config: The answer of DescribeEndpointConfig; None: it is gone.
    """
    return {each["ModelName"] for each, _ in variants_in(config or {}) if "ModelName" in each}


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
