"""The rows of a CSV answer, with a slot for each number."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING

from forecast_inference.answers.intervals import lower_places
from forecast_inference.answers.json_rows import adjustments, escaped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forecast_inference.contract.schema import FeatureSchema
    from forecast_inference.errors import RequestError


class CsvRows:
    """Predictions as lines of CSV: each output, then its bounds, then what the answer comes from.

    Which columns there are follows from the contract and what was asked for, never from the rows:
    ``adjusted`` and ``error`` hold the JSON text that a JSON answer has under those keys.

    Args:
        schema: the outputs, their intervals and the policies.
        model_version: the version that every prediction names.
        levels: the levels asked for; ``None`` for the default one.
        indexed: whether each row of the request has several predictions, by date.
    """

    def __init__(
        self,
        schema: FeatureSchema,
        model_version: str,
        levels: Sequence[float] | None,
        *,
        indexed: bool,
    ) -> None:
        shown = schema.default_level if levels is None else None
        asked = levels if shown is None else (shown,)
        self.order, names = _columns(schema, asked or (), suffixed=shown is None)
        index = ["row", schema.horizon.date_input] if indexed and schema.horizon else []
        level = [] if shown is None else ["confidence_level"]
        self._adjusts, self._reports = schema.is_lenient, schema.reports_rows
        notes = ["adjusted"] * self._adjusts + ["error"] * self._reports
        tail = ["model_version", "prediction_timestamp", *notes]
        self.header = escaped(_cells([*index, *names, *level, *tail]))
        self._numbers = ",".join(["%s"] * len(names))
        constants = [model_version] if shown is None else [repr(shown), model_version]
        self._version = escaped(_cells(constants))
        # All cells but the index and the error.
        self._empty = "," * (len(names) + len(level) + 1 + self._adjusts)

    def row(
        self,
        timestamp: str,
        index: tuple[int, str] | None = None,
        adjusted: Sequence[tuple[str, str]] = (),
    ) -> str:
        """A prediction; see ``JsonRows.row``."""
        place = "" if index is None else f"{index[0]},{index[1]},"
        changes = escaped(_cells([adjustments(tuple(adjusted))])) if adjusted else ""
        notes = f",{changes}" * self._adjusts + "," * self._reports
        return f"{place}{self._numbers},{self._version},{timestamp}{notes}"

    def refusal(self, error: RequestError, row: int | None = None) -> str:
        """What stands in the place of a prediction that there is none of."""
        place = "" if row is None else f"{row},,"
        text = json.dumps(error.document()["error"], separators=(",", ":"))
        return f"{place}{self._empty},{escaped(_cells([text]))}"


def _columns(
    schema: FeatureSchema, levels: Sequence[float], *, suffixed: bool
) -> tuple[list[int], list[str]]:
    """Where a finished row holds each number of a line, and the names of those columns."""
    lower = lower_places(schema, levels)
    order, names = [], []
    for place, output in enumerate(schema.outputs):
        order.append(place)
        names.append(output.name)
        for level in levels if output.name in schema.intervals else ():
            start = lower[output.name, level]
            order += [start, start + 1]
            suffix = f"_{level!r}" if suffixed else ""
            names += [f"{output.name}_lower{suffix}", f"{output.name}_upper{suffix}"]
    return order, names


def _cells(values: Sequence[str]) -> str:
    stream = io.StringIO()
    csv.writer(stream, lineterminator="").writerow(values)
    return stream.getvalue()
