"""What came true: actual values of the outputs by item and time point, from a CSV file."""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from forecast_config import ForecastError
from forecast_operations.cloud.objects import read, split
from forecast_operations.comparing.exchanges import item_name, time_point

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from forecast_operations.cloud.cloud import Cloud
    from forecast_operations.comparing.contract import Contract

_SHOWN_PROBLEMS = 5
_ITEM, _DATE = "item", "date"


@dataclass(frozen=True)
class Actuals:
    """Actual values.

    Attributes:
        source: Where they come from.
        values: By item and time point, one for each output; None where it is not known.
        outputs: Names of the outputs that the file has a column for.
    """

    source: str
    values: dict[tuple[str, str], tuple[float | None, ...]]
    outputs: tuple[str, ...]

    def value(self, item: str, date: str, output: int) -> float | None:
        """What came true of one output, in the order of the contract; None when it is not known."""
        found = self.values.get((item, date))
        return None if found is None else found[output]


@dataclass(frozen=True)
class _Columns:
    """Where a file holds what."""

    items: tuple[int, ...]
    date: int
    outputs: tuple[int | None, ...]
    count: int


@dataclass
class _Rows:
    """Rows of a file as they are read: the values, and what is wrong."""

    source: str
    columns: _Columns
    values: dict[tuple[str, str], tuple[float | None, ...]] = field(default_factory=dict)
    lines: dict[tuple[str, str], int] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def add(self, line: int, row: Sequence[str]) -> None:
        if not any(cell.strip() for cell in row):
            return
        if len(row) != self.columns.count:
            self._refuse(line, "row", f"{self.columns.count} cells", f"{len(row)}")
            return
        date = time_point(row[self.columns.date])
        if date is None:
            found = repr(row[self.columns.date])
            self._refuse(line, "date", "one such as 2026-01-31", found)
            return
        key = item_name(row[place] for place in self.columns.items), date
        if key in self.lines:
            expected = f"each item and date once (line {self.lines[key]} has it too)"
            self._refuse(line, "row", expected, f"{key[0] or 'the item'} on {date} again")
            return
        self.lines[key] = line
        self.values[key] = tuple(
            None if place is None else self._number(line, row[place])
            for place in self.columns.outputs
        )

    def _number(self, line: int, text: str) -> float | None:
        if not text.strip():
            return None
        try:
            # Python would read 1_000 as a number.
            value = math.nan if "_" in text else float(text)
        except ValueError:
            value = math.nan
        if math.isfinite(value):
            return value
        self._refuse(line, "value", "a number, or nothing where it is not known", repr(text))
        return None

    def _refuse(self, line: int, what: str, expected: str, got: str) -> None:
        self.problems.append(f"{self.source}:{line}: {what}: expected {expected}, got {got}")


def read_actuals(source: str, contract: Contract, cloud: Cloud) -> Actuals:
    """Actual values from a file on this machine or in S3.

    Args:
        source: Path of a CSV file, or its `s3://` address.
        contract: The columns that it must have: those that name the item and the date (or `item`
            and `date`), and for each output that is judged its name, or that of the model's column.
        cloud: Where the file is when it is in S3.

    Raises:
        ForecastError: It cannot be read or is not of this form, with the lines.
    """
    try:
        if source.startswith("s3://"):
            return _read(source, _fetch(source, cloud), contract)
        with Path(source).open(encoding="utf-8-sig", newline="") as file:
            return _read(source, file, contract)
    except OSError as error:
        raise ForecastError(f"cannot read {source}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise ForecastError(f"{source}: expected UTF-8, got other bytes: {error.reason}") from None
    except csv.Error as error:
        raise ForecastError(f"{source}: expected comma-separated values: {error}") from None


def _fetch(source: str, cloud: Cloud) -> Iterator[str]:
    content = read(cloud, *split(source))
    if content is None:
        raise ForecastError(f"expected a file with actuals at {source}, got nothing there")
    yield from content.decode("utf-8-sig").splitlines(keepends=True)


def _read(source: str, file: TextIO | Iterator[str], contract: Contract) -> Actuals:
    reader = csv.reader(file, strict=True)
    header = [cell.strip() for cell in next(reader, [])]
    columns = _columns(source, header, contract)
    rows = _Rows(source, columns)
    for row in reader:
        rows.add(reader.line_num, row)
    if rows.problems:
        shown = rows.problems[:_SHOWN_PROBLEMS]
        more = len(rows.problems) - len(shown)
        raise ForecastError("\n".join([*shown, *([f"and {more} more"] if more else [])]))
    named = zip(contract.names, columns.outputs, strict=True)
    return Actuals(source, rows.values, tuple(name for name, place in named if place is not None))


def _columns(source: str, header: Sequence[str], contract: Contract) -> _Columns:
    if contract.date is None:
        raise ForecastError(
            "actuals need a date to be compared by, and the model has no input of type date; name "
            "the input that holds it: --date-column"
        )
    if len(contract.items) == 1:
        items = [_place(header, (contract.items[0], _ITEM))]
    else:
        items = [_place(header, (name,)) for name in contract.items]
    date = _place(header, (contract.date, _DATE))
    outputs = [_place(header, (output.name, output.column)) for output in contract.outputs]
    found = [place for place in (*items, date, *outputs) if place is not None]
    missing = [name for name, place in zip(contract.items, items, strict=True) if place is None]
    missing += [contract.date] if date is None else []
    wrong = [name for place, name in enumerate(header) if place not in found]
    if missing or wrong or date is None or not any(place is not None for place in outputs):
        judged = ", ".join(_spelled(each.name, each.column) for each in contract.outputs)
        only = _ITEM if len(contract.items) == 1 else None
        wanted = ", ".join(
            [*(_spelled(name, only) for name in contract.items), _spelled(contract.date, _DATE)]
        )
        raise ForecastError(
            f"{source}:1: expected the columns {wanted} and one or more of the outputs {judged}, "
            f"each once and no others, got {', '.join(header) or 'an empty line'}"
        )
    places = tuple(place for place in items if place is not None)
    return _Columns(places, date, tuple(outputs), len(header))


def _spelled(name: str, other: str | None) -> str:
    return name if other in {None, name} else f"{name} (or {other})"


def _place(header: Sequence[str], names: Sequence[str]) -> int | None:
    """Where a column is that has one of several names; None when it is not there or unclear."""
    places = [place for place, name in enumerate(header) if name in names]
    return places[0] if len(places) == 1 else None
