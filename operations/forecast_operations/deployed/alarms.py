"""The alarms of an endpoint: their states, and whether they tell anybody."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from forecast_config import names
from forecast_operations.cloud.cloud import in_calls

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from forecast_config import EnvironmentSettings
    from forecast_operations.cloud.cloud import Cloud
    from forecast_operations.deployed.place import Place

_STATES = ("ALARM", "INSUFFICIENT_DATA", "OK")
"""States in the order in which a person wants to read them."""

_RUNBOOK = re.compile(r"Runbook: (\S+)")
_ALARMS_IN_A_CALL = 100
"""Names that EnableAlarmActions and DisableAlarmActions take (CloudWatch API reference)."""


@dataclass(frozen=True)
class WatchedAlarm:
    """One alarm as it is.

    Attributes:
        name: Its name.
        state: ALARM, INSUFFICIENT_DATA or OK.
        since: When it got into this state.
        composite: Whether it is an incident, made of other alarms.
        has_actions: Whether there is anything that it does; metric alarms leave it to incidents.
        muted: Whether its actions are switched off.
        scales: Whether it starts or stops instances, rather than telling anybody.
        reason: Why it is in this state.
        runbook: Page that says what to do; None where its description names none.
    """

    name: str
    state: str
    since: datetime
    composite: bool
    has_actions: bool
    muted: bool
    scales: bool
    reason: str
    runbook: str | None


def cousins(endpoint_name: str, environments: Iterable[EnvironmentSettings]) -> tuple[str, ...]:
    """Beginnings of names of alarms that look like an endpoint's and are another environment's.

    The name of another endpoint may begin with this one's: `shop-dev` with `shop`.
    """
    prefix = names.alarm(endpoint_name, "")
    others = (each.endpoint.name for each in environments)
    return tuple(names.alarm(other, "") for other in others if other.startswith(prefix))


def alarms_of(place: Place) -> tuple[WatchedAlarm, ...]:
    """The alarms of an environment's endpoint."""
    return read_alarms(place.cloud, place.endpoint_name, place.cousins)


def read_alarms(
    cloud: Cloud, endpoint_name: str, others: tuple[str, ...] = ()
) -> tuple[WatchedAlarm, ...]:
    """The alarms of an endpoint: those in alarm first, incidents before what they are made of.

    All are named after the endpoint, but so may be those of another whose name goes on after it:
    the dimensions tell them apart, and where there are none the names.

    Args:
        cloud: Where it is.
        endpoint_name: The endpoint.
        others: Beginnings of names that are another endpoint's.
    """
    metric = [
        each
        for each in _described(cloud, endpoint_name, "MetricAlarm")
        if _is_about(each, endpoint_name, others)
    ]
    known = {each["AlarmName"] for each in metric}
    composite = [
        each
        for each in _described(cloud, endpoint_name, "CompositeAlarm")
        if known & set(re.findall(r'"([^"]+)"', each["AlarmRule"]))
    ]
    found = (
        *(_alarm(each, composite=True) for each in composite),
        *(_alarm(each, composite=False) for each in metric),
    )
    return tuple(
        sorted(found, key=lambda alarm: (_rank(alarm.state), not alarm.composite, alarm.name))
    )


def telling(alarms: Iterable[WatchedAlarm]) -> list[str]:
    """Names of the alarms that may be muted: not those that scale, which would stop doing so."""
    return [alarm.name for alarm in alarms if not alarm.scales]


def mute(cloud: Cloud, alarm_names: Iterable[str]) -> None:
    """Switch the actions of alarms off; their states go on changing."""
    for named in in_calls(alarm_names, _ALARMS_IN_A_CALL):
        cloud.ask("cloudwatch", "disable_alarm_actions", AlarmNames=named)


def unmute(cloud: Cloud, alarm_names: Iterable[str]) -> None:
    """Switch the actions of alarms on; only a change of state calls them from then on."""
    for named in in_calls(alarm_names, _ALARMS_IN_A_CALL):
        cloud.ask("cloudwatch", "enable_alarm_actions", AlarmNames=named)


def _described(cloud: Cloud, endpoint_name: str, kind: str) -> Iterator[Mapping[str, Any]]:
    return cloud.pages(
        "cloudwatch",
        "describe_alarms",
        f"{kind}s",
        AlarmNamePrefix=f"{endpoint_name}-",
        AlarmTypes=[kind],
    )


def _is_about(alarm: Mapping[str, Any], endpoint_name: str, others: tuple[str, ...]) -> bool:
    stats = [
        each["MetricStat"]["Metric"] for each in alarm.get("Metrics", ()) if "MetricStat" in each
    ]
    named = {
        dimension["Value"]
        for metric in (alarm, *stats)
        for dimension in metric.get("Dimensions", ())
        if dimension["Name"] == "EndpointName"
    }
    return endpoint_name in named if named else not alarm["AlarmName"].startswith(others)


def _alarm(alarm: Mapping[str, Any], *, composite: bool) -> WatchedAlarm:
    actions = [
        action
        for kind in ("AlarmActions", "OKActions", "InsufficientDataActions")
        for action in alarm.get(kind, ())
    ]
    runbook = _RUNBOOK.search(alarm.get("AlarmDescription", ""))
    return WatchedAlarm(
        name=alarm["AlarmName"],
        state=alarm["StateValue"],
        since=alarm["StateUpdatedTimestamp"],
        composite=composite,
        has_actions=bool(actions),
        muted=not alarm.get("ActionsEnabled", True),
        scales=any(":scalingPolicy:" in action for action in actions),
        reason=alarm.get("StateReason", ""),
        runbook=runbook[1] if runbook else None,
    )


def _rank(state: str) -> int:
    return _STATES.index(state) if state in _STATES else len(_STATES)
