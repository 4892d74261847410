"""How good forecasts and their prediction intervals are."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def wape(actual: Floats, forecast: Floats) -> float:
    """Weighted absolute percentage error: the sum of absolute errors over the sum of actuals.

    Unlike MAPE it is defined where single actuals are zero (Hyndman and Koehler, "Another look at
    measures of forecast accuracy", 2006, discuss both).

    Raises:
        ValueError: The actuals sum to zero.
    """
    total = np.abs(actual).sum()
    if total == 0:
        raise ValueError("got actuals that are all zero, expected a sum above zero for WAPE")
    return float(np.abs(forecast - actual).sum() / total)


def mase(actual: Floats, forecast: Floats, naive_mae: float) -> float:
    """Mean absolute scaled error: below one beats the seasonal-naive forecast of the training days.

    Pooled over items: one scale for all of them, since rarely sold items have none of their own.

    Args:
        actual: What came true.
        forecast: What was forecast.
        naive_mae: Mean absolute error of the seasonal-naive forecast on the training days.

    Raises:
        ValueError: The scale is not above zero.
    """
    if not naive_mae > 0:
        raise ValueError(f"got a scale of {naive_mae}, expected one above zero for MASE")
    return float(np.abs(forecast - actual).mean() / naive_mae)


def bias(actual: Floats, forecast: Floats) -> float:
    """The sum of errors over the sum of actuals: above zero when the forecasts are too high."""
    return float((forecast - actual).sum() / np.abs(actual).sum())


def mean_width(lower: Floats, upper: Floats) -> float:
    """The mean width of the prediction intervals, in the unit of the forecast."""
    return float((upper - lower).mean())
