"""How bodies are written from generated rows: as text, and compressed where the headers say so."""

from __future__ import annotations

import csv
import gzip
import io
import json
from typing import Any

import schemathesis

JSON_LINES = ("application/jsonlines", "application/x-ndjson", "application/jsonl")
JSON = "application/json"
GZIP = "application/gzip"


@schemathesis.hook
def before_load_schema(_: schemathesis.HookContext, raw_schema: dict[str, Any]) -> None:
    """Generate for gzip what is inside: the document says in words alone that this is JSON."""
    content = raw_schema["paths"]["/invocations"]["post"]["requestBody"]["content"]
    content[GZIP]["schema"] = content[JSON]["schema"]


def encoded(context: schemathesis.SerializationContext, body: bytes) -> bytes:
    """A body as its content type and its content encoding say."""
    case = context.case
    said = (case.headers or {}).get("Content-Encoding")
    return gzip.compress(body, 1) if case.media_type == GZIP or said == "gzip" else body


@schemathesis.serializer(JSON, GZIP)
def write_json(context: schemathesis.SerializationContext, value: Any) -> bytes:
    body = value if isinstance(value, bytes) else json.dumps(value, default=str).encode()
    return encoded(context, body)


@schemathesis.serializer(*JSON_LINES)
def write_json_lines(context: schemathesis.SerializationContext, value: Any) -> bytes:
    if not isinstance(value, list):
        return encoded(context, json.dumps(value).encode())
    return encoded(context, "".join(f"{json.dumps(row)}\n" for row in value).encode())


@schemathesis.serializer("text/csv")
def write_csv(context: schemathesis.SerializationContext, value: Any) -> bytes:
    return encoded(context, csv_of(value).encode("utf-8", "replace"))


def csv_of(value: Any) -> str:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    rows = value if isinstance(value, list) else [value]
    if not all(isinstance(row, dict) for row in rows):
        writer.writerows([row if isinstance(row, list) else [row] for row in rows])
        return stream.getvalue()
    names = list(dict.fromkeys(name for row in rows for name in row))
    writer.writerow(names)
    for row in rows:
        writer.writerow([cell_of(row.get(name)) for name in names])
    return stream.getvalue()


def cell_of(value: Any) -> Any:
    if value is None or (isinstance(value, str | int | float) and not isinstance(value, bool)):
        return value
    return json.dumps(value)


@schemathesis.hook
def before_call(_: schemathesis.HookContext, case: schemathesis.Case, __: Any) -> None:
    """Give lists of known future values the length of the horizon, as no JSON Schema can."""
    body, positive = case.body, schemathesis.GenerationMode.POSITIVE
    if case.meta.generation.mode == positive and isinstance(body, dict):
        steps = body.get("parameters", {}).get("horizon")
        case.body = body if steps is None else with_steps(body, int(steps))


def with_steps(body: dict[str, Any], steps: int) -> dict[str, Any]:
    if "dataframe_split" in body:
        return {**body, "dataframe_split": with_steps(body["dataframe_split"], steps)}
    key = "instances" if "instances" in body else "data"
    return {**body, key: [row_with_steps(row, steps) for row in body[key]]}


def row_with_steps(row: Any, steps: int) -> Any:
    if isinstance(row, dict):
        return {name: value_with_steps(value, steps) for name, value in row.items()}
    return [value_with_steps(value, steps) for value in row]


def value_with_steps(value: Any, steps: int) -> Any:
    return (value * steps)[:steps] if isinstance(value, list) else value
