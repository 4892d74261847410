"""All there is to know of an environment at a glance, each part asked for by itself."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from forecast_config import ForecastError
from forecast_config.settings import AsyncEndpoint
from forecast_operations.cloud.refusals import CloudError, NotAllowedError
from forecast_operations.deployed.alarms import alarms_of
from forecast_operations.deployed.endpoint import EndpointState, read_endpoint
from forecast_operations.deployed.live import outputs_of
from forecast_operations.deployed.scaling import read_scaling
from forecast_operations.deployed.statuses import GOING
from forecast_operations.records.store import RecordStore
from forecast_operations.stopping.before import is_outdated
from forecast_operations.stopping.stopped import Stopped, StoppedStore
from forecast_operations.watching.traffic import read_traffic

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from forecast_operations.deployed.alarms import WatchedAlarm
    from forecast_operations.deployed.place import Place
    from forecast_operations.deployed.scaling import Scaling
    from forecast_operations.records.record import DeploymentRecord
    from forecast_operations.watching.traffic import Seen

T = TypeVar("T")

_RECORDS = 3
_THREADS = 8
_CONFIGURATION = "EndpointConfigName"
_FIRST_BEAT = timedelta(minutes=30)
"""How long after its creation an endpoint is surely asked: the heartbeat beats every minute."""


@dataclass(frozen=True)
class Unknown:
    """A part that could not be read.

    Attributes:
        reason: Why, as in "not allowed: cloudwatch:DescribeAlarms".
    """

    reason: str


@dataclass(frozen=True)
class Deployed:
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
    deployed: Deployed | Unknown | None
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
    def troubles(self) -> tuple[str, ...]:
        """Why not all is fine, in words; nothing when it is."""
        return tuple(_troubles(self))


def read_status(place: Place, now: datetime | None = None) -> Status:
    """An environment at a glance; what the credentials do not allow is left out and named.

    Args:
        place: The environment.
        now: The time; None: that of this machine.

    Raises:
        CloudError: AWS cannot be asked at all.
    """
    moment = datetime.now(UTC) if now is None else now
    # The first call, alone: without credentials or network one sentence is enough.
    endpoint = _part(lambda: read_endpoint(place.live, place.endpoint_name), strict=True)
    variants = _variants(place, endpoint)
    with ThreadPoolExecutor(max_workers=_THREADS) as pool:
        deployed = pool.submit(_part, lambda: _deployed(place))
        alarms = pool.submit(_part, lambda: alarms_of(place))
        scaling = pool.submit(_part, lambda: read_scaling(place.cloud, place.endpoint_name))
        seen = pool.submit(
            _part, lambda: read_traffic(place.cloud, place.endpoint_name, variants, moment)
        )
        records = pool.submit(_part, lambda: _records(place))
        stopped = pool.submit(_part, lambda: _stopped(place))
    return Status(
        place=place,
        at=moment,
        endpoint=endpoint,
        deployed=deployed.result(),
        alarms=alarms.result(),
        scaling=scaling.result(),
        seen=seen.result(),
        records=records.result(),
        stopped=stopped.result(),
    )


def read_all(places: Sequence[Place], now: datetime | None = None) -> list[Status]:
    """Several environments, at the same time."""
    with ThreadPoolExecutor(max_workers=_THREADS) as pool:
        return list(pool.map(lambda place: read_status(place, now), places))


def _part(read: Callable[[], T], *, strict: bool = False) -> T | Unknown:
    try:
        return read()
    except NotAllowedError as error:
        return Unknown(f"not allowed: {error.permission}")
    except CloudError as error:
        if strict:
            raise
        return Unknown(str(error))
    except ForecastError as error:
        return Unknown(str(error))


def _variants(place: Place, endpoint: EndpointState | Unknown | None) -> list[str]:
    if isinstance(endpoint, Unknown) or endpoint is None:
        return [place.settings.endpoint.variant_name]
    return [variant.name for variant in endpoint.answering]


def _deployed(place: Place) -> Deployed | None:
    stack: dict[str, Any] | None = place.live.stack(place.stack)
    if stack is None:
        return None
    outputs = outputs_of(stack)
    return Deployed(
        status=stack["StackStatus"],
        config=outputs.get(_CONFIGURATION),
        model_version=outputs.get("ModelVersion"),
        challenger_version=outputs.get("ChallengerVersion"),
        off_hours="OffHoursStateMachineArn" in outputs,
    )


def _records(place: Place) -> tuple[DeploymentRecord, ...]:
    store = RecordStore.of(place.live, place.settings)
    return () if store is None else tuple(store.records(_RECORDS))


def _stopped(place: Place) -> Stopped | None:
    bucket = place.bucket()
    return None if bucket is None else StoppedStore(place.cloud, bucket, place.settings.name).read()


def _troubles(status: Status) -> Sequence[str]:
    found = []
    endpoint, deployed, alarms = status.endpoint, status.deployed, status.alarms
    if isinstance(endpoint, Unknown):
        found.append(f"the endpoint is not known ({endpoint.reason})")
    elif endpoint is None:
        found.append(_why_away(status))
    elif not endpoint.in_service:
        found.append(f"the endpoint is {endpoint.status}")
    if isinstance(deployed, Deployed) and deployed.status.endswith(("FAILED", "ROLLBACK_COMPLETE")):
        found.append(f"the stack is {deployed.status}")
    found += _of_stop(status)
    if status.drifted:
        found.append("it serves another configuration than deployed")
    if isinstance(alarms, Unknown):
        found.append(f"the alarms are not known ({alarms.reason})")
    else:
        ringing = sum(alarm.state == "ALARM" and not alarm.scales for alarm in alarms)
        found += [f"{ringing} in alarm"] if ringing else []
        muted = sum(alarm.muted and not alarm.scales for alarm in alarms)
        found += [_muted(status, muted)] if muted and not _is_away(status) else []
    if _is_silent(status):
        found.append("the heartbeat has not asked in 3 hours")
    return found


def _of_stop(status: Status) -> Sequence[str]:
    """What a note of a stop says of an endpoint that is there."""
    stopped, endpoint = status.stopped, status.endpoint
    if not isinstance(stopped, Stopped) or not isinstance(endpoint, EndpointState):
        return []
    environment = status.place.settings.name
    if is_outdated(stopped, endpoint):
        at = f"{stopped.at:%Y-%m-%d %H:%M} UTC"
        return [
            f"the stop of {at} is outdated; end it with: forecast start {environment}",
        ]
    if stopped.how == "scale":
        return ["it is stopped: at its minimum"]
    if endpoint.status == GOING:
        return []
    return [f"it is not all back after a stop; go on with: forecast start {environment}"]


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
    if settings.alarms.endpoint_down is None or isinstance(settings.endpoint, AsyncEndpoint):
        return False
    if isinstance(status.seen, Unknown) or not isinstance(endpoint, EndpointState):
        return False
    old = status.at - endpoint.created > _FIRST_BEAT
    return endpoint.in_service and old and status.seen.heartbeat.last is None


def _why_away(status: Status) -> str:
    stopped, environment = status.stopped, status.place.settings.name
    if isinstance(stopped, Stopped) and stopped.how == "delete":
        return f"the endpoint is stopped; bring it back with: forecast start {environment}"
    if isinstance(status.deployed, Deployed) and status.deployed.off_hours:
        return "the endpoint is away: off hours, or somebody deleted it"
    return "there is no endpoint"
