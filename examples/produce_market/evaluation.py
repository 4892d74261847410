"""The model and two simple forecasts side by side on the held-out days."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forecast_inference.answers.intervals import interval_bounds
from forecast_packaging.training import empirical_coverage, rows_needed, split_conformal
from produce_market import metrics
from produce_market.contract import OUTPUTS
from produce_market.errors import DataError
from produce_market.split import Split

Floats = NDArray[np.float64]
Forecasts = dict[str, Floats]
"""Values by output name, one per row."""

INTERVAL_KIND: Literal["relative"] = "relative"
LEVELS = (0.5, 0.8, 0.9, 0.95)
"""Levels that intervals are calibrated at, as far as there are rows enough."""
BASELINES = ("baseline", "last_value")
"""Seasonal-naive, which the model has to beat, and the last known value, for comparison."""

_LAST_KNOWN = {"price": "unit_price", "demand": "quantity_sold"}
_WEEK_AGO = {"price": "price_lag_7", "demand": "quantity_lag_7"}


@dataclass(frozen=True)
class Evaluation:
    """How one way to forecast did on the held-out days.

    Attributes:
        intervals: `intervals` of the serving contract, from the calibration days.
        scores: `<target>_<measure>` to value; the coverage of intervals at a level that is not the
            default one is `<target>_coverage_at_<level>`.
    """

    intervals: dict[str, Any]
    scores: dict[str, float]


def simple_forecasts(rows: pd.DataFrame, name: str) -> Forecasts:
    """The forecasts of one of `BASELINES`.

    `baseline`: the value of the same weekday a week before; where the item was not sold that day,
    its last known value. `last_value`: the last known value.
    """
    forecasts = {}
    for output in OUTPUTS:
        value = rows[_LAST_KNOWN[output.target]]
        if name == "baseline":
            value = rows[_WEEK_AGO[output.target]].fillna(value)
        forecasts[output.name] = value.to_numpy("float64")
    return forecasts


def promised_levels(rows: int, level: float) -> list[float]:
    """The levels that so many calibration rows allow, in ascending order.

    Raises:
        DataError: The default level is not among them.
    """
    if rows < rows_needed(level):
        raise DataError(
            f"got {rows} calibration rows, expected at least {rows_needed(level)} for level {level}"
        )
    return [each for each in sorted({*LEVELS, level}) if rows >= rows_needed(each)]


def evaluate(split: Split, calibration: Forecasts, held_out: Forecasts, level: float) -> Evaluation:
    """Calibrate intervals on the calibration days and score the held-out days.

    Args:
        split: The rows of each period.
        calibration: Forecasts of the calibration rows.
        held_out: Forecasts of the held-out rows.
        level: Share of outcomes that the intervals cover unless a request asks for another.

    Raises:
        DataError: Too few calibration rows for the level.
    """
    levels = promised_levels(len(split.calibration), level)
    intervals: dict[str, Any] = {}
    scores: dict[str, float] = {}
    naive = simple_forecasts(split.train, "baseline")
    for output in OUTPUTS:
        target, name = output.target, output.name
        intervals[name] = split_conformal(
            split.calibration[target], calibration[name], levels, INTERVAL_KIND
        )
        actual, forecast = split.held_out[target].to_numpy(), held_out[name]
        scale = float(np.abs(naive[name] - split.train[target].to_numpy()).mean())
        scores |= {
            f"{target}_wape": metrics.wape(actual, forecast),
            f"{target}_mase": metrics.mase(actual, forecast, scale),
            f"{target}_bias": metrics.bias(actual, forecast),
        }
        bounds = _bounds(intervals[name], levels, forecast, output.minimum)
        scores |= _interval_scores(target, actual, bounds, level)
    return Evaluation({"default_level": level, "outputs": intervals}, scores)


def _bounds(
    interval: dict[str, Any], levels: Sequence[float], forecast: Floats, minimum: float
) -> dict[float, tuple[Floats, Floats]]:
    return {level: interval_bounds(interval, level, forecast, minimum=minimum) for level in levels}


def _interval_scores(
    target: str, actual: Floats, bounds: dict[float, tuple[Floats, Floats]], default: float
) -> dict[str, float]:
    scores = {}
    for level, (lower, upper) in bounds.items():
        suffix = "" if level == default else f"_at_{level}"
        scores[f"{target}_coverage{suffix}"] = empirical_coverage(actual, lower, upper, level).share
    scores[f"{target}_interval_width"] = metrics.mean_width(*bounds[default])
    return scores


def evaluate_baseline(split: Split, name: str, level: float) -> Evaluation:
    """One of `BASELINES`, with intervals calibrated like the model's."""
    return evaluate(
        split,
        simple_forecasts(split.calibration, name),
        simple_forecasts(split.held_out, name),
        level,
    )


def lost_targets(model: Evaluation, baseline: Evaluation) -> list[str]:
    """The targets for which the model's WAPE is not below the baseline's."""
    targets = [output.target for output in OUTPUTS]
    return [
        target
        for target in targets
        if model.scores[f"{target}_wape"] >= baseline.scores[f"{target}_wape"]
    ]
