"""The model's raw output turned into predictions with their intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from forecast_inference.errors import PredictionError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from forecast_inference.contract.schema import FeatureSchema


class OutputFinisher:
    """Transforms, clips and lays intervals around the outputs of one schema.

    An interval is laid around the clipped prediction and clipped in turn. Its bounds are the
    prediction times a scale plus a shift: 1 and the offset for an absolute interval, 1 + the offset
    and 0 for a relative one.
    """

    def __init__(self, schema: FeatureSchema) -> None:
        self._width = len(schema.outputs)
        self._transforms = tuple(
            (column, np.exp if output.transform == "exp" else np.expm1)
            for column, output in enumerate(schema.outputs)
            if output.transform != "identity"
        )
        minima = [-np.inf if item.minimum is None else item.minimum for item in schema.outputs]
        self._minima = np.array(minima)
        self._clips = any(output.minimum is not None for output in schema.outputs)
        bounded = [
            (column, schema.intervals[output.name])
            for column, output in enumerate(schema.outputs)
            if output.name in schema.intervals
        ]
        self._bounded = _selection([column for column, _ in bounded], self._width)
        self._has_bounds = bool(bounded)
        absolute = np.array([interval.kind == "absolute" for _, interval in bounded], dtype=bool)
        offsets = np.array(
            [[item.lower for _, item in bounded], [item.upper for _, item in bounded]]
        )
        self._scales = np.where(absolute, 1.0, 1.0 + offsets)
        self._shifts = np.where(absolute, offsets, 0.0)
        self.columns = tuple(output.name for output in schema.outputs) + tuple(
            f"{schema.outputs[column].name}_{side}"
            for side in ("lower", "upper")
            for column, _ in bounded
        )

    def finish(self, raw: Any, count: int) -> NDArray[np.float64]:
        """The predictions and interval bounds of a request.

        Args:
            raw: the model's output, (n,) or (n, outputs).
            count: n, the number of rows asked for.

        Returns:
            n rows with the columns named in ``columns``, in the units of the outputs.

        Raises:
            PredictionError: the output has another shape or holds a value that is not finite.
        """
        values = np.array(raw, dtype=np.float64)  # a copy: the array may be the model's own
        if values.ndim == 1:
            values = values.reshape(-1, 1)
        if values.shape != (count, self._width):
            raise PredictionError(
                "the model's output has the wrong shape", code="prediction_failed"
            )
        if self._transforms:
            with np.errstate(over="ignore"):
                for column, transform in self._transforms:
                    values[:, column] = transform(values[:, column])
        if self._clips:
            np.maximum(values, self._minima, out=values)
        finished = self._with_bounds(values) if self._has_bounds else values
        if not np.isfinite(finished).all():
            raise PredictionError(
                "the model answered with a value that is not finite", code="prediction_failed"
            )
        return finished

    def _with_bounds(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        centers = values[:, self._bounded]
        with np.errstate(over="ignore", invalid="ignore"):
            one = centers * self._scales[0] + self._shifts[0]
            other = centers * self._scales[1] + self._shifts[1]
        # They change places where a relative interval lies below zero.
        lower, upper = np.minimum(one, other), np.maximum(one, other)
        if self._clips:
            minima = self._minima[self._bounded]
            lower, upper = np.maximum(lower, minima), np.maximum(upper, minima)
        return np.concatenate((values, lower, upper), axis=1)


def _selection(columns: list[int], width: int) -> slice | NDArray[np.intp]:
    """The index of those columns; a slice, which copies nothing, when it is all of them."""
    return slice(None) if columns == list(range(width)) else np.array(columns, dtype=np.intp)
