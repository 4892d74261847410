"""Alarms fire for what the endpoint does wrong, and reach the topic of their severity."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from aws_cdk import aws_sns as sns

from forecast_constructs import EndpointMetrics, RollbackAlarm

if TYPE_CHECKING:
    from collections.abc import Callable

    from aws_cdk import Stack

STACKS = ("ForecastDev", "ForecastProd", "ForecastExisting", "ForecastNew", "ForecastOpen")


def _alarm(
    resources: Callable[..., list[dict[str, Any]]], stack: str, condition: str
) -> dict[str, Any]:
    (alarm,) = [
        alarm["Properties"]
        for alarm in resources(stack, "CloudWatch::Alarm")
        if alarm["Properties"]["AlarmName"].endswith(f"-{condition}")
    ]
    return dict(alarm)


def _metrics(alarm: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        query["MetricStat"]["Metric"]["MetricName"]: query
        for query in alarm["Metrics"]
        if "MetricStat" in query
    }


def test_latency_is_compared_in_microseconds(
    resources: Callable[..., list[dict[str, Any]]],
) -> None:
    alarm = _alarm(resources, "ForecastProd", "latency-p99")

    assert alarm["MetricName"] == "ModelLatency"
    assert alarm["ExtendedStatistic"] == "p99"
    assert alarm["Threshold"] == 2_000_000
    assert alarm["ComparisonOperator"] == "GreaterThanThreshold"
    assert _alarm(resources, "ForecastExisting", "latency-p99")["Threshold"] == 750_500


def test_the_error_rate_is_a_share_of_the_requests_over_ten_minutes(
    resources: Callable[..., list[dict[str, Any]]],
) -> None:
    alarm = _alarm(resources, "ForecastProd", "error-rate")
    (expression,) = [query["Expression"] for query in alarm["Metrics"] if "Expression" in query]
    periods = {query["MetricStat"]["Period"] for query in _metrics(alarm).values()}

    assert alarm["Threshold"] == 5
    assert alarm["ComparisonOperator"] == "GreaterThanThreshold"
    assert {period * alarm["EvaluationPeriods"] for period in periods} == {600}
    assert expression.startswith("IF(requests > 0, ")
    assert expression.endswith(" / requests, 0)")


def test_a_number_of_minutes_without_a_divisor_is_watched_by_the_minute(
    resources: Callable[..., list[dict[str, Any]]],
) -> None:
    alarm = _alarm(resources, "ForecastExisting", "error-rate")

    assert alarm["EvaluationPeriods"] == 7
    assert {query["MetricStat"]["Period"] for query in _metrics(alarm).values()} == {60}


@pytest.mark.parametrize("condition", ["error-rate", "rollback-errors"])
def test_what_clients_get_wrong_is_taken_off(
    condition: str, resources: Callable[..., list[dict[str, Any]]]
) -> None:
    alarm = _alarm(resources, "ForecastProd", condition)
    (expression,) = [query["Expression"] for query in alarm["Metrics"] if "Expression" in query]
    ids = {name: query["Id"] for name, query in _metrics(alarm).items()}

    failed, client = ids["InvocationModelErrors"], ids["Invocation4XXErrors"]
    assert f"FILL({failed}, 0) - FILL({client}, 0)" in expression
    assert f"FILL({ids['Invocation5XXErrors']}, 0)" in expression


@pytest.mark.parametrize("stack", STACKS)
def test_the_rollback_alarm_sees_the_new_fleet_only(
    stack: str,
    resources: Callable[..., list[dict[str, Any]]],
    template: Callable[[str], dict[str, Any]],
) -> None:
    for query in _metrics(_alarm(resources, stack, "rollback-errors")).values():
        dimensions = {
            entry["Name"]: entry["Value"] for entry in query["MetricStat"]["Metric"]["Dimensions"]
        }
        name, attribute = dimensions["EndpointConfigName"]["Fn::GetAtt"]
        assert template(stack)["Resources"][name]["Type"] == "AWS::SageMaker::EndpointConfig"
        assert attribute == "EndpointConfigName"


@pytest.mark.parametrize("stack", STACKS)
def test_alarms_name_the_endpoint_by_a_literal(
    stack: str, resources: Callable[..., list[dict[str, Any]]]
) -> None:
    (endpoint,) = resources(stack, "SageMaker::Endpoint")

    for alarm in resources(stack, "CloudWatch::Alarm"):
        text = json.dumps(alarm["Properties"])
        assert endpoint["Properties"]["EndpointName"] in text
        assert "EndpointEEF1FD8F" not in text


@pytest.mark.parametrize("stack", STACKS)
def test_silence_is_not_an_alarm(
    stack: str, resources: Callable[..., list[dict[str, Any]]]
) -> None:
    alarms = resources(stack, "CloudWatch::Alarm")

    assert len(alarms) == 3
    assert {alarm["Properties"]["TreatMissingData"] for alarm in alarms} == {"notBreaching"}


@pytest.mark.parametrize(
    ("condition", "severity"),
    [("latency-p99", "medium"), ("error-rate", "high"), ("rollback-errors", "critical")],
)
def test_an_alarm_reaches_the_topic_of_its_severity(
    condition: str,
    severity: str,
    resources: Callable[..., list[dict[str, Any]]],
    template: Callable[[str], dict[str, Any]],
) -> None:
    (action,) = _alarm(resources, "ForecastProd", condition)["AlarmActions"]
    topic = template("ForecastProd")["Resources"][action["Ref"]]["Properties"]

    assert topic["TopicName"] == f"produce-forecast-prod-alerts-{severity}"


def test_topics_are_encrypted_reached_over_tls_and_open_to_the_endpoints_alarms(
    resources: Callable[..., list[dict[str, Any]]],
) -> None:
    assert len(resources("ForecastProd", "SNS::Topic")) == 3
    assert all(
        "KmsMasterKeyId" in topic["Properties"] for topic in resources("ForecastProd", "SNS::Topic")
    )
    for policy in resources("ForecastProd", "SNS::TopicPolicy"):
        denied, allowed = policy["Properties"]["PolicyDocument"]["Statement"]
        assert denied["Effect"] == "Deny"
        assert denied["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
        assert allowed["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
        assert allowed["Action"] == "sns:Publish"
        assert "aws:SourceAccount" in allowed["Condition"]["StringEquals"]
        source = allowed["Condition"]["ArnLike"]["aws:SourceArn"]
        assert source["Fn::Join"][1][-1] == ":alarm:produce-forecast-prod-*"


@pytest.mark.parametrize("stack", STACKS)
def test_every_alarm_is_among_those_that_its_topics_and_key_admit(
    stack: str,
    resources: Callable[..., list[dict[str, Any]]],
    template: Callable[[str], dict[str, Any]],
) -> None:
    admitted = set(
        re.findall(
            r':alarm:([^"]*)\*"', json.dumps([template(stack), template(f"{stack}Artifacts")])
        )
    )

    (prefix,) = admitted
    for alarm in resources(stack, "CloudWatch::Alarm"):
        assert alarm["Properties"]["AlarmName"].startswith(prefix)


def test_subscribers_are_those_of_each_severity(
    resources: Callable[..., list[dict[str, Any]]], template: Callable[[str], dict[str, Any]]
) -> None:
    topics = template("ForecastExisting")["Resources"]
    subscribed = {
        (topics[entry["TopicArn"]["Ref"]]["Properties"]["TopicName"], entry["Endpoint"])
        for entry in (
            subscription["Properties"]
            for subscription in resources("ForecastExisting", "SNS::Subscription")
        )
    }

    assert subscribed == {
        ("forecast-existing-alerts-critical", "on-call@example.com"),
        ("forecast-existing-alerts-high", "on-call@example.com"),
        ("forecast-existing-alerts-high", "team@example.com"),
        ("forecast-existing-alerts-medium", "team@example.com"),
    }


def test_a_rollback_alarm_on_all_fleets_is_rejected(stack: Stack) -> None:
    metrics = EndpointMetrics(endpoint_name="endpoint", variant_name="variant")

    with pytest.raises(ValueError, match="expected the metrics of one fleet"):
        RollbackAlarm(
            stack,
            "Alarm",
            fleet_metrics=metrics,
            error_count=1,
            topic=sns.Topic(stack, "Topic"),
        )
