"""One incident is one message: of its gravest severity, from a composite alarm."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING, Any

import pytest

from forecast_config.alerts import alarms_by_severity
from forecast_config.settings import AlarmSettings, HighLatency
from forecast_constructs.monitoring.composite import MAX_RULE_LENGTH, render_rule

if TYPE_CHECKING:
    from collections.abc import Callable

NAMES = ("realtime", "split", "serverless", "async", "quiet", "graded")
ACTIONS = ("AlarmActions", "OKActions", "InsufficientDataActions")


def _holds(rule: str, in_alarm: set[str]) -> bool:
    """What CloudWatch makes of a rule."""
    words = re.sub(r'ALARM\("([^"]+)"\)', lambda name: str(name[1] in in_alarm), rule)
    words = words.replace("AND", "and").replace("OR", "or").replace("NOT", "not")
    assert set(re.findall(r"\w+", words)) <= {"True", "False", "and", "or", "not"}
    return bool(eval(words))  # noqa: S307 - the line above lets nothing else through


def _notifying(built: Any, in_alarm: set[str]) -> list[str]:
    """The severities that notify when these alarms on metrics are in alarm."""
    states = set(in_alarm)
    for severity in ("critical", "high", "medium"):
        incident = built.incidents().get(severity)
        if incident is not None and _holds(incident["AlarmRule"], states):
            states.add(incident["AlarmName"])
    return [name.rpartition("-")[2] for name in states - in_alarm]


@pytest.mark.parametrize("name", NAMES)
def test_only_composite_alarms_notify(name: str, watched: Callable[[str], Any]) -> None:
    built = watched(name)

    for alarm in built.of("CloudWatch::Alarm").values():
        assert not any(alarm.get(action) for action in ACTIONS)
    for severity, alarm in built.incidents().items():
        (action,) = alarm["AlarmActions"]
        topic = built.resources[action["Ref"]]["Properties"]
        assert topic["TopicName"] == f"forecast-alerts-{severity}"
        assert alarm["OKActions"] == alarm["AlarmActions"]
    assert set(built.monitoring.alarm_names_to_mute) == {
        alarm["AlarmName"] for alarm in built.incidents().values()
    }


@pytest.mark.parametrize("name", NAMES)
def test_whatever_is_in_alarm_is_told_once_with_its_gravest_severity(
    name: str, watched: Callable[[str], Any]
) -> None:
    built = watched(name)
    by_severity = alarms_by_severity(built.settings)
    every = [(alarm, severity) for severity, found in by_severity.items() for alarm in found]

    assert _notifying(built, set()) == []
    for alarm, severity in every:
        assert _notifying(built, {alarm}) == [severity]
    for (one, severity), (other, _) in itertools.combinations(every, 2):
        assert _notifying(built, {one, other}) == [severity]
    assert _notifying(built, {alarm for alarm, _ in every}) == [every[0][1]]


def test_an_incident_comes_after_its_alarms_and_the_graver_incident(
    watched: Callable[[str], Any],
) -> None:
    built = watched("realtime")
    by_name = {
        resource["Properties"]["AlarmName"]: logical_id
        for logical_id, resource in built.resources.items()
        if "AlarmName" in resource["Properties"]
    }

    def reached(logical_id: str) -> set[str]:
        direct = set(built.resources[logical_id].get("DependsOn", ()))
        return direct.union(*(reached(each) for each in direct))

    for incident in built.incidents().values():
        needed = re.findall(r'ALARM\("([^"]+)"\)', incident["AlarmRule"])
        # The endpoint, which the incidents come after, comes after these itself.
        own = {by_name[name] for name in needed if "-rollback-" not in name}
        assert own <= reached(by_name[incident["AlarmName"]])
        assert any("Endpoint" in each for each in reached(by_name[incident["AlarmName"]]))


def test_no_severity_has_an_incident_without_alarms(watched: Callable[[str], Any]) -> None:
    assert set(watched("quiet").incidents()) == {"high"}


def test_the_longest_names_fit_into_a_rule(watched: Callable[[str], Any]) -> None:
    settings = watched("split").settings
    latency = HighLatency(thresholds_ms={"medium": 1, "high": 2, "critical": 3})
    long = settings.model_copy(
        update={
            "endpoint": settings.endpoint.model_copy(
                update={"name": "e" * 63, "variant_name": "v" * 63}
            ),
            "alarms": AlarmSettings(high_latency=latency),
        }
    )

    for names in alarms_by_severity(long).values():
        assert all(len(name) <= 255 for name in names)
        assert len(render_rule(names, ["i" * 80, "j" * 80])) < MAX_RULE_LENGTH / 2


def test_a_rule_that_cloudwatch_refuses_is_refused_here() -> None:
    with pytest.raises(ValueError, match="expected an alarm rule of at most 10240 characters"):
        render_rule(["x" * 255] * 40, [])
