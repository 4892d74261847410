"""Target-tracking policies: what each kind of scaling target holds constant, and how.

All are the form of L1: the L2 takes no metric math (aws-cdk issue 20659), and there is no
predefined metric for the CPU.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_applicationautoscaling as scaling

from forecast_config.instances import vcpus
from forecast_config.settings import (
    BacklogTarget,
    ConcurrentRequestsTarget,
    CpuUtilizationTarget,
    CustomMetricTarget,
    InvocationsTarget,
    LatencyTarget,
)
from forecast_constructs.monitoring.metrics import (
    INSTANCE_NAMESPACE,
    INVOCATION_NAMESPACE,
    MICROSECONDS_PER_MILLISECOND,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from forecast_config.settings import AutoscalingSettings, InstanceEndpoint, ScalingTarget

_Policy = scaling.CfnScalingPolicy
_Tracking = scaling.CfnScalingPolicy.TargetTrackingScalingPolicyConfigurationProperty

PREDEFINED_METRICS = {
    InvocationsTarget: "SageMakerVariantInvocationsPerInstance",
    ConcurrentRequestsTarget: "SageMakerVariantConcurrentRequestsPerModelHighResolution",
}
"""Metrics that Application Auto Scaling knows by a name of its own (its API reference,
PredefinedMetricSpecification); the second is seen every 10 seconds."""


def render_tracking(
    target: ScalingTarget, endpoint: InstanceEndpoint, settings: AutoscalingSettings
) -> _Tracking:
    """The policy that holds one target.

    Args:
        target: What is held, and at which value.
        endpoint: Whose variant it is.
        settings: The cooldowns, which all targets share.
    """
    predefined = PREDEFINED_METRICS.get(type(target))
    return _Tracking(
        target_value=_target_value(target),
        scale_out_cooldown=settings.scale_out_cooldown_seconds,
        scale_in_cooldown=settings.scale_in_cooldown_seconds,
        predefined_metric_specification=(
            None
            if predefined is None
            else _Policy.PredefinedMetricSpecificationProperty(predefined_metric_type=predefined)
        ),
        customized_metric_specification=_render_customized(target, endpoint),
    )


def _target_value(target: ScalingTarget) -> float:
    match target:
        case CpuUtilizationTarget():
            return target.percent
        case InvocationsTarget():
            return target.per_minute
        case ConcurrentRequestsTarget():
            return target.per_instance
        case LatencyTarget():
            # ModelLatency is in microseconds.
            return target.milliseconds * MICROSECONDS_PER_MILLISECOND
        case BacklogTarget():
            return target.requests
        case CustomMetricTarget():
            return target.value


def _render_customized(
    target: ScalingTarget, endpoint: InstanceEndpoint
) -> _Policy.CustomizedMetricSpecificationProperty | None:
    variant = {"EndpointName": endpoint.name, "VariantName": endpoint.variant_name}
    match target:
        case CpuUtilizationTarget():
            return _render_cpu(variant, vcpus(endpoint.instance_type))
        case LatencyTarget():
            return _render_latency(variant)
        case BacklogTarget():
            # Backlog metrics have this one dimension (developer guide, "Monitor asynchronous
            # endpoint").
            return _render_metric(
                INVOCATION_NAMESPACE,
                "ApproximateBacklogSizePerInstance",
                {"EndpointName": endpoint.name},
                "Average",
            )
        case CustomMetricTarget():
            return _render_metric(
                target.namespace, target.metric_name, target.dimensions, target.statistic
            )
        case _:
            return None


def _render_metric(
    namespace: str, name: str, dimensions: Mapping[str, str], statistic: str
) -> _Policy.CustomizedMetricSpecificationProperty:
    return _Policy.CustomizedMetricSpecificationProperty(
        namespace=namespace,
        metric_name=name,
        dimensions=[
            _Policy.MetricDimensionProperty(name=key, value=value)
            for key, value in dimensions.items()
        ],
        statistic=statistic,
    )


def _render_cpu(
    variant: Mapping[str, str], vcpu_count: int
) -> _Policy.CustomizedMetricSpecificationProperty:
    """CPUUtilization is a sum over the cores: up to 400 % on four of them."""
    return _Policy.CustomizedMetricSpecificationProperty(
        metrics=[
            _render_query(
                "cores",
                "CPU utilization, sum over the cores (%)",
                _render_stat(INSTANCE_NAMESPACE, "CPUUtilization", variant, "Average"),
            ),
            _Policy.TargetTrackingMetricDataQueryProperty(
                id="utilization",
                label="CPU utilization of all cores (%)",
                expression=f"cores / {vcpu_count}",
                return_data=True,
            ),
        ]
    )


def _render_latency(variant: Mapping[str, str]) -> _Policy.CustomizedMetricSpecificationProperty:
    """A percentile, which the plain form of a customized metric does not know."""
    return _Policy.CustomizedMetricSpecificationProperty(
        metrics=[
            _render_query(
                "latency",
                "p90 of the model's latency (microseconds)",
                _render_stat(INVOCATION_NAMESPACE, "ModelLatency", variant, "p90"),
                return_data=True,
            )
        ]
    )


def _render_query(
    query_id: str,
    label: str,
    stat: _Policy.TargetTrackingMetricStatProperty,
    *,
    return_data: bool = False,
) -> _Policy.TargetTrackingMetricDataQueryProperty:
    return _Policy.TargetTrackingMetricDataQueryProperty(
        id=query_id, label=label, metric_stat=stat, return_data=return_data
    )


def _render_stat(
    namespace: str, name: str, variant: Mapping[str, str], stat: str
) -> _Policy.TargetTrackingMetricStatProperty:
    return _Policy.TargetTrackingMetricStatProperty(
        metric=_Policy.TargetTrackingMetricProperty(
            namespace=namespace,
            metric_name=name,
            dimensions=[
                _Policy.TargetTrackingMetricDimensionProperty(name=key, value=value)
                for key, value in variant.items()
            ],
        ),
        stat=stat,
    )
