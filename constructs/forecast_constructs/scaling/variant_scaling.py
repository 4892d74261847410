"""Application Auto Scaling of an endpoint's production variant on instances."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from aws_cdk import aws_applicationautoscaling as scaling
from constructs import Construct

from forecast_config.instances import is_burstable
from forecast_config.settings import (
    AsyncEndpoint,
    BacklogTarget,
    ConcurrentRequestsTarget,
    InvocationsTarget,
)
from forecast_constructs.scaling.identifiers import pascal_case
from forecast_constructs.scaling.target_tracking import render_tracking

if TYPE_CHECKING:
    from forecast_config.settings import AutoscalingSettings, InstanceEndpoint, ScheduledAction
    from forecast_constructs.hosting.endpoint import ForecastEndpoint

INSTANCE_COUNT = "sagemaker:variant:DesiredInstanceCount"
SERVICE_NAMESPACE = "sagemaker"

MAX_POLICIES = 50
"""Scaling policies of a scalable target (Application Auto Scaling user guide, "Quotas")."""

MAX_SCHEDULED_ACTIONS = 200
"""Scheduled actions of a scalable target (same page)."""

_REALTIME_ONLY = (ConcurrentRequestsTarget, InvocationsTarget)


def variant_resource_id(endpoint: ForecastEndpoint) -> str:
    """What Application Auto Scaling calls an endpoint's production variant."""
    return f"endpoint/{endpoint.endpoint_name}/variant/{endpoint.variant_name}"


class VariantScaling(Construct):
    """A scalable target, its scheduled actions, and a policy for each of the settings' targets.

    All are L1 resources: the L2 target makes a role that nothing uses, since SageMaker's variants
    are scaled by a service-linked role, and the L2 policy takes no metric math. Of several
    policies, the one that asks for the most instances wins (Application Auto Scaling user guide,
    "Target tracking scaling policies").

    Attributes:
        target: The scalable target; further policies refer to it.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        endpoint: ForecastEndpoint,
        served: InstanceEndpoint,
        settings: AutoscalingSettings,
    ) -> None:
        """Define target, policies and scheduled actions.

        Args:
            scope: The parent.
            construct_id: Id of the construct.
            endpoint: The endpoint; everything here depends on it.
            served: The endpoint's own settings: its mode and its instance type.
            settings: Bounds, targets, cooldowns and schedule.

        Raises:
            ValueError: This endpoint cannot scale, or not by one of the targets.
        """
        super().__init__(scope, construct_id)
        check_scaling(served, settings)
        self.target = scaling.CfnScalableTarget(
            self,
            "Target",
            service_namespace=SERVICE_NAMESPACE,
            scalable_dimension=INSTANCE_COUNT,
            resource_id=variant_resource_id(endpoint),
            min_capacity=settings.min_instance_count,
            max_capacity=settings.max_instance_count,
            scheduled_actions=[
                _render_action(name, action) for name, action in settings.scheduled.items()
            ]
            or None,
        )
        self.target.node.add_dependency(endpoint)
        for name, target in settings.targets.items():
            scaling.CfnScalingPolicy(
                self,
                pascal_case(name),
                policy_name=name,
                policy_type="TargetTrackingScaling",
                scaling_target_id=self.target.ref,
                target_tracking_scaling_policy_configuration=render_tracking(
                    target, served, settings
                ),
            )


def scales_to_zero(settings: AutoscalingSettings) -> bool:
    """Whether the bounds, at any hour, let the last instance go."""
    bounds = [settings.min_instance_count]
    bounds += [
        action.min_instance_count
        for action in settings.scheduled.values()
        if action.min_instance_count is not None
    ]
    return min(bounds) == 0


def check_scaling(served: InstanceEndpoint, settings: AutoscalingSettings) -> None:
    """Refuse what AWS would refuse late, or take and never act on.

    Raises:
        ValueError: What cannot scale, and what would.
    """
    # Amazon SageMaker developer guide, "Automatic scaling of Amazon SageMaker AI models".
    if is_burstable(served.instance_type):
        raise ValueError(f"burstable instance types cannot scale, got {served.instance_type}")
    if scales_to_zero(settings) and not isinstance(served, AsyncEndpoint):
        raise ValueError("expected at least one instance, got 0; only asynchronous endpoints stop")
    for name, target in settings.targets.items():
        _check_target(name, target, served)
    _check_quota("targets", len(settings.targets), MAX_POLICIES)
    _check_quota("scheduled actions", len(settings.scheduled), MAX_SCHEDULED_ACTIONS)


def _check_target(name: str, target: object, served: InstanceEndpoint) -> None:
    asynchronous = isinstance(served, AsyncEndpoint)
    if isinstance(target, BacklogTarget) and not asynchronous:
        raise ValueError(f"only asynchronous endpoints have a backlog, got the target {name!r}")
    # Amazon SageMaker developer guide, "Alarms and logs for tracking metrics from asynchronous
    # endpoints": ModelLatency is among them, requests per instance and at once are not.
    if isinstance(target, _REALTIME_ONLY) and asynchronous:
        raise ValueError(
            "expected a target of kind backlog_per_instance, cpu_utilization, custom_metric or "
            f"latency_p90 for an asynchronous endpoint, got {target.kind} in {name!r}"
        )


def _check_quota(what: str, count: int, limit: int) -> None:
    if count > limit:
        raise ValueError(f"expected at most {limit} {what}, got {count}")


def _render_action(
    name: str, action: ScheduledAction
) -> scaling.CfnScalableTarget.ScheduledActionProperty:
    return scaling.CfnScalableTarget.ScheduledActionProperty(
        scheduled_action_name=name,
        schedule=action.schedule,
        timezone=action.timezone,
        start_time=_moment(action.start),
        end_time=_moment(action.end),
        scalable_target_action=scaling.CfnScalableTarget.ScalableTargetActionProperty(
            min_capacity=action.min_instance_count, max_capacity=action.max_instance_count
        ),
    )


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
