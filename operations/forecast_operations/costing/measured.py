"""What an endpoint has been doing: its variants' utilization, latency and requests, measured.

Amazon SageMaker developer guide, "Monitor SageMaker AI with Amazon CloudWatch": CPUUtilization is
the sum over the cores (up to 100 for each), ModelLatency is in microseconds, and the metrics of
instances are in a namespace of their own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from forecast_config.instances import vcpus
from forecast_operations.cloud.metrics import metric_query

if TYPE_CHECKING:
    from forecast_operations.cloud.cloud import Cloud

HOUR = 3600
_HOURS_A_DAY = 24
_INSTANCES = "/aws/sagemaker/Endpoints"
_REQUESTS = "AWS/SageMaker"
_QUERIES = {
    "cpu": (_INSTANCES, "CPUUtilization", "Maximum"),
    "memory": (_INSTANCES, "MemoryUtilization", "Maximum"),
    "latency": (_REQUESTS, "ModelLatency", "p99"),
    "duration": (_REQUESTS, "ModelLatency", "Average"),
    "invocations": (_REQUESTS, "Invocations", "Sum"),
}
_PERCENT = 100
_MICROSECONDS_A_MILLISECOND = 1000
_BUSY_SHARE = 0.99
"""Share of the hours whose maxima count: one hour in a hundred, such as that of a rollout, does
not decide."""


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What a variant has been doing, hour by hour.

    Attributes:
        days: Days that were asked for.
        hours: Hours of which there is a CPU utilization, or for serverless a latency.
        cpu_share: CPU of the busiest instance in the busiest hours, from 0 to 1 of all its cores.
        memory_share: Memory of the fullest instance in the fullest hours, from 0 to 1.
        latency_p99_ms: The slowest hundredth of the requests, in the slowest hours.
        mean_seconds: Time that the container works on a request.
        requests: Requests in all of the hours.
        busiest_hour: Requests of the busiest hour.
    """

    days: int
    hours: int
    cpu_share: float | None
    memory_share: float | None
    latency_p99_ms: float | None
    mean_seconds: float | None
    requests: float
    busiest_hour: float

    @property
    def requests_per_month(self) -> float:
        """Requests that a month like this would have."""
        return self.requests / (self.days * _HOURS_A_DAY) * 730


def read_measured(
    cloud: Cloud, endpoint: str, variant: str, days: int, instance_type: str | None
) -> Measured:
    """What a variant has been doing in the last days.

    Args:
        cloud: AWS in its region.
        endpoint: Name of the endpoint.
        variant: Name of the variant.
        days: How many days.
        instance_type: What it runs on; None for serverless.

    Raises:
        NotAllowedError: The credentials may not read metrics.
        CloudError: AWS refuses, or nobody answers.
    """
    dimensions = {"EndpointName": endpoint, "VariantName": variant}
    end = datetime.fromtimestamp(datetime.now(UTC).timestamp() // HOUR * HOUR, UTC)
    values: dict[str, list[float]] = {name: [] for name in _QUERIES}
    for result in cloud.pages(
        "cloudwatch",
        "get_metric_data",
        "MetricDataResults",
        StartTime=end - timedelta(days=days),
        EndTime=end,
        MetricDataQueries=[_query(name, dimensions) for name in _QUERIES],
    ):
        values[result["Id"]].extend(result["Values"])
    cores = None if instance_type is None else vcpus(instance_type)
    return _added_up(values, days, cores)


def _added_up(values: dict[str, list[float]], days: int, cores: int | None) -> Measured:
    cpu, memory = _busy(values["cpu"]), _busy(values["memory"])
    latency = _busy(values["latency"])
    requests = sum(values["invocations"])
    durations = values["duration"]
    return Measured(
        days=days,
        hours=len(values["latency" if cores is None else "cpu"]),
        cpu_share=None if cpu is None or cores is None else cpu / cores / _PERCENT,
        memory_share=None if memory is None else memory / _PERCENT,
        latency_p99_ms=None if latency is None else latency / _MICROSECONDS_A_MILLISECOND,
        mean_seconds=sum(durations) / len(durations) / 1e6 if durations else None,
        requests=requests,
        busiest_hour=max(values["invocations"], default=0.0),
    )


def _busy(values: list[float]) -> float | None:
    """The value that 99 in 100 hours stay below; None without any."""
    return sorted(values)[math.ceil(len(values) * _BUSY_SHARE) - 1] if values else None


def _query(name: str, dimensions: dict[str, str]) -> dict[str, Any]:
    namespace, metric, statistic = _QUERIES[name]
    return metric_query(
        name, (namespace, metric), dimensions, statistic=statistic, period_seconds=HOUR
    )
