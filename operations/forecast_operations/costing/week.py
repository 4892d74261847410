"""A week of an endpoint: how many instances there are at least and at most, and when it is away.

What happens once, on days of a month or between two dates is no part of a usual week; it is told
apart, so that an estimate can say what it left out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_SECONDS_A_MINUTE = 60
_HOUR, _DAY = 60, 24 * 60
WEEK_MINUTES = 7 * _DAY

_MONDAY = datetime(2026, 1, 5, tzinfo=UTC)
_DAY_NAMES = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_CRON = re.compile(r"cron\(([^()]*)\)")
_ANY = frozenset({"*", "?"})
_FIELDS = 6
_UTC = "Etc/UTC"


@dataclass(frozen=True)
class Bounds:
    """Fewest and most instances of a variant."""

    low: float
    high: float


@dataclass(frozen=True)
class Week:
    """What a usual week comes to.

    Attributes:
        mean: Instances that are there at least and at most, averaged over all hours, those in which
            the endpoint is away included. What an action that belongs to no usual week may ask for
            counts to the most.
        present_share: Share of the hours in which the endpoint is there, from 0 to 1.
        left_out: Names of scheduled actions that belong to no usual week.
    """

    mean: Bounds
    present_share: float = 1.0
    left_out: tuple[str, ...] = ()


@dataclass
class _Switches:
    """What changes at which minute of the week, counted from Monday in UTC."""

    bounds: dict[int, list[tuple[int | None, int | None]]] = field(default_factory=dict)
    present: dict[int, bool] = field(default_factory=dict)


def usual_week(
    fixed: Bounds,
    actions: Sequence[Mapping[str, Any]] = (),
    absences: Sequence[tuple[str, str, str]] = (),
) -> Week:
    """The week of a variant.

    Args:
        fixed: Its bounds without any schedule.
        actions: Scheduled actions, as a scalable target has them in a template.
        absences: What removes the endpoint and brings it back: `stop` or `start`, the expression
            and its time zone.
    """
    switches = _Switches()
    left_out, peak = [], 0.0
    for action in actions:
        minutes = _minutes_of_action(action)
        wanted = action.get("ScalableTargetAction", {})
        pair = (wanted.get("MinCapacity"), wanted.get("MaxCapacity"))
        if minutes is None:
            left_out.append(str(action.get("ScheduledActionName", "a scheduled action")))
            peak = max([peak, *(count for count in pair if count is not None)])
            continue
        for minute in minutes:
            switches.bounds.setdefault(minute, []).append(pair)
    for what, expression, zone in absences:
        for minute in minutes_of_week(expression, zone) or ():
            switches.present[minute] = what == "start"
    mean, share = _added_up(fixed, switches)
    return Week(Bounds(mean.low, max(mean.high, peak * share)), share, tuple(left_out))


def minutes_of_week(expression: str, timezone: str = _UTC) -> tuple[int, ...] | None:
    """Minutes of the week, from Monday in UTC, at which a schedule fires.

    None when it does not fire in every week alike.
    """
    found = _CRON.fullmatch(expression)
    fields = found[1].split() if found else []
    if len(fields) != _FIELDS:
        return None
    minutes, hours, day_of_month, month, day_of_week, year = fields
    if not {day_of_month, month, year} <= _ANY or re.search(r"[L#]", day_of_week):
        return None
    local = _MONDAY.astimezone(ZoneInfo(timezone)).replace(tzinfo=UTC)
    offset = int((local - _MONDAY).total_seconds()) // _SECONDS_A_MINUTE
    return tuple(
        sorted(
            (day * _DAY + hour * _HOUR + minute - offset) % WEEK_MINUTES
            for day in _weekdays(day_of_week)
            for hour in _values(hours, 0, 23)
            for minute in _values(minutes, 0, 59)
        )
    )


def _minutes_of_action(action: Mapping[str, Any]) -> tuple[int, ...] | None:
    if "StartTime" in action or "EndTime" in action:
        return None
    return minutes_of_week(str(action.get("Schedule", "")), str(action.get("Timezone", _UTC)))


def _added_up(fixed: Bounds, switches: _Switches) -> tuple[Bounds, float]:
    moments = sorted({0, *switches.bounds, *switches.present})
    low, high, present = fixed.low, fixed.high, True
    total_low = total_high = total_present = 0.0
    # The first round only finds out how a week begins: as the one before it ended.
    for counted in (False, True):
        for number, moment in enumerate(moments):
            for minimum, maximum in switches.bounds.get(moment, ()):
                high = high if maximum is None else maximum
                low = low if minimum is None else minimum
            present = switches.present.get(moment, present)
            until = moments[number + 1] if number + 1 < len(moments) else WEEK_MINUTES
            if counted and present:
                total_present += until - moment
                total_low += low * (until - moment)
                total_high += max(low, high) * (until - moment)
    mean = Bounds(total_low / WEEK_MINUTES, total_high / WEEK_MINUTES)
    return mean, total_present / WEEK_MINUTES


def _weekdays(text: str) -> Iterable[int]:
    """Days of the week from Monday, which is 0; AWS counts from Sunday, which is 1."""
    if text in _ANY:
        return range(7)
    for number, name in enumerate(_DAY_NAMES, 1):
        text = re.sub(name, str(number), text, flags=re.IGNORECASE)
    return sorted({(value - 2) % 7 for value in _values(text, 1, 7)})


def _values(text: str, low: int, high: int) -> list[int]:
    """The values that a field of a cron expression names, from `low` to `high`."""
    values: set[int] = set()
    for entry in text.split(","):
        span, _, step = entry.partition("/")
        first, _, last = ("", "", "") if span == "*" else span.partition("-")
        begin = int(first) if first else low
        end = int(last) if last else (high if span == "*" or step else begin)
        end += 0 if end >= begin else high - low + 1
        values.update(
            low + (value - low) % (high - low + 1)
            for value in range(begin, end + 1, int(step) if step else 1)
        )
    return sorted(values)
