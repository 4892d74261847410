"""Whether one of two forecasts is more accurate, or the difference may be chance.

The Diebold-Mariano test looks at the *loss differential*: at each time point the champion's loss
less the challenger's. Several items at one time point share what happened on that day, so they are
averaged first and count as one observation.

Two versions of the test have to agree, and the larger p-value counts:

* Diebold and Mariano, "Comparing predictive accuracy", Journal of Business & Economic Statistics
  13 (1995), with the small-sample correction and Student's t of Harvey, Leybourne and Newbold,
  "Testing the equality of prediction mean squared errors", International Journal of Forecasting 13
  (1997). Its long-run variance takes h - 1 autocovariances in, which is right for forecasts whose
  errors depend on each other only because their horizons of h steps overlap.
* The same statistic with a weighted periodogram for the long-run variance, against Student's t with
  2 m degrees of freedom (Coroneo and Iacone, "Comparing predictive accuracy in small samples using
  fixed-smoothing asymptotics", Journal of Applied Econometrics 35, 2020). It allows for errors that
  depend on each other for longer, as those of two models do that miss the same turn of a market,
  and its variance cannot become negative (Harvey, Leybourne and Whitehouse, "Forecast evaluation
  tests and negative long-run variance estimates in small samples", International Journal of
  Forecasting 33, 2017).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

ALPHA = 0.05
"""Share of comparisons of equal forecasts that may be taken for a difference."""

SAMPLES_PER_STEP = 8
"""Time points asked for by each step of the horizon.

Simulated with errors that overlap over seven steps, 30 time points give 11 % false differences and
60 give 7 %, where 5 % are wanted.
"""


NEGLIGIBLE = 1e-6
"""Share of the mean loss up to which a mean difference is none, however regular it is.

Models answer in single precision, which has seven digits: a test of what is left of rounding finds
that it is no chance, and that is not what was asked.
"""

ROUNDING = 1e-12
"""Share of the values themselves up to which a difference is none, for forecasts that are exact."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What the tests say of a series of loss differentials.

    Attributes:
        samples: Time points.
        mean: Mean of the differentials; above 0 the challenger's loss is smaller.
        lags: Autocovariances in the variance of the first test.
        statistic: The first test's statistic; None when its variance is not above 0.
        p_overlap: Its p-value.
        p_persistent: p-value of the second test.
    """

    samples: int
    mean: float
    lags: int
    statistic: float | None
    p_overlap: float | None
    p_persistent: float

    @property
    def p_value(self) -> float:
        """The larger of the two p-values, as both tests have to agree."""
        return max(self.p_persistent, 0.0 if self.p_overlap is None else self.p_overlap)


def needed_samples(minimum: int, horizon: int) -> int:
    """How many time points a comparison needs.

    Args:
        minimum: How many the user asks for at the least.
        horizon: Most steps ahead of the forecasts compared.
    """
    return max(minimum, SAMPLES_PER_STEP * horizon if horizon > 1 else 0)


def negligible(loss: float, size: float, power: int = 1) -> float:
    """The mean difference of losses up to which two forecasts are equally good.

    Args:
        loss: Mean loss, of the forecast that has more.
        size: Mean size of what is forecast.
        power: 1 for absolute errors, 2 for squared ones.
    """
    return max(NEGLIGIBLE * loss, float((ROUNDING * size) ** power))


def compare_losses(
    differentials: NDArray[np.float64], horizon: int = 1, least: float = 0.0
) -> Outcome:
    """Test whether loss differentials are 0 on average.

    Args:
        differentials: One for each time point, oldest first; at least 3.
        horizon: Steps ahead of the forecasts, the most where there are several.
        least: Mean difference up to which there is none, whatever the tests would say.

    Raises:
        ValueError: There are too few for the horizon.
    """
    count = len(differentials)
    if count < max(3, horizon + 1):
        raise ValueError(f"expected at least {max(3, horizon + 1)} time points, got {count}")
    mean = float(differentials.mean())
    is_equal = abs(mean) <= least
    if is_equal or not np.any(differentials != differentials[0]):
        # Without any variation there is nothing to test; equal losses are no difference.
        p_value = 1.0 if is_equal else 0.0
        return Outcome(
            samples=count,
            mean=mean,
            lags=horizon - 1,
            statistic=None,
            p_overlap=None,
            p_persistent=p_value,
        )
    statistic = diebold_mariano(differentials, horizon)
    return Outcome(
        samples=count,
        mean=mean,
        lags=horizon - 1,
        statistic=statistic,
        p_overlap=(
            None if statistic is None else float(2 * stats.t.sf(abs(statistic), df=count - 1))
        ),
        p_persistent=_persistent(differentials),
    )


def diebold_mariano(differentials: NDArray[np.float64], horizon: int) -> float | None:
    """The statistic of Diebold and Mariano with the correction of Harvey, Leybourne and Newbold.

    Returns:
        None when the estimated long-run variance is not above 0, which happens with several steps
        and few time points.
    """
    count = len(differentials)
    centred = differentials - differentials.mean()
    autocovariances = [float(centred[lag:] @ centred[: count - lag]) for lag in range(horizon)]
    variance = (autocovariances[0] + 2 * sum(autocovariances[1:])) / count
    if variance <= 0:
        return None
    correction = (count + 1 - 2 * horizon + horizon * (horizon - 1) / count) / count
    return float(differentials.mean() / np.sqrt(variance / count) * np.sqrt(correction))


def holm(p_values: Sequence[float]) -> list[float]:
    """p-values of several tests, corrected so that one false difference among all of them is rare.

    Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of
    Statistics 6 (1979).
    """
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    corrected, largest = [0.0] * len(p_values), 0.0
    for place, index in enumerate(order):
        largest = max(largest, min(1.0, p_values[index] * (len(p_values) - place)))
        corrected[index] = largest
    return corrected


def _persistent(differentials: NDArray[np.float64]) -> float:
    count = len(differentials)
    # The bandwidth that Coroneo and Iacone recommend: the cube root.
    frequencies = max(1, int(np.cbrt(count) + 1e-9))
    spectrum = np.fft.rfft(differentials - differentials.mean())[1 : frequencies + 1]
    variance = float(np.mean(np.abs(spectrum) ** 2) / count)
    if variance <= 0:
        return 1.0
    statistic = differentials.mean() / np.sqrt(variance / count)
    return float(2 * stats.t.sf(abs(statistic), df=2 * frequencies))
