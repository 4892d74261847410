"""Schedule expressions, and when they are due."""

from datetime import UTC, datetime

import pytest

from forecast_local.schedules import ScheduleError, parse_schedule

NOW = datetime(2027, 1, 29, 12, 30, tzinfo=UTC)  # a Friday


@pytest.mark.parametrize(
    ("expression", "zone", "expected"),
    [
        ("rate(1 minute)", "UTC", "2027-01-29T12:31:00"),
        ("rate(5 hours)", "UTC", "2027-01-29T17:30:00"),
        ("cron(0 20 ? * MON-FRI *)", "UTC", "2027-01-29T20:00:00"),
        ("cron(0 20 ? * MON-FRI *)", "Asia/Shanghai", "2027-02-01T12:00:00"),
        ("cron(0/15 * * * ? *)", "UTC", "2027-01-29T12:45:00"),
        ("cron(0 7 ? * 2 *)", "UTC", "2027-02-01T07:00:00"),
        ("cron(0 0 L * ? *)", "UTC", "2027-01-31T00:00:00"),
        ("cron(0 0 ? * FRIL *)", "UTC", "2027-02-26T00:00:00"),
        ("cron(0 0 ? * TUE#2 *)", "UTC", "2027-02-09T00:00:00"),
        ("cron(0 0 31W * ? *)", "UTC", "2027-03-31T00:00:00"),
        ("cron(0 0 1,15 FEB,MAR ? 2028)", "UTC", "2028-02-01T00:00:00"),
        ("at(2027-02-06T06:00:00)", "Asia/Shanghai", "2027-02-05T22:00:00"),
    ],
)
def test_next_moment(expression: str, zone: str, expected: str) -> None:
    following = parse_schedule(expression, zone).following(NOW)
    assert following == datetime.fromisoformat(expected).replace(tzinfo=UTC)


@pytest.mark.parametrize("expression", ["at(2020-01-01T00:00:00)", "cron(0 0 1 1 ? 2026)"])
def test_what_is_over_is_never_due(expression: str) -> None:
    assert parse_schedule(expression).following(NOW) is None


@pytest.mark.parametrize(
    ("expression", "zone", "message"),
    [
        ("every day", "UTC", "expected cron"),
        ("rate(1 minutes)", "UTC", "rate"),
        ("rate(0 hours)", "UTC", "rate"),
        ("cron(0 20 * * *)", "UTC", "six fields"),
        ("cron(0 20 * * MON *)", "UTC", r"\? in one"),
        ("cron(0 20 ? * ? *)", "UTC", r"\? in one"),
        ("cron(60 20 ? * MON *)", "UTC", "from 0 to 59"),
        ("cron(0 20 ? * XYZ *)", "UTC", "XYZ"),
        ("at(2027-02-30T00:00:00)", "UTC", "at"),
        ("rate(1 minute)", "Asia/Peking", "IANA"),
    ],
)
def test_wrong_schedule_is_refused(expression: str, zone: str, message: str) -> None:
    with pytest.raises(ScheduleError, match=message):
        parse_schedule(expression, zone)
