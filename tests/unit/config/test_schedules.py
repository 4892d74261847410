from __future__ import annotations

import zoneinfo

import pytest

from forecast_config.schedules import schedule_problem, time_zone_problem, time_zones


@pytest.mark.parametrize(
    "expression",
    [
        "cron(0 10 * * ? *)",
        "cron(0/15 * * * ? *)",
        "cron(*/5 8-17 ? * MON-FRI *)",
        "cron(5 4,12 L * ? *)",
        "cron(0 9 3W JAN,jul ? 2027-2030)",
        "cron(0 0 ? * 6#3 *)",
        "cron(0 0 ? * FRIL *)",
        "at(2027-01-30T06:00:00)",
    ],
)
def test_what_aws_reads_is_read(expression: str) -> None:
    assert schedule_problem(expression) is None


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("cron(0 10 * * *)", "expected 6 fields (minutes, hours, day of month, month, day of"),
        ("cron(60 10 * * ? *)", "expected minutes from 0 to 59, got '60'"),
        ("cron(0 24 * * ? *)", "expected hours from 0 to 23, got '24'"),
        ("cron(0 1,2,x * * ? *)", "expected hours from 0 to 23, got '1,2,x'"),
        ("cron(0/0 1 * * ? *)", "expected minutes from 0 to 59, got '0/0'"),
        ("cron(0 1 32 * ? *)", "expected day of month from 1 to 31, got '32'"),
        ("cron(0 1 * 13 ? *)", "expected month from 1 to 12, got '13'"),
        ("cron(0 1 ? * MONDAY *)", "expected day of week from 1 to 7, got 'MONDAY'"),
        ("cron(0 1 ? * 0 *)", "expected day of week from 1 to 7, got '0'"),
        ("cron(0 1 * * ? 1969)", "expected year from 1970 to 2199, got '1969'"),
        ("cron(\u0661 1 * * ? *)", "expected minutes from 0 to 59"),
        ("cron(0 1 * * MON *)", "expected ? as either the day of month or the day of week, got"),
        ("cron(0 1 ? * ? *)", "expected ? as either the day of month or the day of week, got"),
        ("at(2027-02-30T00:00:00)", "expected a date and time, got '2027-02-30T00:00:00'"),
    ],
)
def test_what_aws_would_refuse_is_refused_with_the_field(expression: str, message: str) -> None:
    assert message in str(schedule_problem(expression))


def test_a_time_zone_is_told_from_one_that_is_near() -> None:
    assert time_zone_problem("Asia/Shanghai") is None
    assert time_zone_problem("Asia/Shangai") == (
        "expected an IANA time zone such as Asia/Shanghai, got 'Asia/Shangai'; "
        "did you mean Asia/Shanghai"
    )


@pytest.mark.parametrize("name", ["Asia/Peking", "Asia/Beijing", "Beijing"])
def test_the_capital_of_china_is_in_the_zone_of_shanghai(name: str) -> None:
    assert str(time_zone_problem(name)).endswith("did you mean Asia/Shanghai")


@pytest.mark.parametrize(
    ("name", "zone"),
    [
        ("Berlin", "Europe/Berlin"),
        ("America/NewYork", "America/New_York"),
        ("Asia/Bangkog", "Asia/Bangkok"),
    ],
)
def test_the_zone_of_the_nearest_city_is_suggested(name: str, zone: str) -> None:
    assert str(time_zone_problem(name)).endswith(f"did you mean {zone}")


@pytest.mark.parametrize("name", ["Asia/Nowhere", "CET+1", "Europe/Gotham"])
def test_no_zone_is_suggested_that_is_not_near(name: str) -> None:
    assert "did you mean" not in str(time_zone_problem(name))


def test_the_time_zones_are_those_of_the_time_zone_database() -> None:
    here = zoneinfo.available_timezones()
    if not here:
        pytest.skip("this machine has no time zone database")

    assert len(time_zones()) > 400
    assert time_zones() - here == set()
