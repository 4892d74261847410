"""How far forecasts are apart, and how good they are, from the sums of the cells.

Each cell counts once, however often clients asked for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from forecast_operations.comparing.cells import CHALLENGER, CHAMPION, Shared, Sum

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from forecast_operations.comparing.cells import Table

    Mask = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Distance:
    """How far a challenger's forecasts are from the champion's.

    Attributes:
        group: What it is about: an item, a step of the horizon, or everything.
        cells: Items by time points and steps.
        champion: Mean of the champion's forecasts.
        challenger: Mean of the challenger's forecasts.
        difference: Mean of challenger less champion.
        distance: Mean of the differences without their signs.
        relative: Sum of those over the sum of the champion's forecasts without their signs; None
            where that is 0.
        largest: Largest difference without its sign.
        outside_share: Share of the challenger's forecasts outside of the champion's interval; None
            where it is not known.
    """

    group: str
    cells: int
    champion: float
    challenger: float
    difference: float
    distance: float
    relative: float | None
    largest: float
    outside_share: float | None


@dataclass(frozen=True, kw_only=True)
class Scores:
    """How good one variant's forecasts were.

    Attributes:
        cells: Items by time points and steps.
        wape: Sum of absolute errors over the sum of the actuals; None where that is 0.
        mae: Mean absolute error.
        rmse: Root of the mean squared error.
        bias: Sum of errors over the sum of the actuals: above 0 for forecasts that are too high.
        coverage: Share of actuals within the interval; None without intervals.
        interval_score: Mean interval score, in the unit of the output; None without intervals.
    """

    cells: int
    wape: float | None
    mae: float
    rmse: float
    bias: float | None
    coverage: float | None
    interval_score: float | None


@dataclass(frozen=True, kw_only=True)
class ScorePair:
    """The scores of both variants on one group.

    Attributes:
        group: What it is about: an item, a step of the horizon, or everything.
        champion: The champion's.
        challenger: The challenger's.
    """

    group: str
    champion: Scores
    challenger: Scores

    @property
    def gain(self) -> float:
        """Absolute errors that the challenger spares, summed; below 0 when it makes more."""
        champion, challenger = self.champion, self.challenger
        return champion.mae * champion.cells - challenger.mae * challenger.cells


def in_common(table: Table, output: int) -> Mask:
    """Which cells both variants forecast."""
    one, other = (table.of(output, variant, Sum.COUNT) for variant in (CHAMPION, CHALLENGER))
    common: Mask = (one > 0) & (other > 0)
    return common


def known(table: Table, output: int, variant: int) -> Mask:
    """Which cells a variant forecast whose actual is known."""
    mask: Mask = table.of(output, variant, Sum.KNOWN) > 0
    return mask


def by_item(table: Table) -> Iterator[tuple[str, Table]]:
    """The cells of each item."""
    return _by_group(table, table.items.astype(np.str_))


def by_step(table: Table) -> Iterator[tuple[str, Table]]:
    """The cells of each step of the horizon, in ascending order."""
    return _by_group(table, table.steps)


def _by_group(table: Table, values: NDArray[Any]) -> Iterator[tuple[str, Table]]:
    if not len(values):
        return
    order = np.argsort(values, kind="stable")
    found, starts = np.unique(values[order], return_index=True)
    for value, places in zip(found, np.split(order, starts[1:]), strict=True):
        yield str(value), table.rows(places)


def distance_of(table: Table, output: int, group: str = "all") -> Distance:
    """The distance between forecasts; of cells, at least one, that both variants forecast."""
    ours = table.mean(output, CHAMPION, Sum.FORECAST, Sum.COUNT)
    theirs = table.mean(output, CHALLENGER, Sum.FORECAST, Sum.COUNT)
    pairs = table.shared(output, Shared.PAIRS)
    single = pairs == 0
    safe = np.where(single, 1, pairs)
    apart = np.where(single, np.abs(theirs - ours), table.shared(output, Shared.DISTANCE) / safe)
    largest = np.where(single, apart, table.shared(output, Shared.LARGEST))
    intervals = float(table.shared(output, Shared.INTERVALS).sum())
    outside = float(table.shared(output, Shared.OUTSIDE).sum())
    total = float(np.abs(ours).sum())
    return Distance(
        group=group,
        cells=len(table.items),
        champion=float(ours.mean()),
        challenger=float(theirs.mean()),
        difference=float((theirs - ours).mean()),
        distance=float(apart.mean()),
        relative=None if total == 0 else float(apart.sum()) / total,
        largest=float(largest.max()),
        outside_share=None if intervals == 0 else outside / intervals,
    )


def scores_of(table: Table, output: int, variant: int) -> Scores:
    """The scores of a variant; of cells, at least one, whose actuals are known."""

    def mean(what: Sum, by: Sum = Sum.KNOWN) -> NDArray[np.float64]:
        return table.mean(output, variant, what, by)

    total = float(np.abs(table.shared(output, Shared.ACTUAL)).sum())
    with_interval = table.of(output, variant, Sum.INTERVALS) > 0
    has_intervals = bool(with_interval.any())
    absolute, error = mean(Sum.ABSOLUTE), mean(Sum.ERROR)
    covered = mean(Sum.COVERED, Sum.INTERVALS)[with_interval]
    score = mean(Sum.SCORE, Sum.INTERVALS)[with_interval]
    return Scores(
        cells=len(table.items),
        wape=None if total == 0 else float(absolute.sum()) / total,
        mae=float(absolute.mean()),
        rmse=float(np.sqrt(mean(Sum.SQUARED).mean())),
        bias=None if total == 0 else float(error.sum()) / total,
        coverage=float(covered.mean()) if has_intervals else None,
        interval_score=float(score.mean()) if has_intervals else None,
    )
