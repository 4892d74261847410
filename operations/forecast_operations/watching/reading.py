"""Reading all there is to know of an environment, each part by itself and all at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from forecast_config import ForecastError
from forecast_operations.cloud.refusals import CloudError, NotAllowedError
from forecast_operations.deployed.alarms import alarms_of
from forecast_operations.deployed.endpoint import EndpointState, read_endpoint
from forecast_operations.deployed.live import outputs_of
from forecast_operations.deployed.scaling import read_scaling
from forecast_operations.records.store import RecordStore
from forecast_operations.stopping.stopped import Stopped, StoppedStore
from forecast_operations.watching.status import StackState, Status, Unknown
from forecast_operations.watching.traffic import read_traffic

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from forecast_operations.deployed.place import Place
    from forecast_operations.records.record import DeploymentRecord

T = TypeVar("T")

_RECORDS = 3
_THREADS = 8
_CONFIGURATION = "EndpointConfigName"


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


def _deployed(place: Place) -> StackState | None:
    stack: dict[str, Any] | None = place.live.stack(place.stack)
    if stack is None:
        return None
    outputs = outputs_of(stack)
    return StackState(
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
