"""Application Auto Scaling of an endpoint's production variant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_applicationautoscaling as scaling
from constructs import Construct

from forecast_config.instances import is_burstable, vcpus
from forecast_config.settings import CpuUtilizationTarget
from forecast_constructs.hosting.execution_role import INSTANCE_METRICS_NAMESPACE

if TYPE_CHECKING:
    from forecast_config.settings import AutoscalingSettings, InvocationsTarget
    from forecast_constructs.hosting.endpoint import ForecastEndpoint

_DIMENSION = "sagemaker:variant:DesiredInstanceCount"
_SERVICE = "sagemaker"


class VariantScaling(Construct):
    """A scalable target and a target-tracking policy for an endpoint's production variant.

    Both are L1 resources: the L2 target makes a role that nothing uses, since SageMaker's variants
    are scaled by a service-linked role, and the L2 policy takes no metric math.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        endpoint: ForecastEndpoint,
        instance_type: str,
        settings: AutoscalingSettings,
    ) -> None:
        """Define target and policy.

        Args:
            scope: The parent.
            construct_id: Id of the construct.
            endpoint: The endpoint; both depend on it.
            instance_type: Type of its instances.
            settings: Bounds, target and cooldowns.

        Raises:
            ValueError: Instances of this type cannot be scaled.
        """
        super().__init__(scope, construct_id)
        if is_burstable(instance_type):
            raise ValueError(f"burstable instance types cannot scale, got {instance_type}")
        target = scaling.CfnScalableTarget(
            self,
            "Target",
            service_namespace=_SERVICE,
            scalable_dimension=_DIMENSION,
            resource_id=f"endpoint/{endpoint.endpoint_name}/variant/{endpoint.variant_name}",
            min_capacity=settings.min_instance_count,
            max_capacity=settings.max_instance_count,
        )
        target.node.add_dependency(endpoint)
        scaling.CfnScalingPolicy(
            self,
            "Policy",
            policy_name=next(iter(settings.targets.values())).kind.replace("_", "-"),
            policy_type="TargetTrackingScaling",
            scaling_target_id=target.ref,
            target_tracking_scaling_policy_configuration=_render_tracking(
                endpoint, instance_type, settings
            ),
        )


def _render_tracking(
    endpoint: ForecastEndpoint, instance_type: str, settings: AutoscalingSettings
) -> scaling.CfnScalingPolicy.TargetTrackingScalingPolicyConfigurationProperty:
    target = next(iter(settings.targets.values()))
    by_cpu = isinstance(target, CpuUtilizationTarget)
    return scaling.CfnScalingPolicy.TargetTrackingScalingPolicyConfigurationProperty(
        target_value=_target_value(target),
        scale_out_cooldown=settings.scale_out_cooldown_seconds,
        scale_in_cooldown=settings.scale_in_cooldown_seconds,
        customized_metric_specification=(
            _render_cpu_metric(endpoint, vcpus(instance_type)) if by_cpu else None
        ),
        predefined_metric_specification=(
            None
            if by_cpu
            else scaling.CfnScalingPolicy.PredefinedMetricSpecificationProperty(
                predefined_metric_type="SageMakerVariantInvocationsPerInstance"
            )
        ),
    )


def _target_value(target: CpuUtilizationTarget | InvocationsTarget) -> float:
    return target.percent if isinstance(target, CpuUtilizationTarget) else target.per_minute


def _render_cpu_metric(
    endpoint: ForecastEndpoint, vcpu_count: int
) -> scaling.CfnScalingPolicy.CustomizedMetricSpecificationProperty:
    policy = scaling.CfnScalingPolicy
    dimensions = {"EndpointName": endpoint.endpoint_name, "VariantName": endpoint.variant_name}
    cpu = policy.TargetTrackingMetricProperty(
        namespace=INSTANCE_METRICS_NAMESPACE,
        metric_name="CPUUtilization",
        dimensions=[
            policy.TargetTrackingMetricDimensionProperty(name=name, value=value)
            for name, value in dimensions.items()
        ],
    )
    return policy.CustomizedMetricSpecificationProperty(
        metrics=[
            policy.TargetTrackingMetricDataQueryProperty(
                id="cores",
                label="CPU utilization, sum over the cores (%)",
                metric_stat=policy.TargetTrackingMetricStatProperty(metric=cpu, stat="Average"),
                return_data=False,
            ),
            policy.TargetTrackingMetricDataQueryProperty(
                id="utilization",
                label="CPU utilization of all cores (%)",
                expression=f"cores / {vcpu_count}",
                return_data=True,
            ),
        ]
    )
