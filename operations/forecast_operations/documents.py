"""Results as JSON: times in ISO 8601, and what could not be read by its reason."""

from __future__ import annotations

import dataclasses
import json
from datetime import datetime
from typing import Any

from pydantic import BaseModel


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
