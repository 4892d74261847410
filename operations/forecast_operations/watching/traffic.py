"""What CloudWatch has seen of an endpoint: requests, errors, latency, and the heartbeat."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from forecast_operations.cloud.metrics import metric_query

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from forecast_operations.cloud.cloud import Cloud

WINDOW = timedelta(hours=1)
HEARTBEAT_WINDOW = timedelta(hours=3)
_PERIOD_SECONDS = 300
_BEAT_SECONDS = 60
_INVOCATIONS = "AWS/SageMaker"
_OWN = "ForecastEndpoint"
"""Namespace of what the heartbeat and the containers publish (`monitoring.metrics`)."""

_SUMS = {
    "requests": "Invocations",
    "client_errors": "Invocation4XXErrors",
    "server_errors": "Invocation5XXErrors",
}
_LATENCIES = {"p50": "p50", "p99": "p99"}
_MICROSECONDS = 1000

Points = list[tuple[datetime, float]]


@dataclass(frozen=True)
class Traffic:
    """The last hour of one variant, in whole stretches of five minutes.

    Attributes:
        variant: Its name.
        requests: Requests; those of the heartbeat among them.
        client_errors: Those that were answered with 4xx.
        server_errors: Those that were answered with 5xx.
        p50_ms: Median time in the container, of the median stretch.
        p99_ms: Time that one in a hundred takes longer than, of the worst stretch; None as well as
            the median when there were no requests.
    """

    variant: str
    requests: int
    client_errors: int
    server_errors: int
    p50_ms: float | None
    p99_ms: float | None


@dataclass(frozen=True)
class Heartbeat:
    """What the heartbeat has found in the last three hours.

    Attributes:
        last_ok: When the endpoint last gave the right answer; None: not in that time.
        last: When it last asked; None: not in that time.
        ok: Whether the last answer was right.
    """

    last_ok: datetime | None
    last: datetime | None
    ok: bool


@dataclass(frozen=True)
class Seen:
    """What CloudWatch has seen.

    Attributes:
        traffic: The last hour of each variant.
        heartbeat: What the heartbeat found.
        backlog: Requests that wait for an asynchronous endpoint; None for others.
    """

    traffic: tuple[Traffic, ...]
    heartbeat: Heartbeat
    backlog: int | None


def read_traffic(cloud: Cloud, endpoint_name: str, variants: Sequence[str], now: datetime) -> Seen:
    """The last hour of an endpoint, and the last beats.

    Args:
        cloud: Where it is.
        endpoint_name: The endpoint.
        variants: Its variants.
        now: The time.
    """
    of_endpoint = {"EndpointName": endpoint_name}
    queries = [
        query
        for number, variant in enumerate(variants)
        for query in _queries(endpoint_name, variant, number)
    ]
    backlog = metric_query(
        "backlog",
        (_INVOCATIONS, "ApproximateBacklogSize"),
        of_endpoint,
        statistic="Maximum",
        period_seconds=_PERIOD_SECONDS,
    )
    beats = metric_query(
        "beats",
        (_OWN, "Heartbeat"),
        of_endpoint,
        statistic="Minimum",
        period_seconds=_BEAT_SECONDS,
    )
    points = _points(cloud, [*queries, backlog], WINDOW, now)
    waiting = [int(value) for _, value in points["backlog"]]
    return Seen(
        traffic=tuple(_traffic(variant, number, points) for number, variant in enumerate(variants)),
        heartbeat=_heartbeat(_points(cloud, [beats], HEARTBEAT_WINDOW, now)["beats"]),
        backlog=waiting[-1] if waiting else None,
    )


def _points(
    cloud: Cloud, queries: Sequence[Mapping[str, Any]], window: timedelta, now: datetime
) -> dict[str, Points]:
    """The values by id of the query, oldest first; all queries have one period."""
    end = _floor(now) + timedelta(seconds=_PERIOD_SECONDS)
    points: dict[str, Points] = {query["Id"]: [] for query in queries}
    for result in cloud.pages(
        "cloudwatch",
        "get_metric_data",
        "MetricDataResults",
        MetricDataQueries=list(queries),
        StartTime=end - window,
        EndTime=end,
        ScanBy="TimestampAscending",
    ):
        points[result["Id"]] += zip(result["Timestamps"], result["Values"], strict=True)
    return points


def _traffic(variant: str, number: int, points: Mapping[str, Points]) -> Traffic:
    def values(name: str) -> list[float]:
        return [value for _, value in points[f"{name}{number}"]]

    medians, worst = sorted(values("p50_")), values("p99_")
    return Traffic(
        variant=variant,
        **{name: int(sum(values(f"{name}_"))) for name in _SUMS},
        p50_ms=medians[len(medians) // 2] / _MICROSECONDS if medians else None,
        p99_ms=max(worst) / _MICROSECONDS if worst else None,
    )


def _heartbeat(beats: Points) -> Heartbeat:
    good = [moment for moment, value in beats if value >= 1]
    return Heartbeat(
        last_ok=good[-1] if good else None,
        last=beats[-1][0] if beats else None,
        ok=bool(beats) and beats[-1][1] >= 1,
    )


def _queries(endpoint_name: str, variant: str, number: int) -> list[dict[str, Any]]:
    dimensions = {"EndpointName": endpoint_name, "VariantName": variant}
    wanted = [(name, metric, "Sum") for name, metric in _SUMS.items()]
    wanted += [(name, "ModelLatency", statistic) for name, statistic in _LATENCIES.items()]
    return [
        metric_query(
            f"{name}_{number}",
            (_INVOCATIONS, metric),
            dimensions,
            statistic=statistic,
            period_seconds=_PERIOD_SECONDS,
        )
        for name, metric, statistic in wanted
    ]


def _floor(moment: datetime) -> datetime:
    """The beginning of its stretch: CloudWatch's own stretches begin there."""
    seconds = int(moment.timestamp()) // _PERIOD_SECONDS * _PERIOD_SECONDS
    return datetime.fromtimestamp(seconds, UTC)
