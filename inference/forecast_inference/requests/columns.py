"""Many rows checked at once: columns of one type read together, policies on whole columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain, groupby
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from forecast_inference.contract.values import (
    INTEGER_BOUNDS,
    MEASURED_TYPES,
    NUMBER_LIMIT,
    PYTHON_TYPES,
    check_text,
    check_value,
    days_of,
    microseconds_of,
)
from forecast_inference.requests.single import CLIPPED, IMPUTED, bounds_of, plain

if TYPE_CHECKING:
    from forecast_inference.contract.inputs import InputSpec

_NONE: Final = type(None)
_NOT_A_TIME: Final = int(np.datetime64("NaT", "D").astype(np.int64))
_ENDLESS: Final = (-np.inf, np.inf)

Column = NDArray[Any]
Block = NDArray[Any] | Sequence[Column]
"""The values of one group: indexing it gives the column of the group's n-th input."""


class InvalidValueError(Exception):
    """A value somewhere is wrong; which one is found out by looking at each row."""


@dataclass(frozen=True, slots=True)
class Group:
    """Inputs of one type that may be null or not, which stand next to each other in a row.

    Attributes:
        type: their type.
        takes_null: whether null is a value of theirs, or replaced by one.
        inputs: the inputs.
        start: the position of the first in a row.
        bounds: the lowest and the highest value of each, as columns; ``None`` without any range.
    """

    type: str
    takes_null: bool
    inputs: tuple[InputSpec, ...]
    start: int
    bounds: tuple[Column, Column] | None

    @property
    def stop(self) -> int:
        """The position in the row after the group's last value."""
        return self.start + len(self.inputs)


@dataclass(slots=True)
class Findings:
    """What policies found in many rows.

    Attributes:
        adjusted: what was changed of a row, by its index among the rows given.
        out_of_range: values outside their range, by input.
    """

    adjusted: dict[int, list[tuple[str, str]]] = field(default_factory=dict)
    out_of_range: dict[str, int] = field(default_factory=dict)

    def note(self, where: Column, action: str, name: str) -> None:
        """Note that an input was changed in the rows where the mask is true."""
        for index in np.flatnonzero(where).tolist():
            self.adjusted.setdefault(index, []).append((action, name))


def in_groups(inputs: Sequence[InputSpec]) -> tuple[Group, ...]:
    """The inputs sorted into groups; their order is that of the values of a row."""
    ordered = sorted(inputs, key=_group_of)
    groups: list[Group] = []
    start = 0
    for (kind, takes_null), found in groupby(ordered, key=_group_of):
        members = tuple(found)
        groups.append(Group(kind, takes_null, members, start, _bounds(kind, members)))
        start += len(members)
    return tuple(groups)


def _group_of(spec: InputSpec) -> tuple[str, bool]:
    return spec.type, spec.nullable or spec.missing == "impute"


def _bounds(kind: str, inputs: Sequence[InputSpec]) -> tuple[Column, Column] | None:
    if kind not in MEASURED_TYPES or not any(spec.has_range for spec in inputs):
        return None
    pairs = [bounds_of(spec) if spec.has_range else _ENDLESS for spec in inputs]
    lowest, highest = np.array(pairs, dtype=np.float64).T
    return lowest[:, np.newaxis], highest[:, np.newaxis]


def read_block(group: Group, columns: Sequence[Sequence[Any]]) -> Block:
    """The values of a group's columns: numbers as an array (inputs by rows), else a list.

    Null becomes NaN in numbers, NaT in dates and ``None`` in strings.

    Raises:
        InvalidValueError: one is null, of the wrong type, or beyond the type's limits.
    """
    allowed = PYTHON_TYPES[group.type]
    flat = columns[0] if len(columns) == 1 else tuple(chain.from_iterable(columns))
    types = set(map(type, flat))
    if not types <= (allowed | {_NONE} if group.takes_null else allowed):
        raise InvalidValueError
    if allowed <= {str}:
        return [_read_text(group.type, column) for column in columns]
    try:
        if group.type in INTEGER_BOUNDS:
            values = _read_integers(group.type, flat, types)
        else:
            values = _read_numbers(flat, types)
    except OverflowError:
        raise InvalidValueError from None
    return values.reshape(len(columns), -1)


def _read_numbers(flat: Sequence[Any], types: set[type]) -> NDArray[np.float64]:
    if _NONE in types:
        values = np.array(flat, dtype=np.float64)
    else:
        values = np.fromiter(flat, np.float64, len(flat))
    check_limit(values)
    return values


def check_limit(values: NDArray[np.float64]) -> None:
    """Check that no number is larger than tree libraries take it.

    Raises:
        InvalidValueError: one is.
    """
    if (np.abs(values) > NUMBER_LIMIT).any():
        raise InvalidValueError


def _read_integers(kind: str, flat: Sequence[Any], types: set[type]) -> NDArray[Any]:
    if types != {int}:
        # 1.0 and null are rare here. No whole number within the bounds is rounded as a float.
        if any(value is not None and check_value(kind, value) is not None for value in flat):
            raise InvalidValueError
        exact = np.array(flat, dtype=np.float64)
        return exact if _NONE in types else exact.astype(np.int64)
    values = np.fromiter(flat, np.int64, len(flat))
    lowest, highest = INTEGER_BOUNDS[kind]
    if values.min() < lowest or values.max() > highest:
        raise InvalidValueError
    return values


def _read_text(kind: str, column: Sequence[Any]) -> Column:
    if kind == "string":
        return np.array(column, dtype=object)
    # Rows of one request share few dates: each is parsed once.
    parse, unit = (days_of, "D") if kind == "date" else (microseconds_of, "us")
    try:
        parsed = {value: _NOT_A_TIME if value is None else parse(value) for value in set(column)}
    except ValueError:
        raise InvalidValueError from None
    numbers = np.fromiter(map(parsed.__getitem__, column), np.int64, len(column))
    return numbers.view(f"datetime64[{unit}]")


def apply_policies(group: Group, block: Block, findings: Findings) -> Block:
    """The block after its inputs' policies, which add to the findings.

    Raises:
        InvalidValueError: a policy refuses a value.
    """
    if group.type == "string":
        return [
            _known_only(spec, column, findings)
            for spec, column in zip(group.inputs, block, strict=True)
        ]
    if group.takes_null:
        for spec, column in zip(group.inputs, block, strict=True):
            if not spec.nullable:
                _fill(spec, column, findings)
    if group.bounds is not None:
        lowest, highest = group.bounds
        below, above = block < lowest, block > highest
        outside = below | above
        if outside.any():
            for place, spec in enumerate(group.inputs):
                if outside[place].any():
                    _settle(spec, block[place], outside[place], findings)
    return block


def _known_only(spec: InputSpec, column: Column, findings: Findings) -> Column:
    distinct = set(column.tolist())
    allowed = spec.known if spec.known is not None else distinct - {None}
    if spec.known is None and any(check_text(value) is not None for value in allowed):
        raise InvalidValueError
    wrong = distinct - allowed
    if spec.nullable:
        wrong.discard(None)
    if not wrong:
        return column
    replaced = {None} if spec.missing == "impute" else set()
    if spec.unknown_category == "impute":
        replaced |= wrong - {None}
    if not wrong <= replaced:
        raise InvalidValueError
    where = np.fromiter((value in wrong for value in column), bool, len(column))
    column[where] = spec.impute
    findings.note(where, IMPUTED, spec.name)
    return column


def _fill(spec: InputSpec, column: Column, findings: Findings) -> None:
    where = np.isnat(column) if column.dtype.kind == "M" else column != column  # noqa: PLR0124
    if where.any():
        value = plain(spec, spec.impute)
        column[where] = np.int64(value).view(column.dtype) if column.dtype.kind == "M" else value
        findings.note(where, IMPUTED, spec.name)


def settle(spec: InputSpec, column: Column, findings: Findings) -> None:
    """Apply the range's policy to a column of an input that has a range, in place.

    Raises:
        InvalidValueError: the policy refuses a value.
    """
    lowest, highest = bounds_of(spec)
    outside = (column < lowest) | (column > highest)
    if outside.any():
        _settle(spec, column, outside, findings)


def _settle(spec: InputSpec, column: Column, outside: Column, findings: Findings) -> None:
    findings.out_of_range[spec.name] = int(outside.sum())
    if spec.out_of_range == "refuse":
        raise InvalidValueError
    if spec.out_of_range == "clip":
        np.clip(column, *bounds_of(spec), out=column, casting="unsafe")
        findings.note(outside, CLIPPED, spec.name)
    elif spec.out_of_range == "impute":
        column[outside] = plain(spec, spec.impute)
        findings.note(outside, IMPUTED, spec.name)
