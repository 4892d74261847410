"""The strict check of row values: fast over whole groups, exact about the first wrong value."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import chain, groupby
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from forecast_inference.errors import RequestError
from forecast_inference.requests.decode import Row, describe

if TYPE_CHECKING:
    from forecast_inference.contract.schema import FeatureSchema, InputSpec

NUMBER_LIMIT: Final = float(np.finfo(np.float32).max)
"""Largest magnitude of a number. Tree libraries keep values as 32-bit floats and fail beyond it."""

INTEGER_BOUNDS: Final = {"integer": (-(2**31), 2**31 - 1), "long": (-(2**63), 2**63 - 1)}
_EPOCH_ORDINAL: Final = date(1970, 1, 1).toordinal()
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DATETIME: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"([T ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]{1,6})?)?(Z|[+-][0-9]{2}:?[0-9]{2})?)?"
)
_NONE: Final = type(None)

Column = NDArray[Any]
Block = NDArray[Any] | Sequence[Column]
"""The values of one group: indexing it gives the column of the group's n-th input."""


@dataclass(frozen=True, slots=True)
class Group:
    """Inputs of one type and nullability, which stand next to each other in a row."""

    type: str
    nullable: bool
    inputs: tuple[InputSpec, ...]
    start: int

    @property
    def stop(self) -> int:
        """The position in the row after the group's last value."""
        return self.start + len(self.inputs)


class _InvalidValueError(Exception):
    """A value somewhere in a group is wrong; which one is found out by looking at each."""


class RowValidator:
    """Checks rows against the schema's inputs and turns them into columns.

    ``order`` is the order in which the values of a row must stand.
    """

    def __init__(self, schema: FeatureSchema) -> None:
        self.order = tuple(sorted(schema.inputs, key=lambda spec: (spec.type, spec.nullable)))
        self.groups = tuple(_group(self.order))
        self._position = {spec.name: index for index, spec in enumerate(self.order)}
        self._inputs = schema.inputs

    def blocks(self, rows: list[Row]) -> list[Block]:
        """One block per group: numbers as an array (inputs by rows), others as a list of columns.

        Null becomes NaN in numbers, NaT in dates and ``None`` in strings.

        Raises:
            RequestError: a value is null, of the wrong type or out of range.
        """
        columns = list(zip(*rows, strict=True))
        try:
            return [_read_group(group, columns[group.start : group.stop]) for group in self.groups]
        except _InvalidValueError:
            raise self._explain(rows) from None

    def _explain(self, rows: list[Row]) -> RequestError:
        for index, row in enumerate(rows):
            for spec in self._inputs:
                problem = check_value(spec, row[self._position[spec.name]])
                if problem is not None:
                    code, message = problem
                    return RequestError(message, code=code, row=index, feature=spec.name)
        return RequestError("the rows hold a value that is not valid", code="invalid_value")


def _group(order: Sequence[InputSpec]) -> list[Group]:
    groups: list[Group] = []
    start = 0
    for (kind, nullable), members in groupby(order, key=lambda spec: (spec.type, spec.nullable)):
        inputs = tuple(members)
        groups.append(Group(kind, nullable, inputs, start))
        start += len(inputs)
    return groups


def check_value(spec: InputSpec, value: Any) -> tuple[str, str] | None:
    """Why a value is not valid for an input, as a code and a message, or ``None`` when it is."""
    if value is None:
        if spec.nullable:
            return None
        return "null_value", f"expected {_EXPECTED[spec.type]}, got null"
    wanted = _PYTHON_TYPES[spec.type]
    if type(value) not in wanted:
        return "invalid_type", f"expected {_EXPECTED[spec.type]}, got {describe(value)}"
    if spec.known is not None and value not in spec.known:
        return "unknown_category", f"expected one of the {len(spec.known)} known categories"
    check = _VALUE_CHECKS.get(spec.type)
    return None if check is None else check(spec.type, value)


def _check_number(_: str, value: float) -> tuple[str, str] | None:
    if -NUMBER_LIMIT <= value <= NUMBER_LIMIT:
        return None
    return "out_of_range", f"expected a number within ±{NUMBER_LIMIT:.7g}"


def _check_integer(kind: str, value: float) -> tuple[str, str] | None:
    lowest, highest = INTEGER_BOUNDS[kind]
    if not lowest <= value <= highest:
        return "out_of_range", f"expected a whole number between {lowest} and {highest}"
    if value != int(value):
        return "not_integral", "expected a whole number, got a fraction"
    return None


def _check_date(_: str, value: str) -> tuple[str, str] | None:
    try:
        _day(value)
    except _InvalidValueError:
        return "invalid_date", "expected a date of the calendar as YYYY-MM-DD"
    return None


def _check_datetime(_: str, value: str) -> tuple[str, str] | None:
    try:
        _microseconds(value)
    except _InvalidValueError:
        return "invalid_datetime", "expected a date and time as in ISO 8601"
    return None


_EXPECTED: Final = {
    "boolean": "a boolean",
    "integer": "a whole number",
    "long": "a whole number",
    "float": "a number",
    "double": "a number",
    "string": "a string",
    "date": "a date as YYYY-MM-DD",
    "datetime": "a date and time as in ISO 8601",
}
_NUMBERS: Final = frozenset({int, float})
_PYTHON_TYPES: Final[dict[str, frozenset[type]]] = {
    "boolean": frozenset({bool}),
    "integer": _NUMBERS,
    "long": _NUMBERS,
    "float": _NUMBERS,
    "double": _NUMBERS,
    "string": frozenset({str}),
    "date": frozenset({str}),
    "datetime": frozenset({str}),
}
_VALUE_CHECKS: Final[dict[str, Callable[[str, Any], tuple[str, str] | None]]] = {
    "integer": _check_integer,
    "long": _check_integer,
    "float": _check_number,
    "double": _check_number,
    "date": _check_date,
    "datetime": _check_datetime,
}


def _read_group(group: Group, columns: list[tuple[Any, ...]]) -> Block:
    allowed = _PYTHON_TYPES[group.type]
    flat = columns[0] if len(columns) == 1 else tuple(chain.from_iterable(columns))
    types = set(map(type, flat))
    if not types <= (allowed | {_NONE} if group.nullable else allowed):
        raise _InvalidValueError
    if allowed <= {str}:
        return [
            _read_text(spec, column) for spec, column in zip(group.inputs, columns, strict=True)
        ]
    try:
        if group.type in INTEGER_BOUNDS:
            values = _read_integers(group.type, flat, types)
        else:
            values = _read_numbers(flat, types)
    except OverflowError:
        raise _InvalidValueError from None
    return values.reshape(len(columns), -1)


def _read_numbers(flat: tuple[Any, ...], types: set[type]) -> NDArray[np.float64]:
    if _NONE in types:
        values = np.array(flat, dtype=np.float64)
    else:
        values = np.fromiter(flat, np.float64, len(flat))
    if (np.abs(values) > NUMBER_LIMIT).any():
        raise _InvalidValueError
    return values


def _read_integers(kind: str, flat: tuple[Any, ...], types: set[type]) -> NDArray[Any]:
    if types != {int}:
        # 1.0 and null are rare here, and floats near the bounds compare exactly only one by one.
        if any(value is not None and _check_integer(kind, value) for value in flat):
            raise _InvalidValueError
        exact = np.array(flat, dtype=np.float64)
        return exact if _NONE in types else exact.astype(np.int64)
    values = np.fromiter(flat, np.int64, len(flat))
    lowest, highest = INTEGER_BOUNDS[kind]
    if values.min() < lowest or values.max() > highest:
        raise _InvalidValueError
    return values


def _read_text(spec: InputSpec, column: tuple[Any, ...]) -> Column:
    distinct = set(column)
    if spec.type == "string":
        distinct.discard(None)
        if spec.known is not None and not distinct <= spec.known:
            raise _InvalidValueError
        return np.array(column, dtype=object)
    # Rows of one request share few dates: each is parsed once.
    parse, unit = (_day, "D") if spec.type == "date" else (_microseconds, "us")
    parsed = {value: _NOT_A_TIME if value is None else parse(value) for value in distinct}
    numbers = np.fromiter(map(parsed.__getitem__, column), np.int64, len(column))
    return numbers.view(f"datetime64[{unit}]")


_NOT_A_TIME: Final = int(np.datetime64("NaT").astype(np.int64))


def _day(value: str) -> int:
    """Days since 1970-01-01 of a date that exists."""
    if _DATE.fullmatch(value) is None:
        raise _InvalidValueError
    try:
        return date.fromisoformat(value).toordinal() - _EPOCH_ORDINAL
    except ValueError:
        raise _InvalidValueError from None


def _microseconds(value: str) -> int:
    """Microseconds since 1970-01-01 UTC; a time without an offset counts as UTC."""
    if _DATETIME.fullmatch(value) is None:
        raise _InvalidValueError
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise _InvalidValueError from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    elapsed = moment - _EPOCH
    return (elapsed.days * 86_400 + elapsed.seconds) * 1_000_000 + elapsed.microseconds
