"""An emergency stop: an environment at its minimum, or without its endpoint."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from forecast_config import ForecastError
from forecast_config.settings import ServerlessEndpoint
from forecast_operations.deployed.alarms import mute, unmute
from forecast_operations.deployed.endpoint import read_endpoint
from forecast_operations.deployed.live import GONE
from forecast_operations.deployed.scaling import NAMESPACE, SUSPENDED
from forecast_operations.deployed.statuses import GOING
from forecast_operations.stopping.before import is_outdated, noted
from forecast_operations.stopping.schedules import is_running, switch
from forecast_operations.stopping.stopped import Stopped, StoppedStore

if TYPE_CHECKING:
    from collections.abc import Callable

    from forecast_config import EnvironmentSettings
    from forecast_operations.deployed.endpoint import EndpointState
    from forecast_operations.deployed.place import Place
    from forecast_operations.stopping.stopped import How, TargetBefore


@dataclass(frozen=True)
class Stop:
    """A stop that can be carried out, again and again.

    Attributes:
        place: The environment.
        store: Where it is noted what was.
        before: What was.
        state: The endpoint now; None: it is away.
        floor: The least of each variant: instances, or warm requests.
        outdated: The note of an earlier stop, whose endpoint was made anew since; None: there is
            none.
    """

    place: Place
    store: StoppedStore
    before: Stopped
    state: EndpointState | None
    floor: int
    outdated: Stopped | None = None


def store_of(place: Place) -> StoppedStore:
    """Where it is noted what an environment was.

    Raises:
        ForecastError: The environment has no artifact bucket.
    """
    bucket = place.bucket()
    if bucket is None:
        raise ForecastError(
            f"the stack {place.artifacts_stack} is not deployed in {place.settings.region}: there "
            f"is nothing of {place.settings.name} to stop or to start, and no bucket to note in "
            "what was; an endpoint without it: forecast endpoints delete NAME"
        )
    return StoppedStore(place.cloud, bucket, place.settings.name)


def plan_stop(place: Place, how: How, now: datetime) -> Stop:
    """What a stop will do; nothing is changed.

    What was before the first stop is kept: after an interruption, and when an environment at its
    minimum is then taken away. A note of an endpoint that was made anew since says nothing of it.

    Args:
        place: The environment.
        how: To the minimum, or without the endpoint.
        now: The time.

    Raises:
        ForecastError: There is nothing to stop, or it cannot be stopped right now.
    """
    store = store_of(place)
    state = read_endpoint(place.live, place.endpoint_name)
    known = store.read()
    outdated = known if known is not None and is_outdated(known, state) else None
    known = known if outdated is None else None
    _check(place, how, state, known)
    before = noted(place, state, how, now, known)
    if state is None and before.endpoint is None and not before.schedules:
        raise ForecastError(
            f"the endpoint {place.endpoint_name} is away already, and nothing will bring it back: "
            "there is nothing to stop"
        )
    return Stop(place, store, before, state, floor_of(place.settings), outdated)


def look_again(stop: Stop, say: Callable[[str], None]) -> Stop:
    """The same stop with what is there now: somebody may have thought about it for long.

    What an outdated note has left muted or switched off is brought back first, so that it is
    noted as it should be.

    Args:
        stop: The stop that was agreed to.
        say: Told each step.

    Raises:
        ForecastError: It cannot be carried out any more.
    """
    if stop.outdated is not None:
        unmute(stop.place.cloud, stop.outdated.muted)
        switch(stop.place.cloud, stop.outdated.schedules, "ENABLED")
        stop.store.remove()
        say(f"removed the note of the stop of {stop.outdated.at:%Y-%m-%d %H:%M} UTC: outdated")
    return plan_stop(stop.place, stop.before.how, datetime.now(UTC))


def carry_out_stop(stop: Stop, say: Callable[[str], None]) -> None:
    """Stop an environment; each step may have been done before.

    Args:
        stop: The stop.
        say: Told each step.

    Raises:
        CloudError: AWS refuses; what was is noted, and the same command goes on from there.
    """
    stop.store.write(stop.before)
    say(f"noted what was: {stop.store.address}")
    if stop.before.how == "scale":
        _scale(stop, say)
    else:
        _delete(stop, say)


def floor_of(settings: EnvironmentSettings) -> int:
    """The least that an environment may have: instances of a variant, or warm requests."""
    if isinstance(settings.endpoint, ServerlessEndpoint):
        warm = settings.endpoint.provisioned_concurrency
        return 0 if warm is None else warm.minimum
    return 1 if settings.autoscaling is None else settings.autoscaling.min_instance_count


def smaller(stop: Stop) -> list[dict[str, Any]]:
    """The variants that get fewer instances or warm requests, as the API takes them."""
    changes: list[dict[str, Any]] = []
    for variant in () if stop.state is None else stop.state.answering:
        if variant.desired is not None and variant.desired > stop.floor:
            changes.append({"VariantName": variant.name, "DesiredInstanceCount": stop.floor})
        elif variant.warm is not None and variant.warm > stop.floor:
            warm = {"ProvisionedConcurrency": stop.floor}
            changes.append({"VariantName": variant.name, "ServerlessUpdateConfig": warm})
    return changes


def _check(place: Place, how: How, state: EndpointState | None, known: Stopped | None) -> None:
    name = place.endpoint_name
    going = state is not None and state.status == GOING and how == "delete"
    if state is not None and state.under_way and not going:
        raise ForecastError(
            f"the endpoint {name} is {state.status}, and SageMaker takes no other request "
            "meanwhile; see it with: forecast status --watch, and stop it then"
        )
    if how == "scale":
        _check_scalable(place, state, known)
        return
    machine = place.off_hours_machine()
    if machine is not None and is_running(place.cloud, machine):
        raise ForecastError(
            f"the off hours of {name} are at work, and would bring back what is deleted now; wait "
            "for the execution to end, or stop it: aws stepfunctions list-executions "
            f"--state-machine-arn {machine} --status-filter RUNNING"
        )


def _check_scalable(place: Place, state: EndpointState | None, known: Stopped | None) -> None:
    environment = place.settings.name
    if known is not None and known.how == "delete":
        what = "deleted already" if state is None else "not all back after its deletion"
        raise ForecastError(
            f"the endpoint of {environment} is {what}; bring it back with: forecast start "
            f"{environment}"
        )
    if state is None or not state.in_service:
        what = "away" if state is None else state.status
        raise ForecastError(
            f"expected the endpoint {place.endpoint_name} to be InService, got {what}: it has no "
            f"instances to take away; without it: forecast stop {environment} --how delete"
        )
    if state.mode == "serverless" and all(each.warm is None for each in state.answering):
        raise ForecastError(
            f"the endpoint {place.endpoint_name} is serverless and keeps nothing warm: there is "
            f"nothing to scale; without it: forecast stop {environment} --how delete"
        )


def _scale(stop: Stop, say: Callable[[str], None]) -> None:
    # Suspended first, so that nothing scales out again between the steps.
    for target in stop.before.targets:
        _bound(stop, target.minimum, target.maximum, target)
        say(f"suspended the scaling of {target.resource_id}")
    changes = smaller(stop)
    if changes:
        stop.place.cloud.ask(
            "sagemaker",
            "update_endpoint_weights_and_capacities",
            EndpointName=stop.place.endpoint_name,
            DesiredWeightsAndCapacities=changes,
        )
        say(f"set {', '.join(each['VariantName'] for each in changes)} to {stop.floor}")
    for target in stop.before.targets:
        _bound(stop, stop.floor, stop.floor, target)
        say(f"bound {target.resource_id} to {stop.floor}")


def _bound(stop: Stop, minimum: int, maximum: int, target: TargetBefore) -> None:
    stop.place.cloud.ask(
        "application-autoscaling",
        "register_scalable_target",
        ServiceNamespace=NAMESPACE,
        ResourceId=target.resource_id,
        ScalableDimension=target.dimension,
        MinCapacity=minimum,
        MaxCapacity=maximum,
        SuspendedState=dict.fromkeys(SUSPENDED, True),
    )


def _delete(stop: Stop, say: Callable[[str], None]) -> None:
    cloud, before = stop.place.cloud, stop.before
    mute(cloud, before.muted)
    say(f"muted {len(before.muted)} alarms")
    if before.schedules:
        switch(cloud, before.schedules, "DISABLED")
        say(f"switched off {len(before.schedules)} schedules of the off hours")
    if stop.state is None or stop.state.status == GOING:
        return
    cloud.ask("sagemaker", "delete_endpoint", missing=GONE, EndpointName=stop.place.endpoint_name)
    say(f"deleted the endpoint {stop.place.endpoint_name}")
