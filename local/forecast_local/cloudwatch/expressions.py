"""Metric math: the expressions of alarms, dashboards and GetMetricData.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
"""

import math
import re
from collections.abc import Callable

from forecast_local.cloudwatch.calculation import (
    FUNCTIONS,
    ExpressionError,
    Frame,
    Value,
    as_series,
    combine,
    filled,
)

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
        function = FUNCTIONS.get(name)
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
            return [filled(item, filling, self._frame) for item in value]
        return filled(as_series(value, self._frame), filling, self._frame)

    def _arguments(self, end: str) -> list[Value]:
        found: list[Value] = []
        while self._peek() != end:
            if found:
                self._expect(",")
            found.append(self.parse(0))
        self._next()
        return found
