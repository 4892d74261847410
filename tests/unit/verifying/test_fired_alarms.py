"""The alarms that fired while a rollout was under way, or had done so before it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from forecast_operations.cloud.cloud import Cloud
from forecast_operations.verifying.undone import Span, explain, fired_alarms

NOON = datetime(2027, 1, 4, 12, tzinfo=UTC)


class _CloudWatch:
    """Histories by alarm, and alarms with their state."""

    def __init__(self, history: dict[str, list[Any]], alarms: list[Any]) -> None:
        self._history, self._alarms = history, alarms
        self.asked: list[dict[str, Any]] = []

    def get_paginator(self, operation: str) -> Any:
        self._operation = operation
        return self

    def paginate(self, **asked: Any) -> Any:
        self.asked.append(asked)
        if self._operation == "describe_alarms":
            return [{"MetricAlarms": self._alarms}]
        found = self._history.get(asked["AlarmName"], [])
        if isinstance(found, Exception):
            raise found
        return [{"AlarmHistoryItems": [each]} for each in found]


def _change(minute: int, to: str, data: str) -> dict[str, Any]:
    return {
        "Timestamp": NOON + timedelta(minutes=minute),
        "HistorySummary": f"Alarm updated from OK to {to}",
        "HistoryData": data,
    }


def test_the_first_firing_within_the_rollout_counts_with_its_reason() -> None:
    told = '{"newState": {"stateValue": "ALARM", "stateReason": "Threshold Crossed: 7"}}'
    history = {
        "late": [_change(9, "ALARM", "nine"), _change(12, "ALARM", "twelve")],
        "early": [
            _change(-1, "ALARM", "before it"),
            _change(3, "OK", "calm"),
            _change(5, "ALARM", told),
            _change(40, "ALARM", "after it"),
        ],
    }
    cloudwatch = _CloudWatch(history, [])
    span = Span(NOON, NOON + timedelta(minutes=30))

    fired = fired_alarms(Cloud("r", clients={"cloudwatch": cloudwatch}), ["late", "early"], span)

    assert [(each.alarm, each.reason) for each in fired] == [
        ("early", "Threshold Crossed: 7"),
        ("late", "nine"),
    ]
    assert cloudwatch.asked[0]["StartDate"] == NOON
    assert cloudwatch.asked[0]["HistoryItemType"] == "StateUpdate"


@pytest.mark.parametrize(
    ("state", "minute", "named"), [("ALARM", -5, True), ("OK", -5, False), ("ALARM", 50, False)]
)
def test_an_alarm_that_was_on_all_the_time_is_named_too(
    state: str, minute: int, *, named: bool
) -> None:
    alarm = {
        "AlarmName": "own",
        "StateValue": state,
        "StateReason": "still",
        "StateUpdatedTimestamp": NOON + timedelta(minutes=minute),
    }
    cloud = Cloud("r", clients={"cloudwatch": _CloudWatch({}, [alarm])})

    said = explain(cloud, ["own"], Span(NOON, NOON + timedelta(minutes=30)))

    assert said == ("the alarm own was in ALARM: still" if named else "")


@pytest.mark.parametrize(
    ("code", "message", "named"),
    [
        (
            "AccessDenied",
            "User: me is not authorized to perform: cloudwatch:DescribeAlarmHistory",
            "the permission cloudwatch:DescribeAlarmHistory",
        ),
        ("Throttling", "Rate exceeded", "AWS refuses cloudwatch:DescribeAlarmHistory for now"),
    ],
)
def test_what_aws_does_not_tell_is_named_and_not_fatal(code: str, message: str, named: str) -> None:
    refused = ClientError({"Error": {"Code": code, "Message": message}}, "DescribeAlarmHistory")
    histories: Any = {"own": refused}
    cloud = Cloud("r", clients={"cloudwatch": _CloudWatch(histories, [])})

    said = explain(cloud, ["own"], Span(None, None))

    assert f"cannot be told: {named}" in said
