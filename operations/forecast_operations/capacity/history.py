"""A history of requests: how many there were in each of many equal stretches of time."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from forecast_config import ForecastError
from forecast_operations.capacity.limits import MAX_DAYS, MIN_DAYS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from zoneinfo import ZoneInfo

    from numpy.typing import NDArray

MINUTE = 60
HOUR = 3600
DAY = 86_400

_OFFSET_SECONDS = 900
"""Offsets of time zones change on quarters of an hour."""


@dataclass(frozen=True)
class History:
    """Requests in equal stretches of time, without gaps.

    Attributes:
        start: First second of the first stretch, since 1970 in UTC.
        step_seconds: Length of a stretch, from a minute to an hour.
        requests: How many there were in each; what the source left out is 0.
        source: Where it comes from, in words.
        notes: What a reader of the plan should know of it.
    """

    start: int
    step_seconds: int
    requests: NDArray[np.float64]
    source: str
    notes: tuple[str, ...] = field(default=())

    @classmethod
    def from_counts(
        cls,
        counts: Mapping[int, float],
        *,
        step_seconds: int,
        source: str,
        notes: tuple[str, ...] = (),
    ) -> History:
        """The history in which some stretches, by their first second, have requests.

        Raises:
            ForecastError: It is too short for a week's plan, or longer than anybody means.
        """
        times = np.array(sorted(counts), dtype=np.int64)
        if not len(times):
            raise ForecastError(f"{source} has no requests; name another source or more days")
        first = int(times[0]) // step_seconds * step_seconds
        places = (times - first) // step_seconds
        days = (int(places[-1]) + 1) * step_seconds / DAY
        if not MIN_DAYS <= days <= MAX_DAYS:
            raise ForecastError(
                f"expected {MIN_DAYS} to {MAX_DAYS} days of history, got {days:.1f} in {source}"
            )
        requests = np.zeros(int(places[-1]) + 1)
        np.add.at(requests, places, np.array([counts[int(time)] for time in times]))
        return cls(first, step_seconds, requests, source, notes)

    @property
    def per_minute(self) -> NDArray[np.float64]:
        """Requests a minute in each stretch."""
        return self.requests * (MINUTE / self.step_seconds)

    @property
    def days(self) -> float:
        """Its length."""
        return len(self.requests) * self.step_seconds / DAY

    @property
    def times(self) -> NDArray[np.int64]:
        """First second of each stretch, since 1970 in UTC."""
        return self.start + self.step_seconds * np.arange(len(self.requests), dtype=np.int64)

    def local_times(self, zone: ZoneInfo) -> NDArray[np.int64]:
        """The same as a clock in a time zone shows it; summer time makes hours repeat or miss."""
        times = self.times
        quarters, places = np.unique(times // _OFFSET_SECONDS, return_inverse=True)
        offsets = [_offset_seconds(int(quarter) * _OFFSET_SECONDS, zone) for quarter in quarters]
        return times + np.array(offsets, dtype=np.int64)[places]


def _offset_seconds(time: int, zone: ZoneInfo) -> int:
    offset = datetime.fromtimestamp(time, zone).utcoffset() or timedelta()
    return int(offset.total_seconds())
