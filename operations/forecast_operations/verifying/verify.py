"""Verify a deployment: look at it, ask it, and write down what was found."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from forecast_config import names
from forecast_config.settings import AsyncEndpoint
from forecast_operations.cloud.refusals import NotAllowedError
from forecast_operations.deployed.statuses import is_in_transition
from forecast_operations.records.card import read_card
from forecast_operations.records.record import Check, DeploymentRecord
from forecast_operations.verifying.answers import Interview, interview, latency_budget_ms
from forecast_operations.verifying.asking import Desk
from forecast_operations.verifying.commit import commit_of
from forecast_operations.verifying.condition import check_condition, not_allowed, serves
from forecast_operations.verifying.fleet import check_fleet, look_at_fleet
from forecast_operations.verifying.settling import (
    default_wait_seconds,
    wait_until_settled,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from forecast_operations.deployed.live import Live
    from forecast_operations.verifying.fleet import Variant
    from forecast_operations.verifying.subject import Subject

_ASYNC_ANSWER_SECONDS = 900.0
"""Longest wait for an asynchronous answer unless told: instances start from zero meanwhile."""


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How long a verification waits, and for what.

    Attributes:
        wait_seconds: How long for a deployment that is under way, and for an asynchronous answer;
            None: as long as the rollout may take.
        latency_ms: Longest that half of the answers may take; None: what is alarmed about.
        sleep: Waits.
    """

    wait_seconds: float | None = None
    latency_ms: float | None = None
    sleep: Callable[[float], None] = time.sleep


def verify(subject: Subject, patience: Patience, say: Callable[[str], None]) -> DeploymentRecord:
    """Prove a deployment; nothing of it is changed.

    Args:
        subject: What is verified.
        patience: How long it waits.
        say: Told what is waited for.

    Returns:
        The record of it, which nobody has written yet.

    A missing permission to look fails its check, and the rest goes on.

    Raises:
        ForecastError: AWS refuses what must be looked at for another reason.
    """
    started_at, started = datetime.now(UTC), time.perf_counter()
    subject, endpoint, refused = _settled(subject, patience, say)
    fleet: Sequence[Variant] = ()
    unseen: list[Check] = []
    at_rest = endpoint is not None and not is_in_transition(endpoint["EndpointStatus"])
    if endpoint is not None and at_rest:
        try:
            fleet = _fleet(subject.live, endpoint)
        except NotAllowedError as error:
            unseen = [not_allowed("variants", "the variants of the template", error)]
    checks = check_condition(subject, endpoint, fleet, refused)
    cause = _cause(checks)
    if at_rest:
        checks += unseen or check_fleet(subject, fleet, cause)
    answers = Interview(())
    if endpoint is not None and fleet and serves(endpoint):
        say(f"asking {endpoint['EndpointName']} its golden requests")
        desk, budget = _desk(subject, patience), _budget(subject, patience)
        answers = interview(subject, desk, fleet, budget, cause)
    checks += answers.checks
    finished = time.perf_counter()
    return _record(
        subject,
        started_at,
        endpoint_config_name=None if endpoint is None else endpoint.get("EndpointConfigName"),
        seconds=round(finished - started, 3),
        variants=tuple(variant.served for variant in fleet),
        checks=tuple(checks),
        exchanges=answers.exchanges,
    )


def _settled(
    subject: Subject, patience: Patience, say: Callable[[str], None]
) -> tuple[Subject, Mapping[str, Any] | None, NotAllowedError | None]:
    """What the stack and the endpoint are at rest, or which permission to look is missing."""
    wait = patience.wait_seconds
    seconds = default_wait_seconds(subject) if wait is None else wait
    try:
        return (*wait_until_settled(subject, seconds, say, sleep=patience.sleep), None)
    except NotAllowedError as error:
        return subject, None, error


def _fleet(live: Live, endpoint: Mapping[str, Any]) -> list[Variant]:
    # After a creation that failed there may be no configuration at all.
    name = endpoint.get("EndpointConfigName")
    config = None if name is None else live.endpoint_config(name)
    return look_at_fleet(live, config or {}, endpoint)


def _cause(checks: Sequence[Check]) -> str | None:
    """The check whose failure explains why something else is served; None where none does."""
    failed = {check.name for check in checks if not check.passed}
    return next((name for name in ("configuration", "stack") if name in failed), None)


def _desk(subject: Subject, patience: Patience) -> Desk:
    settings, wait = subject.settings, patience.wait_seconds
    bucket = None
    if isinstance(settings.endpoint, AsyncEndpoint):
        bucket = names.artifact_bucket(settings.endpoint.name, subject.account, settings.region)
    return Desk(
        cloud=subject.live.cloud,
        endpoint_name=settings.endpoint.name,
        bucket=bucket,
        wait_seconds=_ASYNC_ANSWER_SECONDS if wait is None else wait,
        sleep=patience.sleep,
    )


def _budget(subject: Subject, patience: Patience) -> float | None:
    if patience.latency_ms is not None:
        return patience.latency_ms
    return latency_budget_ms(subject.settings)


def _record(
    subject: Subject, started_at: datetime, *, checks: tuple[Check, ...], **found: Any
) -> DeploymentRecord:
    members = {
        "environment": subject.settings.name,
        "endpoint_name": subject.settings.endpoint.name,
        "account": subject.account,
        "region": subject.settings.region,
        "outcome": "verified" if all(check.passed for check in checks) else "failed",
        "started_at": started_at,
        "caller": subject.live.cloud.caller(),
        "commit": commit_of(subject.project.root),
        "deployed_at": _in_utc(subject.deployed.at),
        "archive_digest": subject.champion.archive_digest,
        "lock": subject.lock,
        "challenger": subject.challenger_lock,
        "card": read_card(subject.champion.archive),
        "checks": checks,
        **found,
    }
    return DeploymentRecord(record_id=_record_id(started_at, members), **members)


def _record_id(at: datetime, members: Mapping[str, Any]) -> str:
    digest = hashlib.sha256(repr(members).encode()).hexdigest()[:8]
    return f"{at:%Y%m%dT%H%M%SZ}-{digest}"


def _in_utc(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.astimezone(UTC)
