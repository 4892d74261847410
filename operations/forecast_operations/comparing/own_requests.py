"""Requests that the project itself sends to the parts of a split, whatever their weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from forecast_operations.records.store import RecordStore

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forecast_config import EnvironmentSettings
    from forecast_operations.comparing.traffic import Heartbeats
    from forecast_operations.comparing.variants import Contest
    from forecast_operations.comparing.window import Window
    from forecast_operations.deployed.live import Live
    from forecast_operations.records.record import DeploymentRecord

_FIRST_REFUSED, _FIRST_FAILED = 400, 500


@dataclass(frozen=True)
class Verified:
    """What verifications asked one variant.

    Attributes:
        requests: How many requests.
        refused: How many of them were refused with 4xx, as some golden requests are meant to be.
    """

    requests: int = 0
    refused: int = 0


@dataclass(frozen=True, kw_only=True)
class OwnRequests:
    """What the project itself asked both parts of a split.

    Attributes:
        heartbeats: Requests of the heartbeat to each.
        verified: Requests of recorded verifications, to champion and challenger.
    """

    heartbeats: Heartbeats
    verified: tuple[Verified, Verified]


def read_verified(
    live: Live, settings: EnvironmentSettings, contest: Contest, window: Window
) -> tuple[Verified, Verified]:
    """What recorded verifications of a window asked champion and challenger.

    Raises:
        ForecastError: S3 refuses, or does not answer.
    """
    records = list(_records(live, settings, contest, window))
    champion, challenger = (
        _asked(records, variant.name) for variant in (contest.champion, contest.challenger)
    )
    return champion, challenger


def _records(
    live: Live, settings: EnvironmentSettings, contest: Contest, window: Window
) -> Iterator[DeploymentRecord]:
    store = RecordStore.of(live, settings)
    for record in () if store is None else store.records():
        if record.started_at < window.start:
            return
        if record.endpoint_config_name == contest.configuration:
            yield record


def _asked(records: list[DeploymentRecord], variant: str) -> Verified:
    requests = refused = 0
    for record in records:
        statuses = [each.status for each in record.exchanges if each.variant == variant]
        # The first request is sent once more before all others, to warm the variant up.
        statuses += statuses[:1]
        requests += len(statuses)
        refused += sum(_FIRST_REFUSED <= status < _FIRST_FAILED for status in statuses)
    return Verified(requests, refused)
