"""From a history with known peaks to the actions that serve it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from forecast_config import ForecastError
from forecast_config.settings import ScheduledAction
from forecast_operations.capacity import report
from forecast_operations.capacity.history import History
from forecast_operations.capacity.pattern import minute_of_week, weekly_pattern
from forecast_operations.capacity.plan import Wanted, make_plan, planned_instances
from forecast_operations.capacity.schedule import (
    PlannedAction,
    actions_of,
    plan_levels,
    timeline,
)

if TYPE_CHECKING:
    from collections.abc import Callable

SHANGHAI = ZoneInfo("Asia/Shanghai")
MONDAY = datetime(2026, 1, 5, tzinfo=SHANGHAI)


def history(
    per_minute: Callable[[datetime], float], *, weeks: int = 8, begin: datetime = MONDAY
) -> History:
    """Hourly sums of a rate that depends on the local time."""
    counts = {}
    for hour in range(weeks * 7 * 24):
        moment = begin.astimezone(UTC) + timedelta(hours=hour)
        counts[int(moment.timestamp())] = per_minute(moment.astimezone(begin.tzinfo)) * 60
    return History.from_counts(counts, step_seconds=3600, source="test")


def market(moment: datetime) -> float:
    """100 requests a minute, and 1,000 on the mornings of Tuesday and Friday."""
    return 1000.0 if moment.weekday() in {1, 4} and 6 <= moment.hour < 10 else 100.0


def wanted(**changes: object) -> Wanted:
    known = {"per_instance": 100, "minimum": 1, "maximum": 20, "timezone": "Asia/Shanghai"}
    return Wanted(**{**known, "headroom": 0.0, **changes})  # type: ignore[arg-type]


def test_market_days_become_two_actions_a_little_before_the_hour() -> None:
    plan = make_plan(history(market), wanted(lead_minutes=10))

    assert plan.actions == (
        PlannedAction((1, 4), 5 * 60 + 50, 10),
        PlannedAction((1, 4), 10 * 60, 1),
    )
    assert plan.actions[0].expression == "cron(50 5 ? * TUE,FRI *)"
    assert plan.actions[0].name == "tue-fri-0550"


def test_the_block_is_what_the_settings_take() -> None:
    plan = make_plan(history(market), wanted())
    block = yaml.safe_load(report.settings_block(plan))

    assert list(block["scheduled"]) == ["tue-fri-0550", "tue-fri-1000"]
    for action in block["scheduled"].values():
        assert ScheduledAction(**action).timezone == "Asia/Shanghai"


def test_one_minimum_for_the_whole_week_needs_no_action() -> None:
    plan = make_plan(history(lambda _: 350.0), wanted())

    assert plan.actions == ()
    assert report.settings_block(plan) == "min_instance_count: 4"
    assert plan.replay.short_share == 0


def test_headroom_is_added_to_the_requests() -> None:
    assert make_plan(history(market), wanted(headroom=0.5)).needed.max() == 15


def test_a_quotient_of_floats_needs_no_further_instance() -> None:
    assert wanted(per_instance=0.1).instances(np.array([0.3])) == [3]


def test_the_plan_keeps_within_the_bounds_and_says_what_it_lacks() -> None:
    plan = make_plan(history(market), wanted(minimum=2, maximum=6))

    assert {action.instance_count for action in plan.actions} == {2, 6}
    assert plan.clipped_from == 10
    assert "max_instance_count is 6; raise it to 10" in "\n".join(report.in_words(plan))
    # 8 of the week's 168 hours.
    assert plan.replay.short_share == pytest.approx(8 / 168)
    # Each of them has 400 requests a minute too many.
    assert plan.replay.requests_over == pytest.approx(8 * 400 / (160 * 100 + 8 * 1000))


def test_the_replay_counts_the_lead_too() -> None:
    plan = make_plan(history(market), wanted(lead_minutes=0))

    assert plan.replay.fixed_count == 10
    assert plan.replay.fixed_hours == 8 * 168 * 10
    assert plan.replay.instance_hours == 8 * (160 * 1 + 8 * 10)
    assert (plan.replay.short_share, plan.replay.fixed_short_share) == (0, 0)


def test_peaks_apart_are_dated_and_not_in_the_week() -> None:
    def week_of_festival(moment: datetime) -> float:
        away = (moment.date() - datetime(2026, 2, 10, tzinfo=SHANGHAI).date()).days
        return market(moment) * (3 if 0 <= away < 7 else 1)

    plan = make_plan(history(week_of_festival), wanted())
    (peak,) = plan.pattern.peaks

    assert (peak.first.isoformat(), peak.last.isoformat()) == ("2026-02-10", "2026-02-16")
    assert (peak.times_usual, peak.per_minute) == (3, 3000)
    assert plan.needed.max() == 10
    # All but the usual hours of the festival's week are short.
    assert (plan.replay.short_share, plan.replay.usual_short_share) == (1 / 8, 0)
    words = "\n".join(report.in_words(plan))
    assert "2026-02-10 to 2026-02-16, 3.0 times the usual, up to 30 instances" in words
    assert "min_instance_count: 30, max_instance_count: 30" in words


def test_two_peaks_are_two() -> None:
    def twice(moment: datetime) -> float:
        return market(moment) * (
            2 if moment.date().isoformat() in {"2026-01-20", "2026-02-05"} else 1
        )

    assert [
        (peak.first.isoformat(), peak.last == peak.first)
        for peak in weekly_pattern(history(twice), SHANGHAI, 0.95).peaks
    ] == [("2026-01-20", True), ("2026-02-05", True)]


def test_few_weeks_are_not_enough_for_peaks_apart_and_it_is_said() -> None:
    plan = make_plan(history(market, weeks=2), wanted())

    assert plan.pattern.peaks == ()
    assert "14 days are few: each hour of a weekday was seen 2 times" in "\n".join(
        report.in_words(plan)
    )


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Asia/Shanghai"])
def test_summer_time_moves_no_slot(zone: str) -> None:
    local = ZoneInfo(zone)
    # Both changes of 2026 lie within.
    begin = datetime(2026, 3, 2, tzinfo=local)
    pattern = weekly_pattern(history(market, weeks=40, begin=begin), local, 1.0).per_minute

    assert np.argwhere(pattern == 1000).tolist() == [
        [day, hour] for day in (1, 4) for hour in range(6, 10)
    ]


def test_the_week_begins_on_monday() -> None:
    moment = datetime(2026, 11, 23, 1, 30, tzinfo=UTC)

    assert moment.weekday() == 0
    assert minute_of_week(np.array([int(moment.timestamp())])) == [90]


def test_a_rise_at_midnight_begins_the_evening_before() -> None:
    levels = np.ones((7, 24), dtype=np.int64)
    levels[0, :3] = 5

    rise, fall = sorted(actions_of(levels, lead_minutes=15), key=lambda each: -each.instance_count)

    assert (rise.weekdays, rise.minute, rise.expression) == (
        (6,),
        23 * 60 + 45,
        "cron(45 23 ? * SUN *)",
    )
    assert (fall.weekdays, fall.minute) == ((0,), 180)


@pytest.mark.parametrize(
    ("weekdays", "expression", "name"),
    [
        (range(7), "cron(0 6 * * ? *)", "daily-0600"),
        (range(5), "cron(0 6 ? * MON-FRI *)", "mon-to-fri-0600"),
        # AWS's week begins on Sunday: SAT-SUN would run backwards.
        ((5, 6), "cron(0 6 ? * SAT,SUN *)", "sat-sun-0600"),
        ((0, 2, 3, 6), "cron(0 6 ? * MON,WED-THU,SUN *)", "mon-wed-to-thu-sun-0600"),
    ],
)
def test_weekdays_as_aws_writes_them(weekdays: range, expression: str, name: str) -> None:
    action = PlannedAction(tuple(weekdays), 360, 2)

    assert (action.expression, action.name) == (expression, name)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.integers(1, 9), min_size=168, max_size=168),
    st.integers(1, 5),
    st.integers(0, 59),
)
def test_no_minute_has_less_than_its_hour_needs(
    hours: list[int], changes_per_day: int, lead_minutes: int
) -> None:
    needed = np.array(hours, dtype=np.int64).reshape(7, 24)
    levels = plan_levels(needed, changes_per_day=changes_per_day)
    actions = actions_of(levels, lead_minutes=lead_minutes)
    minimum = timeline(actions, otherwise=int(levels[0, 0])).reshape(7, 24, 60)

    assert np.all(levels >= needed)
    assert np.all(minimum.min(axis=2) >= needed)
    assert levels.max() == needed.max()
    assert all(len(set(action.name)) <= 40 for action in actions)
    assert len({action.name for action in actions}) == len(actions)
    for day in levels:
        assert 1 + np.count_nonzero(np.diff(day)) <= changes_per_day


def test_the_minimum_in_the_past_follows_the_local_clock() -> None:
    past = history(market)
    plan = make_plan(past, wanted(lead_minutes=0))

    assert np.array_equal(planned_instances(plan), np.round(past.per_minute / 100))


def test_a_history_of_less_than_a_week_is_refused() -> None:
    with pytest.raises(ForecastError, match=r"expected 7 to 1100 days of history, got 0\.1 in x"):
        History.from_counts({0: 1.0, 3600: 1.0}, step_seconds=3600, source="x")
    with pytest.raises(ForecastError, match="x has no requests"):
        History.from_counts({}, step_seconds=3600, source="x")
