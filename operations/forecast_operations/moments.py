"""Times as a person reads them: how long ago, and how far back."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from forecast_config import ForecastError

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LENGTHS = ((86_400, "d"), (3600, "h"), (60, "min"), (1, "s"))


def ago(moment: datetime, now: datetime) -> str:
    """How long ago a moment was, as in `3 h`."""
    return length((now - moment).total_seconds())


def length(seconds: float) -> str:
    """A length of time in its largest whole unit, as in `3 h`."""
    whole = max(int(seconds), 0)
    size, unit = next((each for each in _LENGTHS if whole >= each[0]), _LENGTHS[-1])
    return f"{whole // size} {unit}"


def parse_since(text: str, now: datetime) -> datetime:
    """The moment, in UTC, that is meant by `30m`, `2h`, `1d` or a time of ISO 8601.

    Args:
        text: What was given; a time without an offset is in UTC.
        now: The time.

    Raises:
        ForecastError: It is neither, or no time that anything can have been kept since.
    """
    try:
        moment = _moment(text.strip(), now)
        if _EPOCH <= moment <= now:
            return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise ForecastError(
        "--since: expected a length such as 30m, 2h or 1d, or a time such as 2027-01-04T08:00 (in "
        "UTC, else with its offset: 2027-01-04T16:00+08:00) that is past and after 1970, got "
        f"{text!r}"
    )


def _moment(text: str, now: datetime) -> datetime:
    found = re.fullmatch(r"(\d{1,6})([smhdw])", text)
    if found:
        return now - timedelta(**{_UNITS[found[2]]: int(found[1])})
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
