"""The profile of training data: what each input held, for checks and defaults when serving."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np

from forecast_packaging.training.sketch import QuantileSketch

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

MAX_CATEGORIES: Final = 1000
"""Most distinct texts that are counted; a column with more is free text, no category."""
QUANTILES: Final = (0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)
_DIGITS: Final = 12
"""Significant digits of means: sums of other chunks differ in what follows."""


class Table(Protocol):
    """Columns by name: a pandas DataFrame, or a dict of arrays."""

    def __iter__(self) -> Iterator[Any]:
        """The names of the columns."""

    def __getitem__(self, name: Any, /) -> Any:
        """A column of one value per row."""


def profile(data: Table | Iterable[Table], columns: Sequence[str] | None = None) -> dict[str, Any]:
    """The profile of a training table, to be logged as `artifacts/training_profile.json`.

    Packaging takes from it the range of each number, the categories of each text with at most 1000
    different ones, and the values that stand in for missing ones: the median, the most frequent.

    Data that does not fit into memory is given as an iterator of tables, such as
    `pandas.read_csv(path, chunksize=100_000)`. The profile does not depend on how it is cut, but
    for the quantiles of more than 65 536 rows, which are then those of a sketch: the share of rows
    below one is off by 0.01 % for a million rows and 0.03 % for a billion.

    Args:
        data: The inputs of a request as columns, one row per training row: a pandas DataFrame, a
            dict of arrays, or an iterator of such tables with the same columns.
        columns: The columns to profile; default: all of them.

    Returns:
        `{"schema_version": 2, "rows": n, "inputs": {name: …}}` where a number has `missing` (rows
        with None or NaN), `minimum`, `maximum`, `mean`, `standard_deviation` (of the n values, in
        the input's unit), `median` and `quantiles` (values of the data, not between two of them);
        a text has `missing` and `categories` (rows by text); a date has `missing`.

    Raises:
        ValueError: No row, a column that is not there, or a column that holds infinite numbers or
            values of mixed types.
    """
    rows = 0
    found: dict[Any, _Column] = {}
    for table in [data] if _is_table(data) else data:
        names = list(table) if columns is None else list(columns)
        if found and list(found) != names:
            raise ValueError(f"got the columns {names}, expected {list(found)} as in the first")
        for name in names:
            column = found.setdefault(name, _Column(str(name)))
            column.add(*_present(table, name))
        rows = found[names[0]].rows if names else 0
    if not rows:
        raise ValueError("got no training rows, expected at least one")
    inputs = {column.name: column.document() for column in found.values()}
    return {"schema_version": 2, "rows": rows, "inputs": inputs}


def _is_table(data: Any) -> bool:
    return hasattr(data, "keys")


def _present(table: Any, name: str) -> tuple[NDArray[Any], int]:
    """The values of a column that are there, and the number of those that are missing."""
    try:
        column = table[name]
    except KeyError:
        shown = ", ".join(str(each) for each in table)
        raise ValueError(f"got no column {name!r}, expected one of {shown}") from None
    if hasattr(column, "dropna"):
        return np.asarray(column.dropna()), int(column.isna().sum())
    values = np.asarray(column)
    if values.dtype.kind == "O":
        there = np.array([value is not None and value == value for value in values], dtype=bool)  # noqa: PLR0124 - NaN differs from itself
    elif values.dtype.kind in "fM":
        there = values == values  # noqa: PLR0124 - as above, and NaT
    else:
        return values, 0
    return values[there], int(np.count_nonzero(~there))


class _Column:
    """What is known of one column after some of its values."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.rows = 0
        self._missing = 0
        self._content: _Numbers | _Texts | _Dates | None = None

    def add(self, values: NDArray[Any], missing: int) -> None:
        """Take the values that are there of some more rows."""
        self.rows += len(values) + missing
        self._missing += missing
        if not len(values):
            return
        content = _CONTENTS.get(_kind(values))
        if content is None or not isinstance(self._content, content | None):
            raise ValueError(
                f"got values of mixed or unknown types in column {self.name!r}, expected numbers, "
                "texts or dates"
            )
        if self._content is None:
            self._content = content()
        self._content.add(values, self.name)

    def document(self) -> dict[str, Any]:
        """The column's entry in the profile."""
        known = {} if self._content is None else self._content.document()
        return {"missing": self._missing, **known}


def _kind(values: NDArray[Any]) -> str:
    """The values' kind as numpy's one-letter code; "O" for mixed and unknown ones."""
    if values.dtype.kind != "O":
        return values.dtype.kind
    kinds = {_object_kind(value) for value in values}
    return kinds.pop() if len(kinds) == 1 else "O"


def _object_kind(value: Any) -> str:
    if isinstance(value, str):
        return "U"
    if isinstance(value, (bool, int, float, np.number, np.bool_)):
        return "f"
    return "M" if hasattr(value, "isoformat") else "O"


class _Numbers:
    """Numbers: their extremes, moments and quantiles."""

    def __init__(self) -> None:
        self._count = 0
        self._mean = 0.0
        self._squares = 0.0
        self._minimum = math.inf
        self._maximum = -math.inf
        self._sketch = QuantileSketch()

    def add(self, values: NDArray[Any], name: str) -> None:
        numbers = values.astype(np.float64)
        infinite = int(np.count_nonzero(np.isinf(numbers)))
        if infinite:
            raise ValueError(
                f"got {infinite} infinite values in column {name!r}, expected finite numbers: no "
                "request can hold them"
            )
        self._minimum = min(self._minimum, float(numbers.min()))
        self._maximum = max(self._maximum, float(numbers.max()))
        self._merge(len(numbers), float(numbers.mean()), float(numbers.var() * len(numbers)))
        self._sketch.add(numbers)

    def _merge(self, count: int, mean: float, squares: float) -> None:
        """Add the moments of a chunk (Chan, Golub and LeVeque, "Updating formulae", 1979)."""
        total = self._count + count
        apart = mean - self._mean
        self._mean += apart * count / total
        self._squares += squares + apart * apart * self._count * count / total
        self._count = total

    def document(self) -> dict[str, Any]:
        quantiles = self._sketch.quantiles(QUANTILES)
        return {
            "minimum": self._minimum,
            "maximum": self._maximum,
            "mean": _rounded(self._mean),
            "standard_deviation": _rounded(math.sqrt(self._squares / self._count)),
            "median": quantiles[QUANTILES.index(0.5)],
            "quantiles": dict(zip(map(repr, QUANTILES), quantiles, strict=True)),
        }


class _Texts:
    """Texts: how often each occurs, while they are few enough for categories."""

    def __init__(self) -> None:
        self._counts: Counter[str] | None = Counter()

    def add(self, values: NDArray[Any], _: str) -> None:
        if self._counts is None:
            return
        self._counts.update(str(value) for value in values)
        if len(self._counts) > MAX_CATEGORIES:
            self._counts = None

    def document(self) -> dict[str, Any]:
        if self._counts is None:
            return {}
        ordered = sorted(self._counts.items(), key=lambda entry: (-entry[1], entry[0]))
        return {"categories": dict(ordered)}


class _Dates:
    """Dates: whether they are there is all that serving can use, as forecasts lie beyond them."""

    def add(self, values: NDArray[Any], name: str) -> None:
        pass

    def document(self) -> dict[str, Any]:
        return {}


_CONTENTS: Final[dict[str, type[_Numbers | _Texts | _Dates]]] = {
    **dict.fromkeys("biuf", _Numbers),
    **dict.fromkeys("UT", _Texts),
    "M": _Dates,
}


def _rounded(value: float) -> float:
    return float(f"{value:.{_DIGITS}g}")
