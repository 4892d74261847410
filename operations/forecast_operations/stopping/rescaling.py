"""Scaling as it was: bounds, policies, scheduled actions, and the alarms that call a policy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from forecast_operations.watching.scaling import NAMESPACE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from forecast_operations.cloud.cloud import Cloud
    from forecast_operations.stopping.stopped import TargetBefore

_ALARM = (
    "AlarmName",
    "AlarmDescription",
    "ActionsEnabled",
    "OKActions",
    "AlarmActions",
    "InsufficientDataActions",
    "MetricName",
    "Namespace",
    "Statistic",
    "ExtendedStatistic",
    "Dimensions",
    "Period",
    "Unit",
    "EvaluationPeriods",
    "DatapointsToAlarm",
    "Threshold",
    "ComparisonOperator",
    "TreatMissingData",
    "EvaluateLowSampleCountPercentile",
    "Metrics",
    "ThresholdMetricId",
)
"""What PutMetricAlarm takes of what DescribeAlarms tells (CloudWatch API reference)."""


def bring_back_target(cloud: Cloud, target: TargetBefore, *, anew: bool) -> None:
    """Scale a variant as it was.

    Args:
        cloud: Where it is.
        target: What scaled.
        anew: Whether its endpoint was deleted, which takes policies and scheduled actions along
            (Amazon SageMaker developer guide, "Delete endpoints configured for auto scaling").
    """
    of_target = {
        "ServiceNamespace": NAMESPACE,
        "ResourceId": target.resource_id,
        "ScalableDimension": target.dimension,
    }
    cloud.ask(
        "application-autoscaling",
        "register_scalable_target",
        **of_target,
        MinCapacity=target.minimum,
        MaxCapacity=target.maximum,
        SuspendedState=target.suspended,
    )
    if not anew:
        return
    for policy in target.policies:
        given = {key: value for key, value in policy.items() if key != "PolicyARN"}
        answer = cloud.ask("application-autoscaling", "put_scaling_policy", **of_target, **given)
        _call_instead(cloud, policy["PolicyARN"], answer["PolicyARN"])
    for action in target.actions:
        cloud.ask("application-autoscaling", "put_scheduled_action", **of_target, **action)


def _call_instead(cloud: Cloud, old: str, new: str) -> None:
    """Let the alarms that called a policy call the one in its place."""
    if old == new:
        return
    for alarm in cloud.pages(
        "cloudwatch",
        "describe_alarms",
        "MetricAlarms",
        ActionPrefix=old,
        AlarmTypes=["MetricAlarm"],
    ):
        cloud.ask("cloudwatch", "put_metric_alarm", **_calling(alarm, old, new))


def _calling(alarm: Mapping[str, Any], old: str, new: str) -> dict[str, Any]:
    given = {key: alarm[key] for key in _ALARM if alarm.get(key) not in (None, [], "")}
    for kind in ("OKActions", "AlarmActions", "InsufficientDataActions"):
        if kind in given:
            given[kind] = [action.replace(old, new) for action in given[kind]]
    return given
