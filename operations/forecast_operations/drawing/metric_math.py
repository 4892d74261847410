"""The part of CloudWatch's metric math that this project's dashboards use.

Functions: CloudWatch user guide, "Using math expressions with CloudWatch metrics". Values are
arrays over the times of a picture, NaN where there is no data.
"""

from __future__ import annotations

import ast
import operator
from typing import TYPE_CHECKING, Any

import numpy as np

from forecast_config import ForecastError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    Values = NDArray[np.float64]

_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}
_COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}


def evaluate(expression: str, metrics: Mapping[str, Values], period_seconds: int) -> Values:
    """The values of an expression.

    Args:
        expression: The expression.
        metrics: Values by the id that the expression calls them by.
        period_seconds: Seconds that each value stands for.

    Raises:
        ForecastError: It uses something else than this project's dashboards do.
    """
    try:
        tree = ast.parse(expression, mode="eval").body
        with np.errstate(divide="ignore", invalid="ignore"):
            result = _Evaluation(metrics, period_seconds).of(tree)
        return np.where(np.isfinite(result), result, np.nan)
    except (SyntaxError, KeyError, TypeError, ValueError) as error:
        raise ForecastError(f"cannot draw the metric math '{expression}': {error}") from None


class _Evaluation:
    def __init__(self, metrics: Mapping[str, Values], period_seconds: int) -> None:
        self._metrics = metrics
        self._period = period_seconds
        self._functions: dict[str, Callable[..., Any]] = {
            "FILL": lambda values, filling: np.where(np.isnan(values), filling, values),
            "IF": np.where,
            "MAX": np.fmax.reduce,
            "MIN": np.fmin.reduce,
            "PERIOD": lambda _: self._period,
            "RUNNING_SUM": np.nancumsum,
            "SUM": lambda values: np.nansum(values, axis=0),
        }

    def of(self, node: ast.expr) -> Any:
        """The value of a part of the expression."""
        if isinstance(node, ast.Name):
            return self._metrics[node.id]
        if isinstance(node, ast.Constant):
            return node.value
        if isinstance(node, ast.List):
            return [self.of(element) for element in node.elts]
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            return -self.of(node.operand)
        return self._compound(node)

    def _compound(self, node: ast.expr) -> Any:
        if isinstance(node, ast.BinOp):
            return _BINARY[type(node.op)](self.of(node.left), self.of(node.right))
        if isinstance(node, ast.Compare) and len(node.ops) == 1:
            left, right = self.of(node.left), self.of(node.comparators[0])
            # NaN is not larger than anything, as data that is missing is not.
            return _COMPARISONS[type(node.ops[0])](left, right)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            return self._functions[node.func.id](*(self.of(argument) for argument in node.args))
        raise ValueError(f"expected a formula, got {ast.unparse(node)}")
