"""How a new fleet takes over from the old one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_sagemaker as sagemaker

from forecast_config.settings import CanaryRollout

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forecast_config.settings import AllAtOnceRollout

MAX_ROLLBACK_ALARMS = 10
"""Alarms of an AutoRollbackConfiguration (SageMaker API reference, AutoRollbackConfig)."""


def render_deployment_config(
    rollout: AllAtOnceRollout | CanaryRollout, rollback_alarm_names: Sequence[str]
) -> sagemaker.CfnEndpoint.DeploymentConfigProperty:
    """A blue/green rollout that the given alarms undo.

    Raises:
        ValueError: There are not 1 to 10 alarms.
    """
    if not 1 <= len(rollback_alarm_names) <= MAX_ROLLBACK_ALARMS:
        raise ValueError(
            f"expected 1 to {MAX_ROLLBACK_ALARMS} rollback alarms, got {len(rollback_alarm_names)}"
        )
    return sagemaker.CfnEndpoint.DeploymentConfigProperty(
        blue_green_update_policy=sagemaker.CfnEndpoint.BlueGreenUpdatePolicyProperty(
            traffic_routing_configuration=_render_routing(rollout),
            termination_wait_in_seconds=rollout.termination_wait_seconds,
            maximum_execution_timeout_in_seconds=3600,
        ),
        auto_rollback_configuration=sagemaker.CfnEndpoint.AutoRollbackConfigProperty(
            alarms=[
                sagemaker.CfnEndpoint.AlarmProperty(alarm_name=name)
                for name in rollback_alarm_names
            ]
        ),
    )


def _render_routing(
    rollout: AllAtOnceRollout | CanaryRollout,
) -> sagemaker.CfnEndpoint.TrafficRoutingConfigProperty:
    if isinstance(rollout, CanaryRollout):
        return sagemaker.CfnEndpoint.TrafficRoutingConfigProperty(
            type="CANARY",
            wait_interval_in_seconds=rollout.wait_seconds,
            canary_size=sagemaker.CfnEndpoint.CapacitySizeProperty(
                type="CAPACITY_PERCENT", value=rollout.percent
            ),
        )
    return sagemaker.CfnEndpoint.TrafficRoutingConfigProperty(
        type="ALL_AT_ONCE", wait_interval_in_seconds=rollout.wait_seconds
    )
