"""What a serving mode does not support is refused, and what would do instead is said."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    Change = Callable[[dict[str, Any]], dict[str, Any]]
    Problems = Callable[..., list[str]]
    ProblemsWith = Callable[[dict[str, Any]], dict[str, str]]

CPU = {"cpu": {"kind": "cpu_utilization", "percent": 60}}
BACKLOG = {"backlog": {"kind": "backlog_per_instance", "requests": 5}}
TWO = {"endpoint.initial_instance_count": 2}
ALIAS = {"challenger": {"alias": "challenger"}}
SERVERLESS = {"endpoint": {"kind": "serverless", "name": "forecast-dev", "memory_mib": 2048}}
ASYNC = {"endpoint.kind": "async"}
OFF = {"stop": "cron(0 20 ? * MON-FRI *)", "start": "cron(0 7 ? * MON-FRI *)"}


def _scaled(low: int, high: int, **more: Any) -> dict[str, Any]:
    return {"min_instance_count": low, "max_instance_count": high, "targets": CPU, **more}


def _canary(percent: int, **more: Any) -> dict[str, Any]:
    return {"kind": "canary", "percent": percent, **more}


REFUSED: dict[str, tuple[dict[str, Any], str, str]] = {
    "a canary on serverless": (
        {**SERVERLESS, "rollout": _canary(30)},
        "rollout.kind",
        "expected all_at_once, as a serverless endpoint has no instances",
    ),
    "a shadow on serverless": (
        {**SERVERLESS, "rollout": {"kind": "shadow", **ALIAS}},
        "rollout.kind",
        "expected all_at_once, as a serverless endpoint has no instances",
    ),
    "rollback alarms on serverless": (
        {**SERVERLESS, "rollout": {"kind": "all_at_once", "additional_alarms": ["a"]}},
        "rollout.additional_alarms",
        "expected none, as no alarm undoes the rollout of a serverless endpoint",
    ),
    "data capture on serverless": (
        {**SERVERLESS, "data_capture": {"sampling_percent": 1}},
        "data_capture",
        "expected null, as a serverless endpoint captures nothing",
    ),
    "an alert for answers that never come": (
        {"alarms.high_latency": {"thresholds_ms": {"high": 90_000, "medium": 60_000}}},
        "alarms.high_latency.thresholds_ms.high",
        "expected at most 60000, as SageMaker ends a request after 60 s, got 90000; only",
    ),
    "an alert for answers that never come from serverless": (
        {**SERVERLESS, "alarms.high_latency": {"thresholds_ms": {"medium": 60_001}}},
        "alarms.high_latency.thresholds_ms.medium",
        "expected at most 60000, as SageMaker ends a request after 60 s, got 60001",
    ),
    "a rollout undone by answers that never come": (
        {"alarms.rollback": {"latency_p99_ms": 60_001}},
        "alarms.rollback.latency_p99_ms",
        "expected at most 60000, as SageMaker ends a request after 60 s, got 60001",
    ),
    "a VPC on serverless": (
        {**SERVERLESS, "network": {"kind": "new"}},
        "network.kind",
        "expected none, as a serverless container cannot join a VPC, got new",
    ),
    "isolation on serverless": (
        {**SERVERLESS, "network": {"kind": "none", "isolated": True}},
        "network.isolated",
        "expected false, as a serverless container cannot be isolated",
    ),
    "scaling on serverless": (
        {**SERVERLESS, "autoscaling": _scaled(1, 2)},
        "autoscaling",
        "what it keeps warm scales by endpoint.provisioned_concurrency",
    ),
    "off hours on serverless": (
        {**SERVERLESS, "off_hours": OFF},
        "off_hours",
        "expected null, as a serverless endpoint costs nothing while nobody asks",
    ),
    "an Arm image on serverless": (
        {
            **SERVERLESS,
            "image": {
                "kind": "ecr",
                "uri": "111111111111.dkr.ecr.eu-central-1.amazonaws.com/forecaster:1",
                "architecture": "arm64",
            },
        },
        "image.architecture",
        "expected x86_64, the CPU of serverless containers, got arm64",
    ),
    "instances on serverless": (
        {"endpoint": {**SERVERLESS["endpoint"], "instance_type": "ml.m5.large"}},
        "endpoint.instance_type",
        "unknown key; ",
    ),
    "memory between the steps": (
        {"endpoint": {**SERVERLESS["endpoint"], "memory_mib": 1536}},
        "endpoint.memory_mib",
        "expected one of: 1024, 2048, 3072, 4096, 5120, 6144, got 1536",
    ),
    "more warm requests than are admitted": (
        {"endpoint": {**SERVERLESS["endpoint"], "provisioned_concurrency": {"maximum": 21}}},
        "endpoint.provisioned_concurrency.maximum",
        "expected at most max_concurrency (20), got 21",
    ),
    "fewer warm requests than the minimum": (
        {
            "endpoint": {
                **SERVERLESS["endpoint"],
                "provisioned_concurrency": {"minimum": 3, "maximum": 9},
            }
        },
        "endpoint.provisioned_concurrency.initial",
        "expected from minimum (3) to maximum (9), got 1",
    ),
    "warm requests out of order": (
        {
            "endpoint": {
                **SERVERLESS["endpoint"],
                "provisioned_concurrency": {"minimum": 3, "maximum": 2},
            }
        },
        "endpoint.provisioned_concurrency.maximum",
        "expected at least minimum (3), got 2",
    ),
    "a shadow on async": (
        {**ASYNC, "rollout": {"kind": "shadow", **ALIAS}},
        "rollout.kind",
        "asynchronous endpoints are excluded from shadow variants, got shadow",
    ),
    "a split on async": (
        {**ASYNC, "rollout": {"kind": "split", **ALIAS, "challenger_percent": 10}},
        "rollout.kind",
        "InvokeEndpointAsync neither asks for a variant nor says which one answered",
    ),
    "data capture on async": (
        {**ASYNC, "data_capture": {"sampling_percent": 1}},
        "data_capture",
        "are kept in the bucket anyway (endpoint.answer_retention_days)",
    ),
}

ADMITTED: dict[str, dict[str, Any]] = {
    "a queue that is replaced by parts": {
        **ASYNC,
        **TWO,
        "autoscaling": _scaled(2, 4, targets=BACKLOG),
        "rollout": _canary(30),
    },
    "an alert for the longest answer in real time": {
        "alarms.high_latency": {"thresholds_ms": {"medium": 60_000}}
    },
    "an alert for an answer that takes an hour": {
        **ASYNC,
        "alarms.high_latency": {"thresholds_ms": {"medium": 3_600_000}},
        "alarms.rollback": {"latency_p99_ms": 3_600_000},
    },
    "a warm serverless endpoint": {
        "endpoint": {
            **SERVERLESS["endpoint"],
            "provisioned_concurrency": {"initial": 2, "minimum": 1, "maximum": 20},
        }
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


def test_model_data_by_prefix_and_a_serverless_endpoint_exclude_each_other(
    problems_of: Problems, document_with: Change
) -> None:
    document = document_with(
        {"serving": {"model_data": "prefix"}, "environments.dev.endpoint": SERVERLESS["endpoint"]}
    )

    (problem,) = problems_of(document)

    assert "environments.dev.endpoint.kind: expected another kind, as serving.model_data" in problem
