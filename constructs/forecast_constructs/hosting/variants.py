"""Variants: the models behind one endpoint, each with its capacity and its share of the traffic."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aws_cdk import aws_sagemaker as sagemaker

from forecast_config import names
from forecast_config.settings import RealtimeEndpoint, ServerlessEndpoint, ShadowRollout

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forecast_config.packaged import PackagedModel
    from forecast_config.settings import ChallengerRollout, Endpoint
    from forecast_config.sizing import ContainerSize
    from forecast_constructs.hosting.model import ForecastModel

MAX_VARIANTS = 10
"""Production variants of an endpoint configuration (SageMaker API, CreateEndpointConfig)."""

CHAMPION_WEIGHT = 1.0
"""Weight of the champion in every configuration, alone or beside a challenger.

An update keeps the weight of a variant that was there before and takes that of a new one from the
configuration. Only with one weight for the champion in all of them is the share of a challenger
that joins it the one that was asked for.
"""

_WEIGHT_DIGITS = 6
"""Decimals of a weight, which SageMaker holds as a 32-bit float; a share is right to 0.0001 %."""


@dataclass(frozen=True, kw_only=True)
class Variant:
    """A model behind an endpoint.

    Attributes:
        name: Name of the variant; it stays the same from deployment to deployment.
        model: What it serves.
        packaged_model: The model's archive and lineage.
        instance_type: Type of its instances; None: serverless.
        initial_instance_count: Instances at its first deployment; None: serverless.
        weight: Its share of the requests, as a ratio to the sum over the production variants; of a
            shadow variant the share that is copied to it, as a ratio to the production variant's.
        size: Timeouts and storage; None: serverless, which has neither.
        shadow: Whether it gets copies of the requests and clients never see its answers.
    """

    name: str
    model: ForecastModel
    packaged_model: PackagedModel
    instance_type: str | None
    initial_instance_count: int | None
    weight: float
    size: ContainerSize | None
    shadow: bool = False

    def __post_init__(self) -> None:
        """Check that the capacity is given in full or not at all.

        Raises:
            ValueError: The weight is negative, or an instance type comes without count or size.
        """
        if self.weight < 0:
            raise ValueError(f"expected a weight of 0 or more, got {self.weight:g}")
        given = {
            value is not None
            for value in (self.instance_type, self.initial_instance_count, self.size)
        }
        if len(given) > 1:
            raise ValueError(
                f"variant {self.name}: expected instance type, count and size, or none of them for "
                "a serverless endpoint"
            )

    def render(self, endpoint: Endpoint) -> sagemaker.CfnEndpointConfig.ProductionVariantProperty:
        """The variant as a property of an endpoint configuration."""
        if isinstance(endpoint, ServerlessEndpoint):
            return self._render_serverless(endpoint)
        if self.size is None:
            raise ValueError(f"variant {self.name}: expected instances, as the endpoint has them")
        return sagemaker.CfnEndpointConfig.ProductionVariantProperty(
            variant_name=self.name,
            model_name=self.model.model_name,
            instance_type=self.instance_type,
            initial_instance_count=self.initial_instance_count,
            initial_variant_weight=self.weight,
            container_startup_health_check_timeout_in_seconds=self.size.startup_timeout_seconds,
            model_data_download_timeout_in_seconds=self.size.download_timeout_seconds,
            volume_size_in_gb=self.size.volume_size_gb,
        )

    def _render_serverless(
        self, endpoint: ServerlessEndpoint
    ) -> sagemaker.CfnEndpointConfig.ProductionVariantProperty:
        if self.instance_type is not None:
            raise ValueError(f"variant {self.name}: expected no instances on a serverless endpoint")
        warm = endpoint.provisioned_concurrency
        return sagemaker.CfnEndpointConfig.ProductionVariantProperty(
            variant_name=self.name,
            model_name=self.model.model_name,
            initial_variant_weight=self.weight,
            serverless_config=sagemaker.CfnEndpointConfig.ServerlessConfigProperty(
                memory_size_in_mb=endpoint.memory_mib,
                max_concurrency=endpoint.max_concurrency,
                provisioned_concurrency=None if warm is None else warm.initial,
            ),
        )


def champion_variant(
    endpoint: Endpoint,
    *,
    model: ForecastModel,
    packaged_model: PackagedModel,
    size: ContainerSize,
) -> Variant:
    """The production variant that every endpoint has."""
    instance_type, initial_instance_count, timeouts = None, None, None
    if not isinstance(endpoint, ServerlessEndpoint):
        instance_type, timeouts = endpoint.instance_type, size
        initial_instance_count = endpoint.initial_instance_count
    return Variant(
        name=endpoint.variant_name,
        model=model,
        packaged_model=packaged_model,
        instance_type=instance_type,
        initial_instance_count=initial_instance_count,
        weight=CHAMPION_WEIGHT,
        size=timeouts,
    )


def challenger_variant(
    rollout: ChallengerRollout,
    endpoint: RealtimeEndpoint,
    *,
    model: ForecastModel,
    packaged_model: PackagedModel,
    size: ContainerSize,
) -> Variant:
    """The variant that is compared with the champion.

    Args:
        rollout: Its share of the traffic and its instances.
        endpoint: What a challenger without an instance type of its own runs on.
        model: What it serves.
        packaged_model: The model's archive and lineage.
        size: Timeouts and storage on its instance type.
    """
    return Variant(
        name=names.challenger_variant(endpoint.variant_name),
        model=model,
        packaged_model=packaged_model,
        instance_type=challenger_instance_type(rollout, endpoint),
        initial_instance_count=rollout.initial_instance_count,
        weight=challenger_weight(rollout),
        size=size,
        shadow=isinstance(rollout, ShadowRollout),
    )


def challenger_weight(rollout: ChallengerRollout) -> float:
    """Weight of a challenger beside a champion of `CHAMPION_WEIGHT`.

    A production variant gets the ratio of its weight to the sum of all (SageMaker API reference,
    ProductionVariant, InitialVariantWeight): 25 % beside a weight of 1 is 1/3. A shadow variant
    gets copies in the ratio of its weight to the production variant's; AWS's own example ("Shadow
    variants", developer guide) copies everything with 1 and 1, and says nothing of other ratios.
    """
    if isinstance(rollout, ShadowRollout):
        return CHAMPION_WEIGHT * rollout.sampling_percent / 100
    share = rollout.challenger_percent / (100 - rollout.challenger_percent)
    return round(CHAMPION_WEIGHT * share, _WEIGHT_DIGITS)


def challenger_instance_type(rollout: ChallengerRollout, endpoint: RealtimeEndpoint) -> str:
    """Instance type of the challenger: its own, or that of the endpoint."""
    return endpoint.instance_type if rollout.instance_type is None else rollout.instance_type


def production_variants(variants: Sequence[Variant]) -> list[Variant]:
    """Those whose answers clients get."""
    return [variant for variant in variants if not variant.shadow]


def check_variants(variants: Sequence[Variant], endpoint: Endpoint) -> None:
    """Check that SageMaker hosts these variants together.

    Limits: SageMaker API reference, CreateEndpointConfig (ProductionVariants and
    ShadowProductionVariants); developer guide, "Deploy models with Amazon SageMaker Serverless
    Inference" (feature exclusions: several production variants).

    Raises:
        ValueError: There are too many or too few, two have one name, or the mode allows one only.
    """
    answering = production_variants(variants)
    shadows = len(variants) - len(answering)
    if not 1 <= len(answering) <= MAX_VARIANTS:
        raise ValueError(f"expected 1 to {MAX_VARIANTS} production variants, got {len(answering)}")
    if shadows and (shadows, len(answering)) != (1, 1):
        raise ValueError(
            "expected one shadow variant beside one production variant, "
            f"got {shadows} beside {len(answering)}"
        )
    if len({variant.name for variant in variants}) < len(variants):
        listed = ", ".join(variant.name for variant in variants)
        raise ValueError(f"expected variants with names of their own, got {listed}")
    if len(variants) > 1 and not isinstance(endpoint, RealtimeEndpoint):
        raise ValueError(
            f"expected one variant on an endpoint of kind {endpoint.kind}, got {len(variants)}"
        )
