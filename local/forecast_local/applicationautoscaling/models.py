"""Application Auto Scaling with the checks that AWS makes for SageMaker variants.

https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-auto-scaling-prerequisites.html
"""

import re
from typing import Any

from moto.applicationautoscaling.exceptions import AWSValidationException
from moto.applicationautoscaling.models import (
    ApplicationAutoscalingBackend,
    FakeApplicationAutoscalingPolicy,
    FakeScalableTarget,
)
from moto.core.exceptions import JsonRESTError
from moto.sagemaker.models import sagemaker_backends
from moto.utilities.utils import get_partition

from forecast_local.sagemaker.endpoint import HostedEndpoint

_NAMESPACE = "sagemaker"
_DIMENSION = "sagemaker:variant:DesiredInstanceCount"
_RESOURCE = re.compile(r"endpoint/([^/]+)/variant/([^/]+)")
_BURSTABLE = re.compile(r"ml\.t\d")


class ResourceNotFoundError(JsonRESTError):
    """No target has the ARN of a request about tags."""

    def __init__(self, arn: str) -> None:
        super().__init__("ResourceNotFoundException", f"The resource {arn} doesn't exist.")


class LocalApplicationAutoscalingBackend(ApplicationAutoscalingBackend):
    """The targets and policies of one account and region."""

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.target_tags: dict[str, dict[str, str]] = {}

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
        """Register a target after checking capacities and, for SageMaker, the variant."""
        known = self.targets.get(dimension, {}).get(r_id)
        low = min_capacity if min_capacity is not None or known is None else known.min_capacity
        high = max_capacity if max_capacity is not None or known is None else known.max_capacity
        if low is None or high is None:
            raise AWSValidationException("Both MinCapacity and MaxCapacity are required.")
        if low > high:
            raise AWSValidationException(
                f"Maximum capacity {high} cannot be less than minimum capacity {low}."
            )
        if namespace == _NAMESPACE and dimension == _DIMENSION:
            self._check_variant(r_id, low)
        if namespace == _NAMESPACE and not role_arn:
            partition = get_partition(self.region_name)
            role_arn = (
                f"arn:{partition}:iam::{self.account_id}:role/aws-service-role/"
                "sagemaker.application-autoscaling.amazonaws.com/"
                "AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint"
            )
        return super().register_scalable_target(
            namespace, r_id, dimension, min_capacity, max_capacity, role_arn, suspended_state
        )

    def deregister_scalable_target(self, namespace: str, r_id: str, dimension: str) -> None:
        """Deregister a target; its policies and scheduled actions go with it, as on AWS."""
        super().deregister_scalable_target(namespace, r_id, dimension)
        for key, policy in list(self.policies.items()):
            if (policy.resource_id, policy.scalable_dimension) == (r_id, dimension):
                del self.policies[key]
        self.scheduled_actions = [
            action
            for action in self.scheduled_actions
            if (action.resource_id, action.scalable_dimension) != (r_id, dimension)
        ]

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
        if resource_id not in self.targets.get(scalable_dimension, {}):
            raise AWSValidationException(
                f"No scalable target registered for service namespace: {service_namespace}, "
                f"resource ID: {resource_id}, scalable dimension: {scalable_dimension}"
            )
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

    def _check_variant(self, resource_id: str, low: int) -> None:
        match = _RESOURCE.fullmatch(resource_id)
        if match is None:
            raise AWSValidationException(
                f"Invalid resource ID {resource_id}: expected endpoint/<endpoint>/variant/<variant>"
            )
        name, variant = match.groups()
        endpoint = sagemaker_backends[self.account_id][self.region_name].endpoints.get(name)
        if not isinstance(endpoint, HostedEndpoint):
            raise AWSValidationException(f"SageMaker endpoint not found: {name}")
        found = [
            item for item in endpoint.config["ProductionVariants"] if item["VariantName"] == variant
        ]
        if not found:
            raise AWSValidationException(f"Variant {variant} of endpoint {name} not found")
        instance_type = str(found[0].get("InstanceType", ""))
        if _BURSTABLE.match(instance_type):
            raise AWSValidationException(
                f"Automatic scaling is not supported for the burstable instance type "
                f"{instance_type} of variant {variant}."
            )
        if low < 1:
            raise AWSValidationException(
                f"MinCapacity of a real-time variant must be at least 1, got {low}."
            )
