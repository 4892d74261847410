"""Undone rollouts: which alarm took a deployment back, and why it fired."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from forecast_operations.cloud.refusals import CloudError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from forecast_operations.cloud.cloud import Cloud

_FIRED = "to ALARM"
_MAX_REASON = 300


@dataclass(frozen=True)
class Fired:
    """An alarm that went off.

    Attributes:
        alarm: Its name.
        at: When; None for one that was in ALARM all the time.
        reason: CloudWatch's own words for it.
    """

    alarm: str
    at: datetime | None
    reason: str

    @property
    def sentence(self) -> str:
        """It in words."""
        when = "was in ALARM" if self.at is None else f"fired at {self.at:%Y-%m-%d %H:%M:%S} UTC"
        return f"the alarm {self.alarm} {when}: {self.reason}"


@dataclass(frozen=True)
class Span:
    """When a rollout was under way.

    Attributes:
        start: Its beginning; None where nobody knows.
        end: When the endpoint changed last, which a rollback does; None where nobody knows.
    """

    start: datetime | None
    end: datetime | None

    def holds(self, moment: datetime) -> bool:
        """Whether a moment is in it."""
        began = self.start is None or moment >= self.start
        return began and (self.end is None or moment <= self.end)


def fired_alarms(cloud: Cloud, alarms: Sequence[str], span: Span) -> list[Fired]:
    """Which of some alarms went off in a span, the first one first, or had done so before it.

    Args:
        cloud: Where they are.
        alarms: Their names.
        span: The span.
    """
    found = [fired for name in alarms for fired in _firings(cloud, name, span)]
    found.sort(key=lambda fired: str(fired.at))
    known = {fired.alarm for fired in found}
    others = [name for name in alarms if name not in known]
    return [*found, *_in_alarm(cloud, others, span)]


def explain(cloud: Cloud, alarms: Sequence[str], span: Span) -> str:
    """Why a rollout was undone, as far as the alarms tell; empty where none tells anything."""
    try:
        return "; ".join(fired.sentence for fired in fired_alarms(cloud, alarms, span))
    except CloudError as error:
        return f"which alarm fired cannot be told: {error}"


def _firings(cloud: Cloud, name: str, span: Span) -> Iterator[Fired]:
    """The first time that an alarm went off, which is what undid the rollout."""
    since = {} if span.start is None else {"StartDate": span.start}
    changes = cloud.pages(
        "cloudwatch",
        "describe_alarm_history",
        "AlarmHistoryItems",
        AlarmName=name,
        HistoryItemType="StateUpdate",
        ScanBy="TimestampAscending",
        **since,
    )
    fired = [
        each
        for each in changes
        if _FIRED in each.get("HistorySummary", "") and span.holds(each["Timestamp"])
    ]
    for first in sorted(fired, key=lambda each: each["Timestamp"])[:1]:
        yield Fired(name, first["Timestamp"], _reason(first))


def _in_alarm(cloud: Cloud, alarms: Sequence[str], span: Span) -> Iterator[Fired]:
    """Those that were in ALARM when the rollout began, and still are."""
    if not alarms:
        return
    for alarm in cloud.pages(
        "cloudwatch", "describe_alarms", "MetricAlarms", AlarmNames=list(alarms)
    ):
        changed = alarm.get("StateUpdatedTimestamp")
        early = changed is None or span.end is None or changed <= span.end
        if alarm["StateValue"] == "ALARM" and early:
            yield Fired(alarm["AlarmName"], None, alarm.get("StateReason", "")[:_MAX_REASON])


def _reason(change: Mapping[str, Any]) -> str:
    """Why an alarm changed: history data are JSON, with the reason of the new state."""
    data = str(change.get("HistoryData", ""))
    try:
        document = json.loads(data)
    except ValueError:
        return data[:_MAX_REASON]
    state = document.get("newState", {}) if isinstance(document, dict) else {}
    return str(state.get("stateReason", data))[:_MAX_REASON]
