"""Schedule expressions: cron, rate and at, as EventBridge and Application Auto Scaling take them.

https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
"""

import calendar
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_FORM = re.compile(r"(cron|rate|at)\((.+)\)")
_RATE = re.compile(r"([1-9]\d*) (minute|hour|day)(s?)")
_UNIT_SECONDS = {"minute": 60, "hour": 3600, "day": 86400}
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_CRON_FIELDS = 6
_MAX_DAYS_AHEAD = 366 * 8
_NAMED = {
    **{name: number for number, name in enumerate(_MONTHS, start=1)},
    **{name: number for number, name in enumerate(_DAYS, start=1)},
}


class ScheduleError(Exception):
    """An expression that AWS would refuse, with the reason."""


@dataclass(frozen=True)
class Schedule:
    """When something happens.

    Attributes:
        following: Returns the first moment after a given one, both in UTC with a time zone; None
            when there is none.
    """

    following: Callable[[datetime], datetime | None]


def parse_schedule(expression: str, timezone: str = "UTC") -> Schedule:
    """Read an expression.

    Args:
        expression: ``cron(…)``, ``rate(…)`` or ``at(…)``.
        timezone: IANA time zone of its times.

    Raises:
        ScheduleError: If the expression or the time zone is not valid.
    """
    match = _FORM.fullmatch(expression)
    if match is None:
        raise ScheduleError(f"expected cron(…), rate(…) or at(…), got {expression}")
    try:
        zone = ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ScheduleError(f"expected an IANA time zone, got {timezone}") from error
    kind, content = match.groups()
    if kind == "rate":
        return _rate(content)
    return _at(content, zone) if kind == "at" else _cron(content, zone)


def _rate(content: str) -> Schedule:
    match = _RATE.fullmatch(content)
    if match is None or (match.group(1) == "1") == bool(match.group(3)):
        raise ScheduleError(f"expected such as rate(1 minute) or rate(5 minutes), got {content}")
    seconds = int(match.group(1)) * _UNIT_SECONDS[match.group(2)]
    return Schedule(lambda after: after + timedelta(seconds=seconds))


def _at(content: str, zone: ZoneInfo) -> Schedule:
    try:
        moment = datetime.strptime(content, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=zone)
    except ValueError as error:
        raise ScheduleError(f"expected at(yyyy-mm-ddThh:mm:ss), got at({content})") from error
    utc = moment.astimezone(UTC)
    return Schedule(lambda after: utc if utc > after else None)


@dataclass(frozen=True)
class _Cron:
    minutes: frozenset[int]
    hours: frozenset[int]
    months: frozenset[int]
    years: frozenset[int]
    matches_day: Callable[[date], bool]
    zone: ZoneInfo

    def following(self, after: datetime) -> datetime | None:
        local = after.astimezone(self.zone)
        for ahead in range(_MAX_DAYS_AHEAD):
            day = local.date() + timedelta(days=ahead)
            if day.year not in self.years or day.month not in self.months:
                continue
            if not self.matches_day(day):
                continue
            for hour in sorted(self.hours):
                for minute in sorted(self.minutes):
                    found = datetime(
                        day.year, day.month, day.day, hour, minute, tzinfo=self.zone
                    ).astimezone(UTC)
                    if found > after:
                        return found
        return None


def _cron(content: str, zone: ZoneInfo) -> Schedule:
    fields = content.split()
    if len(fields) != _CRON_FIELDS:
        raise ScheduleError(
            "expected six fields (minutes hours day-of-month month day-of-week year), got "
            f"{content}"
        )
    minutes, hours, days, months, weekdays, years = fields
    if (days == "?") == (weekdays == "?"):
        raise ScheduleError(
            f"expected ? in one of day-of-month and day-of-week, got {days} and {weekdays}"
        )
    matches = _month_day(days) if weekdays == "?" else _weekday(weekdays)
    cron = _Cron(
        minutes=_numbers(minutes, 0, 59),
        hours=_numbers(hours, 0, 23),
        months=_numbers(months, 1, 12),
        years=_numbers(years, 1970, 2199),
        matches_day=matches,
        zone=zone,
    )
    return Schedule(cron.following)


def _numbers(field: str, low: int, high: int) -> frozenset[int]:
    found: set[int] = set()
    for part in field.split(","):
        span, _, step = part.partition("/")
        if span == "*":
            first, last = low, high
        else:
            begin, _, end = span.partition("-")
            first = _number(begin)
            last = _number(end) if end else (high if step else first)
        width = _number(step) if step else 1
        if not (low <= first <= last <= high) or width < 1:
            raise ScheduleError(f"expected numbers from {low} to {high}, got {field}")
        found.update(range(first, last + 1, width))
    return frozenset(found)


def _number(text: str) -> int:
    known = _NAMED.get(text.upper())
    if known is not None:
        return known
    if not text.isdecimal():
        raise ScheduleError(
            f"expected a number or a name such as MON or JAN, got {text or 'nothing'}"
        )
    return int(text)


def _month_day(field: str) -> Callable[[date], bool]:
    if field == "L":
        return lambda day: day.day == calendar.monthrange(day.year, day.month)[1]
    if field.endswith("W"):
        return _nearest_workday(_number(field[:-1]))
    wanted = _numbers(field, 1, 31)
    return lambda day: day.day in wanted


def _nearest_workday(number: int) -> Callable[[date], bool]:
    def matches(day: date) -> bool:
        last = calendar.monthrange(day.year, day.month)[1]
        if number > last:
            return False
        centre = date(day.year, day.month, number)
        shift = {5: -1 if centre.day > 1 else 2, 6: 1 if centre.day < last else -2}
        return day == centre + timedelta(days=shift.get(centre.weekday(), 0))

    return matches


def _weekday(field: str) -> Callable[[date], bool]:
    if field.upper().endswith("L"):
        wanted = _number(field[:-1])
        return lambda day: (
            _aws_weekday(day) == wanted
            and day.day + 7 > calendar.monthrange(day.year, day.month)[1]
        )
    if "#" in field:
        name, _, which = field.partition("#")
        number, index = _number(name), _number(which)
        return lambda day: _aws_weekday(day) == number and (day.day - 1) // 7 + 1 == index
    numbers = _numbers(field, 1, 7)
    return lambda day: _aws_weekday(day) in numbers


def _aws_weekday(day: date) -> int:
    """1 is Sunday."""
    return day.isoweekday() % 7 + 1
