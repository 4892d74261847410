"""CSV bodies with a header read as rows."""

from __future__ import annotations

import csv
import io
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from forecast_inference.errors import RequestError
from forecast_inference.requests.content import MAX_ROWS
from forecast_inference.requests.problems import check_count, invalid_row, too_many_rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forecast_inference.requests.rows import Row, RowReader, Rows

_NUMBER_CHARACTERS: Final = frozenset("0123456789+-.eE")
_INTEGER_CHARACTERS: Final = frozenset("0123456789+-")
_BOOLEANS: Final[dict[str, Any]] = {"true": True, "false": False, "": None}


class CsvReader:
    """Reads CSV bodies, whose header may name the inputs in any order.

    Args:
        rows: what makes rows of tables.
    """

    def __init__(self, rows: RowReader) -> None:
        self._rows = rows

    def read(self, text: str) -> Rows:
        """The rows of the table.

        Raises:
            RequestError: the body is no table of the contract.
            PayloadTooLargeError: there are more than ``MAX_ROWS`` rows.
        """
        if '"' not in text and text.count(",") > MAX_ROWS * (len(self._rows.names) + 1):
            raise too_many_rows("more cells than rows can have")
        lines = csv.reader(io.StringIO(text, newline=""), strict=True)
        table = _read(lines)
        header = [name.strip() for name in table[0]]
        self._rows.check_header(header)
        cells = table[1:]
        check_count(len(cells))
        pick, width = self._rows.picker(header), len(header)
        wrong = [index for index, row in enumerate(cells) if len(row) != width]
        if wrong and not self._rows.reports_rows:
            raise _misshapen(cells[wrong[0]], width, wrong[0])
        kept = cells if not wrong else [row for row in cells if len(row) == width]
        columns = zip(*map(pick, kept), strict=True)
        typed = [
            _typed_column(spec.type, column)
            for spec, column in zip(self._rows.order, columns, strict=False)
        ]
        found: Iterator[Row] = zip(*typed, strict=True)
        skipped = set(wrong)
        return self._rows.read_each(
            (
                _misshapen(cells[index], width, index) if index in skipped else next(found)
                for index in range(len(cells))
            ),
            len(cells),
        )


def _read(lines: Iterator[list[str]]) -> list[list[str]]:
    """The lines of the table, the header first; no more of them than there may be are read."""
    try:
        table = list(islice(lines, MAX_ROWS + 2))
    except csv.Error:
        raise RequestError("the body is not CSV", code="invalid_csv") from None
    if len(table) > MAX_ROWS + 1:
        raise too_many_rows(f"more than {MAX_ROWS} lines")
    if table and len(table[0]) == 1:
        return [row or [""] for row in table]  # an empty line is a row whose only cell is null
    while table and not table[-1]:
        table.pop()
    if not table:
        raise RequestError("the body is empty, expected a header row", code="empty_body")
    return table


def _misshapen(row: list[str], width: int, index: int) -> RequestError:
    if not row:
        return invalid_row("there is an empty line between the rows", index)
    return invalid_row(f"expected {width} columns as in the header, got {len(row)}", index)


def _typed_column(kind: str, cells: tuple[str | None, ...]) -> list[Any]:
    """Cells as the values they spell; one that spells none stays text, for the check to refuse."""
    if kind in {"float", "double"}:
        return [_number(cell) for cell in cells]
    if kind in {"integer", "long"}:
        return [_integer(cell) for cell in cells]
    if kind == "boolean":
        return [None if cell is None else _BOOLEANS.get(cell.lower(), cell) for cell in cells]
    return [cell or None for cell in cells]


def _number(cell: str | None) -> Any:
    if not cell:
        return None
    if not _NUMBER_CHARACTERS.issuperset(cell):
        return cell
    try:
        return float(cell)
    except ValueError:
        return cell


def _integer(cell: str | None) -> Any:
    if cell and _INTEGER_CHARACTERS.issuperset(cell):
        try:
            return int(cell)
        except ValueError:
            return cell
    return _number(cell)
