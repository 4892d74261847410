"""The stretch of time that is looked at."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from forecast_config import ForecastError

if TYPE_CHECKING:
    from datetime import datetime

MAX_DAYS = 455
"""Days that CloudWatch keeps hourly values (CloudWatch user guide, "Metrics retention")."""

_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


@dataclass(frozen=True)
class Window:
    """From when to when.

    Attributes:
        start: The first moment, in UTC.
        end: The last moment, in UTC.
    """

    start: datetime
    end: datetime

    @property
    def length(self) -> timedelta:
        """How long it is."""
        return self.end - self.start

    def not_before(self, moment: datetime | None) -> Window:
        """The same window, cut where it begins before a moment.

        It begins with that moment's whole second: captures tell their time in whole seconds, so
        that one of the same second may seem to be older.
        """
        if moment is None or moment <= self.start:
            return self
        return Window(min(moment.replace(microsecond=0), self.end), self.end)


def window_of(since: str, now: datetime) -> Window:
    """The window that `--since` names.

    Args:
        since: A number and a unit: `90m`, `24h`, `7d` or `4w`.
        now: Its end, in UTC.

    Raises:
        ForecastError: It is no such text, or longer than anything is kept.
    """
    match = re.fullmatch(r"(\d{1,6})([mhdw])", since.strip())
    length = timedelta(0)
    if match is not None:
        length = timedelta(**{_UNITS[match[2]]: int(match[1])})
    if not timedelta(0) < length <= timedelta(days=MAX_DAYS):
        raise ForecastError(
            f"--since: expected a time such as 90m, 24h or 7d, at most {MAX_DAYS}d, got {since!r}"
        )
    return Window(now - length, now)
