"""Metric math, statistics and queries, on their own."""

import math
from typing import Any

import pytest
from moto.cloudwatch.models import MetricDatum

from forecast_local.cloudwatch.calculation import ExpressionError, Frame
from forecast_local.cloudwatch.expressions import evaluate
from forecast_local.cloudwatch.queries import (
    aligned_windows,
    evaluate_queries,
    queries_of_request,
)
from forecast_local.cloudwatch.statistics import StatisticError, compute
from forecast_local.cloudwatch.store import MetricStore

A = {0: 1.0, 60: 2.0, 120: 0.0}
B = {0: 4.0, 120: 8.0}
FRAME = Frame({"a": A, "b": B}, [0, 60, 120, 180], 60)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("1 + 2 * 3", 7.0),
        ("(1 + 2) * 3", 9.0),
        ("2 ^ 3 ^ 2", 512.0),
        ("-2 * 3", -6.0),
        ("10 / 4 - 1", 1.5),
        (".5 + 1e2", 100.5),
        ("a", A),
        ("a + b", {0: 5.0, 120: 8.0}),
        ("a * 100", {0: 100.0, 60: 200.0, 120: 0.0}),
        ("b / a", {0: 4.0}),
        ("a / 0", {}),
        ("a > 1", {0: 0.0, 60: 1.0, 120: 0.0}),
        ("a >= 1 AND a < 2", {0: 1.0, 60: 0.0, 120: 0.0}),
        ("a == 2 || b == 8", {0: 0.0, 120: 1.0}),
        ("MAX(a)", 2.0),
        ("MIN([a, b])", {0: 1.0, 60: 2.0, 120: 0.0}),
        ("MAX([a, b])", {0: 4.0, 60: 2.0, 120: 8.0}),
        ("SUM([a, b])", {0: 5.0, 60: 2.0, 120: 8.0}),
        ("AVG(b)", 6.0),
        ("SUM(METRICS())", {0: 5.0, 60: 2.0, 120: 8.0}),
        ("FILL(b, 0)", {0: 4.0, 60: 0.0, 120: 8.0, 180: 0.0}),
        ("FILL(b, REPEAT)", {0: 4.0, 60: 4.0, 120: 8.0, 180: 8.0}),
        ("FILL(b, LINEAR)", {0: 4.0, 60: 6.0, 120: 8.0}),
        ("FILL(b, a)", {0: 4.0, 60: 2.0, 120: 8.0}),
        ("IF(a > 0, b / a, 0)", {0: 4.0, 120: 0.0}),
        ("IF(a > 0, 100)", {0: 100.0, 60: 100.0}),
        ("MAX([a - b, 0])", {0: 0.0, 60: 0.0, 120: 0.0, 180: 0.0}),
        ("CEIL(a / 4)", {0: 1.0, 60: 1.0, 120: 0.0}),
        ("DIFF(a)", {60: 1.0, 120: -2.0}),
        ("RATE(b)", {120: 4.0 / 120}),
        ("RUNNING_SUM(a)", {0: 1.0, 60: 3.0, 120: 3.0}),
        ("a * PERIOD(a)", {0: 60.0, 60: 120.0, 120: 0.0}),
        ("STDDEV(b)", 2.0),
    ],
)
def test_expression(expression: str, expected: Any) -> None:
    assert evaluate(expression, FRAME) == expected


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("a +", "ends too early"),
        ("(a", "ends too early"),
        ("c * 2", "names c"),
        ("a b", "unexpected b"),
        ("NOPE(a)", "does not know the function NOPE"),
        ("IF(a)", "wrong arguments of IF"),
        ("a ? 1", "cannot read"),
        ("[a] + [b]", "one list"),
    ],
)
def test_wrong_expression_is_refused(expression: str, message: str) -> None:
    with pytest.raises(ExpressionError, match=message):
        evaluate(expression, FRAME)


def test_function_of_nothing_is_no_number() -> None:
    value = evaluate("MAX(a)", Frame({"a": {}}, [0], 60))
    assert isinstance(value, float)
    assert math.isnan(value)


def datum(second: int, value: float, **dimensions: str) -> MetricDatum:
    from datetime import UTC, datetime  # noqa: PLC0415 - one use

    named = [{"Name": key, "Value": text} for key, text in dimensions.items()]
    return MetricDatum("N", "M", value, named, datetime.fromtimestamp(second, UTC))


@pytest.mark.parametrize(
    ("statistic", "expected"),
    [
        ("Sum", 10.0),
        ("Average", 2.5),
        ("Minimum", 1.0),
        ("Maximum", 4.0),
        ("SampleCount", 4.0),
        ("p50", 2.5),
        ("p100", 4.0),
        ("p99.9", 3.997),
    ],
)
def test_statistic(statistic: str, expected: float) -> None:
    data = [datum(second, value) for second, value in enumerate([3.0, 1.0, 4.0, 2.0])]
    assert compute(statistic, data) == pytest.approx(expected)
    assert compute(statistic, []) is None


def test_unknown_statistic_is_refused() -> None:
    with pytest.raises(StatisticError, match="p101"):
        compute("p101", [])


def test_dimensions_decide_exactly_and_expressions_come_in_any_order() -> None:
    store = MetricStore()
    store.add([datum(5, 1.0, E="x"), datum(70, 3.0, E="x"), datum(6, 50.0, E="x", V="y")])
    metric = {
        "Namespace": "N",
        "MetricName": "M",
        "Dimensions": [{"Name": "E", "Value": "x"}],
    }
    queries = queries_of_request(
        [
            {"Id": "twice", "Expression": "filled * 2"},
            {"Id": "filled", "Expression": "FILL(m, 0)", "ReturnData": False},
            {"Id": "m", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum"}},
        ]
    )
    series = evaluate_queries(queries, aligned_windows(10, 180, 60), store)
    assert series["twice"] == {0: 2.0, 60: 6.0, 120: 0.0}


def test_expressions_that_name_each_other_are_refused() -> None:
    queries = queries_of_request(
        [{"Id": "a", "Expression": "b"}, {"Id": "b", "Expression": "a + 1"}]
    )
    with pytest.raises(ExpressionError, match="name each other"):
        evaluate_queries(queries, aligned_windows(0, 60, 60), MetricStore())
