"""The model and two simple forecasts side by side on the held-out days."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from produce_market import metrics
from produce_market.contract import OUTPUTS
from produce_market.intervals import Interval, Kind, calibrate
from produce_market.split import Split

Floats = NDArray[np.float64]
Forecasts = dict[str, Floats]
"""Values by output name, one per row."""

INTERVAL_KIND: Kind = "relative"
BASELINES = ("baseline", "last_value")
"""Seasonal-naive, which the model has to beat, and the last known value, for comparison."""

_LAST_KNOWN = {"price": "unit_price", "demand": "quantity_sold"}
_WEEK_AGO = {"price": "price_lag_7", "demand": "quantity_lag_7"}


@dataclass(frozen=True)
class Evaluation:
    """How one way to forecast did on the held-out days.

    Attributes:
        intervals: By output name, from the calibration days.
        scores: `<target>_<measure>` to value.
    """

    intervals: dict[str, Interval]
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


def evaluate(split: Split, calibration: Forecasts, held_out: Forecasts, level: float) -> Evaluation:
    """Calibrate intervals on the calibration days and score the held-out days.

    Args:
        split: The rows of each period.
        calibration: Forecasts of the calibration rows.
        held_out: Forecasts of the held-out rows.
        level: Share of outcomes that the intervals are to cover.
    """
    intervals: dict[str, Interval] = {}
    scores: dict[str, float] = {}
    naive = simple_forecasts(split.train, "baseline")
    for output in OUTPUTS:
        target, name = output.target, output.name
        interval = calibrate(
            split.calibration[target].to_numpy(), calibration[name], level, INTERVAL_KIND
        )
        actual, forecast = split.held_out[target].to_numpy(), held_out[name]
        lower, upper = interval.bounds(forecast, output.minimum)
        scale = float(np.abs(naive[name] - split.train[target].to_numpy()).mean())
        intervals[name] = interval
        scores |= {
            f"{target}_wape": metrics.wape(actual, forecast),
            f"{target}_mase": metrics.mase(actual, forecast, scale),
            f"{target}_bias": metrics.bias(actual, forecast),
            f"{target}_coverage": metrics.coverage(actual, lower, upper),
            f"{target}_interval_width": metrics.mean_width(lower, upper),
        }
    return Evaluation(intervals, scores)


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
