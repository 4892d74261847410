"""From what each hour of a week needs to few scheduled actions."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from forecast_operations.capacity.pattern import HOURS, WEEKDAYS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

DAY_MINUTES = 1440
WEEK_MINUTES = WEEKDAYS * DAY_MINUTES

CHANGE_COST = 0.5
"""Instance-hours that one change less is worth."""

MERGE_TOLERANCE = 0.02
"""Share of the plan's instance-hours that treating two days alike may cost."""

_SUNDAY = 6
_NAMES = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")


@dataclass(frozen=True)
class PlannedAction:
    """A minimum that holds from a time of some weekdays on.

    Attributes:
        weekdays: The weekdays, Monday as 0.
        minute: Minute of the day.
        instance_count: The minimum from then on.
    """

    weekdays: tuple[int, ...]
    minute: int
    instance_count: int

    @property
    def name(self) -> str:
        """Key of the action, such as `mon-to-fri-0550`."""
        days = (
            "daily" if len(self.weekdays) == WEEKDAYS else _shown_days(self.weekdays, "-to-", "-")
        )
        return f"{days.lower()}-{self.minute // 60:02}{self.minute % 60:02}"

    @property
    def expression(self) -> str:
        """The schedule, such as `cron(50 5 ? * MON-FRI *)`."""
        when = f"{self.minute % 60} {self.minute // 60}"
        if len(self.weekdays) == WEEKDAYS:
            return f"cron({when} * * ? *)"
        return f"cron({when} ? * {_shown_days(self.weekdays, '-', ',')} *)"


def plan_levels(needed: NDArray[np.int64], *, changes_per_day: int) -> NDArray[np.int64]:
    """The minimum for each weekday and hour: never under what is needed, seldom changed.

    Args:
        needed: Instances needed, for each weekday and hour.
        changes_per_day: Most stretches of a day with a minimum of their own.
    """
    groups: list[tuple[int, ...]] = [(day,) for day in range(WEEKDAYS)]

    @cache
    def plan(group: tuple[int, ...]) -> tuple[float, tuple[int, ...]]:
        cost, levels = _cut(needed[list(group)].max(axis=0), changes_per_day)
        return cost * len(group), levels

    room = MERGE_TOLERANCE * sum(plan(group)[0] for group in groups)
    while len(groups) > 1:
        costs = {
            pair: plan(tuple(sorted(pair[0] + pair[1])))[0] - plan(pair[0])[0] - plan(pair[1])[0]
            for pair in combinations(groups, 2)
        }
        pair = min(costs, key=lambda each: costs[each])
        if costs[pair] > room:
            break
        # What treating days alike has cost so far counts.
        room -= max(costs[pair], 0.0)
        groups = [each for each in groups if each not in pair]
        groups.append(tuple(sorted(pair[0] + pair[1])))
    levels = np.zeros((WEEKDAYS, HOURS), dtype=np.int64)
    for group in groups:
        levels[list(group)] = plan(group)[1]
    return levels


def actions_of(levels: NDArray[np.int64], *, lead_minutes: int) -> tuple[PlannedAction, ...]:
    """The changes of a week as scheduled actions; none when the minimum never changes.

    Args:
        levels: The minimum for each weekday and hour.
        lead_minutes: How long before the hour a rise comes, as instances take time to start.
    """
    week = levels.reshape(-1)
    days: dict[tuple[int, int], list[int]] = {}
    for hour, level in enumerate(week):
        before = week[hour - 1]
        if level == before:
            continue
        minute = (hour * 60 - (lead_minutes if level > before else 0)) % WEEK_MINUTES
        days.setdefault((minute % DAY_MINUTES, int(level)), []).append(minute // DAY_MINUTES)
    actions = [
        PlannedAction(tuple(sorted(weekdays)), minute, level)
        for (minute, level), weekdays in days.items()
    ]
    return tuple(sorted(actions, key=lambda each: (each.weekdays, each.minute)))


def timeline(actions: Sequence[PlannedAction], otherwise: int) -> NDArray[np.int64]:
    """The minimum in each minute of a week, from Monday, 00:00, as the actions set it."""
    events = sorted(
        (weekday * DAY_MINUTES + action.minute, action.instance_count)
        for action in actions
        for weekday in action.weekdays
    )
    minimum = np.full(WEEK_MINUTES, events[-1][1] if events else otherwise, dtype=np.int64)
    for minute, level in events:
        minimum[minute:] = level
    return minimum


def _cut(needed: NDArray[np.int64], most: int) -> tuple[float, tuple[int, ...]]:
    """Cut a day into stretches, each at its own maximum, for the fewest instance-hours."""
    hours = [int(hour) for hour in needed]
    # For the first hours of the day, in so many stretches: the least cost, and its levels.
    best: dict[tuple[int, int], tuple[float, tuple[int, ...]]] = {(0, 0): (0.0, ())}
    for end in range(1, HOURS + 1):
        for count in range(1, min(most, end) + 1):
            best[end, count] = min(_with_last_stretch(hours[:end], best, count))
    return min(best[HOURS, count] for count in range(1, most + 1))


def _with_last_stretch(
    hours: list[int], best: dict[tuple[int, int], tuple[float, tuple[int, ...]]], count: int
) -> Iterator[tuple[float, tuple[int, ...]]]:
    level, length = 0, 0
    for start in reversed(range(len(hours))):
        level, length = max(level, hours[start]), length + 1
        if (start, count - 1) in best:
            cost, levels = best[start, count - 1]
            yield cost + level * length + CHANGE_COST, (*levels, *[level] * length)


def _shown_days(weekdays: Sequence[int], to: str, also: str) -> str:
    runs: list[list[int]] = []
    for day in weekdays:
        # AWS's weeks begin on Sunday, so that no range may end on one.
        if runs and day == runs[-1][-1] + 1 and day != _SUNDAY:
            runs[-1].append(day)
        else:
            runs.append([day])
    return also.join(
        _NAMES[run[0]] if len(run) == 1 else f"{_NAMES[run[0]]}{to}{_NAMES[run[-1]]}"
        for run in runs
    )
