"""How an endpoint scales: bounds, what is suspended, and what was done last."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from forecast_operations.cloud.cloud import Cloud

NAMESPACE = "sagemaker"
SUSPENDED = {
    "DynamicScalingInSuspended": "scaling in",
    "DynamicScalingOutSuspended": "scaling out",
    "ScheduledScalingSuspended": "scheduled actions",
}
"""What can be suspended (Application Auto Scaling API reference, SuspendedState), and its name."""

_ACTIVITIES = 5


@dataclass(frozen=True)
class ScalingTarget:
    """What scales, and between which bounds.

    Attributes:
        resource_id: The variant as Application Auto Scaling calls it.
        dimension: What is scaled of it.
        minimum: Fewest instances, or warm requests.
        maximum: Most of them.
        suspended: What is suspended, by the keys of SUSPENDED.
    """

    resource_id: str
    dimension: str
    minimum: int
    maximum: int
    suspended: tuple[str, ...]

    @property
    def variant(self) -> str:
        """Name of the variant."""
        return self.resource_id.rpartition("/")[2]


@dataclass(frozen=True)
class ScalingActivity:
    """One change of capacity that was made, or tried.

    Attributes:
        at: When it began.
        status: How it went.
        description: What was done.
        cause: What set it off.
    """

    at: datetime
    status: str
    description: str
    cause: str


@dataclass(frozen=True)
class Scaling:
    """How an endpoint scales.

    Attributes:
        targets: What scales; nothing when the counts are fixed.
        activities: The last changes, newest first.
    """

    targets: tuple[ScalingTarget, ...]
    activities: tuple[ScalingActivity, ...]


def read_scaling(cloud: Cloud, endpoint_name: str) -> Scaling:
    """How an endpoint scales, and what was done last."""
    targets = read_targets(cloud, endpoint_name)
    activities = [_activity(each) for target in targets for each in _last_activities(cloud, target)]
    newest = sorted(activities, key=lambda activity: activity.at, reverse=True)
    return Scaling(targets, tuple(newest[:_ACTIVITIES]))


def read_targets(cloud: Cloud, endpoint_name: str) -> tuple[ScalingTarget, ...]:
    """What scales of an endpoint."""
    return tuple(
        _target(each)
        for each in cloud.pages(
            "application-autoscaling",
            "describe_scalable_targets",
            "ScalableTargets",
            ServiceNamespace=NAMESPACE,
        )
        if each["ResourceId"].startswith(f"endpoint/{endpoint_name}/variant/")
    )


def _last_activities(cloud: Cloud, target: ScalingTarget) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = cloud.ask(
        "application-autoscaling",
        "describe_scaling_activities",
        ServiceNamespace=NAMESPACE,
        ResourceId=target.resource_id,
        ScalableDimension=target.dimension,
        MaxResults=_ACTIVITIES,
    )["ScalingActivities"]
    return found


def _target(target: Mapping[str, Any]) -> ScalingTarget:
    state = target.get("SuspendedState") or {}
    return ScalingTarget(
        resource_id=target["ResourceId"],
        dimension=target["ScalableDimension"],
        minimum=int(target["MinCapacity"]),
        maximum=int(target["MaxCapacity"]),
        suspended=tuple(name for name in SUSPENDED if state.get(name)),
    )


def _activity(activity: Mapping[str, Any]) -> ScalingActivity:
    return ScalingActivity(
        at=activity["StartTime"],
        status=activity["StatusCode"],
        description=activity.get("Description", ""),
        cause=activity.get("Cause", ""),
    )
