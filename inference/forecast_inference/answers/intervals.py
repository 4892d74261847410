"""Prediction intervals: bounds around finished outputs, which never cross and are nested.

Everything here works on columns: an array per column for many rows, a plain float for one row,
where arrays would cost more than the arithmetic.
"""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from forecast_inference.contract.schema import FeatureSchema, IntervalSpec, OutputSpec

Column = Any
"""The values of one column: an array of float64, or the float of a single row."""


class Arithmetic(NamedTuple):
    """The smaller and the larger of two columns, and whether all of some columns is finite."""

    least: Callable[[Column, Column], Column]
    most: Callable[[Column, Column], Column]
    is_finite: Callable[[Sequence[Column]], bool]


OF_ONE_ROW = Arithmetic(min, max, lambda columns: all(map(isfinite, columns)))
OF_ROWS = Arithmetic(np.minimum, np.maximum, lambda columns: bool(np.isfinite(columns).all()))


def _transform(function: Any) -> Callable[[Column], Column]:
    def transformed(column: Column) -> Column:
        with np.errstate(over="ignore"):  # what overflows is refused as not finite
            result = function(column)
        return float(result) if isinstance(column, float) else result

    return transformed


TRANSFORMS: Final[Mapping[str, Callable[[Column], Column] | None]] = {
    "identity": None,
    "exp": _transform(np.exp),
    "expm1": _transform(np.expm1),
}
"""What turns a column of the model into the unit of an output."""


class OffsetBand:
    """Bounds at calibrated distances: ``center * scale + shift``.

    An absolute interval has the scale 1 and the offset as its shift, a relative one the scale
    1 + the offset. Offsets of a higher level contain those of a lower one, which the schema
    guarantees, so the bounds do as well.

    Args:
        kind: ``absolute`` or ``relative``.
        offsets: the lower and the upper offset at each level wanted.
        minimum: the output's smallest possible value, if any.
        maximum: the output's largest possible value, if any.
    """

    def __init__(
        self,
        kind: str,
        offsets: Sequence[Sequence[float]],
        minimum: float | None,
        maximum: float | None,
    ) -> None:
        absolute = kind == "absolute"
        self._steps = [
            (1.0, lower, 1.0, upper) if absolute else (1.0 + lower, 0.0, 1.0 + upper, 0.0)
            for lower, upper in offsets
        ]
        self._minimum, self._maximum = minimum, maximum
        # Relative bounds change places below zero.
        self._swaps = not (absolute or (minimum is not None and minimum >= 0))

    def bounds(self, center: Column, _: Sequence[Column], take: Arithmetic) -> list[Column]:
        """Lower and upper bound at each level in turn."""
        found: list[Column] = []
        for scale_down, shift_down, scale_up, shift_up in self._steps:
            lower = center * scale_down + shift_down
            upper = center * scale_up + shift_up
            if self._swaps:
                lower, upper = take.least(lower, upper), take.most(lower, upper)
            if self._minimum is not None:
                lower = take.most(lower, self._minimum)
            if self._maximum is not None:
                upper = take.least(upper, self._maximum)
            found += (lower, upper)
        return found


class QuantileBand:
    """Bounds between two columns of the model, widened by calibrated margins.

    Quantile models know nothing of each other: a bound that crosses the prediction is the
    prediction, and a level takes in the bounds of every lower one.

    Args:
        spec: the columns and margins by level.
        levels: the levels wanted, in the order wanted.
        output: whose intervals they are; its transform and limits are those of its columns too.
        places: where the raw output holds each column.
    """

    def __init__(
        self,
        spec: IntervalSpec,
        levels: Sequence[float],
        output: OutputSpec,
        places: Mapping[str, int],
    ) -> None:
        self._transform = TRANSFORMS[output.transform]
        self._minimum, self._maximum = output.minimum, output.maximum
        ascending = [level for level in sorted(spec.columns) if level <= max(levels)]
        self._steps = [
            (places[lower], places[upper], spec.margins.get(level, 0.0))
            for level, (lower, upper) in ((level, spec.columns[level]) for level in ascending)
        ]
        self._order = [2 * ascending.index(level) for level in levels]

    def bounds(self, center: Column, columns: Sequence[Column], take: Arithmetic) -> list[Column]:
        """Lower and upper bound at each level in turn."""
        lower = upper = center
        nested: list[Column] = []
        for down, up, margin in self._steps:
            lower = take.least(lower, self._transformed(columns[down]) - margin)
            upper = take.most(upper, self._transformed(columns[up]) + margin)
            if self._minimum is not None:
                lower = take.most(lower, self._minimum)
            if self._maximum is not None:
                upper = take.least(upper, self._maximum)
            nested += (lower, upper)
        return [bound for place in self._order for bound in nested[place : place + 2]]

    def _transformed(self, column: Column) -> Column:
        return column if self._transform is None else self._transform(column)


Band = OffsetBand | QuantileBand


def interval_bounds(
    interval: Mapping[str, Any],
    level: float,
    predicted: NDArray[np.float64],
    *,
    minimum: float | None = None,
    maximum: float | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The bounds that are served around predictions, for training code to judge them.

    Args:
        interval: an output's entry in ``intervals.outputs`` of the contract, of kind ``absolute``
            or ``relative``.
        level: one of its levels.
        predicted: n finished predictions.
        minimum: the output's smallest possible value, if any.
        maximum: the output's largest possible value, if any.
    """
    offsets = interval["offsets"][repr(level)]
    band = OffsetBand(interval["kind"], [offsets], minimum, maximum)
    lower, upper = band.bounds(predicted, (), OF_ROWS)
    return lower, upper


def lower_places(schema: FeatureSchema, levels: Sequence[float]) -> dict[tuple[str, float], int]:
    """Where a finished row holds the lower bound of an output at a level; the upper one follows.

    A row holds the outputs, then at each level in turn both bounds of each output that has some.
    """
    names = [output.name for output in schema.outputs if output.name in schema.intervals]
    keys = [(name, level) for level in levels for name in names]
    return {key: len(schema.outputs) + 2 * number for number, key in enumerate(keys)}
