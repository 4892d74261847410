"""The way from a body to a batch: decoded by one of the formats, checked, policies applied."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from forecast_inference.errors import RequestError
from forecast_inference.requests.batch import NOTHING, Batch
from forecast_inference.requests.columns import (
    Findings,
    InvalidValueError,
    apply_policies,
    in_groups,
    read_block,
)
from forecast_inference.requests.content import (
    CSV,
    JSON,
    MAX_ROWS,
    check_size,
    content_of,
    decompressed,
    text_of,
)
from forecast_inference.requests.csv_body import CsvReader
from forecast_inference.requests.horizon import RowExtender, blocks_of_step
from forecast_inference.requests.json_body import JsonReader
from forecast_inference.requests.problems import too_many_rows
from forecast_inference.requests.regular import RegularReader
from forecast_inference.requests.rows import RowReader
from forecast_inference.requests.single import RowChecker
from forecast_inference.requests.typed import TypedReader

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from forecast_inference.contract.schema import FeatureSchema
    from forecast_inference.requests.columns import Block
    from forecast_inference.requests.rows import Row, Rows


FastReader = TypedReader | RegularReader
"""Gives the rows of a JSON body that is valid for certain, and nothing for any other."""


class RequestReader:
    """Reads and checks the requests of one schema.

    Args:
        schema: the contract.
        codec: ``fast`` tries msgspec on JSON bodies before the strict reader.

    Raises:
        ImportError: the fast codec is asked for, and msgspec is not installed.
    """

    def __init__(self, schema: FeatureSchema, codec: str = "standard") -> None:
        self.groups = in_groups(schema.inputs)
        order = [spec for group in self.groups for spec in group.inputs]
        rows = RowReader(schema.inputs, order, reports_rows=schema.reports_rows)
        self._places = {spec.name: place for place, spec in enumerate(schema.inputs)}
        self._reports_rows = schema.reports_rows
        fast = codec == "fast"
        self._fast = TypedReader(schema, self.groups) if fast else RegularReader(self.groups)
        self._json = JsonReader(schema, rows)
        self._csv = CsvReader(rows)
        self._checker = RowChecker(schema.inputs, order)
        self._extender = None if schema.horizon is None else RowExtender(schema.horizon, order)

    def decode(
        self, body: bytes | str, content_type: str | None, encoding: str | None = None
    ) -> Rows:
        """The rows of a body, not yet checked.

        Raises:
            InferenceError: the body is none of the contract: see the readers of the formats.
        """
        media, compressed = content_of(content_type, encoding)
        check_size(body)
        if compressed:
            body = decompressed(body)
        if media == JSON:
            rows = None if self._fast is None else self._read_fast(self._fast, body)
            return self._json.read(text_of(body)) if rows is None else rows
        text = text_of(body)
        return self._csv.read(text) if media == CSV else self._json.read_lines(text)

    def _read_fast(self, fast: FastReader, body: bytes | str) -> Rows | None:
        if isinstance(body, str):
            if not body.isascii():
                return None  # what a server's decoding has put in it is for the strict reader
            body = body.encode()
        rows = fast(body)
        if rows is not None and rows.blocks is not None:
            rows.reread = lambda: self._json.read(text_of(body))
        return rows

    def check(self, rows: Rows) -> Batch:
        """The batch of those rows.

        Raises:
            RequestError: a value is not valid, and rows are not reported; or no row is.
            PayloadTooLargeError: the steps of all rows are more than ``MAX_ROWS``.
        """
        if rows.parameters.horizon is not None:
            return self._check_steps(rows, rows.parameters.horizon)
        if len(rows.rows) == rows.count == 1:
            values, adjusted, outside = rows.checked or self._checker.check(rows.rows[0])
            return Batch(
                1,
                (),
                rows.parameters,
                NOTHING,
                {0: adjusted} if adjusted else NOTHING,
                dict.fromkeys(outside, 1) if outside else NOTHING,
                (),
                values,
            )
        kept = [index for index in range(rows.count) if index not in rows.refused]
        return self._check_many(rows, rows.rows, kept)

    def _check_steps(self, rows: Rows, steps: int) -> Batch:
        if rows.count * steps > MAX_ROWS:
            raise too_many_rows(f"{rows.count} rows of {steps} steps")
        extender = self._extender
        assert extender is not None  # noqa: S101 - there is no horizon to ask for without it
        given = iter(rows.rows)
        extended: list[Row] = []
        kept: list[int] = []
        for index in range(rows.count):
            if index in rows.refused:
                continue
            found = extender.extend(next(given), index, steps)
            if isinstance(found, RequestError):
                self._refuse(rows.refused, found)
            else:
                extended += found
                kept += [index] * steps
        batch = self._check_many(rows, extended, kept)
        dates = self._column(batch.blocks, extender.date)
        batch.dates = dates.astype(str).tolist()
        return batch

    def blocks_of_step(
        self, batch: Batch, place: slice, carried: Mapping[str, Sequence[float]]
    ) -> list[Any]:
        """The blocks of one step of every row: see ``horizon.blocks_of_step``.

        What policies do about the values carried is added to the batch.
        """
        findings = Findings()
        blocks = blocks_of_step(self.groups, batch.blocks, place, carried, findings)
        if findings.out_of_range:
            kept = [index for index in range(batch.count) if index not in batch.refused]
            changes = self._by_row(findings.adjusted, kept)
            batch.adjusted = {
                **batch.adjusted,
                **{
                    index: self._in_order({*batch.adjusted.get(index, ()), *found})
                    for index, found in changes.items()
                },
            }
            batch.out_of_range = Counter(batch.out_of_range) + Counter(findings.out_of_range)
        return blocks

    def _column(self, blocks: Sequence[Block], position: int) -> Any:
        for group, block in zip(self.groups, blocks, strict=True):
            if position < group.stop:
                return block[position - group.start]
        raise IndexError(position)

    def _check_many(self, rows: Rows, values: list[Row], kept: list[int]) -> Batch:
        _check_any_left(rows)
        findings = Findings()
        try:
            blocks = self._blocks(values, rows.blocks, findings)
        except InvalidValueError:
            if rows.reread is not None:
                return self.check(rows.reread())
            wrong = self._find_wrong(values, kept)
            rows.refused.update(wrong)
            _check_any_left(rows)
            values = [row for row, index in zip(values, kept, strict=True) if index not in wrong]
            kept = [index for index in kept if index not in wrong]
            findings = Findings()
            blocks = self._blocks(values, None, findings)
        return Batch(
            rows.count,
            blocks,
            rows.parameters,
            rows.refused,
            self._by_row(findings.adjusted, kept),
            findings.out_of_range,
        )

    def _by_row(
        self, adjusted: Mapping[int, Sequence[tuple[str, str]]], kept: list[int]
    ) -> dict[int, list[tuple[str, str]]]:
        """What was changed of each row of the request, in the order of the inputs, each once."""
        changes: dict[int, set[tuple[str, str]]] = {}
        for place, found in adjusted.items():
            changes.setdefault(kept[place], set()).update(found)
        return {index: self._in_order(found) for index, found in changes.items()}

    def _in_order(self, changes: set[tuple[str, str]]) -> list[tuple[str, str]]:
        return sorted(changes, key=lambda change: (self._places[change[1]], change[0]))

    def _find_wrong(self, values: list[Row], kept: list[int]) -> dict[int, RequestError]:
        """The errors of rows; the first one is raised when rows are not reported."""
        wrong: dict[int, RequestError] = {}
        for row, index in zip(values, kept, strict=True):
            try:
                self._checker.check(row, index)
            except RequestError as error:
                if not self._reports_rows:
                    raise
                wrong.setdefault(index, error)
        if not wrong:
            raise RequestError("the rows hold a value that is not valid", code="invalid_value")
        return wrong

    def _refuse(self, refused: dict[int, RequestError], error: RequestError) -> None:
        if not self._reports_rows or error.row is None:
            raise error
        refused[error.row] = error

    def _blocks(
        self, values: list[Row], read: Sequence[Block] | None, findings: Findings
    ) -> list[Block]:
        if read is None:
            columns = list(zip(*values, strict=True))
            read = [read_block(group, columns[group.start : group.stop]) for group in self.groups]
        return [
            apply_policies(group, block, findings)
            for group, block in zip(self.groups, read, strict=True)
        ]


def _check_any_left(rows: Rows) -> None:
    if len(rows.refused) == rows.count:
        raise rows.refused[min(rows.refused)]
