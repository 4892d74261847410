"""Scaling, off hours and alerts that cannot work are refused, and what would work is said."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    Change = Callable[[dict[str, Any]], dict[str, Any]]
    ProblemsWith = Callable[[dict[str, Any]], dict[str, str]]

CPU = {"cpu": {"kind": "cpu_utilization", "percent": 60}}
BACKLOG = {"backlog": {"kind": "backlog_per_instance", "requests": 5}}
TWO = {"endpoint.initial_instance_count": 2}
ASYNC = {"endpoint.kind": "async"}
OFF = {"stop": "cron(0 20 ? * MON-FRI *)", "start": "cron(0 7 ? * MON-FRI *)"}
SLACK = {"kind": "slack", "workspace_id": "T012ABCDEFG", "channel_id": "C012ABCDEFG"}


def _scaled(low: int, high: int, **more: Any) -> dict[str, Any]:
    return {"min_instance_count": low, "max_instance_count": high, "targets": CPU, **more}


REFUSED: dict[str, tuple[dict[str, Any], str, str]] = {
    "a target without a metric on async": (
        {
            **ASYNC,
            "autoscaling": _scaled(
                1, 2, targets={"load": {"kind": "concurrent_requests", "per_instance": 2}}
            ),
        },
        "autoscaling.targets.load.kind",
        "expected one of: backlog_per_instance, cpu_utilization, custom_metric, latency_p90, got",
    ),
    "an empty fleet that nothing wakes": (
        {**ASYNC, "autoscaling": _scaled(0, 2)},
        "autoscaling.targets",
        "expected one of kind backlog_per_instance, as nothing else wakes 0 instances",
    ),
    "an empty fleet in real time": (
        {"autoscaling": _scaled(0, 2)},
        "autoscaling.min_instance_count",
        "expected at least 1, got 0: a real-time endpoint cannot scale to nothing",
    ),
    "a scheduled action that empties the fleet": (
        {
            "autoscaling": _scaled(
                1,
                2,
                scheduled={"night": {"schedule": "cron(0 0 * * ? *)", "min_instance_count": 0}},
            )
        },
        "autoscaling.scheduled.night.min_instance_count",
        "expected at least 1, got 0",
    ),
    "a queue in real time": (
        {"autoscaling": _scaled(1, 2, targets=BACKLOG)},
        "autoscaling.targets.backlog.kind",
        "a real-time endpoint has no queue; choose concurrent_requests, or endpoint.kind async",
    ),
    "scaling on nothing": (
        {"autoscaling": _scaled(1, 2, targets={})},
        "autoscaling.targets",
        "expected at least one, such as cpu: {kind: cpu_utilization, percent: 70}, got none",
    ),
    "two targets of one metric": (
        {"autoscaling": _scaled(1, 2, targets={**CPU, "load": CPU["cpu"]})},
        "autoscaling.targets.load",
        "expected a metric of its own, got the same as 'cpu'",
    ),
    "an action that changes nothing": (
        {"autoscaling": _scaled(1, 2, scheduled={"noon": {"schedule": "cron(0 12 * * ? *)"}})},
        "autoscaling.scheduled.noon",
        "expected min_instance_count, max_instance_count or both, got neither",
    ),
    "an action with its bounds swapped": (
        {
            "autoscaling": _scaled(
                1,
                9,
                scheduled={
                    "noon": {
                        "schedule": "cron(0 12 * * ? *)",
                        "min_instance_count": 4,
                        "max_instance_count": 3,
                    }
                },
            )
        },
        "autoscaling.scheduled.noon.max_instance_count",
        "expected at least min_instance_count (4), got 3",
    ),
    "an action above the other bound": (
        {
            "autoscaling": _scaled(
                1,
                3,
                scheduled={"noon": {"schedule": "cron(0 12 * * ? *)", "min_instance_count": 4}},
            )
        },
        "autoscaling.scheduled.noon.min_instance_count",
        "expected at most max_instance_count (3) of autoscaling, got 4; give the action a max",
    ),
    "an action below the other bound": (
        {
            "autoscaling": _scaled(
                2,
                3,
                scheduled={"noon": {"schedule": "cron(0 12 * * ? *)", "max_instance_count": 1}},
            ),
            **TWO,
        },
        "autoscaling.scheduled.noon.max_instance_count",
        "expected at least min_instance_count (2) of autoscaling, got 1; give the action a min",
    ),
    "an action that ends before it starts": (
        {
            "autoscaling": _scaled(
                1,
                9,
                scheduled={
                    "noon": {
                        "schedule": "cron(0 12 * * ? *)",
                        "min_instance_count": 4,
                        "start": "2027-02-01T00:00:00Z",
                        "end": "2027-01-01T00:00:00Z",
                    }
                },
            )
        },
        "autoscaling.scheduled.noon.end",
        "expected a moment after start (2027-02-01T00:00:00Z)",
    ),
    "a period of what happens once": (
        {
            "autoscaling": _scaled(
                1,
                9,
                scheduled={
                    "noon": {
                        "schedule": "at(2027-01-30T06:00:00)",
                        "min_instance_count": 4,
                        "start": "2027-02-01T00:00:00Z",
                    }
                },
            )
        },
        "autoscaling.scheduled.noon.start",
        "expected null, as at(2027-01-30T06:00:00) happens once",
    ),
    "more actions than a target takes": (
        {
            "autoscaling": _scaled(
                1,
                9,
                scheduled={
                    f"at-{hour}-{minute}": {
                        "schedule": f"cron({minute} {hour} * * ? *)",
                        "min_instance_count": 2,
                    }
                    for hour in range(5)
                    for minute in range(41)
                },
            )
        },
        "autoscaling.scheduled",
        "expected at most 200 actions, got 205",
    ),
    "off hours beside scaling": (
        {"off_hours": OFF, "autoscaling": _scaled(1, 2)},
        "off_hours",
        "expected null, as an endpoint that is removed takes its scaling along",
    ),
    "off hours that begin and end at once": (
        {"off_hours": {**OFF, "start": OFF["stop"]}},
        "off_hours.start",
        "expected another moment than stop",
    ),
    "off hours that do not recur": (
        {"off_hours": {**OFF, "start": "at(2027-01-30T06:00:00)"}},
        "off_hours.start",
        "expected a cron expression, as off hours recur",
    ),
    "an alert without a threshold": (
        {"alarms.error_rate": {"thresholds_percent": {}}},
        "alarms.error_rate.thresholds_percent",
        "expected a threshold by severity, or null for the alert, got none",
    ),
    "a graver alert below a milder one": (
        {"alarms.high_latency": {"thresholds_ms": {"critical": 900, "medium": 1000}}},
        "alarms.high_latency.thresholds_ms.critical",
        "expected at least that of medium (1000), as critical is graver, got 900",
    ),
    "a budget where there are none": (
        {"region": "eu-north-1", "alarms.budget": {"monthly_usd": 100}},
        "alarms.budget",
        "expected null, as CloudFormation makes no budgets in eu-north-1",
    ),
    "a chat where there is none": (
        {"region": "cn-north-1", "alarms.notifications.high": {"desk": SLACK}},
        "alarms.notifications.high.desk.kind",
        "expected email, pagerduty or webhook, as cn-north-1 has no Amazon Q Developer in chat",
    ),
}

ADMITTED: dict[str, dict[str, Any]] = {
    "a queue that falls asleep": {
        **ASYNC,
        "autoscaling": _scaled(0, 2, targets={**BACKLOG, **CPU}),
    },
    "an action with both bounds beyond those of autoscaling": {
        "autoscaling": _scaled(
            1,
            3,
            scheduled={
                "peak": {
                    "schedule": "cron(0 4 * * ? *)",
                    "min_instance_count": 5,
                    "max_instance_count": 9,
                }
            },
        )
    },
    "one metric by two statistics": {
        "autoscaling": _scaled(
            1,
            2,
            targets={
                statistic.lower(): {
                    "kind": "custom_metric",
                    "namespace": "Desk",
                    "metric_name": "Orders",
                    "statistic": statistic,
                    "value": 3,
                }
                for statistic in ("Average", "Maximum")
            },
        )
    },
    "off hours": {"off_hours": OFF},
    "a budget where there are some": {"alarms.budget": {"monthly_usd": 100}},
    "one channel for two severities": {
        "alarms.notifications": {"high": {"desk": SLACK}, "medium": {"desk": SLACK}}
    },
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_work_is_refused_with_what_would(
    expect_refusal: Callable[..., None], case: str
) -> None:
    expect_refusal(*REFUSED[case])


@pytest.mark.parametrize("case", ADMITTED)
def test_what_works_is_admitted(expect_admission: Callable[..., None], case: str) -> None:
    expect_admission(ADMITTED[case])
