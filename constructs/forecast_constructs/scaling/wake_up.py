"""What brings an asynchronous endpoint back from zero instances."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_applicationautoscaling as scaling
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from forecast_config import names
from forecast_constructs.monitoring.metrics import INVOCATION_NAMESPACE

if TYPE_CHECKING:
    from forecast_constructs.scaling.variant_scaling import VariantScaling

COOLDOWN_SECONDS = 300
"""Pause after the first instance, which is not there yet while the alarm goes on (same page as the
recipe of `BacklogWakeUp`); the settings' cooldowns are those of the targets."""

_MINUTES_OF_BACKLOG = 2


class BacklogWakeUp(Construct):
    """A step policy, and the alarm that calls it when requests wait and no instance is there.

    With no instance there is no backlog *per instance*: a target-tracking policy alone brings an
    endpoint down to zero, and back only once the queue is longer than its target. The recipe is
    that of the Amazon SageMaker developer guide, "Autoscale an asynchronous endpoint", optional
    policy that scales up from zero: HasBacklogWithoutCapacity is 1 for two minutes, one instance
    is added, and the next is left to the target for the length of the cooldown.

    Attributes:
        alarm_name: Name of the alarm, as a literal.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        endpoint_name: str,
        scaling_of: VariantScaling,
    ) -> None:
        super().__init__(scope, construct_id)
        self.alarm_name = names.alarm(endpoint_name, "backlog-without-capacity")
        policy = scaling.CfnScalingPolicy(
            self,
            "Policy",
            policy_name="wake-up",
            policy_type="StepScaling",
            scaling_target_id=scaling_of.target.ref,
            step_scaling_policy_configuration=_render_step(),
        )
        cloudwatch.CfnAlarm(
            self,
            "Alarm",
            alarm_name=self.alarm_name,
            alarm_description=(
                f"Requests have waited for {_MINUTES_OF_BACKLOG} minutes and no instance is there; "
                "one is started, nobody needs to act"
            ),
            namespace=INVOCATION_NAMESPACE,
            metric_name="HasBacklogWithoutCapacity",
            dimensions=[
                cloudwatch.CfnAlarm.DimensionProperty(name="EndpointName", value=endpoint_name)
            ],
            statistic="Average",
            period=60,
            evaluation_periods=_MINUTES_OF_BACKLOG,
            datapoints_to_alarm=_MINUTES_OF_BACKLOG,
            threshold=1,
            comparison_operator="GreaterThanOrEqualToThreshold",
            treat_missing_data="missing",
            # The Ref of a scaling policy is its ARN.
            alarm_actions=[policy.ref],
        )


def _render_step() -> scaling.CfnScalingPolicy.StepScalingPolicyConfigurationProperty:
    return scaling.CfnScalingPolicy.StepScalingPolicyConfigurationProperty(
        adjustment_type="ChangeInCapacity",
        metric_aggregation_type="Average",
        cooldown=COOLDOWN_SECONDS,
        step_adjustments=[
            scaling.CfnScalingPolicy.StepAdjustmentProperty(
                metric_interval_lower_bound=0, scaling_adjustment=1
            )
        ],
    )
