"""When an endpoint calls for help: the alerts, their thresholds by severity, and the response.

Latencies are given in milliseconds here; the metrics of AWS are microseconds.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from forecast_config.settings.base import Settings
from forecast_config.settings.fields import Matching
from forecast_config.settings.notifications import NotificationSettings, Severity

Url = Annotated[str, Matching(r"^https://\S+$", "an address that starts with https://")]
Milliseconds = Annotated[float, Field(gt=0, le=60_000)]
Percent = Annotated[float, Field(gt=0, le=100)]
Minutes = Annotated[int, Field(ge=1, le=1440)]

Response = Literal["scaling", "notify", "page", "retraining", "investigate"]
"""What a person or a system does about an alert."""


class _Alert(Settings):
    """What every alert has."""

    minutes: Minutes
    """Minutes that the threshold must be crossed for."""

    response: Response
    """What is done about it."""

    respond_within_minutes: Annotated[int, Field(ge=1)]
    """Time in which it is done."""

    runbook_url: Url | None = None
    """Page that says how; null: made from alarms.runbook_base_url."""


class HighLatency(_Alert):
    """The slowest hundredth of the requests takes too long in the container."""

    thresholds_ms: dict[Severity, Milliseconds] = Field(default={"medium": 2000})
    """The p99 of ModelLatency that must not be exceeded, by severity."""

    minutes: Minutes = 5
    response: Response = "scaling"
    respond_within_minutes: Annotated[int, Field(ge=1)] = 5


class ErrorRate(_Alert):
    """The endpoint fails too large a share of the requests; what clients get wrong counts not."""

    thresholds_percent: dict[Severity, Percent] = Field(default={"high": 5})
    """Share of the requests, by severity."""

    minutes: Minutes = 10
    response: Response = "notify"
    respond_within_minutes: Annotated[int, Field(ge=1)] = 2


class EndpointDown(_Alert):
    """The heartbeat gets no answer, or a wrong one."""

    severity: Severity = "critical"
    """Whom it reaches."""

    minutes: Minutes = 1
    response: Response = "page"
    respond_within_minutes: Annotated[int, Field(ge=1)] = 1


class ModelDrift(_Alert):
    """The quality of the forecasts declines; a metric that a monitoring job publishes."""

    namespace: Annotated[str, Field(min_length=1, max_length=255)] = "ForecastEndpoint"
    """Namespace of the metric; its only dimension is EndpointName."""

    metric_name: Annotated[str, Field(min_length=1, max_length=255)] = "WAPE"
    """Name of the metric, a loss: more is worse."""

    thresholds: dict[Severity, Annotated[float, Field(gt=0)]] = Field(default={"medium": 0.25})
    """The metric's value, by severity."""

    minutes: Minutes = 1440
    response: Response = "retraining"
    respond_within_minutes: Annotated[int, Field(ge=1)] = 1440


class CpuUtilization(_Alert):
    """The CPUs are busy, averaged over all cores."""

    thresholds_percent: dict[Severity, Percent] = Field(default={"medium": 90})
    minutes: Minutes = 15
    response: Response = "scaling"
    respond_within_minutes: Annotated[int, Field(ge=1)] = 60


class MemoryUtilization(_Alert):
    """The memory of the instances fills up."""

    thresholds_percent: dict[Severity, Percent] = Field(default={"high": 90})
    minutes: Minutes = 5
    response: Response = "investigate"
    respond_within_minutes: Annotated[int, Field(ge=1)] = 30


class DiskUtilization(_Alert):
    """The disks of the instances fill up."""

    thresholds_percent: dict[Severity, Percent] = Field(default={"medium": 85})
    minutes: Minutes = 15
    response: Response = "investigate"
    respond_within_minutes: Annotated[int, Field(ge=1)] = 240


class NoTraffic(_Alert):
    """Nobody but the heartbeat asks for forecasts."""

    severity: Severity = "medium"
    """Whom it reaches."""

    minutes: Minutes = 1440
    response: Response = "investigate"
    respond_within_minutes: Annotated[int, Field(ge=1)] = 1440


class OverheadLatency(_Alert):
    """SageMaker itself takes long to pass requests on."""

    thresholds_ms: dict[Severity, Milliseconds] = Field(default={"medium": 1000})
    """The p99 of OverheadLatency, by severity."""

    minutes: Minutes = 15
    response: Response = "investigate"
    respond_within_minutes: Annotated[int, Field(ge=1)] = 60


class Throttling(_Alert):
    """Requests come faster than the capacity allows."""

    thresholds_percent: dict[Severity, Percent] = Field(default={"high": 90})
    """Serverless: share of max_concurrency in use. On instances: share of 4XX that are 429."""

    minutes: Minutes = 5
    response: Response = "scaling"
    respond_within_minutes: Annotated[int, Field(ge=1)] = 30


class Budget(_Alert):
    """The environment costs more than was planned for a month."""

    monthly_usd: Annotated[float, Field(gt=0)]
    """Planned cost of a month, in US dollars."""

    thresholds_percent: dict[Severity, Annotated[float, Field(gt=0, le=1000)]] = Field(
        default={"medium": 80, "high": 100}
    )
    """Share of the plan that has been spent, by severity."""

    minutes: Minutes = 1440
    response: Response = "investigate"
    respond_within_minutes: Annotated[int, Field(ge=1)] = 1440


class RollbackSettings(Settings):
    """What undoes a rollout: failures and slowness of the new fleet only."""

    error_count: Annotated[int, Field(ge=1, le=1_000_000)] = 5
    """Failed requests of a new fleet within a minute."""

    latency_p99_ms: Milliseconds | None = 5000
    """The p99 of a new fleet's ModelLatency, in milliseconds; null: latency undoes nothing."""

    severity: Severity = "high"
    """Whom it reaches."""


class AlarmSettings(Settings):
    """The table of alerts; null switches one off."""

    high_latency: HighLatency | None = HighLatency()
    """p99 over 2 s for 5 minutes (medium): scaling, within 5 minutes."""

    error_rate: ErrorRate | None = ErrorRate()
    """Over 5 % for 10 minutes (high): notify, within 2 minutes."""

    endpoint_down: EndpointDown | None = EndpointDown()
    """The heartbeat fails (critical): page, within 1 minute. null: there is no heartbeat."""

    model_drift: ModelDrift | None = ModelDrift()
    """Quality declines (medium): retraining, within 24 hours."""

    cpu_utilization: CpuUtilization | None = CpuUtilization()
    """CPU over 90 % (medium)."""

    memory_utilization: MemoryUtilization | None = MemoryUtilization()
    """Memory over 90 % (high)."""

    disk_utilization: DiskUtilization | None = DiskUtilization()
    """Disk over 85 % (medium)."""

    no_traffic: NoTraffic | None = NoTraffic()
    """No requests for a day (medium)."""

    overhead_latency: OverheadLatency | None = OverheadLatency()
    """p99 of SageMaker's own share over 1 s (medium)."""

    throttling: Throttling | None = Throttling()
    """Capacity used up (high)."""

    budget: Budget | None = None
    """Cost over budget; null: no budget."""

    rollback: RollbackSettings = RollbackSettings()
    """What undoes a rollout."""

    runbook_base_url: Url | None = None
    """Where the runbooks are: <base>/<alert>, such as …/high-latency; null: docs/runbooks.md."""

    notifications: NotificationSettings = NotificationSettings()
    """Whom the alarms reach, by severity."""
