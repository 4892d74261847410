"""The two variants of an endpoint that are compared, as SageMaker runs them now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING, Any

from forecast_config import ForecastError, names
from forecast_operations.deployed.live import outputs_of, variants_in

if TYPE_CHECKING:
    from datetime import datetime

    from forecast_config import EnvironmentSettings
    from forecast_operations.deployed.live import Live
    from forecast_operations.updates.challengers import Kind


@dataclass(frozen=True, kw_only=True)
class VariantInService:
    """One variant.

    Attributes:
        name: Its name.
        model_name: SageMaker's name of its model.
        version: Version of the registered model that it serves; None when it is not known.
        weight: Its weight now.
    """

    name: str
    model_name: str
    version: str | None
    weight: float


@dataclass(frozen=True, kw_only=True)
class Contest:
    """A champion, its challenger, and how they share the requests.

    Attributes:
        endpoint: Name of the endpoint.
        configuration: Name of the configuration that it serves.
        since: When that configuration was made, in UTC.
        kind: Whether the challenger gets copies, or answers a share itself.
        champion: Whose answers clients get, in a shadow test all of them.
        challenger: Who is compared with it.
        current_share: Share of the requests that is the challenger's by the weights of now, from
            0 to 1.
        captures: `s3://` address of the captures; None when nothing is captured.
        capture_percent: Share of the requests that is captured.
        rolled_back: Whether the endpoint serves another configuration than was deployed last.
    """

    endpoint: str
    configuration: str
    since: datetime
    kind: Kind
    champion: VariantInService
    challenger: VariantInService
    current_share: float
    captures: str | None
    capture_percent: float
    rolled_back: bool


def find_contest(live: Live, settings: EnvironmentSettings) -> Contest:
    """The contest of an environment, from what its endpoint serves.

    Raises:
        ForecastError: The endpoint is not there, or serves no challenger.
    """
    endpoint, config = _served(live, settings)
    configuration = str(endpoint["EndpointConfigName"])
    kind, production, other = _parts(settings, endpoint)
    stack_outputs = outputs_of(live.stack(settings.stack_name) or {})
    rolled_back = stack_outputs.get("EndpointConfigName", configuration) != configuration
    # The versions in the outputs are those that were undone.
    versions = {} if rolled_back else stack_outputs
    models = {each["VariantName"]: str(each["ModelName"]) for each, _ in variants_in(config)}
    champion = _variant(production, models, versions.get("ModelVersion"))
    challenger = _variant(other, models, versions.get("ChallengerVersion"))
    capture = config.get("DataCaptureConfig") or {}
    return Contest(
        endpoint=settings.endpoint.name,
        configuration=configuration,
        # botocore gives times in the zone of this machine.
        since=config["CreationTime"].astimezone(UTC),
        kind=kind,
        champion=champion,
        challenger=challenger,
        current_share=_share(kind, champion.weight, challenger.weight),
        captures=capture.get("DestinationS3Uri") if capture.get("EnableCapture", True) else None,
        capture_percent=float(capture.get("InitialSamplingPercentage", 0)),
        rolled_back=rolled_back,
    )


def _served(live: Live, settings: EnvironmentSettings) -> tuple[dict[str, Any], dict[str, Any]]:
    """The endpoint, and the configuration that it serves."""
    name = settings.endpoint.name
    endpoint = live.endpoint(name)
    if endpoint is None:
        raise ForecastError(
            f"there is no endpoint {name} in {settings.region}; deploy it first: "
            f"forecast deploy {settings.name}"
        )
    configuration = str(endpoint["EndpointConfigName"])
    config = live.endpoint_config(configuration)
    if config is None:
        raise ForecastError(
            f"expected the configuration {configuration} that {name} serves, got none; somebody "
            "deleted it: deploy again"
        )
    return endpoint, config


def _parts(
    settings: EnvironmentSettings, endpoint: dict[str, Any]
) -> tuple[Kind, dict[str, Any], dict[str, Any]]:
    variants = list(variants_in(endpoint))
    by_name = {each["VariantName"]: each for each, is_shadow in variants if not is_shadow}
    shadows = [each for each, is_shadow in variants if is_shadow]
    champion_name = settings.endpoint.variant_name
    champion = by_name.get(champion_name)
    if champion is not None and shadows:
        return "shadow", champion, shadows[0]
    challenger = by_name.get(names.challenger_variant(champion_name))
    if champion is not None and challenger is not None:
        return "split", champion, challenger
    found = ", ".join(each["VariantName"] for each, _ in variants)
    raise ForecastError(
        f"{endpoint['EndpointName']} serves {found or 'no variant'}, expected {champion_name} and "
        f"a challenger beside it; give {settings.name} a rollout of kind shadow or split and "
        "deploy it"
    )


def _variant(
    described: dict[str, Any], models: dict[str, str], version: str | None
) -> VariantInService:
    name = described["VariantName"]
    return VariantInService(
        name=name,
        model_name=models.get(name, ""),
        version=version,
        weight=float(described.get("CurrentWeight", described.get("DesiredWeight", 1.0))),
    )


def _share(kind: Kind, champion: float, challenger: float) -> float:
    # Of a shadow the ratio to the production variant, of a part of a split that to all parts.
    whole = champion if kind == "shadow" else champion + challenger
    return challenger / whole if whole > 0 else 0.0
