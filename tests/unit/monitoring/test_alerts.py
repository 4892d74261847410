"""The table of alerts in the documentation is the one that the settings give."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from forecast_config.alert_words import AlertName, minutes_text
from forecast_config.settings import AlarmSettings

DOCS = Path(__file__).parents[3] / "docs"


@pytest.mark.parametrize(
    ("minutes", "text"),
    [
        (1, "1 minute"),
        (10, "10 minutes"),
        (60, "60 minutes"),
        (90, "90 minutes"),
        (120, "2 hours"),
        (1440, "24 hours"),
    ],
)
def test_times_are_in_words(minutes: int, text: str) -> None:
    assert minutes_text(minutes) == text


def test_every_alert_is_a_setting() -> None:
    others = {"rollback", "runbook_base_url", "notifications"}

    assert set(get_args(AlertName)) == set(AlarmSettings.model_fields) - others


def test_every_alert_has_a_runbook() -> None:
    text = (DOCS / "runbooks.md").read_text(encoding="utf-8")
    headings = set(re.findall(r"^## (\S+)$", text, re.MULTILINE))

    alerts = {name.replace("_", "-") for name in (*get_args(AlertName), "rollback")}
    assert headings == alerts | {"incident", "off-hours-undelivered", "backlog-without-capacity"}


def test_the_documented_defaults_are_those_of_the_settings() -> None:
    text = (DOCS / "alarms.md").read_text(encoding="utf-8")
    rows = {
        cells[0].strip("`"): cells
        for line in text.splitlines()
        if len(cells := [cell.strip() for cell in line.strip("|").split("|")]) == 6
        and cells[0].startswith("`")
    }

    assert set(rows) == set(get_args(AlertName))
    for name, (_, _, threshold, minutes, response, within) in rows.items():
        alert = getattr(AlarmSettings(), name)
        if alert is None:
            assert threshold == "off"
            continue
        assert minutes == minutes_text(alert.minutes)
        assert response == alert.response
        assert within == minutes_text(alert.respond_within_minutes)
        assert threshold == _threshold(alert)


def _threshold(alert: object) -> str:
    for field, unit in (("thresholds_ms", " ms"), ("thresholds_percent", " %"), ("thresholds", "")):
        given = getattr(alert, field, None)
        if given is not None:
            return ", ".join(f"{severity} {value:g}{unit}" for severity, value in given.items())
    return str(getattr(alert, "severity", ""))
