"""What a value of each type may be, in a request and in the contract alike."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

NUMBER_TYPES: Final = frozenset({"boolean", "integer", "long", "float", "double"})
FEATURE_TYPES: Final = NUMBER_TYPES | {"string", "datetime"}
INPUT_TYPES: Final = FEATURE_TYPES | {"date"}
MEASURED_TYPES: Final = NUMBER_TYPES - {"boolean"}
"""Types whose values have an order, and so may have a range."""

NUMBER_LIMIT: Final = 3.4028234663852886e38
"""Largest magnitude of a number. Tree libraries keep values as 32-bit floats and fail beyond it."""

INTEGER_BOUNDS: Final = {"integer": (-(2**31), 2**31 - 1), "long": (-(2**53) + 1, 2**53 - 1)}
"""The whole numbers of each type. Beyond 2**53 a float64 skips some, and so would clients
(RFC 8259, section 6), columns with null and models that take an array: a row would depend on the
others."""

MAX_TEXT_CHARACTERS: Final = 10_000
"""Longest text of an input without categories: far more than a name or a note holds, and so little
that a request of one text cannot keep a model busy for long."""

PYTHON_TYPES: Final[dict[str, frozenset[type]]] = {
    "boolean": frozenset({bool}),
    "string": frozenset({str}),
    "date": frozenset({str}),
    "datetime": frozenset({str}),
    **dict.fromkeys(MEASURED_TYPES, frozenset({int, float})),
}
EXPECTED: Final = {
    "boolean": "a boolean",
    "integer": "a whole number",
    "long": "a whole number",
    "float": "a number",
    "double": "a number",
    "string": "a string",
    "date": "a date as YYYY-MM-DD",
    "datetime": "a date and time as in ISO 8601",
}
"""What a client is told that a value should be, by type."""

Problem = tuple[str, str]
"""Why a value is not valid: a code and a message, which hold nothing of the value itself."""

_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DATETIME: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"([T ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]{1,6})?)?(Z|[+-][0-9]{2}:?[0-9]{2})?)?"
)
_EPOCH_ORDINAL: Final = date(1970, 1, 1).toordinal()
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_TEXTS_KEPT: Final = 4096


@lru_cache(_TEXTS_KEPT)
def days_of(text: str) -> int:
    """Days since 1970-01-01 of a date of the calendar as YYYY-MM-DD.

    Raises:
        ValueError: the text is none.
    """
    if _DATE.fullmatch(text) is None:
        raise ValueError("expected a date as YYYY-MM-DD")
    return date.fromisoformat(text).toordinal() - _EPOCH_ORDINAL


def date_text(days: int) -> str:
    """The date of so many days since 1970-01-01 as YYYY-MM-DD."""
    return date.fromordinal(days + _EPOCH_ORDINAL).isoformat()


def microseconds_of(text: str) -> int:
    """Microseconds since 1970-01-01 UTC of a date and time in ISO 8601.

    A time without an offset counts as UTC.

    Raises:
        ValueError: the text is none.
    """
    if _DATETIME.fullmatch(text) is None:
        raise ValueError("expected a date and time as in ISO 8601")
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    elapsed = moment - _EPOCH
    return (elapsed.days * 86_400 + elapsed.seconds) * 1_000_000 + elapsed.microseconds


def check_value(kind: str, value: Any) -> Problem | None:
    """Why a value that is not null is none of its type, or ``None`` when it is one."""
    if type(value) not in PYTHON_TYPES[kind]:
        return "invalid_type", f"expected {EXPECTED[kind]}, got {describe(value)}"
    check = _CHECKS.get(kind)
    return None if check is None else check(kind, value)


def check_text(value: str) -> Problem | None:
    """Why a string of an input without categories is no text, or ``None`` when it is one."""
    if len(value) > MAX_TEXT_CHARACTERS:
        return "invalid_value", f"expected a text of at most {MAX_TEXT_CHARACTERS} characters"
    try:
        value.encode()
    except UnicodeEncodeError:
        return "invalid_value", "expected a text of Unicode characters, got half of a pair"
    return None


def _check_number(_: str, value: float) -> Problem | None:
    try:
        if -NUMBER_LIMIT <= float(value) <= NUMBER_LIMIT:
            return None
    except OverflowError:
        pass
    return "out_of_range", f"expected a number within ±{NUMBER_LIMIT:.7g}"


def _check_integer(kind: str, value: float) -> Problem | None:
    lowest, highest = INTEGER_BOUNDS[kind]
    if not lowest <= value <= highest:
        return "out_of_range", f"expected a whole number between {lowest} and {highest}"
    if value != int(value):
        return "not_integral", "expected a whole number, got a fraction"
    return None


def _check_date(_: str, value: str) -> Problem | None:
    try:
        days_of(value)
    except ValueError:
        return "invalid_date", "expected a date of the calendar as YYYY-MM-DD"
    return None


def _check_datetime(_: str, value: str) -> Problem | None:
    try:
        microseconds_of(value)
    except ValueError:
        return "invalid_datetime", "expected a date and time as in ISO 8601"
    return None


_CHECKS: Final[dict[str, Callable[[str, Any], Problem | None]]] = {
    "integer": _check_integer,
    "long": _check_integer,
    "float": _check_number,
    "double": _check_number,
    "date": _check_date,
    "datetime": _check_datetime,
}
_DESCRIPTIONS: Final[dict[type, str]] = {
    type(None): "null",
    bool: "a boolean",
    int: "a number",
    float: "a number",
    str: "a string",
    list: "a list",
    dict: "an object",
}


def describe(value: Any) -> str:
    """What a JSON value is, in words that hold nothing of the value itself."""
    return _DESCRIPTIONS.get(type(value), "an object")
