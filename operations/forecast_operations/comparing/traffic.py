"""What CloudWatch knows of two variants: requests, latency, errors, and how they are shared."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from forecast_operations.cloud.metrics import metric_query

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from forecast_operations.cloud.cloud import Cloud
    from forecast_operations.comparing.variants import Contest
    from forecast_operations.comparing.window import Window

MISMATCH_ALPHA = 0.001
"""Chance below which shares are called mismatched.

It is looked at often, and one false alarm costs trust in all later ones: Fabijan et al.,
"Diagnosing sample ratio mismatch in online controlled experiments" (KDD 2019), advise a small one.
"""

_NAMESPACE = "AWS/SageMaker"
_HOUR = 3600
_COUNTS = ("Invocations", "Invocation4XXErrors", "Invocation5XXErrors", "InvocationModelErrors")
_PERCENTILES = ("p50", "p90", "p99")
_HEARTBEAT = ("ForecastEndpoint", "Heartbeat")
"""Namespace and name of the metric of the endpoint's own heartbeat, which asks every variant."""

_MICROSECONDS_PER_MS = 1000.0
"""ModelLatency is in microseconds (Amazon SageMaker developer guide, "Monitor with CloudWatch")."""


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


@dataclass(frozen=True, kw_only=True)
class Sharing:
    """How the requests were shared, and how they should have been.

    Attributes:
        configured: Share that is the challenger's by the weights, from 0 to 1.
        received: Share that it got, heartbeats apart; None without requests.
        heartbeats: Requests of the heartbeat to each variant, which are left out.
        p_value: Chance of such a share, or one further off; None where it is not looked at.
    """

    configured: float
    received: float | None
    heartbeats: int
    p_value: float | None

    @property
    def is_mismatch(self) -> bool:
        """Whether the share is not what chance makes of the weights."""
        return self.p_value is not None and self.p_value < MISMATCH_ALPHA


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

    def heartbeats(self, variants: int) -> int:
        """Requests of the heartbeat to each of so many variants."""
        query = metric_query(
            "beats",
            _HEARTBEAT,
            {"EndpointName": self._contest.endpoint},
            statistic="SampleCount",
            period_seconds=self._whole(),
        )
        return round(sum(self._ask([query]).get("beats", {}).values()) / variants)

    def _of(self, variant: str, configuration: str | None) -> Traffic:
        dimensions = {"EndpointName": self._contest.endpoint, "VariantName": variant}
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
        values: dict[str, dict[datetime, float]] = {}
        for result in self._cloud.pages(
            "cloudwatch",
            "get_metric_data",
            "MetricDataResults",
            MetricDataQueries=list(queries),
            StartTime=self._window.start,
            # CloudWatch takes the end out.
            EndTime=self._window.end + timedelta(seconds=60),
            ScanBy="TimestampAscending",
        ):
            points = zip(result["Timestamps"], result["Values"], strict=True)
            values.setdefault(result["Id"], {}).update(points)
        return values


def check_sharing(
    contest: Contest, champion: Traffic, challenger: Traffic, heartbeats: int
) -> Sharing:
    """How the requests were shared: of a split, whether chance explains it (a binomial test).

    Args:
        contest: The weights.
        champion: What the champion got.
        challenger: What the challenger got.
        heartbeats: How many of each one's requests the heartbeat sent.
    """
    ours, theirs = (max(0, each.invocations - heartbeats) for each in (champion, challenger))
    whole = ours if contest.kind == "shadow" else ours + theirs
    p_value = None
    if contest.kind == "split" and whole:
        from scipy import stats  # noqa: PLC0415 - a second

        p_value = float(stats.binomtest(theirs, whole, contest.configured_share).pvalue)
    return Sharing(
        configured=contest.configured_share,
        received=theirs / whole if whole else None,
        heartbeats=heartbeats,
        p_value=p_value,
    )


def fails_more(champion: Traffic, challenger: Traffic) -> bool:
    """Whether more of the challenger's requests fail, and chance does not explain it.

    Refused ones (4XX) count as those that fail (5XX): clients' own mistakes reach both alike, and a
    challenger that refuses what the champion answers is no better than one that breaks on it.
    Fisher's exact test, at the level of `MISMATCH_ALPHA`.
    """
    if not (champion.invocations and challenger.invocations):
        return False
    from scipy import stats  # noqa: PLC0415 - a second

    failed = [each.failed for each in (champion, challenger)]
    fine = [
        each.invocations - bad for each, bad in zip((champion, challenger), failed, strict=True)
    ]
    more = failed[1] * champion.invocations > failed[0] * challenger.invocations
    return more and float(stats.fisher_exact([failed, fine]).pvalue) < MISMATCH_ALPHA


def _queries(dimensions: Mapping[str, str], period: int) -> list[dict[str, Any]]:
    wanted = [(name, "Sum") for name in _COUNTS]
    wanted += [("ModelLatency", statistic) for statistic in _PERCENTILES]
    return [
        metric_query(
            _id(name, statistic),
            (_NAMESPACE, name),
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
    return weighted / total / _MICROSECONDS_PER_MS


def _hours(values: Mapping[str, Mapping[datetime, float]]) -> tuple[Hour, ...]:
    hours: dict[datetime, Hour] = {}
    for moment, count in values.get(_id("Invocations", "Sum"), {}).items():
        hours[moment] = Hour(moment, count)
    for moment, value in values.get(_id("ModelLatency", "p50"), {}).items():
        hours.setdefault(moment, Hour(moment)).p50_ms = value / _MICROSECONDS_PER_MS
    for moment, value in values.get(_id("ModelLatency", "p99"), {}).items():
        hours.setdefault(moment, Hour(moment)).p99_ms = value / _MICROSECONDS_PER_MS
    return tuple(hours[moment] for moment in sorted(hours))
