"""The plan: scheduled actions for an environment, and what they would have done in the past."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np

from forecast_operations.capacity.history import HOUR, MINUTE
from forecast_operations.capacity.pattern import WeeklyPattern, minute_of_week, weekly_pattern
from forecast_operations.capacity.schedule import PlannedAction, actions_of, plan_levels, timeline

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from forecast_operations.capacity.history import History

_TOLERANCE = 1e-9
"""What a quotient of two floats may be over a whole number of instances by."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What a plan is made for.

    Attributes:
        per_instance: Requests a minute that one instance serves.
        minimum: Fewest instances that the settings allow.
        maximum: Most instances that the settings allow; None: they do not say.
        timezone: Time zone of the week, such as `Asia/Shanghai`.
        quantile: Share of the stretches of an hour that the plan suffices for.
        headroom: Room above that, as a share of the requests.
        changes_per_day: Most changes of the minimum in a day.
        lead_minutes: How long before the hour a rise comes.
    """

    per_instance: float
    minimum: int
    maximum: int | None
    timezone: str
    quantile: float = 0.95
    headroom: float = 0.2
    changes_per_day: int = 4
    lead_minutes: int = 10

    def instances(self, per_minute: NDArray[np.float64]) -> NDArray[np.int64]:
        """Instances that so many requests a minute need, without headroom."""
        return np.ceil(per_minute / self.per_instance - _TOLERANCE).astype(np.int64)


@dataclass(frozen=True)
class Replay:
    """What the plan's minimum alone would have done, had it held in the history.

    Target tracking, which adds instances above the minimum, is left out: the plan is there so that
    it need not.

    Attributes:
        short_share: Share of the time with fewer instances than requests needed.
        usual_short_share: The same without the days that are peaks apart.
        requests_over: Requests above the capacity of the instances, as a share of all.
        instance_hours: What the plan would have run.
        fixed_count: The plan's highest minimum, as a count that never changes.
        fixed_hours: What that count would have run.
        fixed_short_share: Share of the time with fewer instances than needed, even so.
    """

    short_share: float
    usual_short_share: float
    requests_over: float
    instance_hours: float
    fixed_count: int
    fixed_hours: float
    fixed_short_share: float


@dataclass(frozen=True)
class CapacityPlan:
    """Scheduled actions, and what they rest on.

    Attributes:
        wanted: What it was made for.
        history: What it was made from.
        pattern: The week in it.
        needed: Instances for each weekday and hour, with headroom, within no bounds.
        minimum: The minimum in each minute of a week, from Monday, 00:00.
        actions: What to add to the settings; none when one minimum serves the whole week.
        replay: What it would have done.
    """

    wanted: Wanted
    history: History
    pattern: WeeklyPattern
    needed: NDArray[np.int64]
    minimum: NDArray[np.int64]
    actions: tuple[PlannedAction, ...]
    replay: Replay

    @property
    def clipped_from(self) -> int | None:
        """Instances that the week needs, where the settings allow fewer."""
        most = int(self.needed.max())
        maximum = self.wanted.maximum
        return most if maximum is not None and most > maximum else None


def make_plan(history: History, wanted: Wanted) -> CapacityPlan:
    """Plan a week's scheduled actions from a history of requests."""
    zone = ZoneInfo(wanted.timezone)
    pattern = weekly_pattern(history, zone, wanted.quantile)
    needed = wanted.instances(pattern.per_minute * (1 + wanted.headroom))
    most = math.inf if wanted.maximum is None else wanted.maximum
    within = np.clip(needed, wanted.minimum, most).astype(np.int64)
    levels = plan_levels(within, changes_per_day=wanted.changes_per_day)
    actions = actions_of(levels, lead_minutes=wanted.lead_minutes)
    minimum = timeline(actions, otherwise=int(levels[0, 0]))
    return CapacityPlan(
        wanted=wanted,
        history=history,
        pattern=pattern,
        needed=needed,
        minimum=minimum,
        actions=actions,
        replay=_replay(history, pattern, minimum, wanted),
    )


def planned_instances(plan: CapacityPlan) -> NDArray[np.int64]:
    """The plan's minimum in each stretch of its history."""
    zone = ZoneInfo(plan.wanted.timezone)
    return _minimum_at(plan.history, plan.minimum, zone)


def _minimum_at(history: History, minimum: NDArray[np.int64], zone: ZoneInfo) -> NDArray[np.int64]:
    minutes = minute_of_week(history.local_times(zone))
    planned: NDArray[np.int64] = minimum[minutes]
    return planned


def _replay(
    history: History, pattern: WeeklyPattern, minimum: NDArray[np.int64], wanted: Wanted
) -> Replay:
    planned = _minimum_at(history, minimum, ZoneInfo(wanted.timezone))
    needed = wanted.instances(history.per_minute)
    over = np.maximum(history.per_minute - planned * wanted.per_instance, 0.0)
    hours = history.step_seconds / HOUR
    most = int(minimum.max())
    return Replay(
        short_share=float(np.mean(planned < needed)),
        usual_short_share=float(np.mean((planned < needed)[~pattern.apart])),
        requests_over=float(over.sum() * history.step_seconds / MINUTE / history.requests.sum()),
        instance_hours=float(planned.sum() * hours),
        fixed_count=most,
        fixed_hours=most * len(planned) * hours,
        fixed_short_share=float(np.mean(needed > most)),
    )
