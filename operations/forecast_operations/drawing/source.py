"""What a picture is drawn from: times, metrics, alarms."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

import numpy as np

from forecast_operations.cloud.metrics import floor

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from forecast_operations.drawing.metric_math import Values

_PERIODS = (60, 300, 900, 3600, 21_600, 86_400)
_MOST_POINTS = 160

Table = tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]
"""Names of the columns, and the rows."""


@dataclass(frozen=True)
class MetricKey:
    """A metric with a statistic, in a region and an account.

    Attributes:
        namespace: Its namespace.
        name: Its name.
        dimensions: Its dimensions, in the order of the widget.
        statistic: Its statistic.
        region: Its region.
        account: Its account; None: that of the credentials.
    """

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...]
    statistic: str
    region: str
    account: str | None = None


@dataclass(frozen=True)
class Search:
    """A SEARCH expression, taken apart.

    Attributes:
        namespace: The namespace that is searched.
        dimensions: Names of the dimensions that a metric must have, all of them.
        wanted: What must be equal, by name (MetricName, or a dimension).
        unwanted: What must not be equal.
        statistic: Statistic of what is found.
    """

    namespace: str
    dimensions: frozenset[str]
    wanted: dict[str, str]
    unwanted: dict[str, str]
    statistic: str

    @classmethod
    def parse(cls, expression: str) -> Search | None:
        """The search that an expression is; None when it is something else."""
        found = re.fullmatch(r"SEARCH\('\{([^}]+)\} (.*)', '(\w+)'\)", expression)
        if found is None:
            return None
        namespace, *dimensions = found[1].split(",")
        terms = re.findall(r'(NOT )?(\w+)="([^"]*)"', found[2])
        return cls(
            namespace=namespace,
            dimensions=frozenset(dimensions),
            wanted={name: value for excluded, name, value in terms if not excluded},
            unwanted={name: value for excluded, name, value in terms if excluded},
            statistic=found[3],
        )


@dataclass(frozen=True)
class Times:
    """The times that are drawn: from `start` on, `count` periods.

    Attributes:
        start: First moment.
        period_seconds: Seconds from one value to the next.
        count: Number of values.
    """

    start: datetime
    period_seconds: int
    count: int

    @classmethod
    def of(cls, end: datetime, hours: float) -> Times:
        """The hours before a moment, in a period that makes at most some hundred values."""
        seconds = hours * 3600
        period = next((each for each in _PERIODS if seconds / each <= _MOST_POINTS), _PERIODS[-1])
        count = max(int(seconds / period), 1)
        return cls(floor(end, period) - timedelta(seconds=count * period), period, count)

    @property
    def end(self) -> datetime:
        """The moment after the last value."""
        return self.start + timedelta(seconds=self.period_seconds * self.count)

    @property
    def moments(self) -> list[datetime]:
        """The moment of each value."""
        return [
            self.start + timedelta(seconds=self.period_seconds * index)
            for index in range(self.count)
        ]

    def empty(self) -> Values:
        """No data at any time."""
        return np.full(self.count, np.nan)


class Source(Protocol):
    """Where the values come from: CloudWatch, or a sample."""

    times: Times

    def values(self, keys: Sequence[MetricKey]) -> list[Values]:
        """The values of metrics."""

    def find(self, search: Search, region: str, account: str | None) -> list[MetricKey]:
        """The metrics that a search finds."""

    def alarm_states(self, arns: Sequence[str]) -> dict[str, str]:
        """State of each alarm that exists, by its ARN."""

    def log_table(self, query: str) -> Table | None:
        """Answer to a query of the logs; None when it is not asked."""
