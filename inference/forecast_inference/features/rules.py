"""Derived features: what the model sees of a date or a category, the same in training and serving.

Every kind is a pure function of one input, declared in the schema as data. The training script
calls ``derive`` on whole columns, the handler on the rows of a request.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from forecast_inference.contract.features import check_events
from forecast_inference.errors import ArtifactError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

DAYS_PER_YEAR: Final = 365.25
_THURSDAY: Final = 3
_SATURDAY: Final = 5

Days = NDArray[np.int64]
"""Days since 1970-01-01."""


def derive(
    spec: Mapping[str, Any], values: Iterable[Any], *, categories: Sequence[str] = ()
) -> NDArray[Any]:
    """The derived feature of every value.

    Args:
        spec: the rule as in the schema: ``{"kind": …}`` with what the kind needs (``events`` and
            ``limit``, ``harmonic``).
        values: n strings for ``category_index``, else n dates: ISO strings, ``date`` or
            ``datetime`` objects, or an array of datetime64. Missing values may be ``None`` or NaT.
        categories: the categories in their order, for ``category_index``.

    Returns:
        n numbers: int64, or float64 where the kind is fractional or a value is missing (NaN).

    Raises:
        ArtifactError: an unknown kind or a rule without what it needs.
        ValueError: a value that is no date.
        KeyError: a value that is no category.
    """
    return compile_rule(spec, categories=categories)(values)


def compile_rule(
    spec: Mapping[str, Any], *, categories: Sequence[str] = ()
) -> Callable[[Iterable[Any]], NDArray[Any]]:
    """The rule as a function from values to numbers, for use on many requests.

    Raises:
        ArtifactError: an unknown kind or a rule without what it needs.
    """
    kind = spec["kind"]
    if kind == "category_index":
        return _category_rule(categories)
    if kind == "days_to_event":
        check_events(spec, kind)
        events = _days(spec["events"]).astype(np.int64)
        return _calendar_rule(lambda days: _days_to_event(days, events, spec["limit"]))
    if kind in _ANNUAL:
        angle = 2 * np.pi * spec.get("harmonic", 1) / DAYS_PER_YEAR
        wave = _ANNUAL[kind]
        return _calendar_rule(lambda days: wave(angle * (_day_of_year(days) - 1)))
    if kind not in _CALENDAR:
        raise ArtifactError(f"derive kind is {kind!r}, expected one that the schema knows")
    return _calendar_rule(_CALENDAR[kind])


def _category_rule(categories: Sequence[str]) -> Callable[[Iterable[Any]], NDArray[Any]]:
    if not categories:
        raise ArtifactError("category_index needs the categories of its source")
    index: dict[str | None, int] = {name: position for position, name in enumerate(categories)}
    index_or_missing = {**index, None: -1}

    def positions(values: Iterable[Any]) -> NDArray[Any]:
        found = np.array([index_or_missing[value] for value in values], dtype=np.int64)
        return np.where(found < 0, np.nan, found) if (found < 0).any() else found

    return positions


def _calendar_rule(
    measure: Callable[[Days], NDArray[Any]],
) -> Callable[[Iterable[Any]], NDArray[Any]]:
    def numbers(values: Iterable[Any]) -> NDArray[Any]:
        days = _days(values)
        missing = np.isnat(days)
        if not missing.any():
            return measure(days.astype(np.int64))
        result = np.full(days.shape, np.nan)
        result[~missing] = measure(days[~missing].astype(np.int64))
        return result

    return numbers


def _days(values: Iterable[Any]) -> NDArray[np.datetime64]:
    array = values if isinstance(values, np.ndarray) else np.asarray(values)
    if array.dtype.kind != "M":
        # Through microseconds: numpy refuses to narrow a datetime to a day in one step.
        array = np.array(list(values), dtype="datetime64[us]")
    return array.astype("datetime64[D]")


def _day_of_week(days: Days) -> Days:
    return (days + _THURSDAY) % 7


def _month_index(days: Days) -> Days:
    return days.view("datetime64[D]").astype("datetime64[M]").astype(np.int64)


def _year_index(days: Days) -> Days:
    return days.view("datetime64[D]").astype("datetime64[Y]").astype(np.int64)


def _day_of_month(days: Days) -> Days:
    first = _month_index(days).view("datetime64[M]").astype("datetime64[D]").astype(np.int64)
    return days - first + 1


def _first_day_of_year(years: Days) -> Days:
    return years.view("datetime64[Y]").astype("datetime64[D]").astype(np.int64)


def _day_of_year(days: Days) -> Days:
    return days - _first_day_of_year(_year_index(days)) + 1


def _week_of_year(days: Days) -> Days:
    # An ISO week belongs to the year of its Thursday.
    thursday = days - _day_of_week(days) + _THURSDAY
    return (_day_of_year(thursday) - 1) // 7 + 1


def _days_to_event(days: Days, events: Days, limit: int) -> Days:
    coming = np.searchsorted(events, days, side="left")
    ahead = events[np.minimum(coming, len(events) - 1)] - days
    behind = events[np.maximum(coming - 1, 0)] - days
    take_ahead = (coming < len(events)) & ((coming == 0) | (ahead <= -behind))
    return np.clip(np.where(take_ahead, ahead, behind), -limit, limit)


_ANNUAL: Final[dict[str, Callable[[NDArray[Any]], NDArray[Any]]]] = {
    "annual_sine": np.sin,
    "annual_cosine": np.cos,
}
_CALENDAR: Final[dict[str, Callable[[Days], Days]]] = {
    "day_of_week": _day_of_week,
    "day_of_month": _day_of_month,
    "day_of_year": _day_of_year,
    "week_of_year": _week_of_year,
    "month": lambda days: _month_index(days) % 12 + 1,
    "year": lambda days: _year_index(days) + 1970,
    "is_weekend": lambda days: (_day_of_week(days) >= _SATURDAY).astype(np.int64),
}
