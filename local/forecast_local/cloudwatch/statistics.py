"""Statistics over the data of a metric, percentiles among them."""

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from moto.cloudwatch.models import MetricAggregatedDatum, MetricDatum, MetricDatumBase

_PERCENTILE = re.compile(r"p(\d{1,2}(?:\.\d+)?|100)")


class StatisticError(Exception):
    """A statistic that is not known here."""


@dataclass(frozen=True)
class _Summary:
    values: list[float]
    total: float
    count: float
    low: float
    high: float


def compute(statistic: str, data: Sequence[MetricDatumBase]) -> float | None:
    """Return a statistic of some data.

    Args:
        statistic: ``Sum``, ``Average``, ``Minimum``, ``Maximum``, ``SampleCount`` or a percentile
            such as ``p99``.
        data: The data; a percentile takes single values only.

    Returns:
        The value, or None when there are no data.

    Raises:
        StatisticError: If the statistic is not known.
    """
    percentile = _PERCENTILE.fullmatch(statistic)
    if percentile is None and statistic not in _STATISTICS:
        raise StatisticError(f"the local AWS does not know the statistic {statistic}")
    summary = _summarize(data)
    if not summary.count:
        return None
    if percentile is None:
        return _STATISTICS[statistic](summary)
    return _interpolate(sorted(summary.values), float(percentile.group(1)))


def _summarize(data: Sequence[MetricDatumBase]) -> _Summary:
    single = [item.value for item in data if isinstance(item, MetricDatum)]
    sets = [item for item in data if isinstance(item, MetricAggregatedDatum)]
    lows, highs = [*single, *(item.min for item in sets)], [*single, *(item.max for item in sets)]
    return _Summary(
        values=single,
        total=sum(single) + sum(item.sum for item in sets),
        count=len(single) + sum(item.sample_count for item in sets),
        low=min(lows, default=math.nan),
        high=max(highs, default=math.nan),
    )


_STATISTICS: dict[str, Callable[[_Summary], float]] = {
    "Average": lambda summary: summary.total / summary.count,
    "Maximum": lambda summary: summary.high,
    "Minimum": lambda summary: summary.low,
    "SampleCount": lambda summary: summary.count,
    "Sum": lambda summary: summary.total,
}


def _interpolate(values: list[float], percent: float) -> float | None:
    """Interpolate between the closest ranks."""
    if not values:
        return None
    place = (len(values) - 1) * percent / 100
    below = math.floor(place)
    above = min(below + 1, len(values) - 1)
    return values[below] + (values[above] - values[below]) * (place - below)
