from __future__ import annotations

from typing import Any

import pytest

from forecast_operations.costing.week import Bounds, minutes_of_week, usual_week

DAY = 1440


def action(schedule: str, zone: str = "Etc/UTC", **wanted: int) -> dict[str, Any]:
    return {
        "ScheduledActionName": schedule,
        "Schedule": schedule,
        "Timezone": zone,
        "ScalableTargetAction": wanted,
    }


def test_a_week_counts_from_monday() -> None:
    assert minutes_of_week("cron(30 4 ? * MON *)") == (270,)
    assert minutes_of_week("cron(30 4 ? * SUN *)") == (6 * DAY + 270,)


def test_days_by_number_count_from_sunday() -> None:
    assert minutes_of_week("cron(0 0 ? * 1 *)") == (6 * DAY,)
    assert minutes_of_week("cron(0 0 ? * 2 *)") == (0,)


def test_a_time_zone_moves_the_minutes_and_wraps_round_the_week() -> None:
    assert minutes_of_week("cron(0 4 ? * MON *)", "Asia/Shanghai") == (6 * DAY + 20 * 60,)


@pytest.mark.parametrize(
    ("expression", "count"),
    [
        ("cron(0 4 * * ? *)", 7),
        ("cron(0 4,12 ? * MON,THU *)", 4),
        ("cron(0 */6 ? * MON-FRI *)", 20),
        ("cron(0/30 8-9 ? * MON *)", 4),
        ("cron(0 0 ? * FRI-MON *)", 4),
        ("cron(0 0 ? * fri-mon *)", 4),
    ],
)
def test_lists_ranges_and_steps(expression: str, count: int) -> None:
    assert len(minutes_of_week(expression) or ()) == count


@pytest.mark.parametrize(
    "expression",
    [
        "at(2027-01-30T06:00:00)",
        "cron(0 4 1 * ? *)",
        "cron(0 4 ? 6 MON *)",
        "cron(0 4 ? * MON 2027)",
        "cron(0 4 ? * FRIL *)",
        "cron(0 4 ? * FRI#2 *)",
        "rate(1 day)",
        "",
    ],
)
def test_what_is_no_weekly_schedule_is_told_apart(expression: str) -> None:
    assert minutes_of_week(expression) is None


def test_nothing_scheduled_keeps_the_bounds() -> None:
    week = usual_week(Bounds(2, 10))

    assert (week.mean, week.present_share) == (Bounds(2, 10), 1.0)


def test_a_raised_minimum_counts_for_the_hours_that_it_holds() -> None:
    actions = [
        action("cron(0 4 ? * MON,THU *)", MinCapacity=4),
        action("cron(0 12 ? * MON,THU *)", MinCapacity=2),
    ]

    week = usual_week(Bounds(2, 10), actions)

    assert week.mean.low == pytest.approx((2 * 152 + 4 * 16) / 168)
    assert week.mean.high == 10


def test_what_holds_over_the_end_of_the_week_holds_at_its_beginning() -> None:
    actions = [
        action("cron(0 12 ? * SUN *)", MinCapacity=6),
        action("cron(0 12 ? * MON *)", MinCapacity=2),
    ]

    week = usual_week(Bounds(2, 10), actions)

    assert week.mean.low == pytest.approx((2 * 144 + 6 * 24) / 168)


def test_a_maximum_below_the_minimum_does_not_take_instances_away() -> None:
    week = usual_week(Bounds(2, 10), [action("cron(0 0 * * ? *)", MaxCapacity=1)])

    assert week.mean == Bounds(2, 2)


def test_what_happens_between_dates_only_raises_the_most() -> None:
    festival = {**action("cron(5 4 * * ? *)", MinCapacity=12), "StartTime": "2027-01-29T16:00:00Z"}

    week = usual_week(Bounds(2, 10), [festival])

    assert week.mean == Bounds(2, 12)
    assert week.left_out == ("cron(5 4 * * ? *)",)


def test_off_hours_take_the_instances_away() -> None:
    absences = [
        ("stop", "cron(0 20 ? * MON-FRI *)", "Asia/Shanghai"),
        ("start", "cron(0 7 ? * MON-FRI *)", "Asia/Shanghai"),
    ]

    week = usual_week(Bounds(2, 2), absences=absences)

    assert week.present_share == pytest.approx(65 / 168)
    assert week.mean.low == pytest.approx(2 * 65 / 168)


def test_a_minimum_raised_while_the_endpoint_is_away_costs_nothing() -> None:
    absences = [
        ("stop", "cron(0 0 ? * SAT *)", "Etc/UTC"),
        ("start", "cron(0 0 ? * MON *)", "Etc/UTC"),
    ]
    actions = [
        action("cron(0 0 ? * SAT *)", MinCapacity=5),
        action("cron(0 0 ? * MON *)", MinCapacity=1),
    ]

    assert usual_week(Bounds(1, 5), actions, absences).mean.low == pytest.approx(5 / 7)
