"""Scaling as it was: bounds, policies, scheduled actions, and the alarms that call a policy."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from forecast_operations.cloud.refusals import CloudError
from forecast_operations.deployed.scaling import NAMESPACE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

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


_AT = re.compile(r"at\((\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})\)")
"""A schedule of a single time (Application Auto Scaling API reference, PutScheduledAction)."""


def bring_back_target(
    cloud: Cloud, target: TargetBefore, say: Callable[[str], None], *, anew: bool
) -> list[CloudError]:
    """Scale a variant as it was, as far as AWS allows.

    Policies and scheduled actions that are there stay: they were brought back, or deployed since.

    Args:
        cloud: Where it is.
        target: What scaled.
        say: Told what is left out, as its time is over.
        anew: Whether its endpoint was to be deleted, which takes policies and scheduled actions
            along (Amazon SageMaker developer guide, "Delete endpoints configured for auto
            scaling").

    Returns:
        What AWS refused; the rest is as it was.
    """
    refused = []
    for step in _steps(cloud, target, say, anew=anew):
        try:
            step()
        except CloudError as error:
            refused.append(error)
    return refused


def is_over(action: Mapping[str, Any], now: datetime) -> bool:
    """Whether a scheduled action will never act again: PutScheduledAction may refuse it."""
    end = action.get("EndTime")
    if end is not None and _moment(end) <= now:
        return True
    once = _AT.fullmatch(action.get("Schedule", ""))
    if once is None:
        return False
    zone = ZoneInfo(action.get("Timezone", "UTC"))
    return datetime.fromisoformat(once[1]).replace(tzinfo=zone) <= now


def _steps(
    cloud: Cloud, target: TargetBefore, say: Callable[[str], None], *, anew: bool
) -> Iterator[Callable[[], Any]]:
    of_target = {
        "ServiceNamespace": NAMESPACE,
        "ResourceId": target.resource_id,
        "ScalableDimension": target.dimension,
    }
    yield lambda: cloud.ask(
        "application-autoscaling",
        "register_scalable_target",
        **of_target,
        MinCapacity=target.minimum,
        MaxCapacity=target.maximum,
        SuspendedState=target.suspended,
    )
    if not anew:
        return
    now = datetime.now(UTC)
    for policy in target.policies:
        yield partial(_bring_back_policy, cloud, policy, of_target)
    for action in target.actions:
        if is_over(action, now):
            say(f"left out {action['ScheduledActionName']} of {target.resource_id}: it is over")
            continue
        yield partial(_bring_back_action, cloud, _begun(action, now), of_target)


def _bring_back_policy(
    cloud: Cloud, policy: Mapping[str, Any], of_target: Mapping[str, str]
) -> None:
    there = cloud.pages(
        "application-autoscaling", "describe_scaling_policies", "ScalingPolicies", **of_target
    )
    answer = next((each for each in there if each["PolicyName"] == policy["PolicyName"]), None)
    if answer is None:
        given = {key: value for key, value in policy.items() if key != "PolicyARN"}
        answer = cloud.ask("application-autoscaling", "put_scaling_policy", **of_target, **given)
    _call_instead(cloud, policy["PolicyARN"], answer["PolicyARN"])


def _bring_back_action(
    cloud: Cloud, action: Mapping[str, Any], of_target: Mapping[str, str]
) -> None:
    there = cloud.pages(
        "application-autoscaling", "describe_scheduled_actions", "ScheduledActions", **of_target
    )
    if action["ScheduledActionName"] not in {each["ScheduledActionName"] for each in there}:
        cloud.ask("application-autoscaling", "put_scheduled_action", **of_target, **action)


def _begun(action: Mapping[str, Any], now: datetime) -> Mapping[str, Any]:
    """A scheduled action without the beginning of its time, where that is past.

    Amazon EC2 Auto Scaling refuses to schedule in the past (PutScheduledUpdateGroupAction);
    Application Auto Scaling does not say.
    """
    start = action.get("StartTime")
    if start is None or _moment(start) > now:
        return action
    return {key: value for key, value in action.items() if key != "StartTime"}


def _moment(noted: str | datetime) -> datetime:
    moment = datetime.fromisoformat(noted) if isinstance(noted, str) else noted
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


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
