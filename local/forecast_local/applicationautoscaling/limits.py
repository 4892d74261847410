"""The limits of Application Auto Scaling for SageMaker variants.

Sources: Application Auto Scaling API reference, RegisterScalableTarget, PutScalingPolicy,
PutScheduledAction and PredefinedMetricSpecification; SageMaker developer guide, "Auto scaling
prerequisites" and "Autoscale an asynchronous endpoint".
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from moto.applicationautoscaling.exceptions import AWSValidationException

from forecast_local.schedules import ScheduleError, parse_schedule

INSTANCES = "sagemaker:variant:DesiredInstanceCount"
PROVISIONED_CONCURRENCY = "sagemaker:variant:DesiredProvisionedConcurrency"
_BURSTABLE = re.compile(r"ml\.t\d")
_PREDEFINED = {
    INSTANCES: (
        "SageMakerVariantInvocationsPerInstance",
        "SageMakerVariantConcurrentRequestsPerModelHighResolution",
    ),
    PROVISIONED_CONCURRENCY: ("SageMakerVariantProvisionedConcurrencyUtilization",),
}

Given = Mapping[str, Any]


def check_bounds(low: int | None, high: int | None) -> None:
    """Refuse bounds that are missing or the wrong way round."""
    if low is None or high is None:
        raise AWSValidationException("Both MinCapacity and MaxCapacity are required.")
    if low > high:
        raise AWSValidationException(
            f"Maximum capacity {high} cannot be less than minimum capacity {low}."
        )


def check_variant(dimension: str, variant: Given, config: Given, low: int, high: int) -> None:
    """Refuse a variant that cannot be scaled in a dimension, or not to these bounds.

    Args:
        dimension: The scalable dimension.
        variant: The variant of the endpoint configuration.
        config: Request that created the configuration.
        low: MinCapacity.
        high: MaxCapacity.
    """
    if dimension == PROVISIONED_CONCURRENCY:
        _check_serverless(variant, low, high)
    else:
        _check_instances(variant, config, low)


def _check_instances(variant: Given, config: Given, low: int) -> None:
    name = variant["VariantName"]
    if "ServerlessConfig" in variant:
        raise AWSValidationException(
            f"Variant {name} is serverless and has no instances to scale: use "
            f"{PROVISIONED_CONCURRENCY}."
        )
    instance_type = str(variant.get("InstanceType", ""))
    if _BURSTABLE.match(instance_type):
        raise AWSValidationException(
            f"Automatic scaling is not supported for the burstable instance type "
            f"{instance_type} of variant {name}."
        )
    if low < 1 and not config.get("AsyncInferenceConfig"):
        raise AWSValidationException(
            f"MinCapacity of a real-time variant must be at least 1, got {low}."
        )


def _check_serverless(variant: Given, low: int, high: int) -> None:
    name, settings = variant["VariantName"], variant.get("ServerlessConfig")
    if settings is None or "ProvisionedConcurrency" not in settings:
        raise AWSValidationException(f"Variant {name} has no provisioned concurrency to scale.")
    if low < 1:
        raise AWSValidationException(
            f"MinCapacity of provisioned concurrency must be at least 1, got {low}."
        )
    if high > int(settings["MaxConcurrency"]):
        raise AWSValidationException(
            f"MaxCapacity {high} is more than the MaxConcurrency {settings['MaxConcurrency']} of "
            f"variant {name}."
        )


def check_policy(dimension: str, policy_type: str | None, body: Given) -> None:
    """Refuse a policy whose metric is none, two, or one of another dimension."""
    if policy_type != "TargetTrackingScaling":
        return
    predefined = body.get("PredefinedMetricSpecification")
    customized = body.get("CustomizedMetricSpecification")
    if (predefined is None) == (customized is None):
        raise AWSValidationException(
            "Exactly one of PredefinedMetricSpecification and CustomizedMetricSpecification is "
            "required."
        )
    if predefined is not None and dimension in _PREDEFINED:
        kind = predefined["PredefinedMetricType"]
        if kind not in _PREDEFINED[dimension]:
            raise AWSValidationException(
                f"PredefinedMetricType {kind} is not supported for {dimension}, expected one of "
                f"{list(_PREDEFINED[dimension])}."
            )
    if customized is not None:
        _check_customized(customized)


def _check_customized(customized: Given) -> None:
    plain = "MetricName" in customized
    if plain == ("Metrics" in customized):
        raise AWSValidationException(
            "CustomizedMetricSpecification needs either Metrics, or Namespace, MetricName and "
            "Statistic."
        )
    if plain and not {"Namespace", "Statistic"} <= set(customized):
        raise AWSValidationException("Namespace, MetricName and Statistic are required together.")
    returned = [item for item in customized.get("Metrics", []) if item.get("ReturnData", True)]
    if not plain and len(returned) != 1:
        raise AWSValidationException(
            f"Exactly one element of Metrics must return data, got {len(returned)}."
        )


def check_scheduled_action(
    schedule: str | None, timezone: str | None, action: Given | None, period: tuple[Any, Any]
) -> None:
    """Refuse a scheduled action whose expression, zone, bounds or period are wrong.

    Args:
        schedule: The expression.
        timezone: IANA time zone; UTC when None.
        action: ``ScalableTargetAction``.
        period: StartTime and EndTime, each None or seconds since 1970.
    """
    try:
        if schedule is not None:
            parse_schedule(schedule, timezone or "UTC")
    except ScheduleError as error:
        raise AWSValidationException(f"Invalid schedule: {error}") from error
    bounds = action or {}
    low, high = bounds.get("MinCapacity"), bounds.get("MaxCapacity")
    if action is not None and low is None and high is None:
        raise AWSValidationException("MinCapacity or MaxCapacity is required.")
    if low is not None and high is not None:
        check_bounds(low, high)
    start, end = (_moment(item) for item in period)
    if start is not None and end is not None and start >= end:
        raise AWSValidationException("StartTime must be before EndTime.")


def _moment(value: Any) -> float | None:
    if value is None:
        return None
    if isinstance(value, str):
        return datetime.fromisoformat(value).timestamp()
    return float(value)
