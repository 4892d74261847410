"""How many outcomes fell inside their prediction intervals, and whether that keeps the promise."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

_STANDARD_DEVIATIONS = 3.0


class Coverage(NamedTuple):
    """The share of outcomes inside their intervals, beside the promised one.

    Attributes:
        share: The share of outcomes inside, bounds included.
        level: The share promised.
        rows: The number of outcomes.
        tolerance: How far a share of so many outcomes may be off by chance.
    """

    share: float
    level: float
    rows: int
    tolerance: float

    @property
    def holds(self) -> bool:
        """Whether the share is the promised one or more, as far as chance can tell."""
        return self.share >= self.level - self.tolerance

    @property
    def is_exact(self) -> bool:
        """Whether the share is the promised one, neither less nor more, as far as chance tells."""
        return abs(self.share - self.level) <= self.tolerance


def empirical_coverage(
    actual: ArrayLike,
    lower: ArrayLike,
    upper: ArrayLike,
    level: float,
    *,
    calibration_rows: int | None = None,
) -> Coverage:
    """The coverage of held-out outcomes.

    The tolerance is three standard deviations of a binomial share, sqrt(level (1 - level) / n).
    Calibration adds a chance of its own: the coverage of intervals calibrated on m rows is itself
    drawn from a beta distribution with the variance level (1 - level) / (m + 2) (Vovk,
    "Conditional validity of inductive conformal predictors", 2012).

    Args:
        actual: What came true, n values.
        lower: The lower bounds of the same rows.
        upper: The upper bounds.
        level: The share that the intervals promise to cover.
        calibration_rows: m, the rows that the intervals were calibrated on; None for bounds that
            are known exactly.

    Raises:
        ValueError: No rows, or different numbers of them.
    """
    known, low, high = (np.asarray(column, dtype=np.float64) for column in (actual, lower, upper))
    if not known.shape == low.shape == high.shape or known.ndim != 1 or not len(known):
        raise ValueError(
            f"got the shapes {known.shape}, {low.shape} and {high.shape}, expected one actual "
            "value, lower and upper bound per row"
        )
    share = float(((known >= low) & (known <= high)).mean())
    variance = level * (1 - level) / len(known)
    if calibration_rows is not None:
        variance += level * (1 - level) / (calibration_rows + 2)
    return Coverage(share, level, len(known), _STANDARD_DEVIATIONS * math.sqrt(variance))
