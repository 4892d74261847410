"""What an environment is, noted so that it can be brought back exactly."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from forecast_operations.deployed.alarms import alarms_of, telling
from forecast_operations.deployed.scaling import NAMESPACE, SUSPENDED, read_targets
from forecast_operations.deployed.statuses import GOING
from forecast_operations.stopping.schedules import schedules_of
from forecast_operations.stopping.stopped import EndpointBefore, Stopped, TargetBefore

if TYPE_CHECKING:
    from datetime import datetime

    from forecast_operations.cloud.cloud import Cloud
    from forecast_operations.deployed.endpoint import EndpointState
    from forecast_operations.deployed.place import Place
    from forecast_operations.deployed.scaling import ScalingTarget
    from forecast_operations.stopping.stopped import How

_Several = tuple[dict[str, Any], ...]

_POLICY = (
    "PolicyARN",
    "PolicyName",
    "PolicyType",
    "StepScalingPolicyConfiguration",
    "TargetTrackingScalingPolicyConfiguration",
)
_ACTION = (
    "EndTime",
    "ScalableTargetAction",
    "Schedule",
    "ScheduledActionName",
    "StartTime",
    "Timezone",
)


def is_outdated(known: Stopped, state: EndpointState | None) -> bool:
    """Whether an endpoint was made anew, with something else, since it was noted what it was.

    An endpoint with the configuration that was noted is a way back that has not ended, and so is
    the one that it has created, whatever was deployed since.
    """
    if state is None or state.status == GOING or state.created <= (known.back or known.at):
        return False
    return known.endpoint is None or known.endpoint.config != state.config


def is_back(known: Stopped, state: EndpointState) -> bool:
    """Whether an endpoint was created again with what is noted, and that is not noted yet."""
    return state.created > (known.back or known.at) and not is_outdated(known, state)


def noted(
    place: Place, state: EndpointState | None, how: How, now: datetime, known: Stopped | None
) -> Stopped:
    """What is to come back: what was before the first stop, of what is deployed now.

    Counts and bounds are those of the first note, as a stop changes them, and so is what a way
    back that was interrupted still owes. Everything else belongs to the configuration, which a
    deployment may have replaced since.

    Args:
        place: The environment.
        state: Its endpoint; None: it is away.
        how: How it is about to be stopped.
        now: The time.
        known: What was noted by the first stop; None: it is not stopped.
    """
    if known is None:
        return note(place, state, how, now)
    replaced = _is_replaced(known, state)
    if known.how == how and not replaced:
        return known
    current = note(place, state, how, now)
    changes: dict[str, Any] = {
        "how": how,
        "muted": tuple(dict.fromkeys((*known.muted, *current.muted))),
        "schedules": tuple(dict.fromkeys((*known.schedules, *current.schedules))),
    }
    if replaced:
        changes |= _of_both(known, current)
    return known.model_copy(update=changes)


def note(place: Place, state: EndpointState | None, how: How, now: datetime) -> Stopped:
    """What an environment is now.

    Args:
        place: The environment.
        state: Its endpoint; None: it is away.
        how: How it is about to be stopped: only a deletion mutes alarms.
        now: The time.
    """
    cloud = place.cloud
    machine = place.off_hours_machine()
    return Stopped(
        how=how,
        at=now,
        caller=cloud.caller(),
        endpoint_name=place.endpoint_name,
        endpoint=None if state is None else _endpoint(place, state),
        targets=tuple(_target(cloud, each) for each in read_targets(cloud, place.endpoint_name)),
        muted=_speaking(place) if how == "delete" else (),
        schedules=() if machine is None else tuple(schedules_of(cloud, machine)),
    )


def _speaking(place: Place) -> tuple[str, ...]:
    """Alarms that would tell somebody."""
    return tuple(telling(each for each in alarms_of(place) if not each.muted))


def _is_replaced(known: Stopped, state: EndpointState | None) -> bool:
    if state is None or state.status == GOING or known.endpoint is None:
        return False
    return state.config != known.endpoint.config


def _of_both(known: Stopped, current: Stopped) -> dict[str, Any]:
    """What serves and scales now, with the counts and bounds of before the first stop."""
    first, now = known.endpoint, current.endpoint
    if first is None or now is None:
        return {}
    before = {(each.resource_id, each.dimension): each for each in known.targets}
    targets = [
        _with_bounds_of(before.pop((each.resource_id, each.dimension), each), each, known)
        for each in current.targets
    ]
    if known.back is not None:
        # Targets are registered last: what is left may be owed, where its variant still is.
        targets += [each for each in before.values() if each.variant in now.weights]
    counts = {name: first.counts.get(name, count) for name, count in now.counts.items()}
    warm = {name: first.warm.get(name, count) for name, count in now.warm.items()}
    endpoint = now.model_copy(update={"counts": counts, "warm": warm})
    return {"endpoint": endpoint, "targets": tuple(targets)}


def _with_bounds_of(first: TargetBefore, now: TargetBefore, known: Stopped) -> TargetBefore:
    """What scales now, with the bounds of the first note, and what is owed to it."""
    changes = {key: getattr(first, key) for key in ("minimum", "maximum", "suspended")}
    if known.back is not None:
        changes["policies"] = _with_owed(now.policies, first.policies, "PolicyName")
        changes["actions"] = _with_owed(now.actions, first.actions, "ScheduledActionName")
    return now.model_copy(update=changes)


def _with_owed(now: _Several, first: _Several, name: str) -> _Several:
    there = {each[name] for each in now}
    return (*now, *(each for each in first if each[name] not in there))


def _endpoint(place: Place, state: EndpointState) -> EndpointBefore:
    tags = place.live.tags_of(state.arn)
    return EndpointBefore(
        config=state.config,
        # Only CloudFormation may give tags whose name begins so.
        tags={key: value for key, value in tags.items() if not key.startswith("aws:")},
        counts={each.name: each.desired for each in state.answering if each.desired is not None},
        warm={each.name: each.warm for each in state.answering if each.warm is not None},
        weights={each.name: each.weight for each in state.answering},
    )


def _target(cloud: Cloud, target: ScalingTarget) -> TargetBefore:
    of_target = {
        "ServiceNamespace": NAMESPACE,
        "ResourceId": target.resource_id,
        "ScalableDimension": target.dimension,
    }
    policies = cloud.pages(
        "application-autoscaling", "describe_scaling_policies", "ScalingPolicies", **of_target
    )
    actions = cloud.pages(
        "application-autoscaling", "describe_scheduled_actions", "ScheduledActions", **of_target
    )
    return TargetBefore(
        resource_id=target.resource_id,
        dimension=target.dimension,
        minimum=target.minimum,
        maximum=target.maximum,
        suspended={name: name in target.suspended for name in SUSPENDED},
        policies=tuple(_kept(each, _POLICY) for each in policies),
        actions=tuple(_kept(each, _ACTION) for each in actions),
    )


def _kept(found: dict[str, Any], keys: tuple[str, ...]) -> dict[str, Any]:
    return {key: found[key] for key in keys if found.get(key) is not None}
