"""Queries of metrics, as GetMetricData takes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


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
