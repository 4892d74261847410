"""Prediction intervals by split-conformal calibration."""

import math
from dataclasses import asdict, dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from produce_market.errors import DataError

Floats = NDArray[np.float64]
Kind = Literal["relative", "absolute"]

_SMALLEST_FORECAST = 1e-9
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Interval:
    """Offsets around a forecast: added to it (absolute) or in shares of it (relative).

    `lower <= 0 <= upper`, so the forecast is always inside.
    """

    kind: Kind
    lower: float
    upper: float

    def bounds(self, forecast: Floats, minimum: float = 0.0) -> tuple[Floats, Floats]:
        """The interval of each forecast, cut at the smallest possible value."""
        if self.kind == "absolute":
            low, high = forecast + self.lower, forecast + self.upper
        else:
            low, high = forecast * (1 + self.lower), forecast * (1 + self.upper)
        return np.maximum(low, minimum), np.maximum(high, minimum)

    def document(self) -> dict[str, str | float]:
        """The interval as it is written into the serving contract."""
        return asdict(self)


def calibrate(actual: Floats, forecast: Floats, level: float, kind: Kind) -> Interval:
    """The interval that covers at least `level` of outcomes like the calibration period's.

    Each side gets half of the misses: the offset is the ceil((n + 1) (1 - (1 - level) / 2))-th
    smallest error of n, the finite-sample quantile of split-conformal prediction (Lei et al.,
    "Distribution-free predictive inference for regression", 2018; two-sided as in Romano et al.,
    "Conformalized quantile regression", 2019). The promise holds as far as tomorrow's errors are
    like those of the calibration period.

    Args:
        actual: What came true in the calibration period; no training row may be among them.
        forecast: What the model said, same length.
        level: Share of outcomes to cover, between 0 and 1.
        kind: Whether errors are taken in shares of the forecast or as they are.

    Raises:
        DataError: Too few rows for the level.
    """
    error = actual - forecast
    if kind == "relative":
        error = error / np.maximum(forecast, _SMALLEST_FORECAST)
    # 20 * 0.95 must stay 19, not become 20.
    rank = math.ceil((len(error) + 1) * (1 + level) / 2 - _ROUNDING)
    if rank > len(error):
        needed = math.ceil((1 + level) / (1 - level) - _ROUNDING)
        raise DataError(
            f"got {len(error)} calibration rows, expected at least {needed} for level {level}"
        )
    ordered = np.sort(error)
    return Interval(
        kind=kind,
        lower=min(float(ordered[len(error) - rank]), 0.0),
        upper=max(float(ordered[rank - 1]), 0.0),
    )
