"""One captured request and its answer as forecasts: what for, and which numbers.

Formats: those that the archive's code reads and writes (docs/packaging.md, "Requests" and
"Answers"): JSON by instances or by columns, JSON Lines and CSV, each of them also compressed. What
a body is, is for that code to say.
"""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from sys import intern
from typing import TYPE_CHECKING, Any, NamedTuple

from forecast_inference.errors import InferenceError
from forecast_inference.requests.content import (
    CSV,
    JSON_LINES,
    content_of,
    decompressed,
    text_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from forecast_operations.comparing.contract import Contract

_ITEM_SEPARATOR = " / "
_UNSHOWN = "\ufffd"


class DamagedError(Exception):
    """A captured exchange that cannot be read; the text says why, without what was in it."""


class Bounds(NamedTuple):
    """A prediction interval at the model's default level."""

    lower: float
    upper: float


@dataclass(frozen=True, slots=True)
class Forecast:
    """One prediction.

    Attributes:
        row: Row of the request that it is for, from 0.
        item: What it is about; empty where all rows are one item.
        date: Time point that it is about, in ISO 8601; empty where rows have none.
        step: Step of its horizon, from 1.
        values: By output, in the order of the contract; None where the answer has none.
        bounds: Interval of each output; None where the answer has none at the default level.
        version: Model version that the answer names; None where it names none.
    """

    row: int
    item: str
    date: str
    step: int
    values: tuple[float | None, ...]
    bounds: tuple[Bounds | None, ...]
    version: str | None


@dataclass(frozen=True, slots=True)
class Body:
    """A captured body.

    Attributes:
        content: Its bytes, as the model got or gave them.
        content_type: Its content type; empty where none was given.
    """

    content: bytes
    content_type: str


def read_exchange(request: Body, answer: Body, contract: Contract) -> list[Forecast]:
    """The forecasts of an exchange; rows that the model refused are left out.

    Raises:
        DamagedError: A body cannot be read, or the answer does not fit the request.
    """
    rows = _read_rows(request, contract.inputs)
    answers = _read_answers(answer)
    found: list[Forecast] = []
    steps: dict[int, int] = {}
    indexed = any("row" in each for each in answers)
    if not indexed and len(answers) != len(rows):
        raise DamagedError(f"{len(answers)} answers to {len(rows)} rows")
    for place, entry in enumerate(answers):
        index = _row_of(entry, place) if indexed else place
        if not 0 <= index < len(rows):
            raise DamagedError("an answer to a row that was not asked for")
        steps[index] = steps.get(index, 0) + 1
        if entry.get("error") not in (None, ""):
            continue
        found.append(_forecast(index, rows[index], entry, steps[index], contract))
    return found


def item_name(values: Iterable[Any]) -> str:
    """What an item is called: its values, and for what no screen can show a mark.

    They come from clients: a terminal would obey some of them, and half of a surrogate pair cannot
    be written at all.
    """
    name = _ITEM_SEPARATOR.join(str(value).strip() for value in values)
    if name.isprintable():
        return intern(name)
    return intern("".join(each if each.isprintable() else _UNSHOWN for each in name))


def time_point(value: Any) -> str | None:
    """A date or time as it is compared: in ISO 8601, times in UTC; None when it is neither."""
    text = str(value).strip()
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.tzinfo is not None:
        moment = moment.astimezone(UTC).replace(tzinfo=None)
    return moment.isoformat()


def _forecast(
    index: int, row: Mapping[str, Any], entry: Mapping[str, Any], step: int, contract: Contract
) -> Forecast:
    version = entry.get("model_version")
    return Forecast(
        row=index,
        item=item_name(row.get(name, "") for name in contract.items),
        date=_date(row, entry, step, contract),
        step=step,
        values=tuple(_number(entry.get(name)) for name in contract.names),
        bounds=tuple(_bounds(entry, name, contract.level) for name in contract.names),
        version=None if version is None else intern(str(version)),
    )


def _date(row: Mapping[str, Any], entry: Mapping[str, Any], step: int, contract: Contract) -> str:
    if contract.date is None:
        return ""
    given = entry.get(contract.date)
    found = time_point(row.get(contract.date) if given in (None, "") else given)
    if found is None:
        raise DamagedError(f"a row whose {contract.date} is no date")
    if step > 1 and given in (None, ""):
        moved = datetime.fromisoformat(found) + timedelta(days=(step - 1) * contract.step_days)
        found = moved.date().isoformat() if len(found) == len("2026-01-31") else moved.isoformat()
    return intern(found)


def _row_of(entry: Mapping[str, Any], place: int) -> int:
    found = entry.get("row")
    if found is None and isinstance(entry.get("error"), dict):
        found = entry["error"].get("row")
    try:
        return place if found is None else int(found)
    except (TypeError, ValueError):
        raise DamagedError("an answer whose row is no number") from None


def _number(value: Any) -> float | None:
    if value is None or value == "" or isinstance(value, bool):
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise DamagedError("an answer whose value is no number") from None
    return number if abs(number) < float("inf") else None


def _bounds(entry: Mapping[str, Any], name: str, level: float | None) -> Bounds | None:
    if level is None:
        return None
    for interval in (entry.get("confidence_interval"), *(entry.get("confidence_intervals") or ())):
        if isinstance(interval, dict) and interval.get("level") == level:
            pair = interval.get(name)
            return None if not isinstance(pair, list) else _pair(*pair[:2])
    for suffix in ("", f"_{level!r}"):
        if f"{name}_lower{suffix}" in entry:
            return _pair(entry[f"{name}_lower{suffix}"], entry[f"{name}_upper{suffix}"])
    return None


def _pair(lower: Any, upper: Any) -> Bounds | None:
    first, second = _number(lower), _number(upper)
    return None if first is None or second is None else Bounds(first, second)


def _read_rows(request: Body, inputs: Sequence[str]) -> list[dict[str, Any]]:
    kind, text = _text(request)
    if kind == CSV:
        return _csv_rows(text)
    if kind == JSON_LINES:
        rows: Any = [_json(line) for line in text.splitlines() if line.strip()]
    else:
        body = _json(text)
        if not isinstance(body, dict):
            raise DamagedError("a request that is no object")
        table = body.get("dataframe_split", body)
        if isinstance(table, dict) and "data" in table:
            inputs, rows = table.get("columns") or inputs, table["data"]
        else:
            rows = body.get("instances")
    if not isinstance(rows, list):
        raise DamagedError("a request without rows")
    return [_row(each, inputs) for each in rows]


def _row(row: Any, inputs: Sequence[str]) -> dict[str, Any]:
    if isinstance(row, dict):
        return row
    if not isinstance(row, list) or len(row) != len(inputs):
        raise DamagedError("a row that has not one value for each input")
    return dict(zip(inputs, row, strict=True))


def _read_answers(answer: Body) -> list[dict[str, Any]]:
    kind, text = _text(answer)
    if kind == CSV:
        return _csv_rows(text)
    if kind == JSON_LINES:
        found: Any = [_json(line) for line in text.splitlines() if line.strip()]
    else:
        body = _json(text)
        found = body.get("predictions") if isinstance(body, dict) else None
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise DamagedError("an answer without predictions")
    return found


def _csv_rows(text: str) -> list[dict[str, Any]]:
    try:
        return [dict(row) for row in csv.DictReader(io.StringIO(text), strict=True)]
    except csv.Error:
        raise DamagedError("a body that is no CSV") from None


def _text(body: Body) -> tuple[str, str]:
    """The media type of a body, and its text."""
    try:
        kind, is_compressed = content_of(body.content_type)
        return kind, text_of(decompressed(body.content) if is_compressed else body.content)
    except InferenceError as error:
        raise DamagedError(str(error)) from None


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise DamagedError("a body that is no JSON") from None
