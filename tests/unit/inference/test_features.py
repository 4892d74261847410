"""Derived features equal what Python's own calendar says, in training and in serving."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from forecast_inference.errors import ArtifactError
from forecast_inference.features import derive

# Leap years, a century that is none, years before 1970, every ISO week of several years.
DAYS = [
    *(date(1899, 12, 20) + timedelta(days=offset) for offset in range(90)),
    *(date(1968, 1, 1) + timedelta(days=offset) for offset in range(900)),
    *(date(2019, 12, 1) + timedelta(days=offset) for offset in range(2200)),
]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("day_of_week", lambda day: day.weekday()),
        ("day_of_month", lambda day: day.day),
        ("day_of_year", lambda day: day.timetuple().tm_yday),
        ("week_of_year", lambda day: day.isocalendar().week),
        ("month", lambda day: day.month),
        ("year", lambda day: day.year),
        ("is_weekend", lambda day: int(day.weekday() >= 5)),
    ],
)
def test_calendar_kinds_equal_python_s_calendar(kind: str, expected: Any) -> None:
    assert derive({"kind": kind}, DAYS).tolist() == [expected(day) for day in DAYS]


@pytest.mark.parametrize(("kind", "wave"), [("annual_sine", math.sin), ("annual_cosine", math.cos)])
@pytest.mark.parametrize("harmonic", [1, 2])
def test_annual_waves_follow_the_day_of_the_year(kind: str, wave: Any, harmonic: int) -> None:
    expected = [
        wave(2 * math.pi * harmonic * (day.timetuple().tm_yday - 1) / 365.25) for day in DAYS
    ]
    np.testing.assert_allclose(
        derive({"kind": kind, "harmonic": harmonic}, DAYS), expected, rtol=0, atol=1e-12
    )


def test_the_first_of_january_starts_the_wave() -> None:
    days = ["2023-01-01", "2024-01-01"]
    assert derive({"kind": "annual_sine"}, days).tolist() == [0.0, 0.0]
    assert derive({"kind": "annual_cosine"}, days).tolist() == [1.0, 1.0]


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        ("2023-01-22", 0),
        ("2023-01-20", 2),
        ("2023-01-25", -3),
        ("2023-01-27", 5),  # five days after the 22nd and before the 1st: the coming one
        ("2023-01-26", -4),
        ("2023-01-28", 4),
        ("2020-01-01", 30),
        ("2030-01-01", -30),
        ("2023-02-01", 0),
    ],
)
def test_days_to_event_counts_to_the_nearest_event(day: str, expected: int) -> None:
    rule = {"kind": "days_to_event", "events": ["2023-01-22", "2023-02-01"], "limit": 30}
    assert derive(rule, [day]).tolist() == [expected]


def test_days_to_event_equals_a_search_by_hand() -> None:
    events = [date(2021, 2, 12), date(2022, 2, 1), date(2023, 1, 22)]

    def nearest(day: date) -> int:
        gaps = [(event - day).days for event in events]
        gap = min(gaps, key=lambda value: (abs(value), -value))
        return max(-40, min(40, gap))

    rule = {"kind": "days_to_event", "events": [str(event) for event in events], "limit": 40}
    assert derive(rule, DAYS).tolist() == [nearest(day) for day in DAYS]


def test_a_category_is_its_position() -> None:
    rule = {"kind": "category_index"}
    assert derive(rule, ["b", "a", "b"], categories=["a", "b"]).tolist() == [1, 0, 1]


def test_an_unknown_category_is_no_number() -> None:
    with pytest.raises(KeyError, match="c"):
        derive({"kind": "category_index"}, ["c"], categories=["a", "b"])


@pytest.mark.parametrize(
    "days",
    [
        ["2023-06-30", "1969-12-31"],
        [date(2023, 6, 30), date(1969, 12, 31)],
        [datetime(2023, 6, 30, 23, 59, tzinfo=UTC).replace(tzinfo=None), datetime(1969, 12, 31, 1)],  # noqa: DTZ001 - naive on purpose
        np.array(["2023-06-30T23:59", "1969-12-31T00:01"], dtype="datetime64[ns]"),
        np.array(["2023-06-30", "1969-12-31"], dtype=object),
    ],
)  # fmt: skip
def test_dates_may_come_in_any_of_python_s_forms(days: Any) -> None:
    assert derive({"kind": "day_of_month"}, days).tolist() == [30, 31]


def test_a_pandas_column_is_a_column_of_dates() -> None:
    pandas = pytest.importorskip("pandas")
    column = pandas.Series(pandas.to_datetime(["2023-06-30", "2023-07-01"]), index=[5, 3])
    assert derive({"kind": "day_of_week"}, column).tolist() == [4, 5]
    assert derive({"kind": "day_of_week"}, column.astype(str)).tolist() == [4, 5]


@pytest.mark.parametrize(
    ("rule", "values", "categories"),
    [
        ({"kind": "month"}, ["2023-06-30", None], ()),
        ({"kind": "category_index"}, ["a", None], ("a",)),
    ],
)
def test_a_missing_value_stays_missing(rule: Any, values: Any, categories: Any) -> None:
    first, second = derive(rule, values, categories=categories)
    assert first == (6 if rule["kind"] == "month" else 0)
    assert math.isnan(second)


def test_no_values_give_no_numbers() -> None:
    assert derive({"kind": "week_of_year"}, []).tolist() == []


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ({"kind": "moon_phase"}, "derive kind is 'moon_phase'"),
        ({"kind": "category_index"}, "needs the categories"),
        ({"kind": "days_to_event", "events": [], "limit": 30}, "sorted list of ISO dates"),
        ({"kind": "days_to_event", "events": ["2023-02-01", "2022-02-01"], "limit": 3}, "sorted"),
        ({"kind": "days_to_event", "events": ["2023-02-01"], "limit": 0}, "limit is 0"),
        ({"kind": "days_to_event", "events": ["2023-02-01"]}, "limit is None"),
    ],
)
def test_a_rule_without_what_it_needs_is_refused(rule: Any, message: str) -> None:
    with pytest.raises(ArtifactError, match=message):
        derive(rule, ["2023-06-30"])


def test_what_is_no_date_is_refused() -> None:
    with pytest.raises(ValueError, match="2023-02-30"):
        derive({"kind": "month"}, ["2023-02-30"])
