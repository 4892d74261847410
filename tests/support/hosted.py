"""Requests to a hosted endpoint of the local AWS, and the metrics that they leave behind."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any


def invoke(account: Any, endpoint: str, body: bytes = b"hi", **options: Any) -> dict[str, Any]:
    """The answer of InvokeEndpoint, with the document in its body as `Answer`."""
    runtime = account.client("sagemaker-runtime")
    found: dict[str, Any] = runtime.invoke_endpoint(EndpointName=endpoint, Body=body, **options)
    found["Answer"] = json.loads(found["Body"].read())
    return found


def metric_sum(
    account: Any, name: str, dimensions: dict[str, str], statistic: str = "Sum"
) -> float:
    """The sum of a metric's datapoints of the last minutes."""
    now = datetime.now(UTC)
    points = account.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/SageMaker",
        MetricName=name,
        Dimensions=[{"Name": key, "Value": value} for key, value in dimensions.items()],
        StartTime=now - timedelta(minutes=10),
        EndTime=now + timedelta(minutes=1),
        Period=3600,
        Statistics=[statistic],
    )["Datapoints"]
    return float(sum(point[statistic] for point in points))
