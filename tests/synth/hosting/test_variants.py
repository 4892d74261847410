"""Champion and challenger behind one endpoint: their weights, and what they cannot be together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3

from forecast_config import ForecastError
from forecast_config.settings import (
    Challenger,
    RealtimeEndpoint,
    ServerlessEndpoint,
    ShadowRollout,
    SplitRollout,
)
from forecast_config.sizing import ContainerSize
from forecast_constructs import EndpointConfiguration
from forecast_constructs.hosting.variants import (
    MAX_VARIANTS,
    Variant,
    challenger_variant,
    challenger_weight,
    champion_variant,
    check_variants,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from aws_cdk import Stack

    from forecast_config import PackagedModel
    from forecast_config.settings import ChallengerRollout, Endpoint
    from forecast_constructs import ForecastModel

    Shown = Callable[..., dict[str, Any]]

KEY = "arn:aws:kms:eu-central-1:111111111111:key/12345678-1234-1234-1234-123456789012"
ENDPOINT = RealtimeEndpoint(
    kind="realtime", name="forecast", instance_type="ml.m5.large", initial_instance_count=3
)
SERVERLESS = ServerlessEndpoint(kind="serverless", name="forecast", memory_mib=2048)
SIZE = ContainerSize(
    workers=2,
    threads_per_worker=1,
    startup_timeout_seconds=300,
    download_timeout_seconds=600,
    volume_size_gb=None,
)


class Model:
    """A model of which a variant knows the name only."""

    def __init__(self, name: str) -> None:
        self.model_name = name


def _model(name: str) -> ForecastModel:
    return cast("ForecastModel", Model(name))


def _shadow(**options: Any) -> ShadowRollout:
    return ShadowRollout(kind="shadow", challenger=Challenger(alias="challenger"), **options)


def _split(percent: int, **options: Any) -> SplitRollout:
    return SplitRollout(
        kind="split",
        challenger=Challenger(alias="challenger"),
        challenger_percent=percent,
        **options,
    )


@pytest.fixture
def variant(packaged: Callable[..., PackagedModel]) -> Callable[..., Variant]:
    def make(name: str = "AllTraffic", **options: Any) -> Variant:
        known: dict[str, Any] = {
            "model": _model(name.lower()),
            "packaged_model": packaged(),
            "instance_type": "ml.m5.large",
            "initial_instance_count": 1,
            "weight": 1,
            "size": SIZE,
        }
        return Variant(name=name, **{**known, **options})

    return make


@pytest.fixture
def compared(packaged: Callable[..., PackagedModel]) -> Callable[..., list[Variant]]:
    """Champion and challenger of a rollout."""

    def make(rollout: ChallengerRollout) -> list[Variant]:
        champion = champion_variant(
            ENDPOINT, model=_model("champion"), packaged_model=packaged("16"), size=SIZE
        )
        challenger = challenger_variant(
            rollout,
            ENDPOINT,
            model=_model("challenger"),
            packaged_model=packaged("17"),
            size=SIZE,
        )
        return [champion, challenger]

    return make


@pytest.fixture
def configuration(
    stack: Stack, rendered: Callable[[Stack], dict[str, Any]]
) -> Callable[[Sequence[Variant]], dict[str, Any]]:
    """Properties of the endpoint configuration of some variants."""

    def make(variants: Sequence[Variant]) -> dict[str, Any]:
        EndpointConfiguration(
            stack,
            "Config",
            endpoint=ENDPOINT,
            variants=variants,
            encryption_key=kms.Key.from_key_arn(stack, "Key", KEY),
            bucket=s3.Bucket.from_bucket_name(stack, "Bucket", "artifacts"),
        )
        (resource,) = rendered(stack).values()
        properties: dict[str, Any] = resource["Properties"]
        return properties

    return make


@pytest.mark.parametrize("percent", [1, 10, 33, 50, 75, 99])
def test_a_challenger_answers_its_share_beside_a_champion_that_was_alone(percent: int) -> None:
    weight = challenger_weight(_split(percent))

    # A champion that was deployed alone keeps its weight of 1 when a challenger joins it.
    assert 100 * weight / (1 + weight) == pytest.approx(percent, abs=1e-4)


@pytest.mark.parametrize("percent", [1, 25, 100])
def test_a_shadow_gets_copies_in_the_ratio_of_the_weights(percent: int) -> None:
    assert challenger_weight(_shadow(sampling_percent=percent)) == percent / 100


def test_a_split_has_two_production_variants(
    compared: Callable[..., list[Variant]], configuration: Shown
) -> None:
    properties = configuration(compared(_split(20)))

    champion, challenger = properties["ProductionVariants"]
    assert "ShadowProductionVariants" not in properties
    assert (champion["VariantName"], champion["InitialVariantWeight"]) == ("AllTraffic", 1)
    assert challenger == {
        "ContainerStartupHealthCheckTimeoutInSeconds": 300,
        "InitialInstanceCount": 1,
        "InitialVariantWeight": 0.25,
        "InstanceType": "ml.m5.large",
        "ModelDataDownloadTimeoutInSeconds": 600,
        "ModelName": "challenger",
        "VariantName": "AllTraffic-challenger",
    }


def test_a_shadow_stands_beside_the_one_variant_that_answers(
    compared: Callable[..., list[Variant]], configuration: Shown
) -> None:
    rollout = _shadow(sampling_percent=50, instance_type="ml.c5.xlarge", initial_instance_count=2)
    properties = configuration(compared(rollout))

    (champion,) = properties["ProductionVariants"]
    (shadow,) = properties["ShadowProductionVariants"]
    assert champion["ModelName"] == "champion"
    assert shadow["ModelName"] == "challenger"
    assert shadow["InitialVariantWeight"] == 0.5
    assert (shadow["InstanceType"], shadow["InitialInstanceCount"]) == ("ml.c5.xlarge", 2)


def test_the_configuration_says_whom_the_champion_is_compared_with(
    compared: Callable[..., list[Variant]],
    configuration: Shown,
    packaged: Callable[..., PackagedModel],
) -> None:
    tags = {tag["Key"]: tag["Value"] for tag in configuration(compared(_split(20)))["Tags"]}

    assert tags["model_version"] == "16"
    assert tags["challenger_model_version"] == "17"
    assert tags["challenger_run_id"] == "run-17"
    assert tags["challenger_model_digest"] == packaged("17").model.model_digest


def test_rejects_a_challenger_whose_disks_another_key_holds_for(
    compared: Callable[..., list[Variant]], configuration: Shown
) -> None:
    message = r"one key holds for both, got ml\.m5\.large and ml\.m5d\.large"

    with pytest.raises(ForecastError, match=message):
        configuration(compared(_shadow(instance_type="ml.m5d.large")))


def test_rejects_a_weight_below_zero(variant: Callable[..., Variant]) -> None:
    with pytest.raises(ValueError, match="expected a weight of 0 or more, got -1"):
        variant(weight=-1)


@pytest.mark.parametrize(
    "missing", [{"instance_type": None}, {"initial_instance_count": None}, {"size": None}]
)
def test_rejects_capacity_that_is_given_in_part(
    missing: dict[str, None], variant: Callable[..., Variant]
) -> None:
    with pytest.raises(ValueError, match="expected instance type, count and size, or none"):
        variant(**missing)


@pytest.mark.parametrize(
    ("endpoint", "capacity", "message"),
    [
        (
            ENDPOINT,
            {"instance_type": None, "initial_instance_count": None, "size": None},
            "expected instances, as the endpoint has them",
        ),
        (SERVERLESS, {}, "expected no instances on a serverless endpoint"),
    ],
)
def test_rejects_capacity_of_another_mode(
    endpoint: Endpoint, capacity: dict[str, None], message: str, variant: Callable[..., Variant]
) -> None:
    with pytest.raises(ValueError, match=message):
        variant(**capacity).render(endpoint)


@pytest.mark.parametrize(
    ("names", "shadows", "message"),
    [
        ([], [], "expected 1 to 10 production variants, got 0"),
        (
            [f"V{number}" for number in range(MAX_VARIANTS + 1)],
            [],
            "expected 1 to 10 production variants, got 11",
        ),
        (["A", "B"], ["C"], "one shadow variant beside one production variant, got 1 beside 2"),
        (["A"], ["B", "C"], "one shadow variant beside one production variant, got 2 beside 1"),
        (["A", "A"], [], "expected variants with names of their own, got A, A"),
        (["A"], ["A"], "expected variants with names of their own, got A, A"),
    ],
)
def test_rejects_variants_that_sagemaker_does_not_host_together(
    names: list[str], shadows: list[str], message: str, variant: Callable[..., Variant]
) -> None:
    variants = [variant(name) for name in names] + [variant(name, shadow=True) for name in shadows]

    with pytest.raises(ValueError, match=message):
        check_variants(variants, ENDPOINT)


@pytest.mark.parametrize("role", [{"shadow": True}, {"shadow": False}])
def test_rejects_a_challenger_where_the_mode_has_one_variant(
    role: dict[str, bool], variant: Callable[..., Variant]
) -> None:
    variants = [variant("A"), variant("B", **role)]

    with pytest.raises(ValueError, match="expected one variant on an endpoint of kind serverless"):
        check_variants(variants, SERVERLESS)
