"""Forecasts and their errors, summed up by what they are about.

A cell is one item, time point and step of the horizon. However often clients ask for it, it is kept
as sums, so that memory grows with what is forecast and not with the traffic.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from forecast_operations.comparing.actuals import Actuals
    from forecast_operations.comparing.contract import Contract
    from forecast_operations.comparing.exchanges import Bounds, Forecast

MAX_CELLS = 200_000
"""Cells that are kept: some 150 MB with two outputs. 250 items on 60 days need 15 000, with seven
steps ahead 105 000."""

CHAMPION, CHALLENGER = 0, 1


class Sum(IntEnum):
    """What is summed for each variant."""

    COUNT = 0
    FORECAST = 1
    KNOWN = 2
    ABSOLUTE = 3
    ERROR = 4
    SQUARED = 5
    INTERVALS = 6
    COVERED = 7
    SCORE = 8


class Shared(IntEnum):
    """What is summed for both variants together, behind the sums of each."""

    PAIRS = 2 * len(Sum)
    DIFFERENCE = PAIRS + 1
    DISTANCE = PAIRS + 2
    LARGEST = PAIRS + 3
    INTERVALS = PAIRS + 4
    OUTSIDE = PAIRS + 5
    ACTUAL = PAIRS + 6


_WIDTH = Shared.ACTUAL + 1


@dataclass(frozen=True)
class Table:
    """The cells as columns.

    Attributes:
        items: Item of each cell.
        dates: Time point of each cell.
        steps: Step of the horizon of each cell.
        sums: Of shape (cells, outputs, sums), with the sums of `Sum` and `Shared`.
    """

    items: NDArray[np.object_]
    dates: NDArray[np.str_]
    steps: NDArray[np.int64]
    sums: NDArray[np.float64]

    def rows(self, chosen: NDArray[np.bool_] | NDArray[np.int64]) -> Table:
        """Some of the cells: those of a mask, or of places."""
        return Table(self.items[chosen], self.dates[chosen], self.steps[chosen], self.sums[chosen])

    def of(self, output: int, variant: int, what: Sum) -> NDArray[np.float64]:
        """A sum of one variant, by cell."""
        column: NDArray[np.float64] = self.sums[:, output, variant * len(Sum) + what]
        return column

    def mean(self, output: int, variant: int, what: Sum, by: Sum) -> NDArray[np.float64]:
        """A sum over another one, by cell; not a number where there is nothing."""
        count = self.of(output, variant, by)
        with np.errstate(invalid="ignore", divide="ignore"):
            mean: NDArray[np.float64] = self.of(output, variant, what) / count
        return mean

    def shared(self, output: int, what: Shared) -> NDArray[np.float64]:
        """A sum of both variants together, by cell."""
        column: NDArray[np.float64] = self.sums[:, output, what]
        return column


class Cells:
    """Sums by item, time point and step, of a champion and a challenger.

    Attributes:
        dropped: Forecasts that came when `MAX_CELLS` cells were in use.
    """

    def __init__(self, contract: Contract, actuals: Actuals | None) -> None:
        """Begin with nothing.

        Args:
            contract: The outputs, and the level of the intervals.
            actuals: What came true; None: not known.
        """
        self._outputs = len(contract.outputs)
        self._alpha = None if contract.level is None else 1 - contract.level
        self._actuals = actuals
        self._places: dict[tuple[str, str, int], int] = {}
        self._sums = array("d")
        self.dropped = 0

    def add(self, variant: int, forecast: Forecast) -> None:
        """Add a forecast of one variant."""
        place = self._place(forecast)
        if place is not None:
            for output in range(self._outputs):
                self._add(place + output * _WIDTH, variant, forecast, output)

    def add_pair(self, champion: Forecast, challenger: Forecast) -> None:
        """Add what both variants forecast for one row of one request."""
        place = self._place(champion)
        if place is None:
            return
        for output in range(self._outputs):
            one, other = champion.values[output], challenger.values[output]
            if one is None or other is None:
                continue
            start = place + output * _WIDTH
            self._add(start, CHAMPION, champion, output)
            self._add(start, CHALLENGER, challenger, output)
            self._add_difference(start, other - one, other, champion.bounds[output])

    def table(self) -> Table:
        """The cells, in no particular order."""
        keys = list(self._places)
        sums = np.frombuffer(self._sums, dtype=np.float64) if keys else np.empty(0)
        items = np.empty(len(keys), dtype=object)
        items[:] = [item for item, _, _ in keys]
        return Table(
            items=items,
            dates=np.array([date for _, date, _ in keys], dtype=np.str_),
            steps=np.array([step for _, _, step in keys], dtype=np.int64),
            sums=sums.reshape(len(keys), self._outputs, _WIDTH),
        )

    def _place(self, forecast: Forecast) -> int | None:
        key = forecast.item, forecast.date, forecast.step
        place = self._places.get(key)
        if place is None:
            if len(self._places) >= MAX_CELLS:
                self.dropped += 1
                return None
            place = self._places[key] = len(self._sums)
            self._sums.extend([0.0] * (_WIDTH * self._outputs))
        return place

    def _add(self, start: int, variant: int, forecast: Forecast, output: int) -> None:
        value = forecast.values[output]
        if value is None:
            return
        sums, own = self._sums, start + variant * len(Sum)
        sums[own + Sum.COUNT] += 1
        sums[own + Sum.FORECAST] += value
        if self._actuals is None:
            return
        actual = self._actuals.value(forecast.item, forecast.date, output)
        if actual is None:
            return
        error = value - actual
        sums[own + Sum.KNOWN] += 1
        sums[own + Sum.ABSOLUTE] += abs(error)
        sums[own + Sum.ERROR] += error
        sums[own + Sum.SQUARED] += error * error
        sums[start + Shared.ACTUAL] = actual
        bounds = forecast.bounds[output]
        if bounds is not None and self._alpha is not None:
            sums[own + Sum.INTERVALS] += 1
            sums[own + Sum.COVERED] += bounds.lower <= actual <= bounds.upper
            sums[own + Sum.SCORE] += interval_score(bounds, actual, self._alpha)

    def _add_difference(
        self, start: int, difference: float, challenger: float, bounds: Bounds | None
    ) -> None:
        sums, distance = self._sums, abs(difference)
        sums[start + Shared.PAIRS] += 1
        sums[start + Shared.DIFFERENCE] += difference
        sums[start + Shared.DISTANCE] += distance
        sums[start + Shared.LARGEST] = max(sums[start + Shared.LARGEST], distance)
        if bounds is not None:
            sums[start + Shared.INTERVALS] += 1
            sums[start + Shared.OUTSIDE] += not bounds.lower <= challenger <= bounds.upper


def interval_score(bounds: Bounds, actual: float, alpha: float) -> float:
    """The interval score: the width, and a penalty for what lies outside; smaller is better.

    Gneiting and Raftery, "Strictly proper scoring rules, prediction, and estimation", Journal of
    the American Statistical Association 102 (2007), section 6.2; first Winkler (1972).

    Args:
        bounds: The interval.
        actual: What came true.
        alpha: Share of outcomes that it is meant to miss.
    """
    below, above = max(0.0, bounds.lower - actual), max(0.0, actual - bounds.upper)
    return bounds.upper - bounds.lower + 2 / alpha * (below + above)
