"""The media type of an answer, chosen by the request's Accept header."""

from __future__ import annotations

from typing import Final

from forecast_inference.requests.content import CSV, JSON, MEDIA_TYPES

_OFFERED: Final = {**MEDIA_TYPES, "application/*": JSON, "*/*": JSON, "text/*": CSV}


def answer_type(accept: str | None) -> str:
    """The media type that the client likes best among JSON, JSON Lines and CSV; else JSON."""
    if not accept:
        return JSON
    known = _OFFERED.get(accept)
    if known is not None:
        return known
    best, chosen = 0.0, JSON
    for entry in accept.split(","):
        name, *parameters = entry.split(";")
        weight = _weight(parameters)
        media = _OFFERED.get(name.strip().lower())
        if media is not None and weight > best:
            best, chosen = weight, media
    return chosen


def _weight(parameters: list[str]) -> float:
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        if key.strip().lower() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0
