"""The limits of deployment policies that SageMaker's API enforces and its model does not state.

Sources: SageMaker API reference, BlueGreenUpdatePolicy, RollingUpdatePolicy, TrafficRoutingConfig,
CapacitySize; SageMaker developer guide, "Deployment guardrails: Exclusions".
"""

import math
from collections.abc import Iterable, Mapping
from typing import Any

from moto.sagemaker.exceptions import ValidationError

from forecast_local.sagemaker import variant_limits

CANARY_PERCENT = (0, 50)
LINEAR_PERCENT = (10, 50)
ROLLING_PERCENT = (5, 50)
ROLLBACK_PERCENT = (1, 100)
DEFAULT_EXECUTION_SECONDS = 28800


def check_deployment(
    deployment: Mapping[str, Any] | None, config: Mapping[str, Any], counts: Mapping[str, int]
) -> None:
    """Refuse a deployment configuration that could not be carried out.

    Args:
        deployment: ``DeploymentConfig`` of the request.
        config: Request that created the new endpoint configuration.
        counts: Instances of each production variant that will be replaced.
    """
    if deployment is None:
        return
    blue_green = deployment.get("BlueGreenUpdatePolicy")
    rolling = deployment.get("RollingUpdatePolicy")
    if blue_green is not None and rolling is not None:
        raise ValidationError(
            message="You can specify either BlueGreenUpdatePolicy or RollingUpdatePolicy, not both."
        )
    if variant_limits.is_serverless(config):
        raise ValidationError(message="DeploymentConfig is not supported for serverless endpoints.")
    if blue_green is not None:
        _check_blue_green(blue_green, counts)
    if rolling is not None:
        _check_rolling(rolling, config, counts)


def has_policy(deployment: Mapping[str, Any] | None) -> bool:
    """Whether a deployment configuration holds an update policy."""
    given = deployment or {}
    return "BlueGreenUpdatePolicy" in given or "RollingUpdatePolicy" in given


def check_same_variants(old: Iterable[str], new: Iterable[str]) -> None:
    """Refuse an update with an update policy that changes the names of the variants."""
    if set(old) != set(new):
        raise ValidationError(
            message=f"Variant names must be the same in both endpoint configurations, got "
            f"{sorted(old)} and {sorted(new)}."
        )


def check_same_mode(old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
    """Refuse an update that changes between instances, serverless and asynchronous inference.

    SageMaker developer guide, "Deploy models with Amazon SageMaker Serverless Inference": an
    instance-based endpoint cannot be converted.
    """
    before, after = variant_limits.serving_mode(old), variant_limits.serving_mode(new)
    if before != after:
        raise ValidationError(
            message=f"An endpoint cannot be changed from {before} to {after}: delete it, or create "
            "another endpoint."
        )


def instances_of(size: Mapping[str, Any], count: int) -> int:
    """Return the instances that a capacity size means, of so many."""
    value = int(size["Value"])
    return value if size["Type"] == "INSTANCE_COUNT" else math.ceil(count * value / 100)


def _check_blue_green(policy: Mapping[str, Any], counts: Mapping[str, int]) -> None:
    routing = policy["TrafficRoutingConfiguration"]
    kind, wait = routing["Type"], int(routing["WaitIntervalInSeconds"])
    steps = {"CANARY": ("CanarySize", CANARY_PERCENT), "LINEAR": ("LinearStepSize", LINEAR_PERCENT)}
    for step_kind, (key, limits) in steps.items():
        if kind == step_kind and key not in routing:
            raise ValidationError(message=f"{key} is required for traffic routing of type {kind}.")
        if kind != step_kind and key in routing:
            raise ValidationError(message=f"{key} is not allowed for traffic routing {kind}.")
        if kind == step_kind:
            _check_capacity(key, routing[key], limits, counts)
    termination = int(policy.get("TerminationWaitInSeconds", 0))
    _check_duration(policy, wait + termination)


def _check_rolling(
    policy: Mapping[str, Any], config: Mapping[str, Any], counts: Mapping[str, int]
) -> None:
    variants = variant_limits.all_variants(config)
    if len(variants) > 1:
        raise ValidationError(
            message="RollingUpdatePolicy is not supported for endpoints with several variants, got "
            f"{[variant['VariantName'] for variant in variants]}."
        )
    _check_capacity("MaximumBatchSize", policy["MaximumBatchSize"], ROLLING_PERCENT, counts)
    if "RollbackMaximumBatchSize" in policy:
        size = policy["RollbackMaximumBatchSize"]
        _check_capacity("RollbackMaximumBatchSize", size, ROLLBACK_PERCENT, counts)
    _check_duration(policy, int(policy["WaitIntervalInSeconds"]))


def _check_duration(policy: Mapping[str, Any], waits: int) -> None:
    limit = int(policy.get("MaximumExecutionTimeoutInSeconds", DEFAULT_EXECUTION_SECONDS))
    if limit <= waits:
        raise ValidationError(
            message=f"MaximumExecutionTimeoutInSeconds {limit} must be larger than the sum of the "
            f"waiting times {waits}."
        )


def _check_capacity(
    key: str, size: Mapping[str, Any], limits: tuple[int, int], counts: Mapping[str, int]
) -> None:
    kind, value = size["Type"], int(size["Value"])
    low, high = limits
    if kind == "CAPACITY_PERCENT" and not low <= value <= high:
        raise ValidationError(
            message=f"{key} must be between {low} and {high} percent of the variant's capacity, "
            f"got {value}."
        )
    for variant, count in counts.items():
        instances = instances_of(size, count)
        if instances * 100 > high * count:
            raise ValidationError(
                message=f"{key} of {value} ({kind}) is {instances} of the {count} instance(s) of "
                f"variant {variant}: more than {high} percent."
            )
        if instances * 100 < low * count:
            raise ValidationError(
                message=f"{key} of {value} ({kind}) is {instances} of the {count} instance(s) of "
                f"variant {variant}: less than {low} percent."
            )
