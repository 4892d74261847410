"""The state of a metric alarm: M of N datapoints, and what counts when there are none.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html
"""

import math
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from moto.cloudwatch.models import Alarm

from forecast_local.cloudwatch.calculation import ExpressionError
from forecast_local.cloudwatch.queries import (
    Window,
    aligned_windows,
    evaluate_queries,
    queries_of_alarm,
    shared_period_seconds,
)
from forecast_local.cloudwatch.statistics import StatisticError
from forecast_local.cloudwatch.store import MetricStore

ALARM, OK, INSUFFICIENT_DATA = "ALARM", "OK", "INSUFFICIENT_DATA"
WATCHED_SECONDS = 10.0
"""Least length of a datapoint while a rollout watches an alarm, in seconds of this machine."""

_STEP_SECONDS = 0.5
_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "GreaterThanOrEqualToThreshold": operator.ge,
    "GreaterThanThreshold": operator.gt,
    "LessThanOrEqualToThreshold": operator.le,
    "LessThanThreshold": operator.lt,
}


@dataclass(frozen=True)
class Verdict:
    """A state, why, and the newest datapoint, if there is one."""

    state: str
    reason: str
    value: float | None = None


def judge(alarm: Alarm, store: MetricStore, now: float, *, speed: float | None = None) -> Verdict:
    """Return the state that an alarm should have.

    Args:
        alarm: A metric alarm.
        store: The data.
        now: Seconds since 1970.
        speed: How much faster than on AWS a rollout that watches the alarm runs; None when none
            does. Its datapoints end now then, and are as much shorter, but not shorter than
            WATCHED_SECONDS: with several of them, they overlap.
    """
    comparison = _COMPARISONS.get(alarm.comparison_operator)
    if comparison is None or alarm.threshold is None:
        return Verdict(
            INSUFFICIENT_DATA, f"the local AWS does not evaluate {alarm.comparison_operator}"
        )
    queries = queries_of_alarm(alarm)
    count, period = int(alarm.evaluation_periods), shared_period_seconds(queries)
    windows = _windows(now, period, count, speed)
    try:
        series = evaluate_queries(queries, windows, store)
    except (ExpressionError, StatisticError) as error:
        return Verdict(INSUFFICIENT_DATA, f"the alarm cannot be evaluated: {error}")
    returned = [query.id for query in queries if query.returns]
    points = [series.get(returned[-1], {}).get(window.time) for window in windows]
    breaching = [
        None if point is None or math.isnan(point) else comparison(point, float(alarm.threshold))
        for point in points
    ]
    return _decide(alarm, breaching, points)


def _windows(now: float, period: int, count: int, speed: float | None) -> list[Window]:
    if speed is None:
        end = math.floor(now / period) * period
        return aligned_windows(end - count * period, end, period)
    step = max(period / speed, _STEP_SECONDS)
    length = max(period / speed, WATCHED_SECONDS)
    ends = [now - number * step for number in reversed(range(count))]
    return [Window(number, end - length, end + 1e-3) for number, end in enumerate(ends)]


def _decide(
    alarm: Alarm, breaching: Sequence[bool | None], points: Sequence[float | None]
) -> Verdict:
    needed = int(alarm.datapoints_to_alarm or alarm.evaluation_periods)
    missing = str(alarm.treat_missing_data or "missing")
    known = [item for item in breaching if item is not None]
    if not known and missing == "ignore":
        return Verdict(alarm.state_value, "no datapoints were received; the state is kept")
    if not known and missing == "missing":
        return Verdict(INSUFFICIENT_DATA, "no datapoints were received")
    counted = [missing == "breaching" if item is None else item for item in breaching]
    bad = sum(counted)
    values = [point for point in points if point is not None]
    reason = (
        f"Threshold Crossed: {bad} of the last {len(counted)} datapoints {values} "
        f"{'were' if bad >= needed else 'were not enough'} {alarm.comparison_operator} "
        f"({alarm.threshold}) (minimum {needed} datapoints, missing: {missing})"
    )
    return Verdict(ALARM if bad >= needed else OK, reason, values[-1] if values else None)
