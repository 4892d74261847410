"""What an environment is, noted so that it can be brought back exactly."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from forecast_operations.stopping.schedules import schedules_of
from forecast_operations.stopping.stopped import EndpointBefore, Stopped, TargetBefore
from forecast_operations.watching.alarms import read_alarms, telling
from forecast_operations.watching.scaling import NAMESPACE, SUSPENDED, read_targets

if TYPE_CHECKING:
    from datetime import datetime

    from forecast_operations.cloud.cloud import Cloud
    from forecast_operations.endpoints.state import EndpointState
    from forecast_operations.stopping.stopped import How
    from forecast_operations.watching.place import Place
    from forecast_operations.watching.scaling import ScalingTarget

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


def note(place: Place, state: EndpointState | None, how: How, now: datetime) -> Stopped:
    """What an environment is now.

    Args:
        place: The environment.
        state: Its endpoint; None: it is away.
        how: How it is about to be stopped: only a deletion takes alarms and schedules away.
        now: The time.
    """
    cloud = place.cloud
    machine = place.off_hours_machine() if how == "delete" else None
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
    alarms = read_alarms(place.cloud, place.endpoint_name)
    return tuple(telling(each for each in alarms if not each.muted))


def _endpoint(place: Place, state: EndpointState) -> EndpointBefore:
    arn = (place.live.endpoint(state.name) or {}).get("EndpointArn", "")
    tags = place.cloud.pages("sagemaker", "list_tags", "Tags", ResourceArn=arn)
    return EndpointBefore(
        config=state.config,
        # Only CloudFormation may give tags whose name begins so.
        tags={each["Key"]: each["Value"] for each in tags if not each["Key"].startswith("aws:")},
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
