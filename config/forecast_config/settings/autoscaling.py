"""How many instances serve, and when: Application Auto Scaling and off hours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, Field

from forecast_config.schedules import moment_problem, schedule_problem, time_zone_problem
from forecast_config.settings.base import Settings
from forecast_config.settings.fields import MAX_INSTANCES, CooldownSeconds, Matching
from forecast_config.settings.rules.scaling import (
    AUTOSCALING_RULES,
    OFF_HOURS_RULES,
    SCHEDULED_ACTION_RULES,
)
from forecast_config.settings.ruling import refused

if TYPE_CHECKING:
    from collections.abc import Callable


def _checked(problem_of: Callable[[str], str | None]) -> AfterValidator:
    def check(value: str) -> str:
        problem = problem_of(value)
        if problem is not None:
            raise refused(problem)
        return value

    return AfterValidator(check)


_DIGITS = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}"

ScheduleExpression = Annotated[
    str,
    Matching(
        rf"^(cron\([^()]+\)|at\({_DIGITS}\))$",
        "cron(minutes hours day-of-month month day-of-week year) or at(yyyy-mm-ddThh:mm:ss)",
    ),
    _checked(schedule_problem),
]
TimeZone = Annotated[str, Field(max_length=40), _checked(time_zone_problem)]
Moment = Annotated[
    str,
    Matching(rf"^{_DIGITS}Z$", "a moment in UTC such as 2027-01-30T00:00:00Z"),
    _checked(moment_problem),
]
EntryName = Annotated[
    str,
    Field(max_length=40),
    Matching(r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", "small letters, digits and single hyphens"),
]
"""Key under which a person names an entry; the resource made from it keeps its id by it."""


class CpuUtilizationTarget(Settings):
    """Scale on the CPU's utilization averaged over all cores."""

    kind: Literal["cpu_utilization"]
    """Average CPU over all cores; the metric of AWS is a sum over cores and is divided here."""

    percent: Annotated[float, Field(gt=0, le=100)]
    """Utilization to keep, in percent of all cores (0 to 100)."""


class InvocationsTarget(Settings):
    """Scale on the requests that each instance gets."""

    kind: Literal["invocations_per_instance"]
    """Average number of requests a minute and instance."""

    per_minute: Annotated[float, Field(gt=0)]
    """Requests a minute and instance to keep."""


class ConcurrentRequestsTarget(Settings):
    """Scale on the requests that each model has in work, seen every 10 seconds."""

    kind: Literal["concurrent_requests"]
    """Requests in work or waiting, for each model copy (high resolution)."""

    per_instance: Annotated[float, Field(gt=0)]
    """Requests at once and instance to keep."""


class LatencyTarget(Settings):
    """Scale on the time that the container takes to answer 90 % of the requests."""

    kind: Literal["latency_p90"]
    """The p90 of ModelLatency."""

    milliseconds: Annotated[float, Field(gt=0, le=60_000)]
    """Latency to keep, in milliseconds."""


class BacklogTarget(Settings):
    """Scale an asynchronous endpoint on its queue."""

    kind: Literal["backlog_per_instance"]
    """Requests waiting, for each instance; a step policy wakes the endpoint from zero."""

    requests: Annotated[float, Field(gt=0)]
    """Waiting requests and instance to keep."""


class CustomMetricTarget(Settings):
    """Scale on any metric that falls as instances are added."""

    kind: Literal["custom_metric"]
    """A metric of CloudWatch."""

    namespace: Annotated[str, Field(min_length=1, max_length=255)]
    """Namespace of the metric."""

    metric_name: Annotated[str, Field(min_length=1, max_length=255)]
    """Name of the metric."""

    dimensions: dict[str, str] = Field(default_factory=dict)
    """Dimensions of the metric, all of them."""

    statistic: Literal["Average", "Maximum", "Minimum", "SampleCount", "Sum"] = "Average"
    """Statistic over a minute."""

    value: Annotated[float, Field(gt=0)]
    """Value to keep, in the metric's own unit."""


ScalingTarget = Annotated[
    CpuUtilizationTarget
    | InvocationsTarget
    | ConcurrentRequestsTarget
    | LatencyTarget
    | BacklogTarget
    | CustomMetricTarget,
    Field(discriminator="kind"),
]


class ScheduledAction(Settings):
    """Bounds that hold from a moment on, until another action changes them."""

    schedule: ScheduleExpression
    """When: cron(0 4 ? * FRI *), or once: at(2027-01-30T06:00:00)."""

    timezone: TimeZone = "Etc/UTC"
    """Time zone of the schedule, such as Asia/Shanghai."""

    start: Moment | None = None
    """First moment that the schedule counts from, in UTC; null: at once."""

    end: Moment | None = None
    """Last moment that the schedule counts to, in UTC; null: for ever."""

    min_instance_count: Annotated[int, Field(ge=0, le=MAX_INSTANCES)] | None = None
    """Fewest instances from then on; null: as before."""

    max_instance_count: Annotated[int, Field(ge=0, le=MAX_INSTANCES)] | None = None
    """Most instances from then on; null: as before."""

    rules = SCHEDULED_ACTION_RULES


class AutoscalingSettings(Settings):
    """Bounds and targets of Application Auto Scaling for the production variant."""

    min_instance_count: Annotated[int, Field(ge=0, le=MAX_INSTANCES)] = 1
    """Fewest instances; only an asynchronous endpoint can go to 0."""

    max_instance_count: Annotated[int, Field(ge=1, le=MAX_INSTANCES)]
    """Most instances."""

    targets: dict[EntryName, ScalingTarget]
    """What is held constant, by a name of its own; of several, the one asking for most wins."""

    scale_out_cooldown_seconds: CooldownSeconds = 60
    """Pause after adding instances."""

    scale_in_cooldown_seconds: CooldownSeconds = 300
    """Pause after removing instances."""

    scheduled: dict[EntryName, ScheduledAction] = Field(default_factory=dict)
    """Known peaks, by a name of its own."""

    rules = AUTOSCALING_RULES


class OffHoursSettings(Settings):
    """Hours in which the endpoint is removed; a state machine brings it back."""

    stop: ScheduleExpression
    """When it is removed: cron(0 20 ? * MON-FRI *)."""

    start: ScheduleExpression
    """When it is brought back: cron(0 7 ? * MON-FRI *)."""

    timezone: TimeZone = "Etc/UTC"
    """Time zone of both, such as Asia/Shanghai."""

    rules = OFF_HOURS_RULES
