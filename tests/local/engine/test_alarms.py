"""Alarms: M of N, missing data, composites, suppressors, and what they set off."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto.cloudwatch.models import Alarm, MetricDatum, cloudwatch_backends

from forecast_local.clients import ACCOUNT
from forecast_local.cloudwatch.composites import RuleError, named_alarms, rule_holds
from forecast_local.cloudwatch.evaluation import judge
from forecast_local.cloudwatch.models import LocalCloudWatchBackend
from forecast_local.cloudwatch.store import MetricStore
from forecast_local.cloudwatch.suppression import ActionGate
from forecast_local.simulation import Simulation

NOW = 1_800_000_000.0  # a full minute
STATES = {"a": "ALARM", "b": "OK", "c": "INSUFFICIENT_DATA"}


def alarm(**changes: Any) -> Alarm:
    given = {
        "account_id": ACCOUNT,
        "region_name": "us-east-1",
        "name": "a",
        "namespace": "N",
        "metric_name": "M",
        "metric_data_queries": None,
        "comparison_operator": "GreaterThanOrEqualToThreshold",
        "evaluation_periods": 3,
        "datapoints_to_alarm": None,
        "period": 60,
        "threshold": 5.0,
        "statistic": "Sum",
        "extended_statistic": None,
        "description": "",
        "dimensions": [],
        "alarm_actions": [],
        "ok_actions": [],
        "insufficient_data_actions": [],
        "unit": None,
        "actions_enabled": True,
        "treat_missing_data": "missing",
        "evaluate_low_sample_count_percentile": None,
        "threshold_metric_id": None,
        "rule": None,
    }
    return Alarm(**{**given, **changes})


def stored(*values: float | None, step: float = 60.0, end: float = NOW) -> MetricStore:
    """Return a store with one datum in each period, the newest last; None leaves one out."""
    store = MetricStore()
    for age, value in enumerate(reversed(values)):
        if value is not None:
            moment = datetime.fromtimestamp(end - (age + 1) * step + 1, UTC)
            store.add([MetricDatum("N", "M", value, [], moment)])
    return store


@pytest.mark.parametrize(
    ("values", "changes", "state"),
    [
        ((5, 5, 5), {}, "ALARM"),
        ((5, 4, 5), {}, "OK"),
        ((5, 4, 5), {"datapoints_to_alarm": 2}, "ALARM"),
        ((9, 9, 1, 1, 1), {}, "OK"),
        ((None, None, None), {}, "INSUFFICIENT_DATA"),
        ((None, None, None), {"treat_missing_data": "notBreaching"}, "OK"),
        ((None, None, None), {"treat_missing_data": "breaching"}, "ALARM"),
        ((None, 9, None), {"treat_missing_data": "breaching"}, "ALARM"),
        ((9, 9, None), {"treat_missing_data": "notBreaching"}, "OK"),
        ((1, 1, 1), {"comparison_operator": "LessThanThreshold"}, "ALARM"),
        ((9, 9, 9), {"statistic": None, "extended_statistic": "p99"}, "ALARM"),
        ((9, 9, 9), {"comparison_operator": "GreaterThanUpperThreshold"}, "INSUFFICIENT_DATA"),
    ],
)
def test_state(values: tuple[float, ...], changes: dict[str, Any], state: str) -> None:
    assert judge(alarm(**changes), stored(*values), NOW).state == state


def test_ignored_missing_data_keep_the_state() -> None:
    kept = alarm(treat_missing_data="ignore")
    kept.state_value = "ALARM"
    assert judge(kept, stored(), NOW).state == "ALARM"


def test_period_that_is_not_over_does_not_count() -> None:
    store = stored(9, end=NOW + 60)
    assert judge(alarm(evaluation_periods=1), store, NOW + 59).state == "INSUFFICIENT_DATA"
    assert judge(alarm(evaluation_periods=1), store, NOW + 60).state == "ALARM"


def test_alarm_that_a_rollout_watches_reacts_at_its_speed() -> None:
    store = stored(9, step=1.0)
    watched = alarm(treat_missing_data="notBreaching")
    assert judge(watched, store, NOW).state == "OK"
    assert judge(watched, store, NOW, speed=300.0).state == "OK"
    assert judge(watched, store, NOW + 1.5, speed=300.0).state == "ALARM"
    assert judge(watched, store, NOW + 30, speed=300.0).state == "OK"


@pytest.mark.parametrize(
    ("rule", "holds"),
    [
        ('ALARM("a")', True),
        ("ALARM(a) AND OK(b)", True),
        ('ALARM("a") AND NOT ALARM("b")', True),
        ('ALARM("b") OR INSUFFICIENT_DATA("c")', True),
        ('NOT (ALARM("a") OR ALARM("b"))', False),
        ('ALARM("b") AND ALARM("b") OR ALARM("a")', True),
        ('ALARM("b") AND (ALARM("b") OR ALARM("a"))', False),
        ('ALARM("arn:aws:cloudwatch:us-east-1:123456789012:alarm:a")', True),
        ('ALARM("gone")', False),
        ("TRUE AND NOT FALSE", True),
    ],
)
def test_rule(rule: str, holds: object) -> None:
    assert rule_holds(rule, STATES.get) is holds


@pytest.mark.parametrize("rule", ["", "ALARM(a) AND", "(ALARM(a)", "ALARM(a) OK(b)", "BAD(a)"])
def test_wrong_rule_is_refused(rule: str) -> None:
    with pytest.raises(RuleError):
        rule_holds(rule, STATES.get)


def test_names_in_a_rule() -> None:
    assert named_alarms('ALARM("x-1") OR NOT OK(y)') == ["x-1", "y"]


def test_suppressor_holds_actions_back_until_it_ends() -> None:
    gate, states = ActionGate(), {"muted": "ALARM"}
    composite = alarm(name="c")
    gate.suppress(
        "c",
        {
            "ActionsSuppressor": "muted",
            "ActionsSuppressorWaitPeriod": "10",
            "ActionsSuppressorExtensionPeriod": "60",
        },
    )
    gate.changed("c", "OK", NOW)

    def due(now: float) -> list[str]:
        return [old for _, old in gate.due({"c": composite}, states.get, now)]

    assert due(NOW + 100) == []
    states["muted"] = "OK"
    assert due(NOW + 159) == []
    assert due(NOW + 161) == ["OK"]
    assert due(NOW + 999) == []


@pytest.fixture
def aws() -> Iterator[Simulation]:
    with Simulation() as simulation:
        yield simulation


@pytest.fixture
def cloudwatch(aws: Simulation) -> Any:
    return aws.client("cloudwatch")


METRIC = {"Namespace": "App", "MetricName": "Errors"}
PLAIN = {
    **METRIC,
    "Statistic": "Sum",
    "Period": 10,
    "EvaluationPeriods": 1,
    "Threshold": 5,
    "ComparisonOperator": "GreaterThanOrEqualToThreshold",
    "TreatMissingData": "notBreaching",
}


def evaluated(aws: Simulation) -> LocalCloudWatchBackend:
    backend = cloudwatch_backends[ACCOUNT][aws.region]
    assert isinstance(backend, LocalCloudWatchBackend)
    backend.evaluate()
    backend.perform_actions()
    return backend


def put(aws: Simulation, *values: float) -> None:
    """Put values into the last period of ten seconds that is over."""
    if time.time() % 10 > 8:
        # What follows must happen within the same period.
        time.sleep(2.1)
    moment = datetime.fromtimestamp(time.time() // 10 * 10 - 5, UTC)
    data = [{"MetricName": "Errors", "Values": list(values), "Timestamp": moment}]
    aws.client("cloudwatch").put_metric_data(Namespace="App", MetricData=data)


def inbox(aws: Simulation, topic: str) -> list[dict[str, Any]]:
    sqs = aws.client("sqs")
    url = sqs.get_queue_url(QueueName="inbox")["QueueUrl"]
    found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    bodies = [json.loads(item["Body"]) for item in found]
    return [json.loads(body["Message"]) for body in bodies if body["TopicArn"] == topic]


@pytest.fixture
def topic(aws: Simulation) -> str:
    arn = str(aws.client("sns").create_topic(Name="alerts")["TopicArn"])
    queue = aws.client("sqs").create_queue(QueueName="inbox")["QueueUrl"]
    queue_arn = aws.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])
    aws.client("sns").subscribe(
        TopicArn=arn, Protocol="sqs", Endpoint=queue_arn["Attributes"]["QueueArn"]
    )
    return arn


def test_change_of_state_is_told_once_and_kept_in_the_history(
    aws: Simulation, cloudwatch: Any, topic: str
) -> None:
    cloudwatch.put_metric_alarm(AlarmName="errors", **PLAIN, AlarmActions=[topic])
    put(aws, 7)
    for _ in range(2):
        evaluated(aws)
    messages = inbox(aws, topic)
    assert [(item["AlarmName"], item["NewStateValue"]) for item in messages] == [
        ("errors", "ALARM")
    ]
    history = cloudwatch.describe_alarm_history(AlarmName="errors")["AlarmHistoryItems"]
    assert [item["HistorySummary"] for item in history] == [
        "Alarm updated from INSUFFICIENT_DATA to ALARM"
    ]


def test_disabled_actions_are_silent(aws: Simulation, cloudwatch: Any, topic: str) -> None:
    cloudwatch.put_metric_alarm(AlarmName="errors", **PLAIN, AlarmActions=[topic])
    cloudwatch.disable_alarm_actions(AlarmNames=["errors"])
    put(aws, 7)
    assert evaluated(aws).state_of("errors") == "ALARM"
    assert inbox(aws, topic) == []


def test_composite_alarm_speaks_for_its_children(
    aws: Simulation, cloudwatch: Any, topic: str
) -> None:
    cloudwatch.put_metric_alarm(AlarmName="errors", **PLAIN)
    cloudwatch.put_metric_alarm(AlarmName="deploying", **{**PLAIN, "MetricName": "Other"})
    cloudwatch.put_composite_alarm(
        AlarmName="incident",
        AlarmRule='ALARM("errors") AND NOT ALARM("deploying")',
        AlarmActions=[topic],
        OKActions=[topic],
    )
    evaluated(aws)
    inbox(aws, topic)
    cloudwatch.set_alarm_state(AlarmName="errors", StateValue="ALARM", StateReason="by hand")
    backend = cloudwatch_backends[ACCOUNT][aws.region]
    put(aws, 7)
    evaluated(aws)
    assert backend.state_of("incident") == "ALARM"
    assert [item["AlarmName"] for item in inbox(aws, topic)] == ["incident"]


def test_metric_math_alarm(aws: Simulation, cloudwatch: Any) -> None:
    stat = {"Metric": METRIC, "Period": 10, "Stat": "Sum"}
    cloudwatch.put_metric_alarm(
        AlarmName="rate",
        Metrics=[
            {"Id": "result", "Expression": "IF(FILL(errors, 0) > 0, 100 * errors / 10, 0)"},
            {"Id": "errors", "MetricStat": stat, "ReturnData": False},
        ],
        EvaluationPeriods=1,
        Threshold=50,
        ComparisonOperator="GreaterThanThreshold",
    )
    put(aws, 6)
    assert evaluated(aws).state_of("rate") == "ALARM"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"DatapointsToAlarm": 2}, "cannot be more than EvaluationPeriods"),
        ({"Period": 45}, "multiple of 60"),
        ({"EvaluationPeriods": 9000}, "more than 86400 seconds"),
        ({"ExtendedStatistic": "p99"}, "Exactly one of Statistic"),
        ({"Statistic": "Sum", "Metrics": []}, None),
    ],
)
def test_alarm_that_cloudwatch_refuses(
    cloudwatch: Any, changes: dict[str, Any], message: str | None
) -> None:
    if message is None:
        cloudwatch.put_metric_alarm(AlarmName="fine", **{**PLAIN, **changes})
        return
    with pytest.raises(ClientError, match=message):
        cloudwatch.put_metric_alarm(AlarmName="bad", **{**PLAIN, **changes})


@pytest.mark.parametrize(
    ("queries", "message"),
    [
        ([{"Id": "r", "Expression": "nobody * 2"}], "names nobody"),
        ([{"Id": "R", "Expression": "1"}], "small letter"),
        ([{"Id": "a", "Expression": "1"}, {"Id": "b", "Expression": "2"}], "Exactly one query"),
    ],
)
def test_query_that_cloudwatch_refuses(
    cloudwatch: Any, queries: list[dict[str, Any]], message: str
) -> None:
    with pytest.raises(ClientError, match=message):
        cloudwatch.put_metric_alarm(
            AlarmName="bad",
            Metrics=queries,
            EvaluationPeriods=1,
            Threshold=1,
            ComparisonOperator="GreaterThanThreshold",
        )


def test_state_that_was_set_by_hand_holds_for_a_while(aws: Simulation, cloudwatch: Any) -> None:
    cloudwatch.put_metric_alarm(AlarmName="errors", **PLAIN)
    cloudwatch.set_alarm_state(AlarmName="errors", StateValue="ALARM", StateReason="a try")
    assert evaluated(aws).tripped(["errors", "gone"]) == ["errors"]
    cloudwatch.put_metric_alarm(AlarmName="errors", **{**PLAIN, "Threshold": 6})
    assert evaluated(aws).tripped(["errors"]) == []


def test_suppressor_must_exist(cloudwatch: Any) -> None:
    with pytest.raises(ClientError, match="do not exist"):
        cloudwatch.put_composite_alarm(AlarmName="c", AlarmRule="TRUE", ActionsSuppressor="nobody")


def test_metric_data_with_math_and_percentiles(aws: Simulation, cloudwatch: Any) -> None:
    put(aws, *(float(value) for value in range(1, 101)))
    stat = {"Metric": METRIC, "Period": 60, "Stat": "p90"}
    now = time.time()
    found = cloudwatch.get_metric_data(
        MetricDataQueries=[
            {"Id": "p", "MetricStat": stat},
            {"Id": "half", "Expression": "p / 2", "Label": "Half"},
        ],
        StartTime=datetime.fromtimestamp(now - 120, UTC),
        EndTime=datetime.fromtimestamp(now + 1, UTC),
    )["MetricDataResults"]
    assert {item["Label"]: item["Values"] for item in found} == {
        "Errors": [pytest.approx(90.1)],
        "Half": [pytest.approx(45.05)],
    }
