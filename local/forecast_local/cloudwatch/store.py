"""The data of metrics, found by their exact dimensions and their time."""

import threading
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from moto.cloudwatch.models import MetricDatumBase

Key = tuple[str, str, frozenset[tuple[str, str]]]

MAX_ROWS = 200_000
"""Data kept of one metric."""


def metric_key(namespace: str, name: str, dimensions: Mapping[str, str]) -> Key:
    """Return what identifies a metric: all its dimensions, in any order."""
    return namespace, name, frozenset(dimensions.items())


def seconds_of(moment: datetime) -> float:
    """Return seconds since 1970; a time without a zone is in UTC."""
    known = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return known.timestamp()


Row = tuple[float, MetricDatumBase]


def _time(row: Row) -> float:
    return row[0]


class MetricStore:
    """The data of every metric, oldest first."""

    def __init__(self) -> None:
        self._data: dict[Key, list[Row]] = {}
        self._lock = threading.Lock()

    def add(self, data: Iterable[MetricDatumBase]) -> None:
        """Add data; of a metric with very many, the oldest are forgotten."""
        with self._lock:
            for datum in data:
                dimensions = {str(item.name): str(item.value) for item in datum.dimensions}
                key = metric_key(datum.namespace, datum.name, dimensions)
                rows = self._data.setdefault(key, [])
                row = (seconds_of(datum.timestamp), datum)
                rows.insert(bisect_right(rows, row[0], key=_time), row)
                if len(rows) > MAX_ROWS:
                    del rows[: MAX_ROWS // 10]

    def between(self, key: Key, start: float, end: float) -> list[MetricDatumBase]:
        """Return the data of a metric from a moment up to another, which is not included.

        Args:
            key: The metric.
            start: First moment, in seconds since 1970.
            end: Moment after the last.
        """
        with self._lock:
            rows = self._data.get(key, [])
            first = bisect_left(rows, start, key=_time)
            last = bisect_left(rows, end, key=_time)
            return [row[1] for row in rows[first:last]]
