"""Metric math of the dashboards gives what CloudWatch would give."""

from __future__ import annotations

import numpy as np
import pytest

from forecast_config import ForecastError
from forecast_operations.drawing.metric_math import evaluate

NAN = float("nan")
METRICS = {
    "server": np.array([1.0, NAN, 3.0]),
    "unanswered": np.array([2.0, 4.0, NAN]),
    "client": np.array([0.0, 3.0, NAN]),
    "requests": np.array([100.0, 0.0, 50.0]),
}
FAILED = "MAX([FILL(server, 0), FILL(unanswered, 0) - FILL(client, 0)])"


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("requests / 1000", [0.1, 0, 0.05]),
        ("server / PERIOD(server) * 60", [0.2, NAN, 0.6]),
        ("FILL(server, 0)", [1, 0, 3]),
        (FAILED, [2, 1, 3]),
        (f"IF(requests > 0, 100 * {FAILED} / requests, 0)", [2, 0, 6]),
        ("RUNNING_SUM(server / 60)", [1 / 60, 1 / 60, 4 / 60]),
        ("SUM([server, unanswered])", [3, 4, 3]),
        ("MIN([server, unanswered])", [1, 4, 3]),
        ("100 * (requests > 50)", [100, 0, 0]),
        ("-server ** 2", [-1, NAN, -9]),
        ("server / requests", [0.01, NAN, 0.06]),
    ],
)
def test_formulas_are_evaluated(expression: str, expected: list[float]) -> None:
    found = evaluate(expression, METRICS, period_seconds=300)

    np.testing.assert_allclose(found, expected)


def test_a_division_by_nothing_is_no_data() -> None:
    assert np.isnan(evaluate("server / (requests - requests)", METRICS, 60)).all()


@pytest.mark.parametrize(
    "expression",
    [
        "ANOMALY_DETECTION_BAND(server)",
        "missing + 1",
        "server +",
        "server and client",
        "a.b",
        "1 % 2",
    ],
)
def test_what_is_not_known_is_refused_in_a_sentence(expression: str) -> None:
    with pytest.raises(ForecastError, match="cannot draw the metric math"):
        evaluate(expression, METRICS, 60)
