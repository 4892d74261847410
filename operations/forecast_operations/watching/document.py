"""Environments at a glance, as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from forecast_operations.documents import plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forecast_operations.watching.status import Status


def of_statuses(statuses: Sequence[Status]) -> dict[str, Any]:
    """Environments at a glance, by their names."""
    return {status.place.settings.name: _of_status(status) for status in statuses}


def _of_status(status: Status) -> dict[str, Any]:
    parts = ("endpoint", "deployed", "alarms", "scaling", "seen", "stopped")
    settings = status.place.settings
    records = status.records
    return {
        "endpoint_name": settings.endpoint.name,
        "region": settings.region,
        "at": status.at.isoformat(),
        "troubles": list(status.troubles),
        "drifted": status.drifted,
        **{name: plain(getattr(status, name)) for name in parts},
        "records": [
            {
                "record_id": each.record_id,
                "outcome": each.outcome,
                "started_at": each.started_at.isoformat(),
                "model_version": each.lock.version,
            }
            for each in records
        ]
        if isinstance(records, tuple)
        else plain(records),
    }
