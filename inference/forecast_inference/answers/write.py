"""Finished predictions written as JSON, JSON Lines or CSV."""

from __future__ import annotations

from functools import lru_cache, partial
from itertools import chain
from typing import TYPE_CHECKING, Final

from forecast_inference.answers.csv_rows import CsvRows
from forecast_inference.answers.json_rows import JsonRows
from forecast_inference.answers.numbers import fill_with_msgspec, fill_with_standard_library
from forecast_inference.errors import PayloadTooLargeError
from forecast_inference.requests.content import CSV, JSON_LINES, MAX_BODY_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from forecast_inference.answers.finish import Finished
    from forecast_inference.contract.schema import FeatureSchema
    from forecast_inference.requests.batch import Batch

_LAYOUTS_KEPT: Final = 32
"""Layouts of requested levels that are remembered; clients may ask for any combination."""


class AnswerWriter:
    """Writes the finished predictions of one model version.

    A row is a text with slots for its numbers, which are all put in at once. Rows differ only
    where something besides numbers does: what was changed of a row, its date, or its error.

    Args:
        schema: the outputs, their intervals and the policies.
        model_version: the version that every prediction names.
        codec: ``fast`` lets msgspec write the numbers, ``standard`` the standard library; the
            documents are equal.

    Raises:
        ImportError: the fast codec is asked for, and msgspec is not installed.
    """

    def __init__(self, schema: FeatureSchema, model_version: str, codec: str = "standard") -> None:
        self._fill = fill_with_msgspec() if codec == "fast" else fill_with_standard_library
        self._json_rows = lru_cache(_LAYOUTS_KEPT)(partial(JsonRows, schema, model_version))
        self._csv_rows = lru_cache(_LAYOUTS_KEPT)(partial(CsvRows, schema, model_version))

    def write(self, finished: Finished, batch: Batch, media: str, timestamp: str) -> bytes:
        """The answer's body.

        Args:
            finished: the predictions of the rows that are not refused, in their order; with a
                horizon those of all steps of a row, then those of the next.
            batch: what was asked for.
            media: ``application/json``, ``application/jsonlines`` or ``text/csv``.
            timestamp: the UTC time of the prediction, in ISO 8601.

        Raises:
            PayloadTooLargeError: the answer is larger than an endpoint may answer.
        """
        levels = batch.parameters.levels
        if media == CSV:
            layout = self._csv_rows(levels, indexed=bool(batch.dates))
            rows = _rows(layout, batch, finished.count, timestamp)
            text = "\n".join([layout.header, *rows, ""])
            return _checked(self._fill(text, _reordered(finished, layout.order)))
        objects = _rows(self._json_rows(levels), batch, finished.count, timestamp)
        if media == JSON_LINES:
            text = "\n".join([*objects, ""])
        else:
            text = f'{{"predictions":[{",".join(objects)}]}}'
        return _checked(self._fill(text, finished.values))


def _rows(layout: JsonRows | CsvRows, batch: Batch, count: int, timestamp: str) -> list[str]:
    if not (batch.refused or batch.adjusted or batch.dates):
        return [layout.row(timestamp)] * count
    return list(_different_rows(layout, batch, timestamp))


def _different_rows(layout: JsonRows | CsvRows, batch: Batch, timestamp: str) -> Iterator[str]:
    steps = batch.parameters.horizon or 1
    dates = iter(batch.dates)
    for row in range(batch.count):
        error = batch.refused.get(row)
        if error is not None:
            refusal = layout.refusal(error, row if batch.dates else None)
            yield from [refusal] * steps
            continue
        adjusted = batch.adjusted.get(row, ())
        for _ in range(steps):
            yield layout.row(timestamp, (row, next(dates)) if batch.dates else None, adjusted)


def _reordered(finished: Finished, order: Sequence[int]) -> Sequence[float]:
    if list(order) == list(range(finished.width)):
        return finished.values
    return list(chain.from_iterable(zip(*map(finished.column, order), strict=True)))


def _checked(body: bytes) -> bytes:
    if len(body) > MAX_BODY_BYTES:
        raise PayloadTooLargeError(
            f"the answer has {len(body)} bytes, expected at most {MAX_BODY_BYTES}: ask for fewer "
            "rows, levels or steps",
            code="answer_too_large",
        )
    return body
