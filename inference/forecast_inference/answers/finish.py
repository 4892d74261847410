"""The model's raw output turned into predictions with their intervals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from forecast_inference.answers.intervals import (
    OF_ONE_ROW,
    OF_ROWS,
    TRANSFORMS,
    OffsetBand,
    QuantileBand,
    lower_places,
)
from forecast_inference.errors import PredictionError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forecast_inference.answers.intervals import Arithmetic, Band, Column
    from forecast_inference.contract.schema import FeatureSchema


@dataclass(slots=True)
class Finished:
    """The finished predictions of a request, in the units of the outputs.

    Attributes:
        count: rows.
        width: columns: the outputs, then at each level lower and upper bound of each output that
            has intervals.
        values: the numbers, row by row.
    """

    count: int
    width: int
    values: list[float]

    def column(self, place: int) -> list[float]:
        """One column, by its place; outputs stand in the schema's order."""
        return self.values[place :: self.width]


def interleave(steps: Sequence[Finished]) -> Finished:
    """The steps of a horizon, predicted one after the other, as row after row with all its steps.

    Args:
        steps: the finished predictions of the same rows at each step.
    """
    count, width = steps[0].count, steps[0].width
    values = [
        number
        for start in range(0, count * width, width)
        for step in steps
        for number in step.values[start : start + width]
    ]
    return Finished(count * len(steps), width, values)


class OutputFinisher:
    """Transforms, clips and lays intervals around the outputs of one schema.

    An interval is laid around the clipped prediction and clipped in turn.
    """

    def __init__(self, schema: FeatureSchema) -> None:
        self._schema = schema
        self._places = {name: place for place, name in enumerate(schema.columns)}
        self._centers = tuple(
            (self._places[spec.column], TRANSFORMS[spec.transform], spec.minimum, spec.maximum)
            for spec in schema.outputs
        )
        level = schema.default_level
        levels = () if level is None else (level,)
        self._default_bands = self._bands(levels)
        self._default_places = self._default_lower_places(levels)

    def _bands(self, levels: Sequence[float]) -> list[tuple[int, Band]]:
        """The intervals asked for, each with the place of its output."""
        bands: list[tuple[int, Band]] = []
        for place, output in enumerate(self._schema.outputs if levels else ()):
            spec = self._schema.intervals.get(output.name)
            if spec is None:
                continue
            if spec.kind == "quantiles":
                bands.append((place, QuantileBand(spec, levels, output, self._places)))
            else:
                offsets = [spec.offsets[level] for level in levels]
                band = OffsetBand(spec.kind, offsets, output.minimum, output.maximum)
                bands.append((place, band))
        return bands

    def _default_lower_places(self, levels: Sequence[float]) -> list[tuple[str, int]]:
        """Where the lower bounds at the default level are, by output."""
        default = self._schema.default_level
        places = lower_places(self._schema, levels)
        return [(name, place) for (name, level), place in places.items() if level == default]

    def finish(self, raw: Any, count: int, levels: Sequence[float] | None = None) -> Finished:
        """The predictions and interval bounds of a request.

        Args:
            raw: the model's output, (n,) or (n, columns of the schema).
            count: n, the number of rows predicted.
            levels: the levels of the intervals, all of the schema; ``None`` for the default one.

        Raises:
            PredictionError: the output has another shape or holds a value that is not finite.
        """
        array = np.asarray(raw, dtype=np.float64)
        if array.ndim == 1:
            array = array.reshape(-1, 1)
        if array.shape != (count, len(self._places)):
            raise PredictionError(
                "the model's output has the wrong shape", code="prediction_failed"
            )
        bands = self._default_bands if levels is None else self._bands(levels)
        if count == 1:
            values = self._finish_columns(array[0].tolist(), bands, OF_ONE_ROW)
            return Finished(1, len(values), values)
        with np.errstate(over="ignore", invalid="ignore"):  # refused as not finite
            columns = self._finish_columns(list(np.ascontiguousarray(array.T)), bands, OF_ROWS)
        return Finished(count, len(columns), np.array(columns).T.ravel().tolist())

    def _finish_columns(
        self, columns: Sequence[Column], bands: Sequence[tuple[int, Band]], take: Arithmetic
    ) -> list[Column]:
        _check(columns, take)
        values = []
        for place, transform, minimum, maximum in self._centers:
            value = columns[place]
            if transform is not None:
                value = transform(value)
                _check((value,), take)
            if minimum is not None:
                value = take.most(value, minimum)
            if maximum is not None:
                value = take.least(value, maximum)
            values.append(value)
        if bands:
            bounds = [band.bounds(values[place], columns, take) for place, band in bands]
            for place in range(0, len(bounds[0]), 2):
                for pairs in bounds:
                    values += pairs[place : place + 2]
            _check(values, take)
        return values

    def interval_width(
        self, finished: Finished, levels: Sequence[float] | None = None
    ) -> dict[str, float] | None:
        """The mean width of the intervals at the default level by output; None without them.

        Args:
            finished: what ``finish`` gave for the same levels.
            levels: the levels asked for.
        """
        places = self._default_places if levels is None else self._default_lower_places(levels)
        count, width, values = finished.count, finished.width, finished.values
        if not (places and count):
            return None
        if count == 1:
            return {name: values[place + 1] - values[place] for name, place in places}
        return {
            name: (sum(values[place + 1 :: width]) - sum(values[place::width])) / count
            for name, place in places
        }


def _check(columns: Sequence[Column], take: Arithmetic) -> None:
    if not take.is_finite(columns):
        raise PredictionError(
            "the model answered with a value that is not finite", code="prediction_failed"
        )
