"""Metric data queries: the metrics and expressions of an alarm or of GetMetricData."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from moto.cloudwatch.models import Alarm, MetricDataQuery

from forecast_local.cloudwatch.calculation import (
    ExpressionError,
    Frame,
    Series,
    Value,
    as_series,
)
from forecast_local.cloudwatch.expressions import evaluate
from forecast_local.cloudwatch.statistics import compute
from forecast_local.cloudwatch.store import Key, MetricStore, metric_key

_NAME = re.compile(r"[A-Za-z_]\w*")
_DEFAULT_PERIOD_SECONDS = 60


@dataclass(frozen=True)
class Query:
    """One metric with a statistic, or one expression.

    Attributes:
        id: The id that expressions name it by.
        label: What a person sees.
        expression: The expression, or None for a metric.
        key: The metric.
        statistic: Its statistic.
        period_seconds: Its period; None where the others' counts.
        returns: Whether its values are wanted, and not only used.
    """

    id: str
    label: str
    expression: str | None = None
    key: Key = ("", "", frozenset())
    statistic: str = "Average"
    period_seconds: int | None = None
    returns: bool = True


@dataclass(frozen=True)
class Window:
    """A period of evaluation, in seconds since 1970.

    Attributes:
        time: What its datapoint is stamped with.
        start: Its first moment.
        end: The moment after its last.
    """

    time: int
    start: float
    end: float


def aligned_windows(start: float, end: float, period_seconds: int) -> list[Window]:
    """Return the periods of a range; they begin at multiples of the period."""
    first = math.floor(start / period_seconds) * period_seconds
    count = math.ceil((end - first) / period_seconds)
    times = [first + number * period_seconds for number in range(count)]
    return [Window(time, time, time + period_seconds) for time in times]


def queries_of_request(request: Sequence[Mapping[str, Any]]) -> list[Query]:
    """Read ``MetricDataQueries`` of a request."""
    return [_query(item) for item in request]


def _query(item: Mapping[str, Any]) -> Query:
    stat = item.get("MetricStat")
    found = {
        "id": item["Id"],
        "returns": str(item.get("ReturnData", True)).lower() != "false",
        "label": item.get("Label") or item["Id"],
    }
    if stat is None:
        period = item.get("Period")
        return Query(
            **found,
            expression=item["Expression"],
            period_seconds=None if period is None else int(period),
        )
    metric = stat["Metric"]
    dimensions = {one["Name"]: one["Value"] for one in metric.get("Dimensions", [])}
    return Query(
        **{**found, "label": item.get("Label") or metric["MetricName"]},
        key=metric_key(metric["Namespace"], metric["MetricName"], dimensions),
        statistic=stat["Stat"],
        period_seconds=int(stat["Period"]),
    )


def queries_of_alarm(alarm: Alarm) -> list[Query]:
    """Read the metric or the queries of an alarm."""
    if alarm.metric_data_queries:
        return [_kept_query(item) for item in alarm.metric_data_queries]
    dimensions = {str(item.name): str(item.value) for item in alarm.dimensions}
    return [
        Query(
            id="m1",
            label=alarm.metric_name,
            key=metric_key(alarm.namespace, alarm.metric_name, dimensions),
            statistic=str(alarm.statistic or alarm.extended_statistic or "Average"),
            period_seconds=int(alarm.period),
        )
    ]


def _kept_query(item: MetricDataQuery) -> Query:
    returns = str(item.return_data).lower() != "false"
    label = item.label or item.id
    if item.metric_stat is None:
        period = None if not item.period else int(item.period)
        return Query(item.id, label, str(item.expression), period_seconds=period, returns=returns)
    stat, metric = item.metric_stat, item.metric_stat.metric
    dimensions = {str(one.name): str(one.value) for one in metric.dimensions}
    return Query(
        id=item.id,
        label=label,
        key=metric_key(metric.namespace, metric.metric_name, dimensions),
        statistic=stat.stat,
        period_seconds=int(stat.period),
        returns=returns,
    )


def shared_period_seconds(queries: Sequence[Query]) -> int:
    """Return the period that queries are evaluated in: the longest of theirs."""
    known = [item.period_seconds for item in queries if item.period_seconds is not None]
    return max(known, default=_DEFAULT_PERIOD_SECONDS)


def evaluate_queries(
    queries: Sequence[Query], windows: Sequence[Window], store: MetricStore
) -> dict[str, Series]:
    """Evaluate queries over windows.

    Args:
        queries: The queries; an expression may name one that comes after it.
        windows: The periods, oldest first.
        store: The data.

    Returns:
        A series for each query by its id.

    Raises:
        ExpressionError: If an expression is not valid.
        StatisticError: If a statistic is not known.
    """
    period = shared_period_seconds(queries)
    values: dict[str, Value] = {
        query.id: _measured(query, windows, store) for query in queries if query.expression is None
    }
    ids = {query.id for query in queries}
    pending = [query for query in queries if query.expression is not None]
    while pending:
        ready = [query for query in pending if _needs(query, ids) <= set(values)]
        if not ready:
            raise ExpressionError(f"expressions that name each other: {[q.id for q in pending]}")
        for query in ready:
            frame = Frame(values, [window.time for window in windows], period)
            values[query.id] = as_series(evaluate(str(query.expression), frame), frame)
            pending.remove(query)
    return {key: value for key, value in values.items() if isinstance(value, Mapping)}


def _needs(query: Query, ids: set[str]) -> set[str]:
    return ids.intersection(_NAME.findall(str(query.expression))) - {query.id}


def _measured(query: Query, windows: Sequence[Window], store: MetricStore) -> Series:
    found = {}
    for window in windows:
        value = compute(query.statistic, store.between(query.key, window.start, window.end))
        if value is not None:
            found[window.time] = value
    return found
