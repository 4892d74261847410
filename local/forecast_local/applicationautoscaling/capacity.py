"""Changes of capacity: step policies that an alarm sets off, and scheduled actions.

Application Auto Scaling user guide, "How step scaling works" and "Scheduled scaling".
"""

import json
import math
from collections.abc import Mapping
from typing import Any

from moto.applicationautoscaling.models import FakeScalableTarget
from moto.cloudwatch.models import Alarm

from forecast_local.applicationautoscaling.limits import PROVISIONED_CONCURRENCY
from forecast_local.sagemaker.endpoint import HostedEndpoint


def current_capacity(endpoint: HostedEndpoint, variant: str, dimension: str) -> int:
    """Return the capacity of a variant in a dimension."""
    summary = endpoint.variants[variant]
    if dimension == PROVISIONED_CONCURRENCY:
        return int(summary["DesiredServerlessConfig"].get("ProvisionedConcurrency", 0))
    return int(summary["DesiredInstanceCount"])


def set_capacity(endpoint: HostedEndpoint, variant: str, dimension: str, wanted: int) -> None:
    """Set the capacity of a variant; while the endpoint changes, nothing scales."""
    if not endpoint.is_settled or current_capacity(endpoint, variant, dimension) == wanted:
        return
    change: dict[str, Any] = {"VariantName": variant, "DesiredInstanceCount": wanted}
    if dimension == PROVISIONED_CONCURRENCY:
        serverless = {"ProvisionedConcurrency": wanted}
        change = {"VariantName": variant, "ServerlessUpdateConfig": serverless}
    endpoint.resize(change)


def bounded(target: FakeScalableTarget, wanted: int) -> int:
    """Return a capacity within the bounds of a target."""
    low, high = int(target.min_capacity or 0), int(target.max_capacity or 0)
    return min(max(wanted, low), high)


def distance_of(alarm: Alarm) -> float:
    """Return how far the newest datapoint of an alarm is above its threshold."""
    points = json.loads(alarm.state_reason_data or "{}").get("recentDatapoints") or []
    return float(points[-1]) - float(alarm.threshold) if points else 0.0


def stepped(configuration: Mapping[str, Any], current: int, distance: float) -> int:
    """Return the capacity that a step policy asks for.

    Args:
        configuration: ``StepScalingPolicyConfiguration``.
        current: The capacity now.
        distance: How far the metric is above the alarm's threshold.
    """
    for step in configuration.get("StepAdjustments", []):
        low = step.get("MetricIntervalLowerBound", -math.inf)
        high = step.get("MetricIntervalUpperBound", math.inf)
        if float(low) <= distance < float(high):
            return _adjusted(configuration, current, float(step["ScalingAdjustment"]))
    return current


def _adjusted(configuration: Mapping[str, Any], current: int, adjustment: float) -> int:
    match configuration.get("AdjustmentType"):
        case "ExactCapacity":
            return int(adjustment)
        case "PercentChangeInCapacity":
            change = current * adjustment / 100
            least = int(configuration.get("MinAdjustmentMagnitude", 1))
            size = max(math.floor(abs(change)), least)
            return current + int(math.copysign(size, change))
        case _:
            return current + int(adjustment)
