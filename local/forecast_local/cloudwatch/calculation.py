"""Calculating with time series: operators, and the functions of metric math.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html

A value is a number, a time series (a mapping of seconds since 1970 to a number, without the periods
that have no data) or a list of time series. Arithmetic on two series has a datapoint where both
have one; a division by zero has none.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

Series = Mapping[int, float]
Value = float | Series | list[Series]


class ExpressionError(Exception):
    """An expression that CloudWatch would refuse, or that is not known here."""


@dataclass(frozen=True)
class Frame:
    """What an expression is evaluated in.

    Attributes:
        values: Series by the id of their query.
        times: Every period of the range, in seconds since 1970, oldest first.
        period_seconds: Length of a period.
    """

    values: Mapping[str, Value]
    times: Sequence[int]
    period_seconds: int


def as_series(value: Value, frame: Frame) -> Series:
    """Return a value as one series; a number holds in every period.

    Raises:
        ExpressionError: If it is several series.
    """
    if isinstance(value, list):
        raise ExpressionError(f"expected one time series, got {len(value)}")
    if isinstance(value, Mapping):
        return value
    return dict.fromkeys(frame.times, value)


def combine(operator: Callable[[float, float], float], left: Value, right: Value) -> Value:
    """Apply an operator to numbers, or to each datapoint of series."""
    if isinstance(left, list):
        if isinstance(right, list):
            raise ExpressionError("an operator takes one list of time series only")
        return [_only(combine(operator, item, right)) for item in left]
    if isinstance(right, list):
        return [_only(combine(operator, left, item)) for item in right]
    if isinstance(left, Mapping) or isinstance(right, Mapping):
        return _pointwise(operator, left, right)
    return _applied(operator, left, right)


def _applied(operator: Callable[[float, float], float], left: float, right: float) -> float:
    try:
        return operator(left, right)
    except (ArithmeticError, ValueError):
        return math.nan


def _pointwise(
    operator: Callable[[float, float], float], left: float | Series, right: float | Series
) -> Series:
    sides = [side for side in (left, right) if isinstance(side, Mapping)]
    times = set.intersection(*(set(side) for side in sides))

    def at(side: float | Series, time: int) -> float:
        return side[time] if isinstance(side, Mapping) else side

    found = {time: _applied(operator, at(left, time), at(right, time)) for time in sorted(times)}
    return {time: value for time, value in found.items() if not math.isnan(value)}


def _only(value: Value) -> Series:
    assert isinstance(value, Mapping)  # noqa: S101 - one of the sides was a series
    return value


def filled(series: Series, filling: str | Value, frame: Frame) -> Series:
    """Fill the gaps of a series: REPEAT, LINEAR, a number or another series."""
    if filling == "REPEAT":
        return _repeated(series, frame)
    if filling == "LINEAR":
        return _interpolated(series, frame)
    assert not isinstance(filling, str)  # noqa: S101 - the only words are those above
    values = as_series(filling, frame)
    return {
        time: series.get(time, values.get(time, math.nan))
        for time in frame.times
        if time in series or time in values
    }


def _repeated(series: Series, frame: Frame) -> Series:
    found: dict[int, float] = {}
    last: float | None = None
    for time in frame.times:
        last = series.get(time, last)
        if last is not None:
            found[time] = last
    return found


def _interpolated(series: Series, frame: Frame) -> Series:
    known = sorted(series)
    found = dict(series)
    for before, after in pairwise(known):
        for time in frame.times:
            if before < time < after:
                share = (time - before) / (after - before)
                found[time] = series[before] + share * (series[after] - series[before])
    return found


def _aggregate(combined: Callable[[list[float]], float]) -> Callable[..., Value]:
    """A function of several series at each time, or of one series over time."""

    def function(frame: Frame, value: Value, *more: Value) -> Value:
        if more:
            return function(frame, [as_series(item, frame) for item in (value, *more)])
        if isinstance(value, list):
            times = sorted({time for series in value for time in series})
            return {
                time: combined([series[time] for series in value if time in series])
                for time in times
            }
        if isinstance(value, Mapping):
            return combined(list(value.values())) if value else math.nan
        return value

    return function


def _mapped(convert: Callable[[float], float]) -> Callable[[Frame, Value], Value]:
    return lambda _, value: combine(lambda a, _: convert(a), value, 0.0)


def _if(frame: Frame, condition: Value, positive: Value, negative: Value = math.nan) -> Value:
    if not isinstance(condition, (Mapping, list)):
        return positive if condition else negative
    chosen, yes, no = (as_series(item, frame) for item in (condition, positive, negative))
    found = {time: (yes if flag else no).get(time, math.nan) for time, flag in chosen.items()}
    return {time: value for time, value in found.items() if not math.isnan(value)}


def _metrics(frame: Frame) -> Value:
    return [value for value in frame.values.values() if isinstance(value, Mapping)]


def _differences(_: Frame, value: Value) -> Value:
    times = sorted(_only(value))
    series = _only(value)
    return {b: series[b] - series[a] for a, b in pairwise(times)}


def _rate(frame: Frame, value: Value) -> Value:
    times, series = sorted(_only(value)), _only(value)
    del frame
    pairs = pairwise(times)
    return {b: (series[b] - series[a]) / (b - a) for a, b in pairs}


def _running_sum(_: Frame, value: Value) -> Value:
    total, found = 0.0, {}
    for time in sorted(_only(value)):
        total += _only(value)[time]
        found[time] = total
    return found


def _deviation(values: list[float]) -> float:
    mean = sum(values) / len(values)
    return math.sqrt(sum((item - mean) ** 2 for item in values) / len(values))


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "ABS": _mapped(abs),
    "AVG": _aggregate(lambda values: sum(values) / len(values)),
    "CEIL": _mapped(math.ceil),
    "DATAPOINT_COUNT": _aggregate(lambda values: float(len(values))),
    "DIFF": _differences,
    "FLOOR": _mapped(math.floor),
    "IF": _if,
    "LOG": _mapped(math.log),
    "LOG10": _mapped(math.log10),
    "MAX": _aggregate(max),
    "METRICS": _metrics,
    "MIN": _aggregate(min),
    "PERIOD": lambda frame, _: float(frame.period_seconds),
    "RATE": _rate,
    "RUNNING_SUM": _running_sum,
    "STDDEV": _aggregate(_deviation),
    "SUM": _aggregate(sum),
    "TIME_SERIES": lambda frame, value: as_series(value, frame),
}
