"""Metrics of CloudWatch, asked for by GetMetricData."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from forecast_operations.cloud.cloud import in_calls

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from forecast_operations.cloud.cloud import Cloud

Points = list[tuple[datetime, float]]
"""Values with the beginnings, in UTC, of the stretches that they are of, oldest first."""

HOSTING = "AWS/SageMaker"
"""Namespace of requests, errors and latency (Amazon SageMaker developer guide, "Metrics for
monitoring Amazon SageMaker AI with Amazon CloudWatch")."""

OWN = "ForecastEndpoint"
"""Namespace of what the heartbeat and the containers publish (`monitoring.metrics`)."""

MICROSECONDS_PER_MS = 1000.0
"""SageMaker's latencies are in microseconds (same page)."""

KEPT_DAYS = 455
"""Days that CloudWatch keeps hourly values (CloudWatch user guide, "Metrics retention")."""

_QUERIES_IN_A_CALL = 500
"""Amazon CloudWatch API reference, GetMetricData."""


def metric_query(
    query_id: str,
    metric: tuple[str, str],
    dimensions: Mapping[str, str],
    *,
    statistic: str,
    period_seconds: int,
) -> dict[str, Any]:
    """One query of one metric.

    Args:
        query_id: What its result is called; it starts with a small letter.
        metric: Namespace and name.
        dimensions: Value by name of each dimension.
        statistic: What is asked of it, such as Sum or p99.
        period_seconds: Length of the stretches that it is asked for.
    """
    namespace, name = metric
    return {
        "Id": query_id,
        "MetricStat": {
            "Metric": {
                "Namespace": namespace,
                "MetricName": name,
                "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions.items()],
            },
            "Period": period_seconds,
            "Stat": statistic,
        },
    }


def read_metrics(
    cloud: Cloud, queries: Iterable[Mapping[str, Any]], start: datetime, end: datetime
) -> dict[str, Points]:
    """The values of each query by its id; a query without values has an empty list.

    Args:
        cloud: AWS in the region of the metrics.
        queries: What is asked for.
        start: Beginning of the first stretch.
        end: End of the last one: CloudWatch takes the end itself out.

    Raises:
        NotAllowedError: The credentials may not read metrics.
        CloudError: AWS refuses, or nobody answers.
    """
    wanted = list(queries)
    points: dict[str, Points] = {query["Id"]: [] for query in wanted}
    for asked in in_calls(wanted, _QUERIES_IN_A_CALL):
        for result in cloud.pages(
            "cloudwatch",
            "get_metric_data",
            "MetricDataResults",
            MetricDataQueries=asked,
            StartTime=start,
            EndTime=end,
            ScanBy="TimestampAscending",
        ):
            # botocore gives times in the zone of this machine.
            moments = (each.astimezone(UTC) for each in result["Timestamps"])
            points[result["Id"]] += zip(moments, result["Values"], strict=True)
    return points


def floor(moment: datetime, seconds: int) -> datetime:
    """The beginning, in UTC, of the stretch of so many seconds that a moment is in."""
    return datetime.fromtimestamp(int(moment.timestamp()) // seconds * seconds, UTC)
