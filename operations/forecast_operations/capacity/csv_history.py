"""A history of requests from a CSV file with the columns timestamp and invocations."""

from __future__ import annotations

import csv
import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np

from forecast_config import ForecastError
from forecast_operations.capacity.history import HOUR, MINUTE, History

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

COLUMNS = ("timestamp", "invocations")

_SHOWN_PROBLEMS = 5


class _Rows:
    """Rows of a file as they are read: the counts, and what is wrong."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.counts: dict[int, float] = {}
        self.without_zone = 0
        self.problems: list[str] = []

    def add(self, line: int, row: list[str], places: tuple[int, int]) -> None:
        if not any(cell.strip() for cell in row):
            return
        if len(row) <= max(places):
            self._refuse(line, "row", f"{max(places) + 1} or more columns", f"{len(row)}")
            return
        moment = self._moment(line, row[places[0]])
        count = self._count(line, row[places[1]])
        if moment is not None and count is not None:
            self.counts[moment] = self.counts.get(moment, 0.0) + count

    def _moment(self, line: int, text: str) -> int | None:
        try:
            moment = datetime.fromisoformat(text.strip())
            if moment.tzinfo is None:
                self.without_zone += 1
                moment = moment.replace(tzinfo=UTC)
            return int(moment.timestamp())
        except (ValueError, OverflowError):
            self._refuse(line, "timestamp", "one such as 2026-01-31T08:00:00+08:00", repr(text))
            return None

    def _count(self, line: int, text: str) -> float | None:
        try:
            count = float(text)
        except ValueError:
            count = math.nan
        if math.isfinite(count) and count >= 0:
            return count
        self._refuse(line, "invocations", "a number of requests, 0 or more", repr(text))
        return None

    def _refuse(self, line: int, column: str, expected: str, got: str) -> None:
        self.problems.append(f"{self._path}:{line}: {column}: expected {expected}, got {got}")


def read_csv(path: Path) -> History:
    """A history from a file.

    Timestamps are those of ISO 8601; without a zone they are UTC. Rows of one moment add up, and
    stretches of time without a row have no requests.

    Raises:
        ForecastError: The file cannot be read or is not of this form, with line and column.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = _read(path, csv.reader(file))
    except OSError as error:
        raise ForecastError(f"cannot read {path}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise ForecastError(f"{path}: expected UTF-8, got other bytes: {error.reason}") from None
    except csv.Error as error:
        raise ForecastError(f"{path}: expected comma-separated values: {error}") from None
    if rows.problems:
        shown = rows.problems[:_SHOWN_PROBLEMS]
        more = len(rows.problems) - len(shown)
        raise ForecastError("\n".join([*shown, *([f"and {more} more"] if more else [])]))
    step = _step(path, rows.counts)
    return History.from_counts(
        rows.counts, step_seconds=step, source=str(path), notes=_notes(rows, step)
    )


def _read(path: Path, reader: Iterable[list[str]]) -> _Rows:
    rows = _Rows(path)
    places: tuple[int, int] | None = None
    for line, row in enumerate(reader, start=1):
        if places is None:
            header = [cell.strip().lower() for cell in row]
            missing = [name for name in COLUMNS if name not in header]
            if missing:
                raise ForecastError(
                    f"{path}:{line}: expected the columns {' and '.join(COLUMNS)}, "
                    f"got no {' and no '.join(missing)} in {', '.join(row) or 'an empty line'}"
                )
            places = (header.index("timestamp"), header.index("invocations"))
        else:
            rows.add(line, row, places)
    if places is None:
        raise ForecastError(f"{path}: expected the columns {' and '.join(COLUMNS)}, got nothing")
    return rows


def _step(path: Path, counts: dict[int, float]) -> int:
    """Length of a stretch: that between the nearest rows, in whole minutes."""
    times = np.array(sorted(counts), dtype=np.int64)
    if len(times) < 2:  # noqa: PLR2004 - a distance is between two
        return MINUTE
    distances = np.diff(times)
    nearest = int(distances.min())
    # Single requests, or sums at no regular distance.
    if nearest < MINUTE or np.any(distances % nearest):
        return MINUTE
    # A stretch that does not divide the hour would count for two of them.
    if nearest > HOUR or HOUR % nearest or nearest % MINUTE:
        raise ForecastError(
            f"{path}: expected rows that are 1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30 or 60 minutes "
            f"apart, got {nearest / MINUTE:g} minutes"
        )
    return nearest


def _notes(rows: _Rows, step: int) -> tuple[str, ...]:
    notes = []
    if rows.without_zone:
        notes.append(f"{rows.without_zone} timestamps without a zone were taken for UTC")
    if step > MINUTE:
        notes.append(
            f"each row is taken for {step // MINUTE} minutes; peaks within them are not seen"
        )
    return tuple(notes)
