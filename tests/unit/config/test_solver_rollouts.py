"""The limits solver on rollouts: what cannot work is refused, and what would work is said."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    Change = Callable[[dict[str, Any]], dict[str, Any]]
    ProblemsWith = Callable[[dict[str, Any]], dict[str, str]]

CPU = {"cpu": {"kind": "cpu_utilization", "percent": 60}}
TWO = {"endpoint.initial_instance_count": 2}
THREE = {"endpoint.initial_instance_count": 3}
ALIAS = {"challenger": {"alias": "challenger"}}


def _scaled(low: int, high: int, **more: Any) -> dict[str, Any]:
    return {"min_instance_count": low, "max_instance_count": high, "targets": CPU, **more}


def _canary(percent: int, **more: Any) -> dict[str, Any]:
    return {"kind": "canary", "percent": percent, **more}


REFUSED: dict[str, tuple[dict[str, Any], str, str]] = {
    "a canary over half": ({"rollout": _canary(51)}, "rollout.percent", "expected at most 50"),
    "a canary of one instance": (
        {"rollout": _canary(10)},
        "rollout.kind",
        "one instance cannot be replaced by parts: use at least 2 instances, or all_at_once",
    ),
    "a canary that rounds to more than half": (
        {"rollout": _canary(40), **THREE},
        "rollout.percent",
        "as instances are whole; a canary may hold at most 50 %: use at most 33 for 3 instances",
    ),
    "a canary of a fleet that scaling reaches": (
        {"rollout": _canary(45), **TWO, "autoscaling": _scaled(2, 6)},
        "rollout.percent",
        "use at most 33 for 2 to 6 instances",
    ),
    "a canary of a fleet that a scheduled action reaches": (
        {
            "rollout": _canary(45),
            **TWO,
            "autoscaling": _scaled(
                2, 2, scheduled={"peak": {"schedule": "cron(0 4 * * ? *)", "max_instance_count": 9}}
            ),
        },
        "rollout.percent",
        "45 % of 3 instances is 67%",
    ),
    "a canary of a fleet that a scheduled action leaves alone": (
        {
            "rollout": _canary(30),
            **TWO,
            "autoscaling": _scaled(
                2,
                4,
                scheduled={"night": {"schedule": "cron(0 0 * * ? *)", "min_instance_count": 1}},
            ),
        },
        "rollout.kind",
        "one instance cannot be replaced by parts",
    ),
    "a step under a tenth": (
        {"rollout": {"kind": "linear", "step_percent": 9}, **TWO},
        "rollout.step_percent",
        "expected at least 10, got 9",
    ),
    "a step that rounds to more than half": (
        {"rollout": {"kind": "linear", "step_percent": 34}, **THREE},
        "rollout.step_percent",
        "a step may hold at most 50 %: use at most 33",
    ),
    "a batch under a twentieth": (
        {"rollout": {"kind": "rolling", "batch_percent": 4}, **TWO},
        "rollout.batch_percent",
        "expected at least 5, got 4",
    ),
    "a batch over half": (
        {"rollout": {"kind": "rolling", "batch_percent": 51}, **TWO},
        "rollout.batch_percent",
        "expected at most 50, got 51",
    ),
    "a batch that rounds to more than half": (
        {"rollout": {"kind": "rolling", "batch_percent": 50}, **THREE},
        "rollout.batch_percent",
        "a batch may hold at most 50 %: use at most 33",
    ),
    "batches of one instance": (
        {"rollout": {"kind": "rolling", "batch_percent": 50}},
        "rollout.kind",
        "one instance cannot be replaced by parts",
    ),
    "waits over the longest timeout": (
        {
            "rollout": {"kind": "linear", "step_percent": 10, "wait_seconds": 3600},
            "endpoint.initial_instance_count": 20,
        },
        "rollout.wait_seconds",
        (
            "10 steps wait 36120 s and need 1800 s to start in, and a rollout ends "
            "after 28800 s at the latest: use at most 2688, or larger steps"
        ),
    ),
    "waits that leave a fleet no time to start": (
        {
            "rollout": {"kind": "linear", "step_percent": 10, "wait_seconds": 2689},
            "endpoint.initial_instance_count": 20,
        },
        "rollout.wait_seconds",
        (
            "10 steps wait 27010 s and need 1800 s to start in, and a rollout ends "
            "after 28800 s at the latest: use at most 2688"
        ),
    ),
    "waits that leave batches no time to start": (
        {
            "rollout": {"kind": "rolling", "batch_percent": 5, "wait_seconds": 541},
            "endpoint.initial_instance_count": 20,
        },
        "rollout.wait_seconds",
        (
            "20 steps wait 10820 s and need 18000 s to start in, and a rollout ends "
            "after 28800 s at the latest: use at most 540"
        ),
    ),
    "a timeout in which no batch can start": (
        {
            "rollout": {
                "kind": "rolling",
                "batch_percent": 25,
                "wait_seconds": 300,
                "maximum_execution_timeout_seconds": 2300,
            },
            "endpoint.initial_instance_count": 4,
        },
        "rollout.maximum_execution_timeout_seconds",
        (
            "expected at least 2400, the rollout's own waits (1200 s) and 1200 s to start in, "
            "got 2300; left out, it is made to fit, or use at most 275 as wait_seconds"
        ),
    ),
    "waits of all batches over the timeout given": (
        {
            "rollout": {
                "kind": "rolling",
                "batch_percent": 25,
                "wait_seconds": 300,
                "maximum_execution_timeout_seconds": 1200,
            },
            "endpoint.initial_instance_count": 4,
        },
        "rollout.maximum_execution_timeout_seconds",
        (
            "expected at least 2400, the rollout's own waits (1200 s) and 1200 s to start in, "
            "got 1200; left out, it is made to fit, or use at most 0 as wait_seconds"
        ),
    ),
    "waits of both shifts of a canary over the timeout given": (
        {
            "rollout": _canary(
                30,
                wait_seconds=600,
                termination_wait_seconds=600,
                maximum_execution_timeout_seconds=1800,
            ),
            **TWO,
        },
        "rollout.maximum_execution_timeout_seconds",
        (
            "expected at least 2100, the rollout's own waits (1800 s) and 300 s to start in, "
            "got 1800; left out, it is made to fit, or use at most 450 as wait_seconds"
        ),
    ),
    "more alarms than a rollout takes": (
        {"rollout": {"kind": "all_at_once", "additional_alarms": list("abcdefghi")}},
        "rollout.additional_alarms",
        (
            "expected at most 8, as a rollout watches at most 10 alarms and 2 are made for it, "
            "got 9; name only those that must undo it"
        ),
    ),
    "more alarms beside those of two variants": (
        {
            "rollout": {
                "kind": "split",
                **ALIAS,
                "challenger_percent": 10,
                "additional_alarms": list("abcdefg"),
            }
        },
        "rollout.additional_alarms",
        "expected at most 6",
    ),
    "no challenger": (
        {"rollout": {"kind": "shadow", "challenger": {}}},
        "rollout.challenger",
        "expected either alias or version, got neither",
    ),
    "two challengers": (
        {"rollout": {"kind": "shadow", "challenger": {"alias": "a", "version": "1"}}},
        "rollout.challenger",
        "expected either alias or version, got both",
    ),
    "a challenger on another CPU than AWS's image": (
        {"rollout": {"kind": "shadow", **ALIAS, "instance_type": "ml.m6g.large"}},
        "rollout.instance_type",
        "cannot start on ml.m6g.large, an Arm type; choose another type, or null for ml.m5.large",
    ),
    "a challenger on another CPU than the own image": (
        {
            "image": {"kind": "own", "python": "3.12"},
            "rollout": {"kind": "shadow", **ALIAS, "instance_type": "ml.m6g.large"},
        },
        "rollout.instance_type",
        "expected a type with the x86 CPU of ml.m5.large, as one image is built for both",
    ),
    "a challenger on another CPU than the image given": (
        {
            "image": {
                "kind": "ecr",
                "uri": "111111111111.dkr.ecr.eu-central-1.amazonaws.com/forecaster:1",
                "architecture": "x86_64",
            },
            "rollout": {"kind": "shadow", **ALIAS, "instance_type": "ml.m6g.large"},
        },
        "rollout.instance_type",
        "expected a type with the x86_64 CPU of the image, got ml.m6g.large",
    ),
    "a challenger with fewer CPUs than threads": (
        {
            "endpoint.instance_type": "ml.m5.xlarge",
            "container.threads_per_worker": 4,
            "rollout": {"kind": "shadow", **ALIAS, "instance_type": "ml.m5.large"},
        },
        "rollout.instance_type",
        "expected a type with the 4 vCPUs of container.threads_per_worker, got ml.m5.large with 2",
    ),
    "a challenger whose storage another key encrypts": (
        {"rollout": {"kind": "shadow", **ALIAS, "instance_type": "ml.m5d.large"}},
        "rollout.instance_type",
        "expected a type without own disks like ml.m5.large, as one key encrypts the volumes of",
    ),
    "an instance type that ignores rollouts": (
        {"endpoint.instance_type": "ml.inf1.xlarge", "rollout": _canary(30), **TWO},
        "rollout.kind",
        "expected all_at_once, as ml.inf1.xlarge is excluded from every other rollout",
    ),
}

ADMITTED: dict[str, dict[str, Any]] = {
    "half of two instances": {"rollout": _canary(50), **TWO},
    "a third of any fleet of two or more": {
        "rollout": _canary(33),
        **TWO,
        "autoscaling": _scaled(2, 10_000),
    },
    "long waits in the few steps of a small fleet": {
        "rollout": {"kind": "linear", "step_percent": 10, "wait_seconds": 3600},
        **TWO,
    },
    "waits that leave a fleet just the time to start": {
        "rollout": {"kind": "linear", "step_percent": 10, "wait_seconds": 2688},
        "endpoint.initial_instance_count": 20,
    },
    "waits that leave batches just the time to start": {
        "rollout": {"kind": "rolling", "batch_percent": 5, "wait_seconds": 540},
        "endpoint.initial_instance_count": 20,
    },
    "the shortest timeout with short waits": {
        "rollout": {
            "kind": "all_at_once",
            "wait_seconds": 180,
            "termination_wait_seconds": 120,
            "maximum_execution_timeout_seconds": 600,
        }
    },
    "eight alarms beside the two own": {
        "rollout": {"kind": "all_at_once", "additional_alarms": list("abcdefgh")}
    },
    "one alarm more without the one of latency": {
        "rollout": {"kind": "all_at_once", "additional_alarms": list("abcdefghi")},
        "alarms.rollback": {"latency_p99_ms": None},
    },
    "eight alarms beside the two of a shadow's champion": {
        "rollout": {"kind": "shadow", **ALIAS, "additional_alarms": list("abcdefgh")}
    },
    "a challenger on one instance beside a champion on one": {
        "rollout": {"kind": "shadow", **ALIAS}
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
