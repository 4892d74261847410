from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from forecast_operations.cloud.cloud import Cloud
from forecast_operations.cloud.metrics import floor
from forecast_operations.costing.measured import Hour, read_measured
from forecast_operations.costing.running import RunningVariant

if TYPE_CHECKING:
    from forecast_operations.costing.measured import Measured

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


class Metrics:
    """CloudWatch as `read_measured` asks it: values by the metric's name."""

    def __init__(self, **values: list[float]) -> None:
        self.queries: list[dict[str, Any]] = []
        self._values = values

    def get_paginator(self, operation: str) -> Metrics:
        assert operation == "get_metric_data"
        return self

    def paginate(self, **arguments: Any) -> list[dict[str, Any]]:
        self.queries = arguments["MetricDataQueries"]
        first = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(days=14)
        results = [
            {
                "Id": query["Id"],
                "Timestamps": [first + timedelta(hours=number) for number in range(len(values))],
                "Values": values,
            }
            for query in self.queries
            for values in [self._values.get(query["Id"], [])]
        ]
        return [{"MetricDataResults": results[:2]}, {"MetricDataResults": results[2:]}]


def measure(*, since: datetime = LONG_AGO, **values: list[float]) -> Measured:
    cloud = Cloud("eu-central-1", clients={"cloudwatch": Metrics(**values)})
    running = RunningVariant("forecast", "AllTraffic", "ml.m5.xlarge", since)
    return read_measured(cloud, running, 14)


def test_cpu_is_a_sum_over_the_cores_and_latency_comes_in_microseconds() -> None:
    found = measure(cpu=[200.0], memory=[40.0], latency=[250_000.0], duration=[100_000.0])

    assert found.cpu_share == pytest.approx(0.5)
    assert found.memory_share == pytest.approx(0.4)
    assert found.latency_p99_ms == pytest.approx(250)
    assert found.mean_seconds == pytest.approx(0.1)


def test_one_hour_in_a_hundred_does_not_decide() -> None:
    found = measure(cpu=[*[40.0] * 299, 400.0], memory=[*[10.0] * 150, *[90.0] * 150])

    assert found.cpu_share == pytest.approx(0.1)
    assert found.memory_share == pytest.approx(0.9)


def test_requests_are_those_of_a_month_like_the_days() -> None:
    found = measure(invocations=[700.0, 300.0])

    assert (found.requests, found.busiest_hour) == (1000, 700)
    assert found.requests_per_month == pytest.approx(1000 / 14 * 730 / 24)


def test_what_another_configuration_did_before_is_not_taken_for_its_utilization() -> None:
    begun = floor(datetime.now(UTC), 3600) - timedelta(days=10)

    found = measure(since=begun, cpu=[400.0] * 90 + [40.0] * 246, invocations=[10.0] * 336)

    assert found.cpu_share == pytest.approx(0.1)
    assert found.hours == 240
    assert found.requests == 3360


def test_instances_are_counted_by_the_requests_that_each_of_them_got() -> None:
    found = measure(
        cpu=[100.0, 200.0, 300.0], invocations=[800.0, 900.0, 0.0], shares=[200.0, 100.0]
    )

    assert found.by_hour == (Hour(4, 0.25), Hour(9, 0.5))


def test_no_metrics_are_unknown_and_not_zero() -> None:
    found = measure()

    assert (found.cpu_share, found.memory_share, found.latency_p99_ms) == (None, None, None)
    assert found.hours == 0


def test_instances_and_requests_are_asked_in_their_own_namespaces() -> None:
    metrics = Metrics()
    cloud = Cloud("eu-central-1", clients={"cloudwatch": metrics})

    read_measured(cloud, RunningVariant("forecast", "Champion", "ml.m5.large", LONG_AGO), 7)

    asked = {query["MetricStat"]["Metric"]["MetricName"]: query for query in metrics.queries}
    assert (
        asked["CPUUtilization"]["MetricStat"]["Metric"]["Namespace"] == "/aws/sagemaker/Endpoints"
    )
    assert asked["Invocations"]["MetricStat"]["Metric"]["Namespace"] == "AWS/SageMaker"
    assert asked["ModelLatency"]["MetricStat"]["Metric"]["Dimensions"] == [
        {"Name": "EndpointName", "Value": "forecast"},
        {"Name": "VariantName", "Value": "Champion"},
    ]
