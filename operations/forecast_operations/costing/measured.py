"""What an endpoint has been doing: its variants' utilization, latency and requests, measured.

Amazon SageMaker developer guide, "Monitor SageMaker AI with Amazon CloudWatch": CPUUtilization is
the sum over the cores (up to 100 for each), ModelLatency is in microseconds, the metrics of
instances are in a namespace of their own, and each request adds 1/instances to
InvocationsPerInstance.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from forecast_config.instances import known_instance_types
from forecast_operations.cloud.metrics import (
    HOSTING,
    MICROSECONDS_PER_MS,
    floor,
    metric_query,
    read_metrics,
)
from forecast_operations.costing.bill import HOURS_A_MONTH

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from forecast_operations.cloud.cloud import Cloud
    from forecast_operations.cloud.metrics import Points
    from forecast_operations.costing.running import RunningVariant

HOUR = 3600
_HOURS_A_DAY = 24
_INSTANCES = "/aws/sagemaker/Endpoints"
_QUERIES = {
    "cpu": (_INSTANCES, "CPUUtilization", "Maximum"),
    "memory": (_INSTANCES, "MemoryUtilization", "Maximum"),
    "latency": (HOSTING, "ModelLatency", "p99"),
    "duration": (HOSTING, "ModelLatency", "Average"),
    "invocations": (HOSTING, "Invocations", "Sum"),
    "shares": (HOSTING, "InvocationsPerInstance", "Sum"),
}
_PERCENT = 100
_BUSY_SHARE = 0.99
"""Share of the hours whose maxima count: one hour in a hundred, such as that of a rollout, does
not decide."""


@dataclass(frozen=True)
class Hour:
    """An hour of which both are known.

    Attributes:
        instances: Instances that answered, on average over its requests.
        cpu_share: CPU of the busiest of them, from 0 to 1 of all its cores.
    """

    instances: float
    cpu_share: float


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What a variant has been doing, hour by hour.

    Utilization and latency are those of what serves now; requests and durations, which hang less
    on the instances, are those of all days.

    Attributes:
        instance_type: What it runs on; None for serverless.
        since: From when on it is known to run on that.
        days: Days that were asked for.
        hours: Hours of which there is a CPU utilization.
        cpu_share: CPU of the busiest instance in the busiest hours, from 0 to 1 of all its cores.
        memory_share: Memory of the fullest instance in the fullest hours, from 0 to 1.
        latency_p99_ms: The slowest hundredth of the requests, in the slowest hours.
        mean_seconds: Time that the container works on a request.
        requests: Requests in all of the hours.
        busiest_hour: Requests of the busiest hour.
        by_hour: The hours of which the number of instances is known.
    """

    instance_type: str | None
    since: datetime
    days: int
    hours: int
    cpu_share: float | None
    memory_share: float | None
    latency_p99_ms: float | None
    mean_seconds: float | None
    requests: float
    busiest_hour: float
    by_hour: tuple[Hour, ...] = ()

    @property
    def requests_per_month(self) -> float:
        """Requests that a month like this would have."""
        return self.requests / (self.days * _HOURS_A_DAY) * HOURS_A_MONTH


def read_measured(cloud: Cloud, running: RunningVariant, days: int) -> Measured:
    """What a variant has been doing in the last days.

    Args:
        cloud: AWS in its region.
        running: The variant.
        days: How many days.

    Raises:
        NotAllowedError: The credentials may not read metrics.
        CloudError: AWS refuses, or nobody answers.
    """
    end = floor(datetime.now(UTC), HOUR)
    points = read_metrics(cloud, _queries(running), end - timedelta(days=days), end)
    requests, durations = _values(points["invocations"]), _values(points["duration"])
    # Of an earlier configuration nobody knows how many cores and how much memory it had.
    own = {
        name: [(moment, value) for moment, value in found if moment >= running.since]
        for name, found in points.items()
    }
    # None for serverless, and for a type that is newer than the table.
    cores = known_instance_types().get(running.instance_type or "")
    cpu, memory, latency = (_busy(own[name]) for name in ("cpu", "memory", "latency"))
    return Measured(
        instance_type=running.instance_type,
        since=running.since,
        days=days,
        hours=len(own["cpu"]),
        cpu_share=None if cpu is None or cores is None else cpu / cores / _PERCENT,
        memory_share=None if memory is None else memory / _PERCENT,
        latency_p99_ms=None if latency is None else latency / MICROSECONDS_PER_MS,
        mean_seconds=sum(durations) / len(durations) / 1e6 if durations else None,
        requests=sum(requests),
        busiest_hour=max(requests, default=0.0),
        by_hour=() if cores is None else tuple(_hours(own, cores)),
    )


def busy(values: Iterable[float]) -> float | None:
    """The value that 99 in 100 stay below; None without any."""
    found = sorted(values)
    return found[math.ceil(len(found) * _BUSY_SHARE) - 1] if found else None


def _queries(running: RunningVariant) -> list[dict[str, Any]]:
    dimensions = {"EndpointName": running.endpoint, "VariantName": running.variant}
    return [
        metric_query(
            name, (namespace, metric), dimensions, statistic=statistic, period_seconds=HOUR
        )
        for name, (namespace, metric, statistic) in _QUERIES.items()
    ]


def _busy(points: Points) -> float | None:
    return busy(_values(points))


def _values(points: Points) -> list[float]:
    return [value for _, value in points]


def _hours(points: Mapping[str, Points], cores: int) -> Iterable[Hour]:
    cpu, shares = dict(points["cpu"]), dict(points["shares"])
    for moment, requests in points["invocations"]:
        if moment in cpu and shares.get(moment):
            yield Hour(requests / shares[moment], cpu[moment] / cores / _PERCENT)
