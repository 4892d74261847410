"""What an alarm sets off: messages to topics, functions, scaling policies."""

import json
import logging
from collections.abc import Callable
from typing import Any

from moto.cloudwatch.models import Alarm

from forecast_local import context
from forecast_local.applicationautoscaling.models import scaling_of

_LOG = logging.getLogger(__name__)
_SUBJECT_LIMIT = 100


def actions_of(alarm: Alarm) -> list[str]:
    """Return the ARNs of an alarm's actions for its state."""
    found = {
        "ALARM": alarm.alarm_actions,
        "OK": alarm.ok_actions,
        "INSUFFICIENT_DATA": alarm.insufficient_data_actions,
    }
    return list(found[alarm.state_value] or [])


def scaling_actions_of(alarm: Alarm) -> list[str]:
    """Return those actions that go on as long as the state does: scaling policies."""
    return [arn for arn in actions_of(alarm) if ":scalingPolicy:" in arn]


def perform(arn: str, alarm: Alarm, old_state: str, *, account: str, region: str) -> None:
    """Carry out one action; one that fails is logged, as on AWS.

    Args:
        arn: What to do.
        alarm: The alarm, in its new state.
        old_state: Its state before.
        account: Its account.
        region: Its region.
    """
    kind = "scaling" if ":scalingPolicy:" in arn else arn.split(":")[2]
    action = _ACTIONS.get(kind)
    if action is None:
        _LOG.warning("alarm %s: the local AWS has no action %s", alarm.name, arn)
        return
    try:
        action(arn, alarm, _message(alarm, old_state, account, region), account, region)
    except Exception:  # noqa: BLE001 - a failed action is its own trouble, not the alarm's
        _LOG.exception("alarm %s: action %s failed", alarm.name, arn)


def _message(alarm: Alarm, old_state: str, account: str, region: str) -> dict[str, Any]:
    message = {
        "AlarmName": alarm.name,
        "AlarmDescription": alarm.description,
        "AWSAccountId": account,
        "AlarmConfigurationUpdatedTimestamp": f"{alarm.configuration_updated_timestamp}",
        "NewStateValue": alarm.state_value,
        "NewStateReason": alarm.state_reason,
        "StateChangeTime": f"{alarm.state_updated_timestamp}",
        "Region": region,
        "AlarmArn": alarm.alarm_arn,
        "OldStateValue": old_state,
        "OKActions": alarm.ok_actions,
        "AlarmActions": alarm.alarm_actions,
        "InsufficientDataActions": alarm.insufficient_data_actions,
    }
    if alarm.rule is not None:
        return {**message, "AlarmRule": alarm.rule}
    trigger = {
        "MetricName": alarm.metric_name,
        "Namespace": alarm.namespace,
        "Period": alarm.period,
        "EvaluationPeriods": alarm.evaluation_periods,
        "ComparisonOperator": alarm.comparison_operator,
        "Threshold": alarm.threshold,
        "TreatMissingData": alarm.treat_missing_data,
        "Dimensions": [{"name": item.name, "value": item.value} for item in alarm.dimensions],
    }
    return {**message, "Trigger": trigger}


def _publish(arn: str, alarm: Alarm, message: dict[str, Any], account: str, region: str) -> None:
    subject = f'{alarm.state_value}: "{alarm.name}" in {region}'
    sns = context.current().clients.client("sns", account=account, region=region)
    sns.publish(TopicArn=arn, Subject=subject[:_SUBJECT_LIMIT], Message=json.dumps(message))


def _invoke(arn: str, alarm: Alarm, message: dict[str, Any], account: str, region: str) -> None:
    function = context.current().clients.client("lambda", account=account, region=region)
    event = {"source": "aws.cloudwatch", "alarmArn": alarm.alarm_arn, "alarmData": message}
    function.invoke(
        FunctionName=arn, InvocationType="Event", Payload=json.dumps(event, default=str)
    )


def _scale(arn: str, alarm: Alarm, message: dict[str, Any], account: str, region: str) -> None:  # noqa: ARG001 - every action takes the same
    scaling_of(account, region).step(arn, alarm)


_ACTIONS: dict[str, Callable[[str, Alarm, dict[str, Any], str, str], None]] = {
    "sns": _publish,
    "lambda": _invoke,
    "scaling": _scale,
}
