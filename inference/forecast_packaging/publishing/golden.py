"""Golden requests: what an archive is asked, and answers the same, wherever it is loaded."""

from __future__ import annotations

import csv
import io
import json
import math
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

GOLDEN_FILE = "artifacts/golden_requests.json"
SCHEMA_VERSION = 2
MAX_EXAMPLE_ROWS = 16
"""Rows taken of the input example: every container answers them before it is ready."""

JSON = "application/json"
JSON_LINES = "application/jsonlines"
CSV = "text/csv"

_TIMESTAMP = "prediction_timestamp"
_SIGNIFICANT_DIGITS = 9
_EDGES = ("low", "middle", "high")
_DATES = {"low": "2023-12-31", "middle": "2024-02-29", "high": "2024-03-01"}
_DATETIMES = {edge: f"{day}T23:59:59Z" for edge, day in _DATES.items()}
_WHOLE = frozenset({"integer", "long"})
_NUMBERS = _WHOLE | {"float", "double"}

Row = dict[str, Any]


class GoldenRequest(NamedTuple):
    """One request; its answer is recorded by the archive's own code.

    Attributes:
        name: What it shows.
        content_type: The type of its body.
        accept: The type of the answer.
        body: The body.
        status: The status that the answer must have.
    """

    name: str
    content_type: str
    accept: str
    body: str
    status: int = 200


def golden_requests(
    schema: Mapping[str, Any], example: Mapping[str, Any]
) -> tuple[GoldenRequest, ...]:
    """The requests of an archive: each form of the example, the edges of its contract, a refusal.

    The same schema and example give the same requests. Levels and horizons are asked for where
    the schema has them.

    Args:
        schema: The content of `feature_schema.json`.
        example: `{"instances": [...]}`, which the contract allows.
    """
    rows = example["instances"][:MAX_EXAMPLE_ROWS]
    names = [item["name"] for item in schema["inputs"]]
    data = [[row.get(name) for name in names] for row in rows]
    lines = "".join(f"{_text(row)}\n" for row in rows)
    requests = [
        GoldenRequest("example", JSON, JSON, _text({"instances": rows})),
        GoldenRequest("columns", JSON, JSON, _text({"columns": names, "data": data})),
        GoldenRequest("json_lines", JSON_LINES, JSON_LINES, lines),
        GoldenRequest("csv", CSV, CSV, _csv(names, data)),
        GoldenRequest("edges", JSON, JSON, _text({"instances": edge_rows(schema, rows[0])})),
        *_with_parameters(schema, rows[:1]),
        _refused(schema, rows[0]),
    ]
    return tuple(requests)


def golden_document(recorded_requests: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The content of `artifacts/golden_requests.json`: each request with its `answer`."""
    return {"schema_version": SCHEMA_VERSION, "requests": list(recorded_requests)}


def edge_rows(schema: Mapping[str, Any], base: Mapping[str, Any]) -> list[Row]:
    """Rows at the edges of what the contract allows, the middle of it, and all nulls that it takes.

    Args:
        schema: The content of `feature_schema.json`.
        base: A valid row, for inputs that have no edges.
    """
    inputs = schema["inputs"]
    rows = [{item["name"]: _edge(item, base, edge) for item in inputs} for edge in _EDGES]
    empty = {item["name"] for item in inputs if item["nullable"]}
    if empty:
        rows.append({name: None if name in empty else value for name, value in rows[1].items()})
    return rows


def recorded(body: str, content_type: str) -> Any:
    """What is kept of an answer: everything but the time, numbers to nine significant digits.

    That is more than a float32 has; the last bits of a double depend on the processor.

    Returns:
        A JSON document, or the text of CSV and JSON Lines.
    """
    if content_type == CSV:
        return _without_time_column(body)
    if content_type == JSON_LINES:
        return "".join(f"{_text(_kept(json.loads(line)))}\n" for line in body.splitlines())
    document = json.loads(body)
    if "predictions" in document:
        return {"predictions": [_kept(prediction) for prediction in document["predictions"]]}
    return document


def alike(one: Any, other: Any, tolerance: float) -> bool:
    """Whether two recorded answers are the same but for a relative difference of their numbers.

    Args:
        one: What `recorded` gave.
        other: What `recorded` gave another time.
        tolerance: The relative difference; its square is allowed as an absolute one.
    """
    if isinstance(one, str) and isinstance(other, str) and "\n" in one + other:
        return alike(_cells(one), _cells(other), tolerance)
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(
            alike(one[key], other[key], tolerance) for key in one
        )
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(
            alike(a, b, tolerance) for a, b in zip(one, other, strict=True)
        )
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=tolerance, abs_tol=tolerance**2)
    return bool(one == other)


def _with_parameters(schema: Mapping[str, Any], rows: Sequence[Row]) -> Iterator[GoldenRequest]:
    intervals, horizon = schema.get("intervals"), schema.get("horizon")
    if intervals is not None:
        band = next(iter(intervals["outputs"].values()))
        levels = sorted(map(float, band.get("offsets") or band["columns"]))
        body = {"instances": rows, "parameters": {"levels": levels}}
        yield GoldenRequest("levels", JSON, JSON, _text(body))
    if horizon is not None:
        body = {"instances": rows, "parameters": {"horizon": min(3, horizon["maximum"])}}
        yield GoldenRequest("horizon", JSON, JSON, _text(body))


def _refused(schema: Mapping[str, Any], row: Row) -> GoldenRequest:
    """A row that lacks a feature; where each may be absent, one that holds an unknown key."""
    needed = [item["name"] for item in schema["inputs"] if item.get("missing") != "impute"]
    if needed:
        changed = {name: value for name, value in row.items() if name != needed[0]}
        return GoldenRequest("missing_feature", JSON, JSON, _text({"instances": [changed]}), 400)
    names = {item["name"] for item in schema["inputs"]}
    unknown = min({"unknown", "unknown_"} - names)
    changed = {**row, unknown: 1}
    return GoldenRequest("unexpected_key", JSON, JSON, _text({"instances": [changed]}), 400)


def _edge(item: Mapping[str, Any], base: Mapping[str, Any], edge: str) -> Any:
    kind, value = item["type"], base.get(item["name"])
    if kind in _NUMBERS:
        return _number(item, value, edge)
    if kind == "boolean":
        return edge != "low"
    if kind == "string":
        known = item.get("categories")
        if known:
            return {"low": known[0], "middle": known[len(known) // 2], "high": known[-1]}[edge]
        return value if isinstance(value, str) else item["name"]
    return (_DATES if kind == "date" else _DATETIMES)[edge]


def _number(item: Mapping[str, Any], value: Any, edge: str) -> float:
    usual = value if isinstance(value, int | float) else 0.0
    limits = item.get("range", {})
    low = limits.get("minimum", min(usual, limits.get("maximum", usual)))
    high = limits.get("maximum", max(usual, low))
    number: float = {"low": low, "middle": low + (high - low) / 2, "high": high}[edge]
    if item["type"] in _WHOLE:
        return math.floor(number) if edge == "high" else math.ceil(number)
    return float(number)


def _csv(names: list[str], data: list[list[Any]]) -> str:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(names)
    words = {None: "", True: "true", False: "false"}
    for row in data:
        writer.writerow([words[cell] if isinstance(cell, bool | None) else cell for cell in row])
    return stream.getvalue()


def _without_time_column(text: str) -> str:
    table = list(csv.reader(io.StringIO(text, newline="")))
    kept = [index for index, name in enumerate(table[0]) if name != _TIMESTAMP]
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerows([_short_cell(row[index]) for index in kept] for row in table)
    return stream.getvalue()


def _short_cell(cell: str) -> str:
    """A number as nine digits; a whole number, which may be a version, as it is."""
    if "." not in cell and "e" not in cell:
        return cell
    try:
        return repr(_short(float(cell)))
    except ValueError:
        return cell


def _kept(prediction: Mapping[str, Any]) -> Any:
    return _rounded({key: value for key, value in prediction.items() if key != _TIMESTAMP})


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_rounded(item) for item in value]
    return _short(value) if isinstance(value, float) else value


def _short(value: float) -> float:
    return float(f"{value:.{_SIGNIFICANT_DIGITS}g}")


def _cells(text: str) -> list[Any]:
    """The parts of CSV or JSON Lines, numbers as numbers."""
    if text.startswith("{"):
        return [json.loads(line) for line in text.splitlines()]
    return [[_cell(cell) for cell in row] for row in csv.reader(io.StringIO(text, newline=""))]


def _cell(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def _text(document: Any) -> str:
    return json.dumps(document, ensure_ascii=False, allow_nan=False)
