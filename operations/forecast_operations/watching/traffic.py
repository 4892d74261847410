"""What CloudWatch has seen of an endpoint: requests, errors, latency, and the heartbeat."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from forecast_operations.cloud.metrics import (
    HOSTING,
    MICROSECONDS_PER_MS,
    OWN,
    floor,
    metric_query,
    read_metrics,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from forecast_operations.cloud.cloud import Cloud
    from forecast_operations.cloud.metrics import Points

WINDOW = timedelta(hours=1)
HEARTBEAT_WINDOW = timedelta(hours=3)
_PERIOD_SECONDS = 300
_BEAT_SECONDS = 60

_SUMS = {
    "requests": "Invocations",
    "client_errors": "Invocation4XXErrors",
    "server_errors": "Invocation5XXErrors",
}
_LATENCIES = ("p50", "p99")


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
        (HOSTING, "ApproximateBacklogSize"),
        of_endpoint,
        statistic="Maximum",
        period_seconds=_PERIOD_SECONDS,
    )
    beats = metric_query(
        "beats",
        (OWN, "Heartbeat"),
        of_endpoint,
        statistic="Minimum",
        period_seconds=_BEAT_SECONDS,
    )
    end = floor(now, _PERIOD_SECONDS) + timedelta(seconds=_PERIOD_SECONDS)
    points = read_metrics(cloud, [*queries, backlog], end - WINDOW, end)
    waiting = [int(value) for _, value in points["backlog"]]
    beat = read_metrics(cloud, [beats], end - HEARTBEAT_WINDOW, end)["beats"]
    return Seen(
        traffic=tuple(_traffic(variant, number, points) for number, variant in enumerate(variants)),
        heartbeat=_heartbeat(beat),
        backlog=waiting[-1] if waiting else None,
    )


def _traffic(variant: str, number: int, points: Mapping[str, Points]) -> Traffic:
    def values(name: str) -> list[float]:
        return [value for _, value in points[f"{name}{number}"]]

    medians, worst = sorted(values("p50_")), values("p99_")
    return Traffic(
        variant=variant,
        **{name: int(sum(values(f"{name}_"))) for name in _SUMS},
        p50_ms=medians[len(medians) // 2] / MICROSECONDS_PER_MS if medians else None,
        p99_ms=max(worst) / MICROSECONDS_PER_MS if worst else None,
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
    wanted += [(name, "ModelLatency", name) for name in _LATENCIES]
    return [
        metric_query(
            f"{name}_{number}",
            (HOSTING, metric),
            dimensions,
            statistic=statistic,
            period_seconds=_PERIOD_SECONDS,
        )
        for name, metric, statistic in wanted
    ]
