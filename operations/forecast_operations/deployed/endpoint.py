"""An endpoint as SageMaker describes it, beside what its stack wants."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from forecast_operations.deployed.live import variants_in
from forecast_operations.deployed.statuses import IN_SERVICE, is_in_transition
from forecast_operations.synthesis.hosted import mode_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from forecast_operations.deployed.live import Live
    from forecast_operations.synthesis.hosted import Mode


@dataclass(frozen=True)
class VariantState:
    """One variant of an endpoint.

    Attributes:
        name: Its name.
        shadow: Whether it gets copies of requests and answers nobody.
        instance_type: Its instance type; None for serverless.
        current: Instances that serve; None for serverless.
        desired: Instances that shall serve; None for serverless.
        warm: Requests that a serverless variant is kept warm for; None where it is not.
        weight: Its weight now.
        share: Its share of the requests, from 0 to 1.
        model: Name of the SageMaker model that it serves.
    """

    name: str
    shadow: bool
    instance_type: str | None
    current: int | None
    desired: int | None
    warm: int | None
    weight: float
    share: float
    model: str | None


@dataclass(frozen=True)
class PendingVariant:
    """One variant of the fleet that a rollout brings.

    Attributes:
        name: Its name.
        status: What happens with it, such as Creating or Baking.
        weight: Its weight now; None where it is not told.
        instances: Instances that serve; None where it is not told.
    """

    name: str
    status: str
    weight: float | None
    instances: int | None


@dataclass(frozen=True)
class PendingRollout:
    """An update that is under way.

    Attributes:
        config: The configuration that it brings.
        since: When it began.
        variants: The variants of the new fleet.
    """

    config: str
    since: datetime | None
    variants: tuple[PendingVariant, ...]


@dataclass(frozen=True)
class EndpointState:
    """An endpoint.

    Attributes:
        name: Its name.
        arn: Its ARN.
        status: Its status.
        since: When it was last changed.
        created: When it was created.
        config: The configuration that it serves.
        config_created: When that was made; None when it is gone.
        mode: How it serves; None when the configuration is gone.
        failure: Why it failed; None where nothing did.
        variants: Its variants, shadows last.
        rollout: An update that is under way; None: there is none.
    """

    name: str
    arn: str
    status: str
    since: datetime
    created: datetime
    config: str
    config_created: datetime | None
    mode: Mode | None
    failure: str | None
    variants: tuple[VariantState, ...]
    rollout: PendingRollout | None

    @property
    def in_service(self) -> bool:
        """Whether it answers and nothing changes."""
        return self.status == IN_SERVICE

    @property
    def under_way(self) -> bool:
        """Whether it is in a transition, in which it cannot be changed."""
        return is_in_transition(self.status)

    @property
    def answering(self) -> tuple[VariantState, ...]:
        """The variants that answer clients."""
        return tuple(variant for variant in self.variants if not variant.shadow)


def read_endpoint(live: Live, name: str) -> EndpointState | None:
    """An endpoint as it is; None when there is none of this name."""
    endpoint = live.endpoint(name)
    if endpoint is None:
        return None
    # After a failed creation there may be none at all.
    config_name = endpoint.get("EndpointConfigName", "")
    config = live.endpoint_config(config_name) if config_name else None
    return EndpointState(
        name=name,
        arn=endpoint["EndpointArn"],
        status=endpoint["EndpointStatus"],
        since=endpoint["LastModifiedTime"],
        created=endpoint["CreationTime"],
        config=config_name,
        config_created=None if config is None else config["CreationTime"],
        mode=None if config is None else mode_of(config),
        failure=endpoint.get("FailureReason"),
        variants=_variants(endpoint, config or {}),
        rollout=_rollout(endpoint.get("PendingDeploymentSummary")),
    )


def _variants(endpoint: Mapping[str, Any], config: Mapping[str, Any]) -> tuple[VariantState, ...]:
    configured = {each["VariantName"]: each for each, _ in variants_in(config)}
    answering = endpoint.get("ProductionVariants") or ()
    total = sum(float(each.get("CurrentWeight", 0)) for each in answering)
    return tuple(
        _variant(each, configured.get(each["VariantName"], {}), total, shadow=is_shadow)
        for each, is_shadow in variants_in(endpoint)
    )


def _variant(
    variant: Mapping[str, Any], configured: Mapping[str, Any], total: float, *, shadow: bool
) -> VariantState:
    weight = float(variant.get("CurrentWeight", 0))
    serverless = variant.get("CurrentServerlessConfig") or {}
    return VariantState(
        name=variant["VariantName"],
        shadow=shadow,
        instance_type=configured.get("InstanceType"),
        current=variant.get("CurrentInstanceCount"),
        desired=variant.get("DesiredInstanceCount"),
        warm=serverless.get("ProvisionedConcurrency"),
        weight=weight,
        share=weight / total if total else 0.0,
        model=configured.get("ModelName"),
    )


def _rollout(pending: Mapping[str, Any] | None) -> PendingRollout | None:
    if not pending:
        return None
    return PendingRollout(
        config=pending["EndpointConfigName"],
        since=pending.get("StartTime"),
        variants=tuple(
            PendingVariant(
                name=each["VariantName"],
                status=", ".join(status["Status"] for status in each.get("VariantStatus") or ()),
                weight=each.get("CurrentWeight"),
                instances=each.get("CurrentInstanceCount"),
            )
            for each in pending.get("ProductionVariants") or ()
        ),
    )
