"""Each alert of the table is an alarm with the right metric, unit, time and words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from forecast_config.alerts import alarm_names, incident_names, production_variant_names
from forecast_config.instances import vcpus
from forecast_constructs.monitoring.alarms import DESCRIPTION_LIMIT, evaluation

if TYPE_CHECKING:
    from collections.abc import Callable

NAMES = (
    "realtime",
    "split",
    "shadow",
    "serverless",
    "async",
    "slow",
    "quiet",
    "graded",
    "notified",
)

DEFAULTS = {
    "high-latency-medium": ("ModelLatency", 2_000_000),
    "endpoint-down-critical": ("Heartbeat", 1),
    "model-drift-medium": ("WAPE", 0.25),
    "memory-utilization-high": ("MemoryUtilization", 90),
    "disk-utilization-medium": ("DiskUtilization", 85),
    "overhead-latency-medium": ("OverheadLatency", 1_000_000),
}


def _inputs(alarm: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The inputs of a formula, by id."""
    return {query["Id"]: query["MetricStat"] for query in alarm["Metrics"] if "MetricStat" in query}


def _formula(alarm: dict[str, Any]) -> str:
    (expression,) = [query["Expression"] for query in alarm["Metrics"] if "Expression" in query]
    return str(expression)


def _dimensions(metric: dict[str, Any]) -> dict[str, str]:
    return {entry["Name"]: entry["Value"] for entry in metric["Dimensions"]}


def _seconds(alarm: dict[str, Any]) -> int:
    periods = (
        {metric["Period"] for metric in _inputs(alarm).values()}
        if "Metrics" in alarm
        else {alarm["Period"]}
    )
    (period,) = periods
    return int(period * alarm["EvaluationPeriods"])


@pytest.mark.parametrize(("name", "expected"), DEFAULTS.items())
def test_a_threshold_is_in_the_metrics_own_unit(
    name: str, expected: tuple[str, float], watched: Callable[[str], Any]
) -> None:
    alarm = watched("realtime").alarms()[name]

    assert (alarm["MetricName"], alarm["Threshold"]) == expected


@pytest.mark.parametrize(
    ("name", "minutes"),
    [
        ("high-latency-medium", 5),
        ("error-rate-high", 10),
        ("endpoint-down-critical", 1),
        ("model-drift-medium", 1440),
        ("cpu-utilization-medium", 15),
        ("no-traffic-medium", 1440),
    ],
)
def test_a_condition_must_hold_for_its_minutes(
    name: str, minutes: int, watched: Callable[[str], Any]
) -> None:
    assert _seconds(watched("realtime").alarms()[name]) == minutes * 60


@pytest.mark.parametrize("whole", [True, False])
def test_no_time_is_longer_than_cloudwatch_evaluates(whole: bool) -> None:  # noqa: FBT001
    for minutes in range(1, 1441):
        period, periods = evaluation(minutes, whole=whole)

        assert period * periods == minutes * 60
        assert period % 60 == 0
        assert period * periods <= 86_400


def test_the_latency_of_the_slowest_hundredth_counts(watched: Callable[[str], Any]) -> None:
    alarm = watched("realtime").alarms()["high-latency-medium"]

    assert alarm["ExtendedStatistic"] == "p99"
    assert alarm["ComparisonOperator"] == "GreaterThanThreshold"
    assert alarm["Namespace"] == "AWS/SageMaker"
    assert _dimensions(alarm) == {"EndpointName": "forecast", "VariantName": "AllTraffic"}


def test_each_severity_of_an_alert_has_a_threshold_of_its_own(
    watched: Callable[[str], Any],
) -> None:
    alarms = watched("graded").alarms()

    assert alarms["high-latency-critical"]["Threshold"] == 5_000_000
    assert alarms["high-latency-medium"]["Threshold"] == 750_500
    assert alarms["endpoint-down-high"]["EvaluationPeriods"] == 3


def test_the_error_rate_is_a_share_of_the_requests(watched: Callable[[str], Any]) -> None:
    alarm = watched("realtime").alarms()["error-rate-high"]
    inputs = {key: metric["Metric"]["MetricName"] for key, metric in _inputs(alarm).items()}

    assert inputs == {
        "server": "Invocation5XXErrors",
        "unanswered": "InvocationModelErrors",
        "client": "Invocation4XXErrors",
        "requests": "Invocations",
    }
    assert "FILL(unanswered, 0) - FILL(client, 0)" in _formula(alarm)
    assert alarm["Threshold"] == 5


def test_a_number_of_minutes_without_a_divisor_is_watched_by_the_minute(
    watched: Callable[[str], Any],
) -> None:
    alarm = watched("graded").alarms()["error-rate-high"]

    assert alarm["EvaluationPeriods"] == 7
    assert {metric["Period"] for metric in _inputs(alarm).values()} == {60}


def test_the_use_of_the_cpus_is_divided_by_their_number(watched: Callable[[str], Any]) -> None:
    alarms = watched("split").alarms()

    for name, instance_type in (
        ("cpu-utilization-medium", "ml.m5.xlarge"),
        ("AllTraffic-challenger-cpu-utilization-medium", "ml.m5.2xlarge"),
    ):
        assert _formula(alarms[name]) == f"cores / {vcpus(instance_type)}"
        (metric,) = _inputs(alarms[name]).values()
        assert metric["Metric"]["Namespace"] == "/aws/sagemaker/Endpoints"
        assert metric["Stat"] == "Average"


def test_a_missing_beat_is_a_failure_and_any_other_silence_is_none(
    watched: Callable[[str], Any],
) -> None:
    missing = {
        name: alarm["TreatMissingData"] for name, alarm in watched("realtime").alarms().items()
    }

    assert missing.pop("endpoint-down-critical") == "breaching"
    assert missing.pop("no-traffic-medium") == "breaching"
    assert set(missing.values()) == {"notBreaching"}


def test_one_silent_variant_is_enough_to_be_down(watched: Callable[[str], Any]) -> None:
    alarm = watched("split").alarms()["endpoint-down-critical"]

    assert alarm["Statistic"] == "Minimum"
    assert alarm["ComparisonOperator"] == "LessThanThreshold"
    assert _dimensions(alarm) == {"EndpointName": "forecast"}


def test_the_heartbeats_own_requests_are_no_traffic(watched: Callable[[str], Any]) -> None:
    alarm = watched("split").alarms()["no-traffic-medium"]
    inputs = _inputs(alarm)

    assert _formula(alarm) == "FILL(requests0, 0) + FILL(requests1, 0) - FILL(beats, 0)"
    assert inputs["beats"]["Stat"] == "SampleCount"
    assert {inputs[f"requests{number}"]["Stat"] for number in (0, 1)} == {"Sum"}
    assert alarm["ComparisonOperator"] == "LessThanOrEqualToThreshold"
    # A hundredth of a day's beats, for each of both variants.
    assert alarm["Threshold"] == 30
    assert watched("async").alarms()["no-traffic-medium"]["Threshold"] == 0


def test_both_variants_of_a_split_are_watched_and_a_shadow_is_not(
    watched: Callable[[str], Any],
) -> None:
    split, single = watched("split").alarms(), watched("shadow").alarms()
    challengers = {
        name.removeprefix("AllTraffic-challenger-")
        for name in split
        if name.startswith("AllTraffic-challenger-")
    }

    assert set(single) < set(split)
    assert set(split) - set(single) == {f"AllTraffic-challenger-{name}" for name in challengers}
    assert challengers == {
        "high-latency-medium",
        "error-rate-high",
        "cpu-utilization-medium",
        "memory-utilization-high",
        "disk-utilization-medium",
        "overhead-latency-medium",
        "rollback-failed-requests",
        "rollback-latency",
    }


def test_the_champions_alarms_keep_their_ids_when_a_challenger_joins(
    watched: Callable[[str], Any],
) -> None:
    alone, beside = (watched(name).of("CloudWatch::Alarm") for name in ("realtime", "split"))

    assert alone.keys() < beside.keys()
    for name, alarm in alone.items():
        assert beside[name]["AlarmName"] == alarm["AlarmName"]


def test_a_serverless_endpoint_is_watched_by_what_it_publishes(
    watched: Callable[[str], Any],
) -> None:
    alarms = watched("serverless").alarms()
    throttling = alarms["throttling-high"]
    errors = _inputs(alarms["error-rate-high"])

    assert set(alarms) == {
        "high-latency-medium",
        "error-rate-high",
        "endpoint-down-critical",
        "model-drift-medium",
        "memory-utilization-high",
        "no-traffic-medium",
        "overhead-latency-medium",
        "throttling-high",
    }
    assert _formula(throttling) == "100 * utilization"
    (metric,) = _inputs(throttling).values()
    assert metric["Metric"]["MetricName"] == "ServerlessConcurrentExecutionsUtilization"
    assert metric["Stat"] == "Maximum"
    assert throttling["Threshold"] == 90
    assert set(errors) == {"server", "requests"}


def test_an_asynchronous_endpoint_is_watched_by_its_queue(watched: Callable[[str], Any]) -> None:
    alarms = watched("async").alarms()
    down = alarms["endpoint-down-critical"]
    errors = _inputs(alarms["error-rate-high"])

    assert "overhead-latency-medium" not in alarms
    assert down["MetricName"] == "HasBacklogWithoutCapacity"
    assert _dimensions(down) == {"EndpointName": "forecast"}
    assert _seconds(down) == 15 * 60
    assert down["TreatMissingData"] == "notBreaching"
    assert {metric["Metric"]["MetricName"] for metric in errors.values()} == {
        "Invocation5XXErrors",
        "Invocation4XXErrors",
        "InvocationFailures",
        "ModelLatency",
    }
    assert errors["requests"]["Stat"] == "SampleCount"


def test_an_asynchronous_endpoint_may_be_slow_unless_the_settings_say_how_slow(
    watched: Callable[[str], Any],
) -> None:
    slow = watched("slow").alarms()

    assert not {"high-latency-medium", "rollback-latency"} & set(watched("async").alarms())
    assert slow["high-latency-medium"]["Threshold"] == 600_000_000
    assert slow["rollback-latency"]["Threshold"] == 900_000_000


@pytest.mark.parametrize("name", NAMES)
def test_alarms_have_the_names_of_the_table(name: str, watched: Callable[[str], Any]) -> None:
    built = watched(name)
    found = {alarm["AlarmName"] for alarm in built.of("CloudWatch::Alarm").values()}

    assert found == set(alarm_names(built.settings))
    assert all(text.startswith("forecast-") for text in found)


@pytest.mark.parametrize("name", NAMES)
def test_an_alarm_says_what_it_means_and_what_to_do(
    name: str, watched: Callable[[str], Any]
) -> None:
    built = watched(name)
    for condition, alarm in built.alarms().items():
        text = alarm["AlarmDescription"]
        (severity,) = re.findall(r"\((critical|high|medium)\)", text)

        assert incident_names(built.settings)[severity] in text
        assert re.search(r"Response: .+ Runbook: (docs/runbooks\.md#|https://)\S+$", text), text
        assert "None" not in text
        assert len(text) <= DESCRIPTION_LIMIT
        if "rollback" not in condition:
            assert condition.endswith(severity)


def test_a_description_holds_the_threshold_with_its_unit(watched: Callable[[str], Any]) -> None:
    alarms = watched("realtime").alarms()

    assert alarms["high-latency-medium"]["AlarmDescription"] == (
        "High latency (medium): the p99 of ModelLatency is over 2000 ms for 5 minutes, variant "
        "AllTraffic. Action: forecast-incident-medium notifies. Response: the scaling policy adds "
        "instances; raise autoscaling.max_instance_count if all are there, within 5 minutes. "
        "Runbook: docs/runbooks.md#high-latency"
    )
    assert (
        "nothing scales here"
        in watched("split").alarms()["high-latency-medium"]["AlarmDescription"]
    )


def test_runbooks_are_where_the_settings_say(watched: Callable[[str], Any]) -> None:
    alarms = watched("graded").alarms()

    assert alarms["error-rate-high"]["AlarmDescription"].endswith(
        "Runbook: https://runbooks.example.com/forecast/error-rate"
    )
    assert alarms["high-latency-medium"]["AlarmDescription"].endswith(
        "Runbook: https://wiki.example.com/slow"
    )
    assert alarms["rollback-latency"]["AlarmDescription"].endswith(
        "Runbook: https://runbooks.example.com/forecast/rollback"
    )


def test_what_is_switched_off_is_not_watched(watched: Callable[[str], Any]) -> None:
    built = watched("quiet")

    assert set(built.alarms()) == {"rollback-failed-requests", "rollback-latency"}
    assert not built.of("Lambda::Function")
    assert built.monitoring.heartbeat is None
    assert production_variant_names(built.settings) == ("AllTraffic",)
