"""Log events as lines for a person: what matters of a document first."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from forecast_operations.watching.logs import LogEvent

_MICROSECONDS = 1000
_FIRST_ERROR, _FIRST_FAILURE = 400, 500
_LEVELS = {"warning": "yellow", "error": "bold red", "critical": "bold red"}
_SHOWN = frozenset(
    {
        "time",
        "message",
        "request_id",
        "status",
        "code",
        "rows",
        "refused_rows",
        "model_version",
        "level",
        "traceback",
        "duration_us",
    }
)


def lines_of(event: LogEvent) -> Iterator[Text]:
    """An event as one line, and a line for each of its traceback."""
    head = Text()
    head.append(f"{event.at:%Y-%m-%d %H:%M:%SZ} ", style="dim")
    head.append(f"{event.stream} ", style="cyan")
    document = event.document
    if document is None:
        head.append(event.message)
        yield head
        return
    if "_aws" in document:
        head.append(f"metrics {_rest(document)}", style="dim")
        yield head
        return
    _append(head, document)
    yield head
    for line in str(document.get("traceback") or "").splitlines():
        yield Text(f"    {line}", style="dim")


def _append(head: Text, document: Mapping[str, Any]) -> None:
    status = document.get("status")
    if not isinstance(status, int):
        level = str(document.get("level", ""))
        if level:
            head.append(f"{level} ", style=_LEVELS.get(level, ""))
        head.append(f"{document.get('message', '')} ")
        head.append(_rest(document), style="dim")
        return
    colour = "green" if status < _FIRST_ERROR else "yellow"
    head.append(f"{status} ", style="bold red" if status >= _FIRST_FAILURE else colour)
    parts = [str(document.get("code", ""))]
    if "rows" in document:
        refused = document.get("refused_rows", 0)
        parts.append(f"{document['rows']} rows" + (f", {refused} refused" if refused else ""))
    if isinstance(document.get("duration_us"), int | float):
        parts.append(f"{document['duration_us'] / _MICROSECONDS:.1f} ms")
    if "model_version" in document:
        parts.append(f"version {document['model_version']}")
    parts.append(str(document.get("request_id", "")))
    head.append(" · ".join(part for part in parts if part))
    # Times of the stages matter to a program; values that were out of range to a person.
    warnings = {
        key: document[key] for key in ("out_of_range", "clipped", "imputed") if key in document
    }
    if warnings:
        head.append(f" {json.dumps(warnings)}", style="yellow")


def _rest(document: Mapping[str, Any]) -> str:
    rest = {key: value for key, value in document.items() if key not in _SHOWN and key != "_aws"}
    return json.dumps(rest) if rest else ""
