"""An emergency stop: an environment at its minimum, or without its endpoint."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from forecast_config import ForecastError
from forecast_config.settings import ServerlessEndpoint
from forecast_operations.cloud.refusals import CloudError
from forecast_operations.deployed.alarms import mute, unmute
from forecast_operations.deployed.endpoint import read_endpoint
from forecast_operations.deployed.live import GONE
from forecast_operations.deployed.scaling import NAMESPACE, SUSPENDED, read_targets
from forecast_operations.deployed.statuses import GOING
from forecast_operations.stopping.before import is_outdated, noted
from forecast_operations.stopping.schedules import is_running, switch
from forecast_operations.stopping.stopped import Stopped, StoppedStore
from forecast_operations.stopping.waiting import nap, settled

if TYPE_CHECKING:
    from collections.abc import Callable

    from forecast_config import EnvironmentSettings
    from forecast_operations.deployed.endpoint import EndpointState
    from forecast_operations.deployed.place import Place
    from forecast_operations.deployed.scaling import ScalingTarget
    from forecast_operations.stopping.stopped import How


@dataclass(frozen=True)
class Stop:
    """A stop that can be carried out, again and again.

    Attributes:
        place: The environment.
        store: Where it is noted what was.
        before: What was.
        state: The endpoint now; None: it is away.
        targets: What scales now.
        outdated: The note of an earlier stop, whose endpoint was made anew since; None: there is
            none.
        pause: Called between two looks at an endpoint in a transition.
    """

    place: Place
    store: StoppedStore
    before: Stopped
    state: EndpointState | None
    targets: tuple[ScalingTarget, ...] = ()
    outdated: Stopped | None = None
    pause: Callable[[], None] = field(default=nap)

    @property
    def floor(self) -> int:
        """The least of each variant: instances, or warm requests.

        It is never more than the bounds of now: those of a configuration that is not deployed yet
        would add instances.
        """
        return min([floor_of(self.place.settings), *(each.minimum for each in self.targets)])


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
    targets = read_targets(place.cloud, place.endpoint_name)
    return Stop(place, store, before, state, targets, outdated)


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
        ForecastError: AWS refuses; what was is noted, and the same command goes on from there.
    """
    stop.store.write(stop.before)
    say(f"noted what was: {stop.store.address}")
    try:
        _quieten(stop, say)
        if stop.before.how == "scale":
            _scale(stop, say)
        else:
            _delete(stop, say)
    except CloudError as error:
        raise ForecastError(f"{error}; {_halfway(stop)}") from None
    except KeyboardInterrupt:
        say(_halfway(stop))
        raise


def floor_of(settings: EnvironmentSettings) -> int:
    """The least that an environment may have: instances of a variant, or warm requests."""
    if isinstance(settings.endpoint, ServerlessEndpoint):
        warm = settings.endpoint.provisioned_concurrency
        return 1 if warm is None else warm.minimum
    return 1 if settings.autoscaling is None else settings.autoscaling.min_instance_count


def smaller(state: EndpointState | None, floor: int) -> list[dict[str, Any]]:
    """The variants that get fewer instances or warm requests, as the API takes them."""
    changes: list[dict[str, Any]] = []
    for variant in () if state is None else state.answering:
        if variant.desired is not None and variant.desired > floor:
            changes.append({"VariantName": variant.name, "DesiredInstanceCount": floor})
        elif variant.warm is not None and variant.warm > floor:
            warm = {"ProvisionedConcurrency": floor}
            changes.append({"VariantName": variant.name, "ServerlessUpdateConfig": warm})
    return changes


def _check(place: Place, how: How, state: EndpointState | None, known: Stopped | None) -> None:
    name = place.endpoint_name
    if state is not None and state.under_way and not _goes_on(how, state, known):
        raise ForecastError(
            f"the endpoint {name} is {state.status}, and SageMaker takes no other request "
            "meanwhile; see it with: forecast status --watch, and stop it then"
        )
    if how == "scale":
        _check_scalable(place, state, known)
    machine = place.off_hours_machine()
    if machine is not None and is_running(place.cloud, machine):
        raise ForecastError(
            f"the off hours of {name} are at work, and would undo what is done now; wait for the "
            "execution to end, or stop it: aws stepfunctions list-executions "
            f"--state-machine-arn {machine} --status-filter RUNNING"
        )


def _goes_on(how: How, state: EndpointState, known: Stopped | None) -> bool:
    """Whether a transition may be that of this very stop, which was interrupted."""
    if how == "delete":
        return state.status == GOING
    return known is not None and known.how == how


def _check_scalable(place: Place, state: EndpointState | None, known: Stopped | None) -> None:
    environment = place.settings.name
    if known is not None and known.how == "delete":
        what = "deleted already" if state is None else "not all back after its deletion"
        raise ForecastError(
            f"the endpoint of {environment} is {what}; bring it back with: forecast start "
            f"{environment}"
        )
    if state is None or not (state.in_service or state.under_way):
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


def _quieten(stop: Stop, say: Callable[[str], None]) -> None:
    """Mute what would call somebody, and switch off what would undo the stop."""
    cloud, before = stop.place.cloud, stop.before
    if before.how == "delete":
        mute(cloud, before.muted)
        say(f"muted {len(before.muted)} alarms")
    if before.schedules:
        switch(cloud, before.schedules, "DISABLED")
        say(f"switched off {len(before.schedules)} schedules of the off hours")


def _scale(stop: Stop, say: Callable[[str], None]) -> None:
    # Suspended first, so that nothing scales out again between the steps. Bounds change counts
    # that are not within them, suspended or not (Application Auto Scaling API reference,
    # RegisterScalableTarget): so the lower one comes first, and the upper one last.
    for target in stop.targets:
        _bound(stop, target, MinCapacity=stop.floor)
        say(f"suspended the scaling of {target.resource_id}")
    changes = smaller(settled(stop.place, say, stop.pause), stop.floor)
    if changes:
        stop.place.cloud.ask(
            "sagemaker",
            "update_endpoint_weights_and_capacities",
            EndpointName=stop.place.endpoint_name,
            DesiredWeightsAndCapacities=changes,
        )
        say(f"set {', '.join(each['VariantName'] for each in changes)} to {stop.floor}")
        settled(stop.place, say, stop.pause)
    for target in stop.targets:
        _bound(stop, target, MaxCapacity=stop.floor)
        say(f"bound {target.resource_id} to {stop.floor}")


def _bound(stop: Stop, target: ScalingTarget, **bound: Any) -> None:
    stop.place.cloud.ask(
        "application-autoscaling",
        "register_scalable_target",
        ServiceNamespace=NAMESPACE,
        ResourceId=target.resource_id,
        ScalableDimension=target.dimension,
        SuspendedState=dict.fromkeys(SUSPENDED, True),
        **bound,
    )


def _delete(stop: Stop, say: Callable[[str], None]) -> None:
    if stop.state is None or stop.state.status == GOING:
        return
    name = stop.place.endpoint_name
    stop.place.cloud.ask("sagemaker", "delete_endpoint", missing=GONE, EndpointName=name)
    say(f"deleted the endpoint {name}")


def _halfway(stop: Stop) -> str:
    """What is true until a stop that has begun is carried out."""
    name, environment = stop.place.endpoint_name, stop.place.settings.name
    if stop.before.how == "delete":
        state = f"{len(stop.before.muted)} alarms of {name} may be muted although it serves"
    else:
        state = f"the scaling of {name} may be suspended"
    return (
        f"until then {state}: run the same command again, or undo it with: forecast start "
        f"{environment}"
    )
