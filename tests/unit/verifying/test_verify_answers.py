"""Golden requests must come back as they were recorded, and in time."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.mark.parametrize(
    ("answer", "check", "found"),
    [
        (
            ("example", (200, '{"predictions": [{"price": 1.6, "model_version": "1"}]}')),
            "golden AllTraffic example",
            "price of entry 0 of predictions of the answer is 1.6, expected 1.5",
        ),
        (
            ("example", (200, "<html>")),
            "golden AllTraffic example",
            "the answer is no application/json",
        ),
        (
            ("csv", (500, "broken")),
            "golden AllTraffic csv",
            "answered with status 500, expected 200: broken",
        ),
        (
            ("missing_feature", (200, "{}")),
            "golden AllTraffic missing_feature",
            "answered with status 200, expected 400: {}",
        ),
    ],
)
def test_an_answer_that_is_not_the_recorded_one_fails(
    deployed: Any, checks_failed: Any, answer: Any, check: str, found: str
) -> None:
    name, said = answer
    deployed.runtime.changed[name] = said

    record = deployed.verify()

    assert {each.name: each.found for each in checks_failed(record).values()} == {check: found}
    assert record.outcome == "failed"
    (exchange,) = [each for each in record.exchanges if each.name == name]
    assert exchange.status == said[0]


def test_numbers_may_differ_by_the_tolerance(deployed: Any) -> None:
    near = '{"predictions": [{"price": 1.5005, "model_version": "1"}]}'
    deployed.runtime.changed["example"] = (200, near)

    assert deployed.verify().outcome == "verified"


def test_an_endpoint_that_does_not_answer_is_a_failed_check_with_the_reason(
    deployed: Any, checks_failed: Any
) -> None:
    class Silent:
        def invoke_endpoint(self, **_: Any) -> Any:
            from botocore.exceptions import ClientError  # noqa: PLC0415

            message = "User: me is not authorized to perform: sagemaker:InvokeEndpoint"
            raise ClientError(
                {"Error": {"Code": "AccessDeniedException", "Message": message}}, "InvokeEndpoint"
            )

    deployed.clients["sagemaker-runtime"] = Silent()

    found = checks_failed(deployed.verify())

    assert list(found) == ["golden AllTraffic"]
    assert "permission sagemaker:InvokeEndpoint is missing" in found["golden AllTraffic"].advice


def test_half_of_the_answers_must_be_within_the_budget(deployed: Any, checks_failed: Any) -> None:
    tight = deployed.verify(latency_ms=1e-6)

    assert list(checks_failed(tight)) == ["latency AllTraffic"]
    assert checks_failed(deployed.verify(latency_ms=1e6)) == {}


def test_the_budget_is_the_lowest_threshold_that_is_alarmed_about(deployed: Any) -> None:
    thresholds = {"high": 9000, "medium": 700}
    deployed.environment["alarms"] = {"high_latency": {"thresholds_ms": thresholds}}

    (latency,) = [each for each in deployed.verify().checks if each.name.startswith("latency")]
    deployed.environment["alarms"] = {"high_latency": None, "rollback": {"latency_p99_ms": 500}}
    without = deployed.verify()

    assert latency.expected == "half of the answers within 700 ms"
    assert [each.name for each in without.checks if each.name.startswith("latency")] == []


def test_golden_requests_that_cannot_be_read_fail_their_check_alone(
    deployed: Any, checks_failed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    packaged = deployed.packaged("1")
    older = deployed.root / "older.json"
    older.write_text(packaged.golden.read_text().replace('"schema_version": 2', '"other": 1'))
    packed_before = packaged.model_copy(update={"golden": older})
    monkeypatch.setattr(deployed, "packaged", lambda _: packed_before)

    record = deployed.verify()

    assert list(checks_failed(record)) == ["golden AllTraffic"]
    assert "package version 1 again" in checks_failed(record)["golden AllTraffic"].advice
    assert len(record.checks) > 5
