"""Schedules: cron expressions, moments and time zones, as AWS reads them.

Sources: Application Auto Scaling user guide, "Schedule recurring scaling actions"; Amazon
EventBridge user guide, "Cron expressions reference"; EventBridge Scheduler takes the same fields.
"""

from __future__ import annotations

import difflib
import json
import re
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.resources import files

_CRON = re.compile(r"cron\(([^()]*)\)")
_ANY, _NONE = "*", "?"
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")

_ZONES_OF_CITIES = {"beijing": "Asia/Shanghai", "peking": "Asia/Shanghai"}
"""Zones of cities that are asked for and have none of their own name."""


@dataclass(frozen=True)
class _Field:
    name: str
    low: int
    high: int
    words: tuple[str, ...] = ()
    special: str = ""

    def holds(self, text: str) -> bool:
        """Whether the text is a list of values, ranges and steps of this field."""
        return all(self._holds_entry(entry) for entry in text.split(","))

    def _holds_entry(self, entry: str) -> bool:
        if self.special and re.fullmatch(self.special, entry, re.IGNORECASE):
            return True
        span, slash, step = entry.partition("/")
        if slash and not (step.isdecimal() and 0 < int(step) <= self.high):
            return False
        if span == _ANY:
            return True
        low, hyphen, high = span.partition("-")
        return self._is_value(low) and (not hyphen or self._is_value(high))

    def _is_value(self, text: str) -> bool:
        if text.upper() in self.words:
            return True
        return text.isascii() and text.isdecimal() and self.low <= int(text) <= self.high


_MINUTES = _Field("minutes", 0, 59)
_HOURS = _Field("hours", 0, 23)
_DAY_OF_MONTH = _Field("day of month", 1, 31, special=r"\?|L|LW|([1-9]|[12]\d|3[01])W")
_MONTH = _Field("month", 1, 12, _MONTHS)
_DAY_OF_WEEK = _Field("day of week", 1, 7, _DAYS, special=r"\?|L|([1-7]|[A-Z]{3})(L|#[1-5])")
_YEAR = _Field("year", 1970, 2199)
_FIELDS = (_MINUTES, _HOURS, _DAY_OF_MONTH, _MONTH, _DAY_OF_WEEK, _YEAR)


def is_recurring(expression: str) -> bool:
    """Whether an expression happens again and again, as `cron(…)` does and `at(…)` does not."""
    return expression.startswith("cron(")


def schedule_problem(expression: str) -> str | None:
    """What is wrong with an expression of the form `cron(…)` or `at(…)`; None for nothing."""
    cron = _CRON.fullmatch(expression)
    if cron is None:
        return moment_problem(expression.removeprefix("at(").removesuffix(")"))
    fields = cron[1].split()
    if len(fields) != len(_FIELDS):
        names = ", ".join(field.name for field in _FIELDS)
        return f"expected {len(_FIELDS)} fields ({names}), got {len(fields)}"
    for field, text in zip(_FIELDS, fields, strict=True):
        if not field.holds(text):
            return f"expected {field.name} from {field.low} to {field.high}, got '{text}'"
    _, _, day_of_month, _, day_of_week, _ = fields
    if (day_of_month == _NONE) == (day_of_week == _NONE):
        return (
            "expected ? as either the day of month or the day of week, "
            f"got '{day_of_month}' and '{day_of_week}'"
        )
    return None


def moment_problem(text: str) -> str | None:
    """What is wrong with a date and time such as 2027-01-30T00:00:00; None for nothing."""
    try:
        datetime.fromisoformat(text)
    except ValueError as error:
        return f"expected a date and time, got '{text}' ({error})"
    return None


@cache
def time_zones() -> frozenset[str]:
    """Names of the IANA time zones, from a list of this project's own, the same on any machine."""
    text = files("forecast_config").joinpath("data/time_zones.json").read_text("utf-8")
    return frozenset(json.loads(text)["names"])


def time_zone_problem(name: str) -> str | None:
    """What is wrong with the name of a time zone; None for nothing."""
    if name in time_zones():
        return None
    zone = _nearest_zone(name)
    hint = "" if zone is None else f"; did you mean {zone}"
    return f"expected an IANA time zone such as Asia/Shanghai, got '{name}'{hint}"


def _nearest_zone(name: str) -> str | None:
    # By their cities: with the continent, any two names of it are near to each other.
    zones = {_city(zone): zone for zone in sorted(time_zones())} | _ZONES_OF_CITIES
    close = difflib.get_close_matches(_city(name), zones, n=1, cutoff=0.8)
    return zones[close[0]] if close else None


def _city(zone: str) -> str:
    return zone.rpartition("/")[2].lower()
