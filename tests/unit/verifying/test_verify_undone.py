"""A rollout that was undone is told from an update by hand, with the alarm that fired."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from forecast_local.simulation import ANY_ALARM
from forecast_operations.cloud.cloud import Cloud
from forecast_operations.verifying.undone import Span, explain, fired_alarms

ALARM = "produce-rollback-failed-requests"
NOON = datetime(2027, 1, 4, 12, tzinfo=UTC)


def _serve_another(world: Any) -> str:
    """Let the endpoint serve what its stack does not say, as a rollback or a person would."""
    sagemaker = world.aws.client("sagemaker")
    before = world.aws.endpoint("produce")["EndpointConfigName"]
    config = sagemaker.describe_endpoint_config(EndpointConfigName=before)
    sagemaker.create_endpoint_config(
        EndpointConfigName="another", ProductionVariants=config["ProductionVariants"]
    )
    sagemaker.update_endpoint(EndpointName="produce", EndpointConfigName="another")
    return str(before)


def _at(world: Any, changed: Any, moment: datetime, **more: Any) -> None:
    """Let the endpoint have changed last at a moment."""

    def change(answer: dict[str, Any]) -> dict[str, Any]:
        return {**answer, "LastModifiedTime": moment, **more}

    sagemaker = world.aws.client("sagemaker")
    world.clients["sagemaker"] = changed(sagemaker, describe_endpoint=change)


def test_a_failed_update_names_the_alarm_that_undid_it(deployed: Any, checks_failed: Any) -> None:
    outcome = deployed.deploy("2", alarm=ANY_ALARM)
    assert outcome.rolled_back

    found = checks_failed(deployed.verify("2"))

    assert list(found) == ["stack", "archive AllTraffic", "golden AllTraffic"]
    assert found["stack"].found == "UPDATE_ROLLBACK_COMPLETE"
    assert f"the alarm {ALARM} fired at " in found["stack"].advice


def test_after_a_rollback_that_the_stack_does_not_know_the_alarm_is_named(
    deployed: Any, changed: Any, checks_failed: Any
) -> None:
    before = _serve_another(deployed)
    cloudwatch = deployed.aws.client("cloudwatch")
    cloudwatch.set_alarm_state(AlarmName=ALARM, StateValue="ALARM", StateReason="9 failed")
    _at(deployed, changed, datetime.now(UTC) + timedelta(days=900))

    record = deployed.verify()

    found = checks_failed(record)
    assert list(found) == ["configuration"]
    advice = found["configuration"].advice
    assert advice.startswith(f"SageMaker undid the rollout: the alarm {ALARM} fired at ")
    assert "9 failed" in advice
    assert f"--endpoint-config-name {before}" in advice
    assert record.endpoint_config_name == "another"


def test_an_alarm_that_fired_after_the_last_change_undid_nothing(
    deployed: Any, changed: Any, checks_failed: Any
) -> None:
    _serve_another(deployed)
    cloudwatch = deployed.aws.client("cloudwatch")
    cloudwatch.set_alarm_state(AlarmName=ALARM, StateValue="ALARM", StateReason="9 failed")
    _at(deployed, changed, datetime(2020, 1, 1, tzinfo=UTC))

    advice = checks_failed(deployed.verify())["configuration"].advice

    assert "somebody updated the endpoint past its stack" in advice


def test_sagemaker_s_own_reason_is_enough(deployed: Any, changed: Any, checks_failed: Any) -> None:
    _serve_another(deployed)
    reason = "the deployment took too long and was rolled back"
    _at(deployed, changed, datetime(2020, 1, 1, tzinfo=UTC), FailureReason=reason)

    advice = checks_failed(deployed.verify())["configuration"].advice

    assert advice.startswith(f"SageMaker undid the rollout: {reason}; ")


def _mixed(answer: dict[str, Any]) -> dict[str, Any]:
    return {**answer, "EndpointStatus": "UpdateRollbackFailed", "FailureReason": "no capacity"}


def _broken(answer: dict[str, Any]) -> dict[str, Any]:
    return {**answer, "EndpointStatus": "Failed", "FailureReason": "container exits"}


def test_mixed_fleets_are_said_and_asked(deployed: Any, changed: Any, checks_failed: Any) -> None:
    sagemaker = deployed.aws.client("sagemaker")
    deployed.clients["sagemaker"] = changed(sagemaker, describe_endpoint=_mixed)

    record = deployed.verify()

    found = checks_failed(record)
    assert list(found) == ["endpoint"]
    assert "its rollback (no capacity): instances of two configurations" in found["endpoint"].advice
    assert len(record.exchanges) == 3


def test_a_failed_endpoint_is_not_asked(deployed: Any, changed: Any, checks_failed: Any) -> None:
    sagemaker = deployed.aws.client("sagemaker")
    deployed.clients["sagemaker"] = changed(sagemaker, describe_endpoint=_broken)

    record = deployed.verify()

    assert list(checks_failed(record)) == ["endpoint"]
    assert checks_failed(record)["endpoint"].advice.startswith("container exits; SageMaker does")
    assert record.exchanges == ()


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


def test_a_missing_permission_is_named_and_not_fatal() -> None:
    message = "User: me is not authorized to perform: cloudwatch:DescribeAlarmHistory"
    refused = ClientError(
        {"Error": {"Code": "AccessDenied", "Message": message}}, "DescribeAlarmHistory"
    )
    histories: Any = {"own": refused}
    cloud = Cloud("r", clients={"cloudwatch": _CloudWatch(histories, [])})

    said = explain(cloud, ["own"], Span(None, None))

    assert "cannot be told: the permission cloudwatch:DescribeAlarmHistory" in said
