"""The week in a history: what its hours usually ask for, and the days that are like no other."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import numpy as np

from forecast_operations.capacity.history import DAY, HOUR

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from numpy.typing import NDArray

    from forecast_operations.capacity.history import History

HOURS = 24
WEEKDAYS = 7

EXCEPTIONAL = 1.5
"""Requests of a day, as a multiple of the median of its weekday, from which it is a peak apart."""

MIN_SAME_WEEKDAYS = 3
"""Days of a weekday that it takes to say what is usual."""

_THURSDAY = 3
"""Weekday of the first of January 1970, with Monday as 0."""


@dataclass(frozen=True)
class PeakDays:
    """Days in a row with far more requests than their weekdays usually have.

    Attributes:
        first: The first day.
        last: The last day.
        times_usual: Requests of the busiest day, as a multiple of its weekday's median.
        per_minute: Most requests a minute.
    """

    first: date
    last: date
    times_usual: float
    per_minute: float


@dataclass(frozen=True)
class WeeklyPattern:
    """What a week asks for.

    Attributes:
        per_minute: Requests a minute for each weekday (Monday first) and local hour, at the
            quantile asked for, of the days that are not peaks.
        peaks: The peaks apart from the week.
        apart: Which of the history's stretches belong to one.
    """

    per_minute: NDArray[np.float64]
    peaks: tuple[PeakDays, ...]
    apart: NDArray[np.bool_]


def weekly_pattern(history: History, zone: ZoneInfo, quantile: float) -> WeeklyPattern:
    """The week in a history, by the clock of a time zone.

    Args:
        history: At least seven days.
        zone: Whose days and hours are meant.
        quantile: Share of the stretches of an hour that the pattern suffices for.
    """
    local = history.local_times(zone)
    days = local // DAY
    ratios = _times_usual(history, days)
    apart = np.isin(days, [day for day, ratio in ratios.items() if ratio >= EXCEPTIONAL])
    hours = (days + _THURSDAY) % WEEKDAYS * HOURS + local % DAY // HOUR
    rates = history.per_minute
    pattern = np.array(
        [_quantile(rates, hours == hour, apart, quantile) for hour in range(WEEKDAYS * HOURS)]
    )
    peaks = tuple(_peaks(rates, days, ratios))
    return WeeklyPattern(pattern.reshape(WEEKDAYS, HOURS), peaks, apart)


def minute_of_week(local_times: NDArray[np.int64]) -> NDArray[np.int64]:
    """Minutes since Monday, 00:00."""
    weekdays = (local_times // DAY + _THURSDAY) % WEEKDAYS
    return weekdays * (DAY // 60) + local_times % DAY // 60


def _times_usual(history: History, days: NDArray[np.int64]) -> dict[int, float]:
    """Requests of each whole day as a multiple of the median of its weekday."""
    numbers, places, stretches = np.unique(days, return_inverse=True, return_counts=True)
    totals = np.bincount(places, weights=history.requests)
    # A day that the history begins or ends in is shorter than its like; one hour is summer time.
    whole = stretches >= (DAY - HOUR) / history.step_seconds
    weekdays = (numbers + _THURSDAY) % WEEKDAYS
    ratios = {}
    for number, total, weekday in zip(numbers, totals, weekdays, strict=True):
        same = totals[whole & (weekdays == weekday)]
        usual = float(np.median(same)) if len(same) >= MIN_SAME_WEEKDAYS else 0.0
        if usual > 0:
            ratios[int(number)] = float(total) / usual
    return ratios


def _quantile(
    rates: NDArray[np.float64],
    hour: NDArray[np.bool_],
    apart: NDArray[np.bool_],
    quantile: float,
) -> float:
    usual = rates[hour & ~apart]
    values = usual if len(usual) else rates[hour]
    return float(np.quantile(values, quantile)) if len(values) else 0.0


def _peaks(
    rates: NDArray[np.float64], days: NDArray[np.int64], ratios: dict[int, float]
) -> list[PeakDays]:
    runs: list[list[int]] = []
    for day in sorted(day for day, ratio in ratios.items() if ratio >= EXCEPTIONAL):
        if runs and day == runs[-1][-1] + 1:
            runs[-1].append(day)
        else:
            runs.append([day])
    return [
        PeakDays(
            first=_date(run[0]),
            last=_date(run[-1]),
            times_usual=max(ratios[day] for day in run),
            per_minute=float(rates[np.isin(days, run)].max()),
        )
        for run in runs
    ]


def _date(day: int) -> date:
    return datetime.fromtimestamp(day * DAY, UTC).date()
