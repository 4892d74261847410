"""Findings as JSON: times in ISO 8601, and what could not be read by its reason."""

from __future__ import annotations

import dataclasses
import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forecast_operations.watching.status import Status


def as_json(value: Any) -> str:
    """A finding as a document."""
    return json.dumps(plain(value), indent=2, ensure_ascii=False)


def plain(value: Any) -> Any:
    """A finding as plain data."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        names = [field.name for field in dataclasses.fields(value)]
        return {name: plain(getattr(value, name)) for name in names}
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    return value


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
