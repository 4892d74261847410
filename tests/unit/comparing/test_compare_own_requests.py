"""What the project itself asks of the parts of a split counts for nothing."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from captured import NOW

from forecast_operations.comparing.advice import warnings_of

if TYPE_CHECKING:
    from collections.abc import Callable

ASKED = 9
"""Golden requests, of which the last is refused."""


@pytest.fixture
def split(world: Callable[..., Any]) -> Any:
    """A challenger that gets a twentieth: 100 requests of 2000."""
    account = world("split", weight=1 / 19)
    account.stacks.outputs["ArtifactBucketName"] = "bucket"
    account.watch.variants = {
        "main": {"Invocations": 1900.0, "Invocation4XXErrors": 0.0},
        "main-challenger": {"Invocations": 100.0, "Invocation4XXErrors": 0.0},
    }
    account.without_captures()
    return account


def verify(account: Any, *, times: int, configuration: str = "config-2", days: float = 1) -> None:
    """Verify the endpoint: ask both variants each golden request, the first one twice."""
    for number in range(times):
        moment = NOW - timedelta(days=days, minutes=number)
        record = _record(f"{moment:%Y%m%dT%H%M%SZ}-0123abcd", moment.isoformat(), configuration)
        account.storage.objects[f"deployments/prod/{record['record_id']}.json"] = json.dumps(
            record
        ).encode()
    if configuration == "config-2":
        for variant in account.watch.variants.values():
            variant["Invocations"] += times * (ASKED + 1)
            variant["Invocation4XXErrors"] += times


def _record(record_id: str, started_at: str, configuration: str) -> dict[str, Any]:
    digest = f"sha256:{'a' * 64}"
    model = {
        "name": "forecaster",
        "version": "16",
        "run_id": "a" * 32,
        "model_digest": digest,
        "signature_digest": digest,
        "libraries": {"python": "3.12.1"},
    }
    exchanges = [
        {
            "name": f"golden {number}",
            "variant": variant,
            "content_type": "application/json",
            "accept": "application/json",
            "body": "{}",
            "status": 400 if number == ASKED else 200,
            "answer": {},
            "milliseconds": 1.0,
        }
        for variant in ("main", "main-challenger")
        for number in range(1, ASKED + 1)
    ]
    return {
        "record_id": record_id,
        "environment": "prod",
        "endpoint_name": "forecast",
        "account": "111111111111",
        "region": "eu-central-1",
        "outcome": "verified",
        "started_at": started_at,
        "seconds": 1.0,
        "caller": "somebody",
        "commit": None,
        "deployed_at": None,
        "endpoint_config_name": configuration,
        "archive_digest": digest,
        "lock": model,
        "card": {},
        "variants": [],
        "checks": [],
        "exchanges": exchanges,
    }


def test_verifications_do_not_count_for_the_shares(split: Any) -> None:
    verify(split, times=5)

    found = split.compare()

    assert found.sharing.own_requests == (50, 50)
    assert found.sharing.received == pytest.approx(0.05)
    assert not found.sharing.is_mismatch
    assert found.block is None


def test_requests_that_verifications_want_refused_are_no_failures(split: Any) -> None:
    verify(split, times=20)

    found = split.compare()

    assert [each.failed for each in found.clients] == [0, 0]
    assert [each.errors_4xx for each in found.traffic] == [20, 20]
    assert warnings_of(found) == [each for each in warnings_of(found) if "fail" not in each]


@pytest.mark.parametrize(
    ("configuration", "days"), [("config-1", 1.0), ("config-2", 8.0)], ids=["other", "older"]
)
def test_verifications_of_another_configuration_or_time_are_not_taken_out(
    split: Any, configuration: str, days: float
) -> None:
    verify(split, times=5, configuration=configuration, days=days)

    assert split.compare(since="7d").sharing.own_requests == (0, 0)


def test_beats_that_the_configuration_before_may_have_answered_forbid_nothing(split: Any) -> None:
    # An hour of the rollout: 60 beats, of which the new fleet answered the last 20.
    split.watch.heartbeats = 2 * 60.0
    for variant in split.watch.variants.values():
        variant["Invocations"] += 20
    split.watch.others = {"main": 500.0}

    found = split.compare()

    assert found.sharing.own_requests == (pytest.approx(20, abs=2),) * 2
    assert not found.sharing.is_mismatch
    split.watch.others = {}
    assert split.compare().sharing.is_mismatch


def test_a_split_that_only_the_heartbeat_asks_has_no_share(split: Any) -> None:
    split.watch.heartbeats = 2 * 60.0
    for variant in split.watch.variants.values():
        variant["Invocations"] = 40
    split.watch.others = {"main": 500.0}

    found = split.compare()

    assert (found.sharing.received, found.sharing.p_value) == (None, None)


def test_beats_that_nobody_else_answered_hide_no_mismatch(split: Any) -> None:
    split.watch.heartbeats = 2 * 60.0
    for variant in split.watch.variants.values():
        variant["Invocations"] += 60
    split.watch.variants["main-challenger"]["Invocations"] += 100

    assert split.compare().sharing.is_mismatch


def test_heartbeats_do_not_hide_that_the_challenger_fails_more(split: Any) -> None:
    # A tenth of the champion's requests of clients fails, and a third of the challenger's.
    split.watch.heartbeats = 2 * 10_000.0
    for variant, failed in (("main", 190.0), ("main-challenger", 33.0)):
        split.watch.variants[variant]["Invocations"] += 10_000
        split.watch.variants[variant]["Invocation5XXErrors"] = failed

    found = split.compare()

    assert found.block is not None
    assert found.block.cause == "failures"
    assert any("33 of 100, and 190 of 1900 of the champion's" in w for w in warnings_of(found))


def test_of_a_shadow_nothing_is_taken_out(world: Callable[..., Any]) -> None:
    account = world("shadow", weight=0.5)
    account.without_captures()
    account.watch.variants = {
        "main": {"Invocations": 1000.0},
        "main-challenger": {"Invocations": 500.0},
    }
    account.watch.heartbeats = 400.0

    found = account.compare()

    assert found.sharing.own_requests == (0, 0)
    assert found.sharing.received == 0.5
