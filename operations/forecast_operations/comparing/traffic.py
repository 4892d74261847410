"""What CloudWatch knows of two variants: requests, latency, errors; and of their heartbeat."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from forecast_operations.cloud.metrics import (
    HOSTING,
    MICROSECONDS_PER_MS,
    OWN,
    metric_query,
    read_metrics,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from forecast_operations.cloud.cloud import Cloud
    from forecast_operations.comparing.variants import Contest
    from forecast_operations.comparing.window import Window

_HOUR = 3600
_COUNTS = ("Invocations", "Invocation4XXErrors", "Invocation5XXErrors", "InvocationModelErrors")
_PERCENTILES = ("p50", "p90", "p99")
_PARTS = 2
"""Parts of a split, each of which a beat is a sample of."""


@dataclass
class Hour:
    """One hour of a variant.

    Attributes:
        start: When it begins.
        invocations: Requests.
        p50_ms: Median of the model's latency; None without requests.
        p99_ms: Its 99th percentile.
    """

    start: datetime
    invocations: float = 0.0
    p50_ms: float | None = None
    p99_ms: float | None = None


@dataclass(frozen=True, kw_only=True)
class Traffic:
    """What a variant got and answered.

    Attributes:
        invocations: Requests.
        errors_4xx: Requests that were refused.
        errors_5xx: Requests that failed.
        model_errors: Requests that the container answered with an error.
        p50_ms: Median of the model's latency, in milliseconds; None without requests.
        p90_ms: Its 90th percentile.
        p99_ms: Its 99th percentile.
        hours: The hours with requests, oldest first.
    """

    invocations: int
    errors_4xx: int
    errors_5xx: int
    model_errors: int
    p50_ms: float | None
    p90_ms: float | None
    p99_ms: float | None
    hours: tuple[Hour, ...] = field(default=())

    @property
    def failed(self) -> int:
        """Requests that failed or were refused."""
        return min(self.errors_4xx + self.errors_5xx, self.invocations)

    @property
    def error_rate(self) -> float | None:
        """Share of the requests that failed or were refused; None without requests."""
        return self.failed / self.invocations if self.invocations else None


@dataclass(frozen=True)
class Heartbeats:
    """Requests of the endpoint's heartbeat to each part of a split: it asks every one by its name.

    Attributes:
        count: How many.
        unsure: How many of them may have been answered by the configuration before.
    """

    count: int
    unsure: int


class Metrics:
    """Metrics of an endpoint's variants in a window.

    They are those with the dimension EndpointConfigName, so that what an older configuration
    answered does not count, if CloudWatch has any; else those of the variants.
    """

    def __init__(self, cloud: Cloud, contest: Contest, window: Window) -> None:
        """Point at them; nothing is called.

        Args:
            cloud: Where they are.
            contest: The endpoint and its variants.
            window: From when to when.
        """
        self._cloud, self._contest, self._window = cloud, contest, window

    def traffic(self) -> tuple[Traffic, Traffic]:
        """The traffic of champion and challenger.

        Raises:
            ForecastError: CloudWatch refuses, or does not answer.
        """
        variants = self._contest.champion.name, self._contest.challenger.name
        found = [self._of(variant, self._contest.configuration) for variant in variants]
        if not any(each.invocations for each in found):
            found = [self._of(variant, None) for variant in variants]
        return found[0], found[1]

    def heartbeats(self) -> Heartbeats:
        """Requests of the heartbeat to each part of a split.

        Unsure are those of hours in which another configuration answered as well.
        """
        champion = self._dimensions(self._contest.champion.name)
        of_endpoint = {"EndpointName": self._contest.endpoint}
        configured = champion | {"EndpointConfigName": self._contest.configuration}
        found = self._ask(
            [
                _hourly("beats", (OWN, "Heartbeat"), of_endpoint, "SampleCount"),
                _hourly("all", (HOSTING, "Invocations"), champion, "Sum"),
                _hourly("configured", (HOSTING, "Invocations"), configured, "Sum"),
            ]
        )
        others = {
            hour
            for hour, count in found["all"].items()
            if found["configured"] and count > found["configured"].get(hour, 0.0)
        }
        beats = found["beats"]
        return Heartbeats(
            count=round(sum(beats.values()) / _PARTS),
            unsure=round(sum(beats[hour] for hour in others & beats.keys()) / _PARTS),
        )

    def _dimensions(self, variant: str) -> dict[str, str]:
        return {"EndpointName": self._contest.endpoint, "VariantName": variant}

    def _of(self, variant: str, configuration: str | None) -> Traffic:
        dimensions = self._dimensions(variant)
        if configuration is not None:
            dimensions["EndpointConfigName"] = configuration
        whole, hourly = self._ask(_queries(dimensions, self._whole())), {}
        if self._whole() > _HOUR:
            hourly = self._ask(_queries(dimensions, _HOUR))
        counts = [round(sum(whole.get(_id(name, "Sum"), {}).values())) for name in _COUNTS]
        latency = [_percentile(whole, statistic) for statistic in _PERCENTILES]
        return Traffic(
            invocations=counts[0],
            errors_4xx=counts[1],
            errors_5xx=counts[2],
            model_errors=counts[3],
            p50_ms=latency[0],
            p90_ms=latency[1],
            p99_ms=latency[2],
            hours=_hours(hourly or whole),
        )

    def _whole(self) -> int:
        """The window's length in whole hours: one period, or two where periods begin in it."""
        return max(1, -(-int(self._window.length.total_seconds()) // _HOUR)) * _HOUR

    def _ask(self, queries: Sequence[Mapping[str, Any]]) -> dict[str, dict[datetime, float]]:
        # CloudWatch takes the end out.
        end = self._window.end + timedelta(seconds=60)
        found = read_metrics(self._cloud, queries, self._window.start, end)
        return {query_id: dict(points) for query_id, points in found.items()}


def _hourly(
    query_id: str, metric: tuple[str, str], dimensions: Mapping[str, str], statistic: str
) -> dict[str, Any]:
    return metric_query(query_id, metric, dimensions, statistic=statistic, period_seconds=_HOUR)


def _queries(dimensions: Mapping[str, str], period: int) -> list[dict[str, Any]]:
    wanted = [(name, "Sum") for name in _COUNTS]
    wanted += [("ModelLatency", statistic) for statistic in _PERCENTILES]
    return [
        metric_query(
            _id(name, statistic),
            (HOSTING, name),
            dimensions,
            statistic=statistic,
            period_seconds=period,
        )
        for name, statistic in wanted
    ]


def _id(name: str, statistic: str) -> str:
    return f"{name[0].lower()}{name[1:]}_{statistic.lower()}"


def _percentile(values: Mapping[str, Mapping[datetime, float]], statistic: str) -> float | None:
    """A percentile in milliseconds; of two periods their mean, weighted by their requests."""
    points = values.get(_id("ModelLatency", statistic), {})
    counts = values.get(_id("Invocations", "Sum"), {})
    weights = {moment: counts.get(moment, 1.0) for moment in points}
    total = sum(weights.values())
    if not total:
        return None
    weighted = sum(value * weights[moment] for moment, value in points.items())
    return weighted / total / MICROSECONDS_PER_MS


def _hours(values: Mapping[str, Mapping[datetime, float]]) -> tuple[Hour, ...]:
    hours: dict[datetime, Hour] = {}
    for moment, count in values.get(_id("Invocations", "Sum"), {}).items():
        hours[moment] = Hour(moment, count)
    for moment, value in values.get(_id("ModelLatency", "p50"), {}).items():
        hours.setdefault(moment, Hour(moment)).p50_ms = value / MICROSECONDS_PER_MS
    for moment, value in values.get(_id("ModelLatency", "p99"), {}).items():
        hours.setdefault(moment, Hour(moment)).p99_ms = value / MICROSECONDS_PER_MS
    return tuple(hours[moment] for moment in sorted(hours))
