"""Formulas give the right number for what CloudWatch has, and fit into alarms and graphs."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

import pytest

from forecast_constructs.monitoring.metrics import EndpointMetrics, Formula, heartbeat

if TYPE_CHECKING:
    from collections.abc import Mapping

    from forecast_constructs.monitoring.metrics import Mode


def _metrics(mode: Mode = "realtime") -> EndpointMetrics:
    return EndpointMetrics(endpoint_name="forecast", variant_name="Champion", mode=mode)


class Point(float):
    """A value as CloudWatch computes with it: a division by zero gives no value, here NaN."""

    def __rtruediv__(self, other: float) -> float:
        return other / float(self) if self else math.nan


def _value(formula: Formula, data: Mapping[str, float]) -> float:
    """What CloudWatch makes of a formula for one period; a metric without data is NaN."""
    names = set(re.findall(r"\b[a-z]+\b", formula.expression))
    assert names == set(formula.metrics)
    functions: dict[str, Any] = {
        "FILL": lambda value, default: Point(default if math.isnan(value) else value),
        "IF": lambda condition, yes, no: yes if condition else no,
        "MAX": lambda values: Point(max(values)),
    }
    values = {name: Point(data.get(name, math.nan)) for name in names}
    return float(eval(formula.expression, functions | values))  # noqa: S307 - the project's own text


@pytest.mark.parametrize(
    ("data", "failed"),
    [
        ({"server": 2, "unanswered": 7, "client": 3}, 4),
        ({"server": 5, "unanswered": 5, "client": 0}, 5),
        ({"server": 0, "unanswered": 3}, 3),
        ({"client": 9, "unanswered": 9}, 0),
        ({"client": 9}, 0),
        ({}, 0),
    ],
)
def test_a_failed_request_counts_once_and_a_refused_one_never(
    data: dict[str, float], failed: float
) -> None:
    assert _value(_metrics().failed_requests(), data) == failed


@pytest.mark.parametrize(
    ("mode", "data", "percent"),
    [
        ("realtime", {"server": 1, "unanswered": 1, "requests": 20}, 5),
        ("realtime", {"client": 20, "unanswered": 20, "requests": 20}, 0),
        ("serverless", {"server": 2, "requests": 40}, 5),
        ("async", {"server": 1, "unanswered": 1, "requests": 20}, 5),
        ("async", {"unanswered": 4}, 100),
        ("async", {"unanswered": 4, "requests": 1}, 100),
        ("async", {}, 0),
    ],
)
def test_the_error_rate_is_a_share_of_the_requests(
    mode: Mode, data: dict[str, float], percent: float
) -> None:
    assert _value(_metrics(mode).error_rate_percent(), data) == percent


def test_the_cores_share_the_cpu() -> None:
    assert _value(_metrics().cpu_utilization_percent(4), {"cores": 300}) == 75


@pytest.mark.parametrize("mode", ["realtime", "serverless", "async"])
def test_formulas_of_one_graph_have_ids_of_their_own(mode: Mode) -> None:
    metrics = _metrics(mode)
    entries = [
        *metrics.failed_requests().render_entries("a", color="#d13212"),
        *metrics.error_rate_percent().render_entries("b"),
    ]
    ids = [entry[-1]["id"] for entry in entries]
    shown = [entry[0] for entry in entries if isinstance(entry[0], dict)]

    assert len(ids) == len(set(ids))
    assert all(re.fullmatch(r"[a-z][A-Za-z0-9_]*", name) for name in ids)
    for graph in shown:
        assert set(re.findall(r"\b[a-z]\w+\b", graph["expression"])) <= set(ids)
    assert shown[0]["color"] == "#d13212"
    assert all(entry[-1]["visible"] is False for entry in entries if len(entry) > 1)


def test_a_fleet_is_told_from_others_by_its_configuration() -> None:
    fleet = EndpointMetrics(
        endpoint_name="forecast", variant_name="Champion", endpoint_config_name="config"
    )

    assert fleet.requests().dimensions == {
        "EndpointName": "forecast",
        "VariantName": "Champion",
        "EndpointConfigName": "config",
    }
    assert "EndpointConfigName" not in _metrics().requests().dimensions


def test_a_metric_is_an_entry_of_a_graph() -> None:
    assert heartbeat("forecast").render_entry(color="#1d8102") == [
        "ForecastEndpoint",
        "Heartbeat",
        "EndpointName",
        "forecast",
        {"stat": "Minimum", "label": "Heartbeat (1 or 0)", "color": "#1d8102"},
    ]
