"""Application Auto Scaling with the checks that AWS makes for SageMaker variants.

https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-auto-scaling-prerequisites.html
"""

import re
import time
from collections.abc import Callable, Mapping
from typing import Any

from moto.applicationautoscaling.exceptions import AWSValidationException
from moto.applicationautoscaling.models import (
    ApplicationAutoscalingBackend,
    FakeApplicationAutoscalingPolicy,
    FakeScalableTarget,
    FakeScheduledAction,
    applicationautoscaling_backends,
)
from moto.cloudwatch.models import Alarm
from moto.sagemaker.models import sagemaker_backends
from moto.utilities.utils import get_partition

from forecast_local.applicationautoscaling.activities import activity, is_suspended
from forecast_local.applicationautoscaling.capacity import (
    bounded,
    current_capacity,
    distance_of,
    set_capacity,
    stepped,
)
from forecast_local.applicationautoscaling.errors import (
    ObjectNotFoundError,
    ResourceNotFoundError,
)
from forecast_local.applicationautoscaling.limits import (
    check_bounds,
    check_policy,
    check_scheduled_action,
    check_variant,
)
from forecast_local.sagemaker.endpoint import HostedEndpoint

_NAMESPACE = "sagemaker"
_RESOURCE = re.compile(r"endpoint/([^/]+)/variant/([^/]+)")


class LocalApplicationAutoscalingBackend(ApplicationAutoscalingBackend):
    """The targets and policies of one account and region."""

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.target_tags: dict[str, dict[str, str]] = {}
        self.activities: list[dict[str, Any]] = []
        self._cool: dict[str, float] = {}

    def tags_of(self, arn: str) -> dict[str, str]:
        """Return the tags of a target, which can be changed.

        Raises:
            ResourceNotFoundError: If no target has this ARN.
        """
        known = {target.arn for targets in self.targets.values() for target in targets.values()}
        if arn not in known:
            raise ResourceNotFoundError(arn)
        return self.target_tags.setdefault(arn, {})

    def register_scalable_target(  # noqa: PLR0917 - moto's signature
        self,
        namespace: str,
        r_id: str,
        dimension: str,
        min_capacity: int | None,
        max_capacity: int | None,
        role_arn: str,
        suspended_state: str,
    ) -> FakeScalableTarget:
        """Register or change a target, and bring the variant's capacity within its bounds.

        Bounds do so whatever is suspended (Application Auto Scaling API reference,
        RegisterScalableTarget).
        """
        known = self.targets.get(dimension, {}).get(r_id)
        low = min_capacity if min_capacity is not None or known is None else known.min_capacity
        high = max_capacity if max_capacity is not None or known is None else known.max_capacity
        check_bounds(low, high)
        if namespace == _NAMESPACE and low is not None and high is not None:
            config, variant = self._variant(r_id)
            check_variant(dimension, variant, config, low, high)
        if namespace == _NAMESPACE and not role_arn:
            partition = get_partition(self.region_name)
            role_arn = (
                f"arn:{partition}:iam::{self.account_id}:role/aws-service-role/"
                "sagemaker.application-autoscaling.amazonaws.com/"
                "AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint"
            )
        target = super().register_scalable_target(
            namespace, r_id, dimension, min_capacity, max_capacity, role_arn, suspended_state
        )
        self._scale(target, lambda current: current, "the bounds of the target were set")
        return target

    def deregister_scalable_target(self, namespace: str, r_id: str, dimension: str) -> None:
        """Deregister a target; its policies and scheduled actions go with it, as on AWS.

        Raises:
            ObjectNotFoundError: If it is not registered; moto takes that for a wrong request.
        """
        if r_id not in self.targets.get(dimension, {}):
            raise ObjectNotFoundError(f"scalable target {r_id} ({dimension})")
        super().deregister_scalable_target(namespace, r_id, dimension)
        for key, policy in list(self.policies.items()):
            if (policy.resource_id, policy.scalable_dimension) == (r_id, dimension):
                del self.policies[key]
        self.scheduled_actions = [
            action
            for action in self.scheduled_actions
            if (action.resource_id, action.scalable_dimension) != (r_id, dimension)
        ]

    def forget_endpoint(self, name: str) -> None:
        """Deregister the targets of an endpoint that is deleted."""
        for dimension, targets in list(self.targets.items()):
            for resource_id in list(targets):
                if resource_id.startswith(f"endpoint/{name}/variant/"):
                    self.deregister_scalable_target(_NAMESPACE, resource_id, dimension)

    def put_scaling_policy(  # noqa: PLR0917 - moto's signature
        self,
        policy_name: str,
        service_namespace: str,
        resource_id: str,
        scalable_dimension: str,
        policy_body: dict[str, Any],
        policy_type: str | None,
    ) -> FakeApplicationAutoscalingPolicy:
        """Put a policy on a target that exists; one that exists keeps its ARN."""
        self._require_target(service_namespace, resource_id, scalable_dimension)
        check_policy(scalable_dimension, policy_type, policy_body)
        key = FakeApplicationAutoscalingPolicy.formulate_key(
            service_namespace, resource_id, scalable_dimension, policy_name
        )
        old = self.policies.get(key)
        policy = super().put_scaling_policy(
            policy_name,
            service_namespace,
            resource_id,
            scalable_dimension,
            policy_body,
            policy_type,
        )
        if old is not None:
            policy.policy_arn, policy.creation_time = old.policy_arn, old.creation_time
        return policy

    def delete_scaling_policy(
        self,
        policy_name: str,
        service_namespace: str,
        resource_id: str,
        scalable_dimension: str,
    ) -> None:
        """Delete a policy.

        Raises:
            ObjectNotFoundError: If it is not there; moto takes that for a wrong request.
        """
        key = FakeApplicationAutoscalingPolicy.formulate_key(
            service_namespace, resource_id, scalable_dimension, policy_name
        )
        if key not in self.policies:
            raise ObjectNotFoundError(f"scaling policy {policy_name} of {resource_id}")
        super().delete_scaling_policy(
            policy_name, service_namespace, resource_id, scalable_dimension
        )

    def put_scheduled_action(  # noqa: PLR0917 - moto's signature
        self,
        service_namespace: str,
        schedule: str,
        timezone: str,
        scheduled_action_name: str,
        resource_id: str,
        scalable_dimension: str,
        start_time: str,
        end_time: str,
        scalable_target_action: str,
    ) -> None:
        """Put a scheduled action on a target that exists, after checking it."""
        self._require_target(service_namespace, resource_id, scalable_dimension)
        action: Any = scalable_target_action
        check_scheduled_action(schedule, timezone, action, (start_time, end_time))
        super().put_scheduled_action(
            service_namespace,
            schedule,
            timezone,
            scheduled_action_name,
            resource_id,
            scalable_dimension,
            start_time,
            end_time,
            scalable_target_action,
        )

    def step(self, action_arn: str, alarm: Alarm) -> None:
        """Carry out a step policy that an alarm has set off, unless it cools down.

        Args:
            action_arn: ARN of the policy.
            alarm: The alarm, in its state.
        """
        for policy in self.policies.values():
            configuration = policy.step_scaling_policy_configuration
            if configuration is None or not action_arn.startswith(policy.policy_arn):
                continue
            self._take_step(policy, configuration, alarm)

    def _take_step(
        self,
        policy: FakeApplicationAutoscalingPolicy,
        configuration: Mapping[str, Any],
        alarm: Alarm,
    ) -> None:
        now = time.monotonic()
        if now < self._cool.get(policy.policy_arn, 0.0):
            return
        distance = distance_of(alarm)
        cause = f"monitor alarm {alarm.name} in state {alarm.state_value} triggered policy "
        cause += policy.policy_name
        if self._scale(policy, lambda current: stepped(configuration, current, distance), cause):
            self._cool[policy.policy_arn] = now + float(configuration.get("Cooldown", 0))

    def apply_scheduled(self, action: FakeScheduledAction) -> None:
        """Carry out a scheduled action: new bounds, and a capacity within them.

        Unless scheduled actions are suspended.
        """
        target = self.targets.get(action.scalable_dimension, {}).get(action.resource_id)
        if target is None or is_suspended(target, "ScheduledScalingSuspended"):
            return
        bounds: Any = action.scalable_target_action
        target.update(bounds.get("MinCapacity"), bounds.get("MaxCapacity"), target.suspended_state)
        cause = f"scheduled action {action.scheduled_action_name} was triggered"
        self._scale(target, lambda current: current, cause)

    def _scale(
        self,
        scaled: FakeApplicationAutoscalingPolicy | FakeScalableTarget,
        wanted: Callable[[int], int],
        cause: str,
    ) -> bool:
        dimension, resource_id = scaled.scalable_dimension, scaled.resource_id
        match = _RESOURCE.fullmatch(resource_id)
        target = self.targets.get(dimension, {}).get(resource_id)
        if match is None or target is None:
            return False
        name, variant = match.groups()
        endpoint = sagemaker_backends[self.account_id][self.region_name].endpoints.get(name)
        if not isinstance(endpoint, HostedEndpoint):
            return False
        current = current_capacity(endpoint, variant, dimension)
        new = bounded(target, wanted(current))
        if isinstance(scaled, FakeApplicationAutoscalingPolicy) and (
            (new > current and is_suspended(target, "DynamicScalingOutSuspended"))
            or (new < current and is_suspended(target, "DynamicScalingInSuspended"))
        ):
            return False
        set_capacity(endpoint, variant, dimension, new)
        if current_capacity(endpoint, variant, dimension) != current:
            self.activities.append(activity(target, current, new, cause))
        return new != current

    def _require_target(self, namespace: str, resource_id: str, dimension: str) -> None:
        if resource_id not in self.targets.get(dimension, {}):
            raise AWSValidationException(
                f"No scalable target registered for service namespace: {namespace}, "
                f"resource ID: {resource_id}, scalable dimension: {dimension}"
            )

    def _variant(self, resource_id: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        match = _RESOURCE.fullmatch(resource_id)
        if match is None:
            raise AWSValidationException(
                f"Invalid resource ID {resource_id}: expected endpoint/<endpoint>/variant/<variant>"
            )
        name, variant = match.groups()
        endpoint = sagemaker_backends[self.account_id][self.region_name].endpoints.get(name)
        if not isinstance(endpoint, HostedEndpoint):
            raise AWSValidationException(f"SageMaker endpoint not found: {name}")
        for item in endpoint.config["ProductionVariants"]:
            if item["VariantName"] == variant:
                return endpoint.config, item
        raise AWSValidationException(f"Variant {variant} of endpoint {name} not found")


def scaling_of(account: str, region: str) -> LocalApplicationAutoscalingBackend:
    """Return Application Auto Scaling of an account and region."""
    backend = applicationautoscaling_backends[account][region]
    assert isinstance(backend, LocalApplicationAutoscalingBackend)  # noqa: S101 - see extensions.py
    return backend
