"""Predictions written as JSON or CSV."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING

import numpy as np

from forecast_inference.requests.content import CSV, JSON

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from forecast_inference.contract.schema import FeatureSchema

_JSON_RANGES = frozenset({JSON, "application/*", "*/*"})
_CSV_RANGES = frozenset({CSV, "text/*"})


def answer_type(accept: str | None) -> str:
    """The media type of the answer: CSV when the client prefers it to JSON, otherwise JSON."""
    if not accept or accept in _JSON_RANGES:
        return JSON
    best, chosen = 0.0, JSON
    for entry in accept.split(","):
        name, *parameters = entry.split(";")
        weight = _weight(parameters)
        name = name.strip().lower()
        if weight > best and (name in _JSON_RANGES or name in _CSV_RANGES):
            best, chosen = weight, CSV if name in _CSV_RANGES else JSON
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


class AnswerWriter:
    """Writes the finished predictions of one model version.

    The layout of an answer is fixed once, so that a row costs one formatting operation.

    Args:
        schema: the outputs and their intervals.
        columns: the names of the columns of the finished predictions.
        model_version: the version that every prediction names.
    """

    def __init__(self, schema: FeatureSchema, columns: Sequence[str], model_version: str) -> None:
        self._json_row = _json_row(schema, model_version)
        self._json_columns = np.array(_positions(schema, columns, outputs_first=True))
        self._csv_columns = _positions(schema, columns, outputs_first=False)
        level = [] if schema.level is None else ["confidence_level"]
        names = [columns[position] for position in self._csv_columns]
        self._header = [*names, *level, "model_version", "prediction_timestamp"]
        self._level = schema.level
        self._version = model_version

    def write(self, finished: NDArray[np.float64], media: str, timestamp: str) -> bytes:
        """The answer's body; ``timestamp`` is the UTC time of the prediction, in ISO 8601."""
        if media == CSV:
            return self._write_csv(finished[:, self._csv_columns].tolist(), timestamp)
        rows = finished[:, self._json_columns].tolist()
        template = f'{self._json_row}"prediction_timestamp":"{timestamp}"}}'
        body = ",".join([template % tuple(row) for row in rows])
        return f'{{"predictions":[{body}]}}'.encode()

    def _write_csv(self, rows: list[list[float]], timestamp: str) -> bytes:
        stream = io.StringIO()
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(self._header)
        level = [] if self._level is None else [self._level]
        tail = [*level, self._version, timestamp]
        writer.writerows([row + tail for row in rows])
        return stream.getvalue().encode()


def _json_row(schema: FeatureSchema, model_version: str) -> str:
    """A row up to its timestamp, with one ``%r`` per column of the finished predictions."""
    outputs = [f"{_literal(output.name)}:%r" for output in schema.outputs]
    if schema.level is not None:
        bounds = [
            f"{_literal(output.name)}:[%r,%r]"
            for output in schema.outputs
            if output.name in schema.intervals
        ]
        interval = ",".join([f'"level":{schema.level!r}', *bounds])
        outputs.append(f'"confidence_interval":{{{interval}}}')
    outputs.append(f'"model_version":{_literal(model_version)}')
    return "{" + ",".join(outputs) + ","


def _literal(text: str) -> str:
    return json.dumps(text).replace("%", "%%")


def _positions(schema: FeatureSchema, columns: Sequence[str], *, outputs_first: bool) -> list[int]:
    """Where the finished predictions hold what is written, in the order in which it is written.

    Lower and upper follow each other; the outputs stand before all bounds, or each before its own.
    """
    place = {name: position for position, name in enumerate(columns)}
    outputs = [place[output.name] for output in schema.outputs]
    bounds = [
        [place[f"{output.name}_lower"], place[f"{output.name}_upper"]]
        if output.name in schema.intervals
        else []
        for output in schema.outputs
    ]
    if outputs_first:
        return outputs + [position for pair in bounds for position in pair]
    together = zip(outputs, bounds, strict=True)
    return [position for output, pair in together for position in (output, *pair)]
