"""The way back from an emergency stop: everything exactly as it was."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC
from typing import TYPE_CHECKING

from forecast_config import ForecastError
from forecast_operations.cloud.refusals import CloudError
from forecast_operations.deployed.alarms import unmute
from forecast_operations.deployed.endpoint import read_endpoint
from forecast_operations.deployed.scaling import read_targets
from forecast_operations.deployed.statuses import is_broken
from forecast_operations.stopping.before import is_back, is_outdated
from forecast_operations.stopping.rescaling import bring_back_target
from forecast_operations.stopping.schedules import switch
from forecast_operations.stopping.stop import store_of
from forecast_operations.stopping.waiting import nap, settled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from forecast_operations.deployed.endpoint import EndpointState
    from forecast_operations.deployed.place import Place
    from forecast_operations.stopping.stopped import EndpointBefore, Stopped, StoppedStore


@dataclass(frozen=True)
class Start:
    """A way back that can be carried out, again and again.

    Attributes:
        place: The environment.
        store: Where it is noted what was.
        before: What was.
        state: The endpoint now; None: it is away.
        pause: Called between two looks at an endpoint in a transition.
    """

    place: Place
    store: StoppedStore
    before: Stopped
    state: EndpointState | None
    pause: Callable[[], None] = field(default=nap)


def plan_start(place: Place) -> Start:
    """What the way back will do; nothing is changed.

    Raises:
        ForecastError: The environment is not stopped, or cannot be brought back.
    """
    store = store_of(place)
    before = store.read()
    environment = place.settings.name
    if before is None:
        raise ForecastError(
            f"{environment} is not stopped: there is no {store.address}; an endpoint that is away "
            f"for another reason comes back with: forecast deploy {environment} --allow-recreate"
        )
    state = read_endpoint(place.live, place.endpoint_name)
    if state is None:
        _check_return(place, before)
    elif is_broken(state.status):
        raise ForecastError(
            f"the endpoint {state.name} is {state.status} ({state.failure or 'no reason given'}): "
            f"only a deletion ends that; delete it with: forecast stop {environment} --how delete, "
            f"then start again, or make it anew with: forecast deploy {environment} "
            "--allow-recreate"
        )
    return Start(place, store, before, state)


def carry_out_start(start: Start, say: Callable[[str], None]) -> None:
    """Bring an environment back; each step may have been done before.

    Alarms notify as soon as the endpoint is in service, whatever becomes of its scaling.

    Args:
        start: The way back.
        say: Told each step.

    Raises:
        ForecastError: The endpoint did not come back, or AWS refuses; the same command goes on
            from there.
    """
    place, before = start.place, start.before
    state = None
    if before.endpoint is not None:
        state = settled(place, say, start.pause)
        if state is None:
            _create(place, before.endpoint)
            say(f"create {place.endpoint_name} with {before.endpoint.config}: takes minutes")
            state = read_endpoint(place.live, place.endpoint_name)
        start = _noting_return(start, state)
        state = settled(place, say, start.pause)
        _check_service(place, state)
    unmute(place.cloud, before.muted)
    if before.how == "delete":
        say(f"{len(before.muted)} alarms notify again")
    refused = [*_rescale(start, state, say)]
    switch(place.cloud, before.schedules, "ENABLED")
    if refused:
        reasons = "; ".join(dict.fromkeys(str(error) for error in refused))
        raise ForecastError(
            f"{place.endpoint_name} is back and its alarms notify, but not all of its scaling is "
            f"as it was: {reasons}; then start again: forecast start {place.settings.name}"
        )
    start.store.remove()


def _rescale(
    start: Start, state: EndpointState | None, say: Callable[[str], None]
) -> Iterator[CloudError]:
    """Bring back counts and scaling; gives what AWS refused."""
    before = start.before
    # An endpoint that was made anew has counts, and mostly scaling, of its own deployment.
    anew = is_outdated(before, start.state)
    there = read_targets(start.place.cloud, start.place.endpoint_name) if anew else ()
    known = {(each.resource_id, each.dimension) for each in there}
    if before.endpoint is not None and state is not None and not anew:
        try:
            _bring_back_capacity(start, state, before.endpoint, say)
        except CloudError as error:
            yield error
    for target in before.targets:
        if (target.resource_id, target.dimension) in known:
            say(f"scales as it was deployed since: {target.resource_id}")
            continue
        refused = bring_back_target(start.place.cloud, target, say, anew=before.how == "delete")
        yield from refused
        if not refused:
            say(f"scales again: {target.resource_id}, {target.minimum} to {target.maximum}")


def _check_return(place: Place, before: Stopped) -> None:
    """Refuse what cannot come back by itself."""
    environment = place.settings.name
    anew = f"make it anew with: forecast deploy {environment} --allow-recreate"
    if before.how == "scale":
        raise ForecastError(
            f"the endpoint {place.endpoint_name} was made small, and somebody has deleted it "
            f"since; {anew}, then start again"
        )
    if before.endpoint is None:
        return
    if place.live.endpoint_config(before.endpoint.config) is None:
        raise ForecastError(
            f"the configuration {before.endpoint.config}, which {place.endpoint_name} had, is "
            f"gone; {anew}, then start again for what else was stopped"
        )


def _noting_return(start: Start, state: EndpointState | None) -> Start:
    """The way back, with a note of the endpoint that it has created.

    After an interruption and a deployment nothing else tells that endpoint from one that was
    deployed anew, with all of its scaling.
    """
    if state is None or not is_back(start.before, state):
        return start
    before = start.before.model_copy(update={"back": state.created.astimezone(UTC)})
    start.store.write(before)
    return replace(start, before=before)


def _create(place: Place, before: EndpointBefore) -> None:
    place.cloud.ask(
        "sagemaker",
        "create_endpoint",
        EndpointName=place.endpoint_name,
        EndpointConfigName=before.config,
        Tags=[{"Key": key, "Value": value} for key, value in before.tags.items()],
    )


def _check_service(place: Place, state: EndpointState | None) -> None:
    if state is None or not state.in_service:
        what = "away" if state is None else state.status
        why = None if state is None else state.failure
        raise ForecastError(
            f"expected the endpoint {place.endpoint_name} to be InService, got {what} "
            f"({why or 'no reason given'}); see: forecast logs {place.settings.name} --since 1h; "
            f"make it anew with: forecast deploy {place.settings.name} --allow-recreate. Alarms "
            "stay muted until it is back: start again"
        )


def _bring_back_capacity(
    start: Start, state: EndpointState, before: EndpointBefore, say: Callable[[str], None]
) -> None:
    """Counts and weights as they were; variants that are no more are left out.

    Weights belong to the configuration: those of another one stay.
    """
    weights = before.weights if state.config == before.config else {}
    changes: list[dict[str, Any]] = []
    for variant in state.answering:
        wanted: dict[str, Any] = {}
        count, warm = before.counts.get(variant.name), before.warm.get(variant.name)
        weight = weights.get(variant.name)
        if count is not None and count != variant.desired:
            wanted["DesiredInstanceCount"] = count
        if warm is not None and warm != variant.warm:
            wanted["ServerlessUpdateConfig"] = {"ProvisionedConcurrency": warm}
        if weight is not None and weight != variant.weight:
            wanted["DesiredWeight"] = weight
        if wanted:
            changes.append({"VariantName": variant.name, **wanted})
    if not changes:
        return
    start.place.cloud.ask(
        "sagemaker",
        "update_endpoint_weights_and_capacities",
        EndpointName=state.name,
        DesiredWeightsAndCapacities=changes,
    )
    say(f"capacity of {', '.join(each['VariantName'] for each in changes)} as it was")
    # Bounds that the counts are not within yet would change them, beside this change.
    settled(start.place, say, start.pause)
