"""The stretch of time that is looked at."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, timedelta
from typing import TYPE_CHECKING

from forecast_config import ForecastError
from forecast_operations.cloud.metrics import KEPT_DAYS
from forecast_operations.moments import parse_since

if TYPE_CHECKING:
    from datetime import datetime


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

    def not_before(self, moment: datetime) -> Window:
        """The same window, cut where it begins before a moment.

        It begins with that moment's whole second: captures tell their time in whole seconds, so
        that one of the same second may seem to be older.
        """
        if moment <= self.start:
            return self
        return Window(min(moment.astimezone(UTC).replace(microsecond=0), self.end), self.end)


def window_of(since: str, now: datetime) -> Window:
    """The window that `--since` names.

    Args:
        since: A length such as `90m`, `24h`, `7d` or `4w`, or when it begins.
        now: Its end, in UTC.

    Raises:
        ForecastError: It is no such text, or longer than anything is kept.
    """
    start = parse_since(since, now)
    if not timedelta(0) < now - start <= timedelta(days=KEPT_DAYS):
        raise ForecastError(
            f"--since: expected a time from now on back to {KEPT_DAYS}d, for which CloudWatch "
            f"keeps metrics, got {since!r}"
        )
    return Window(start, now)
