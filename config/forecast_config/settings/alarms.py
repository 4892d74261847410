"""When an endpoint calls for help: the alerts, their thresholds by severity, and the response.

Latencies are given in milliseconds here; the metrics of AWS are microseconds.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from forecast_config.settings.base import Settings
from forecast_config.settings.fields import Matching
from forecast_config.settings.notifications import NotificationSettings, Severity
from forecast_config.settings.rules.alerts import check_thresholds

Url = Annotated[str, Matching(r"^https://\S+$", "an address that starts with https://")]
Milliseconds = Annotated[float, Field(gt=0, le=3_600_000)]
"""At most an hour, which an asynchronous endpoint may work on a request; others have 60 seconds."""

Percent = Annotated[float, Field(gt=0, le=100)]
Minutes = Annotated[int, Field(ge=1, le=1440)]
Deadline = Annotated[int, Field(ge=1)]
"""Minutes until somebody or something has responded."""

_Graded = AfterValidator(check_thresholds)
"""Thresholds of which a graver severity never has the lower one."""

Response = Literal["scaling", "notify", "page", "retraining", "investigate"]
"""What a person or a system does about an alert."""


class _Alert(Settings):
    """What every alert has."""

    minutes: Minutes
    """Minutes that the threshold must be crossed for."""

    response: Response
    """What is done about it."""

    respond_within_minutes: Deadline
    """Time in which it is done."""

    runbook_url: Url | None = None
    """Page that says how; null: made from alarms.runbook_base_url."""


class HighLatency(_Alert):
    """The slowest hundredth of the requests takes too long in the container.

    An asynchronous endpoint has this alert only where it is given.
    """

    thresholds_ms: Annotated[dict[Severity, Milliseconds], _Graded] = Field(
        default={"medium": 2000}
    )
    """The p99 of ModelLatency that must not be exceeded, by severity."""

    minutes: Minutes = 5
    """Minutes that it must last; 5 minutes by default."""
    response: Response = "scaling"
    """What is done about it; scaling by default: more capacity."""
    respond_within_minutes: Deadline = 5
    """Time in which it is done; 5 minutes by default."""


class ErrorRate(_Alert):
    """The endpoint fails too large a share of the requests; what clients get wrong counts not."""

    thresholds_percent: Annotated[dict[Severity, Percent], _Graded] = Field(default={"high": 5})
    """Share of the requests that fail, by severity."""

    minutes: Minutes = 10
    """Minutes that it must last; 10 minutes by default."""
    response: Response = "notify"
    """What is done about it; notify by default: somebody is told at once."""
    respond_within_minutes: Deadline = 2
    """Time in which it is done; 2 minutes by default."""


class EndpointDown(_Alert):
    """The heartbeat gets no answer, or a wrong one.

    An asynchronous endpoint has no heartbeat, which would wake its instances: it is down when
    requests wait for 15 minutes or more and no instance starts.
    """

    severity: Severity = "critical"
    """Whom it reaches."""

    minutes: Minutes = 1
    """Minutes that it must last; 1 minute by default."""
    response: Response = "page"
    """What is done about it; page by default: somebody is woken."""
    respond_within_minutes: Deadline = 1
    """Time in which it is done; 1 minute by default."""


class ModelDrift(_Alert):
    """The quality of the forecasts declines; a metric that a monitoring job publishes."""

    namespace: Annotated[str, Field(min_length=1, max_length=255)] = "ForecastEndpoint"
    """Namespace of the metric; its only dimension is EndpointName."""

    metric_name: Annotated[str, Field(min_length=1, max_length=255)] = "WAPE"
    """Name of the metric, a loss: more is worse."""

    thresholds: Annotated[dict[Severity, Annotated[float, Field(gt=0)]], _Graded] = Field(
        default={"medium": 0.25}
    )
    """The metric's value, by severity."""

    minutes: Minutes = 1440
    """Minutes that it must last; 24 hours by default."""
    response: Response = "retraining"
    """What is done about it; retraining by default: a new model."""
    respond_within_minutes: Deadline = 1440
    """Time in which it is done; 24 hours by default."""


class CpuUtilization(_Alert):
    """The CPUs are busy, averaged over all cores."""

    thresholds_percent: Annotated[dict[Severity, Percent], _Graded] = Field(default={"medium": 90})
    """Share, by severity; 90 % (medium) by default."""

    minutes: Minutes = 15
    """Minutes that it must last; 15 minutes by default."""
    response: Response = "scaling"
    """What is done about it; scaling by default: more capacity."""
    respond_within_minutes: Deadline = 60
    """Time in which it is done; 1 hour by default."""


class MemoryUtilization(_Alert):
    """The memory of the instances fills up."""

    thresholds_percent: Annotated[dict[Severity, Percent], _Graded] = Field(default={"high": 90})
    """Share, by severity; 90 % (high) by default."""

    minutes: Minutes = 5
    """Minutes that it must last; 5 minutes by default."""
    response: Response = "investigate"
    """What is done about it; investigate by default: somebody looks into it."""
    respond_within_minutes: Deadline = 30
    """Time in which it is done; 30 minutes by default."""


class DiskUtilization(_Alert):
    """The disks of the instances fill up."""

    thresholds_percent: Annotated[dict[Severity, Percent], _Graded] = Field(default={"medium": 85})
    """Share, by severity; 85 % (medium) by default."""

    minutes: Minutes = 15
    """Minutes that it must last; 15 minutes by default."""
    response: Response = "investigate"
    """What is done about it; investigate by default: somebody looks into it."""
    respond_within_minutes: Deadline = 240
    """Time in which it is done; 4 hours by default."""


class NoTraffic(_Alert):
    """Nobody but the heartbeat asks for forecasts."""

    severity: Severity = "medium"
    """Whom it reaches."""

    minutes: Minutes = 1440
    """Minutes that it must last; 24 hours by default."""
    response: Response = "investigate"
    """What is done about it; investigate by default: somebody looks into it."""
    respond_within_minutes: Deadline = 1440
    """Time in which it is done; 24 hours by default."""


class OverheadLatency(_Alert):
    """SageMaker itself takes long to pass requests on."""

    thresholds_ms: Annotated[dict[Severity, Milliseconds], _Graded] = Field(
        default={"medium": 1000}
    )
    """The p99 of OverheadLatency, by severity."""

    minutes: Minutes = 15
    """Minutes that it must last; 15 minutes by default."""
    response: Response = "investigate"
    """What is done about it; investigate by default: somebody looks into it."""
    respond_within_minutes: Deadline = 60
    """Time in which it is done; 1 hour by default."""


class Throttling(_Alert):
    """Requests come nearly faster than a serverless endpoint's max_concurrency allows.

    SageMaker publishes nothing of requests that instances are too busy for; there it is without
    effect.
    """

    thresholds_percent: Annotated[dict[Severity, Percent], _Graded] = Field(default={"high": 90})
    """Share of max_concurrency in use, by severity."""

    minutes: Minutes = 5
    """Minutes that it must last; 5 minutes by default."""
    response: Response = "scaling"
    """What is done about it; scaling by default: more capacity."""
    respond_within_minutes: Deadline = 30
    """Time in which it is done; 30 minutes by default."""


class Budget(_Alert):
    """The environment costs more than was planned for a month."""

    monthly_usd: Annotated[float, Field(gt=0)]
    """Planned cost of a month, in US dollars."""

    thresholds_percent: Annotated[
        dict[Severity, Annotated[float, Field(gt=0, le=1000)]], _Graded
    ] = Field(default={"medium": 80, "high": 100})
    """Share of the plan that has been spent, by severity."""

    minutes: Minutes = 1440
    """Minutes that it must last; 24 hours by default."""
    response: Response = "investigate"
    """What is done about it; investigate by default: somebody looks into it."""
    respond_within_minutes: Deadline = 1440
    """Time in which it is done; 24 hours by default."""


class RollbackSettings(Settings):
    """What undoes a rollout: failures and slowness of the new fleet only."""

    error_count: Annotated[int, Field(ge=1, le=1_000_000)] = 5
    """Failed requests of a new fleet within a minute."""

    latency_p99_ms: Milliseconds | None = 5000
    """The p99 of a new fleet's ModelLatency, in milliseconds; null: latency undoes nothing.

    An asynchronous endpoint has the threshold only where it is given.
    """

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
