"""Metric math: the expressions of alarms, dashboards and GetMetricData.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html

A value is a number, a time series (a mapping of seconds since 1970 to a number, without the periods
that have no data) or a list of time series. Arithmetic on two series has a datapoint where both
have one; a division by zero has none.
"""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

Series = Mapping[int, float]
Value = float | Series | list[Series]

_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+)|(?P<name>[A-Za-z_]\w*)"
    r"|(?P<sign>==|!=|<=|>=|&&|\|\||[-+*/^()<>,\[\]]))"
)
_OPERATORS: dict[str, Callable[[float, float], float]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "^": math.pow,
    "==": lambda a, b: float(a == b),
    "!=": lambda a, b: float(a != b),
    "<": lambda a, b: float(a < b),
    ">": lambda a, b: float(a > b),
    "<=": lambda a, b: float(a <= b),
    ">=": lambda a, b: float(a >= b),
    "&&": lambda a, b: float(bool(a) and bool(b)),
    "||": lambda a, b: float(bool(a) or bool(b)),
}
_WORDS = {"AND": "&&", "OR": "||"}
# Weakest first; the power operator is handled by itself, as it binds to the right.
_LEVELS = (("||",), ("&&",), ("==", "!=", "<", ">", "<=", ">="), ("+", "-"), ("*", "/"))


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


def evaluate(expression: str, frame: Frame) -> Value:
    """Evaluate an expression.

    Args:
        expression: The expression.
        frame: The series that it names.

    Raises:
        ExpressionError: If it is not valid, or names a series or a function that is not known.
    """
    parser = _Parser(expression, frame)
    value = parser.parse(0)
    parser.expect_end()
    return value


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


class _Parser:
    """Recursive descent over the tokens, evaluating on the way."""

    def __init__(self, expression: str, frame: Frame) -> None:
        self._expression = expression
        self._frame = frame
        self._tokens = self._split(expression)
        self._place = 0

    def _split(self, expression: str) -> list[str]:
        found, place, text = [], 0, expression.rstrip()
        while place < len(text):
            match = _TOKEN.match(text, place)
            if match is None:
                raise ExpressionError(f"cannot read {text[place:]!r} in {expression!r}")
            found.append(match.group().strip())
            place = match.end()
        return found

    def _next(self) -> str:
        if self._place == len(self._tokens):
            raise ExpressionError(f"{self._expression!r} ends too early")
        self._place += 1
        return self._tokens[self._place - 1]

    def _peek(self) -> str:
        token = self._tokens[self._place] if self._place < len(self._tokens) else ""
        return _WORDS.get(token, token)

    def _expect(self, sign: str) -> None:
        found = self._next()
        if found != sign:
            raise ExpressionError(f"expected {sign} in {self._expression!r}, got {found}")

    def expect_end(self) -> None:
        if self._peek():
            raise ExpressionError(f"unexpected {self._peek()} in {self._expression!r}")

    def parse(self, level: int) -> Value:
        if level == len(_LEVELS):
            return self._unary()
        left = self.parse(level + 1)
        while self._peek() in _LEVELS[level]:
            sign = _WORDS.get(self._tokens[self._place], self._tokens[self._place])
            self._place += 1
            left = combine(_OPERATORS[sign], left, self.parse(level + 1))
        return left

    def _unary(self) -> Value:
        if self._peek() == "-":
            self._next()
            return combine(_OPERATORS["*"], -1.0, self._unary())
        base = self._atom()
        if self._peek() == "^":
            self._next()
            return combine(_OPERATORS["^"], base, self._unary())
        return base

    def _atom(self) -> Value:
        token = self._next()
        if token == "(":  # noqa: S105 - a token of the expression
            value = self.parse(0)
            self._expect(")")
            return value
        if token == "[":  # noqa: S105 - a token of the expression
            return [as_series(item, self._frame) for item in self._arguments("]")]
        if token[0].isdigit() or token[0] == ".":
            return float(token)
        if self._peek() == "(":
            self._next()
            return self._call(token)
        if token not in self._frame.values:
            raise ExpressionError(f"{self._expression!r} names {token}, which is no id of a query")
        return self._frame.values[token]

    def _call(self, name: str) -> Value:
        if name == "FILL":
            return self._fill()
        arguments = self._arguments(")")
        function = _FUNCTIONS.get(name)
        if function is None:
            raise ExpressionError(f"the local AWS does not know the function {name}")
        try:
            value: Value = function(self._frame, *arguments)
        except TypeError as error:
            raise ExpressionError(f"wrong arguments of {name} in {self._expression!r}") from error
        return value

    def _fill(self) -> Value:
        value = self.parse(0)
        self._expect(",")
        if self._peek() in {"REPEAT", "LINEAR"}:
            filling: str | Value = self._next()
        else:
            filling = self.parse(0)
        self._expect(")")
        if isinstance(value, list):
            return [_filled(item, filling, self._frame) for item in value]
        return _filled(as_series(value, self._frame), filling, self._frame)

    def _arguments(self, end: str) -> list[Value]:
        found: list[Value] = []
        while self._peek() != end:
            if found:
                self._expect(",")
            found.append(self.parse(0))
        self._next()
        return found


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


def _filled(series: Series, filling: str | Value, frame: Frame) -> Series:
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


_FUNCTIONS: dict[str, Callable[..., Any]] = {
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
