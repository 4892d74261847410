"""All there is to know of an environment at a glance, and what is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from forecast_config.alerts import alarms_by_severity, has_heartbeat
from forecast_operations.deployed.endpoint import EndpointState
from forecast_operations.deployed.statuses import GOING
from forecast_operations.stopping.before import is_outdated
from forecast_operations.stopping.stopped import Stopped
from forecast_operations.watching.traffic import Seen

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forecast_config import EnvironmentSettings
    from forecast_operations.deployed.alarms import WatchedAlarm
    from forecast_operations.deployed.place import Place
    from forecast_operations.deployed.scaling import Scaling
    from forecast_operations.records.record import DeploymentRecord

_FIRST_BEAT = timedelta(minutes=30)
"""How long after its creation began an endpoint is surely asked: the heartbeat is made after it."""

_UNDONE = ("FAILED", "ROLLBACK_COMPLETE")
"""How the states of a stack end whose last deployment failed."""


@dataclass(frozen=True)
class Unknown:
    """A part that could not be read.

    Attributes:
        reason: Why, as in "not allowed: cloudwatch:DescribeAlarms".
    """

    reason: str


@dataclass(frozen=True)
class StackState:
    """What the endpoint's stack says.

    Attributes:
        status: Status of the stack.
        config: The configuration that the endpoint should serve; None: it does not say.
        model_version: Version of the model that was deployed; None: it does not say.
        challenger_version: Version that is compared with it; None: there is none.
        off_hours: Whether it has a state machine that removes the endpoint in its off hours.
    """

    status: str
    config: str | None
    model_version: str | None
    challenger_version: str | None
    off_hours: bool


@dataclass(frozen=True, kw_only=True)
class Status:
    """An environment at a glance.

    Attributes:
        place: The environment.
        at: When it was looked at.
        endpoint: Its endpoint; None: there is none.
        deployed: What its stack says; None: it is not deployed.
        alarms: Its alarms.
        scaling: How it scales.
        seen: What CloudWatch has seen.
        records: The last deployments, newest first.
        stopped: What it was before an emergency stop; None: it is not stopped.
    """

    place: Place
    at: datetime
    endpoint: EndpointState | Unknown | None
    deployed: StackState | Unknown | None
    alarms: tuple[WatchedAlarm, ...] | Unknown
    scaling: Scaling | Unknown
    seen: Seen | Unknown
    records: tuple[DeploymentRecord, ...] | Unknown
    stopped: Stopped | Unknown | None

    @property
    def drifted(self) -> bool:
        """Whether the endpoint serves another configuration than its stack names."""
        if isinstance(self.endpoint, Unknown) or isinstance(self.deployed, Unknown):
            return False
        if self.endpoint is None or self.deployed is None or self.deployed.config is None:
            return False
        return self.endpoint.rollout is None and self.endpoint.config != self.deployed.config

    @property
    def awaits_first_beat(self) -> bool:
        """Whether the endpoint is too young for its heartbeat to have asked."""
        settings, endpoint, seen = self.place.settings, self.endpoint, self.seen
        if not has_heartbeat(settings) or not isinstance(endpoint, EndpointState):
            return False
        young = self.at - endpoint.created <= _FIRST_BEAT
        return young and isinstance(seen, Seen) and seen.heartbeat.last is None

    @property
    def troubles(self) -> tuple[str, ...]:
        """Why not all is fine, in words; nothing when it is."""
        return tuple(_troubles(self))


def _troubles(status: Status) -> Iterator[str]:
    yield from _of_endpoint(status)
    yield from _of_stop(status)
    if status.drifted:
        yield "it serves another configuration than deployed"
    yield from _of_alarms(status)
    if _is_silent(status):
        yield "the heartbeat has not asked in 3 hours"


def _of_endpoint(status: Status) -> Iterator[str]:
    endpoint, deployed = status.endpoint, status.deployed
    if isinstance(endpoint, Unknown):
        yield f"the endpoint is not known ({endpoint.reason})"
    elif endpoint is None:
        yield _why_away(status)
    elif not endpoint.in_service:
        yield f"the endpoint is {endpoint.status}"
    if isinstance(deployed, StackState) and deployed.status.endswith(_UNDONE):
        yield f"the stack is {deployed.status}"
    if deployed is None and isinstance(endpoint, EndpointState):
        yield f"the stack {status.place.stack} is not deployed, though its endpoint is there"


def _of_alarms(status: Status) -> Iterator[str]:
    alarms = status.alarms
    if isinstance(alarms, Unknown):
        yield f"the alarms are not known ({alarms.reason})"
        return
    if not alarms and status.endpoint is not None and _wants_alarms(status.place.settings):
        yield "it has no alarms"
    ringing = sum(alarm.state == "ALARM" and not alarm.scales for alarm in alarms)
    if ringing:
        yield f"{ringing} in alarm"
    muted = sum(alarm.muted and not alarm.scales for alarm in alarms)
    if muted and not _is_away(status):
        yield _muted(status, muted)


def _wants_alarms(settings: EnvironmentSettings) -> bool:
    return any(alarms_by_severity(settings).values())


def _of_stop(status: Status) -> Iterator[str]:
    """What a note of a stop says of an endpoint that is there."""
    stopped, endpoint = status.stopped, status.endpoint
    if not isinstance(stopped, Stopped) or not isinstance(endpoint, EndpointState):
        return
    environment = status.place.settings.name
    if is_outdated(stopped, endpoint):
        at = f"{stopped.at:%Y-%m-%d %H:%M} UTC"
        yield f"the stop of {at} is outdated; end it with: forecast start {environment}"
    elif stopped.how == "scale":
        yield "it is stopped: at its minimum"
    elif endpoint.status != GOING:
        yield f"it is not all back after a stop; go on with: forecast start {environment}"


def _is_away(status: Status) -> bool:
    """Whether nobody is to be called: it is stopped, or in its off hours."""
    if status.endpoint is None:
        return True
    return isinstance(status.stopped, Stopped) and not (
        isinstance(status.endpoint, EndpointState) and is_outdated(status.stopped, status.endpoint)
    )


def _muted(status: Status, count: int) -> str:
    environment = status.place.settings.name
    return f"{count} muted; speaking again with: forecast monitoring start {environment}"


def _is_silent(status: Status) -> bool:
    """Whether nothing has come from a heartbeat that should be there."""
    settings, endpoint = status.place.settings, status.endpoint
    if not has_heartbeat(settings) or status.awaits_first_beat:
        return False
    if isinstance(status.seen, Unknown) or not isinstance(endpoint, EndpointState):
        return False
    return endpoint.in_service and status.seen.heartbeat.last is None


def _why_away(status: Status) -> str:
    stopped, environment = status.stopped, status.place.settings.name
    if isinstance(stopped, Stopped) and stopped.how == "delete":
        return f"the endpoint is stopped; bring it back with: forecast start {environment}"
    if isinstance(status.deployed, StackState) and status.deployed.off_hours:
        return "the endpoint is away: off hours, or somebody deleted it"
    return "there is no endpoint"
