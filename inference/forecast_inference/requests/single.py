"""One row checked value by value: the exact meaning of types, ranges and policies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from forecast_inference.contract.values import (
    EXPECTED,
    INTEGER_BOUNDS,
    MEASURED_TYPES,
    NUMBER_LIMIT,
    check_text,
    check_value,
    days_of,
    microseconds_of,
)
from forecast_inference.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forecast_inference.contract.inputs import InputSpec
    from forecast_inference.requests.rows import Row

CLIPPED: Final = "clipped"
IMPUTED: Final = "imputed"


class CheckedRow(NamedTuple):
    """A row that can be predicted.

    Attributes:
        values: its values in the order of the row: numbers, booleans and strings as they are, dates
            as days and times as microseconds since 1970-01-01; ``None`` is missing.
        adjusted: pairs of ``clipped`` or ``imputed`` and the input's name, in the schema's order.
        outside: inputs whose value is outside their range, whatever was done about it.
    """

    values: Row
    adjusted: tuple[tuple[str, str], ...] = ()
    outside: tuple[str, ...] = ()


class RowChecker:
    """Checks the values of one row.

    Args:
        inputs: the inputs in the order in which errors name them.
        order: the same inputs in the order in which the values of a row stand.
    """

    def __init__(self, inputs: Sequence[InputSpec], order: Sequence[InputSpec]) -> None:
        positions = {spec.name: position for position, spec in enumerate(order)}
        self._places = [(positions[spec.name], spec) for spec in inputs]
        self._numbers = [
            (positions[spec.name], _common_types(spec), *bounds_of(spec))
            for spec in inputs
            if spec.type in MEASURED_TYPES
        ]
        self._others = [
            (positions[spec.name], spec) for spec in inputs if spec.type not in MEASURED_TYPES
        ]

    def check(self, row: Row, index: int = 0) -> CheckedRow:
        """The row checked.

        Raises:
            RequestError: a value is null, of the wrong type, out of range or no category.
        """
        for position, types, lowest, highest in self._numbers:
            value = row[position]
            if type(value) not in types or not lowest <= value <= highest:
                return self._check_each(row, index, self._places)
        return self._check_each(row, index, self._others) if self._others else CheckedRow(row)

    def _check_each(
        self, row: Row, index: int, places: Sequence[tuple[int, InputSpec]]
    ) -> CheckedRow:
        values = list(row)
        adjusted: list[tuple[str, str]] = []
        outside: list[str] = []
        for position, spec in places:
            value, action, is_outside = judge(spec, row[position], index)
            values[position] = value
            if action is not None:
                adjusted.append((action, spec.name))
            if is_outside:
                outside.append(spec.name)
        return CheckedRow(tuple(values), tuple(adjusted), tuple(outside))


def bounds_of(spec: InputSpec) -> tuple[float, float]:
    """The numbers between which there is nothing to say about a value of its type."""
    lowest, highest = INTEGER_BOUNDS.get(spec.type, (-NUMBER_LIMIT, NUMBER_LIMIT))
    if spec.minimum is not None:
        lowest = max(lowest, spec.minimum)
    if spec.maximum is not None:
        highest = min(highest, spec.maximum)
    return lowest, highest


def _common_types(spec: InputSpec) -> frozenset[type]:
    return frozenset({int}) if spec.type in INTEGER_BOUNDS else frozenset({int, float})


def judge(spec: InputSpec, value: Any, index: int) -> tuple[Any, str | None, bool]:
    """What a value counts as, what was done to it, and whether it is out of its range.

    Raises:
        RequestError: it is not valid, and no policy says what to do.
    """
    if value is None:
        if spec.nullable:
            return None, None, False
        if spec.missing == "impute":
            return plain(spec, spec.impute), IMPUTED, False
        raise _problem(spec, index, "null_value", f"expected {EXPECTED[spec.type]}, got null")
    problem = check_value(spec.type, value)
    if problem is None and spec.type == "string" and spec.known is None:
        problem = check_text(value)
    if problem is not None:
        raise _problem(spec, index, *problem)
    value = plain(spec, value)
    if spec.known is not None and value not in spec.known:
        if spec.unknown_category == "impute":
            return spec.impute, IMPUTED, False
        message = f"expected one of the {len(spec.known)} known categories"
        raise _problem(spec, index, "unknown_category", message)
    if spec.has_range:
        lowest, highest = bounds_of(spec)
        if not lowest <= value <= highest:
            return _judge_outside(spec, value, index)
    return value, None, False


def _judge_outside(spec: InputSpec, value: float, index: int) -> tuple[Any, str | None, bool]:
    if spec.out_of_range == "accept":
        return value, None, True
    if spec.out_of_range == "impute":
        return plain(spec, spec.impute), IMPUTED, True
    if spec.out_of_range == "clip":
        lowest, highest = bounds_of(spec)
        return plain(spec, min(max(value, lowest), highest)), CLIPPED, True
    raise _problem(spec, index, "out_of_range", f"expected a number {_range_text(spec)}")


def _range_text(spec: InputSpec) -> str:
    if spec.maximum is None:
        return f"of at least {spec.minimum:.15g}"
    if spec.minimum is None:
        return f"of at most {spec.maximum:.15g}"
    return f"from {spec.minimum:.15g} to {spec.maximum:.15g}"


def plain(spec: InputSpec, value: Any) -> Any:
    """A valid value as it is kept: numbers in their own type, dates and times as numbers."""
    if spec.type == "date":
        return days_of(value)
    if spec.type == "datetime":
        return microseconds_of(value)
    if spec.type in MEASURED_TYPES:
        return int(value) if spec.type in INTEGER_BOUNDS else float(value)
    return value


def _problem(spec: InputSpec, index: int, code: str, message: str) -> RequestError:
    return RequestError(message, code=code, row=index, feature=spec.name)
