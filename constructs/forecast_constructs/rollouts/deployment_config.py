"""How a new fleet takes over from the old one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_sagemaker as sagemaker

from forecast_config.rollouts import execution_timeout_seconds
from forecast_config.settings import CanaryRollout, LinearRollout, RollingRollout
from forecast_config.settings.rollout import MAX_ROLLBACK_ALARMS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forecast_config.settings import BlueGreenRollout, Rollout

_PERCENT = "CAPACITY_PERCENT"


def render_deployment_config(
    rollout: Rollout, rollback_alarm_names: Sequence[str], *, start_seconds: int = 0
) -> sagemaker.CfnEndpoint.DeploymentConfigProperty:
    """A rollout that the given alarms undo: blue/green, or batch by batch.

    Champion and challenger of a shadow or a split take over together, all at once: the weights of
    the variants share out the traffic, not the rollout.

    Args:
        rollout: Its form.
        rollback_alarm_names: The alarms.
        start_seconds: The longest that an instance may take to start.

    Raises:
        ValueError: There are not 1 to 10 alarms (SageMaker API reference, AutoRollbackConfig).
    """
    if not 1 <= len(rollback_alarm_names) <= MAX_ROLLBACK_ALARMS:
        raise ValueError(
            f"expected 1 to {MAX_ROLLBACK_ALARMS} rollback alarms, got {len(rollback_alarm_names)}"
        )
    rollback = sagemaker.CfnEndpoint.AutoRollbackConfigProperty(
        alarms=[
            sagemaker.CfnEndpoint.AlarmProperty(alarm_name=name) for name in rollback_alarm_names
        ]
    )
    if isinstance(rollout, RollingRollout):
        return sagemaker.CfnEndpoint.DeploymentConfigProperty(
            rolling_update_policy=_render_rolling(rollout, start_seconds),
            auto_rollback_configuration=rollback,
        )
    return sagemaker.CfnEndpoint.DeploymentConfigProperty(
        blue_green_update_policy=_render_blue_green(rollout, start_seconds),
        auto_rollback_configuration=rollback,
    )


def _render_blue_green(
    rollout: BlueGreenRollout, start_seconds: int
) -> sagemaker.CfnEndpoint.BlueGreenUpdatePolicyProperty:
    return sagemaker.CfnEndpoint.BlueGreenUpdatePolicyProperty(
        traffic_routing_configuration=_render_routing(rollout),
        termination_wait_in_seconds=rollout.termination_wait_seconds,
        maximum_execution_timeout_in_seconds=execution_timeout_seconds(
            rollout, start_seconds=start_seconds
        ),
    )


def _render_rolling(
    rollout: RollingRollout, start_seconds: int
) -> sagemaker.CfnEndpoint.RollingUpdatePolicyProperty:
    back = rollout.rollback_batch_percent
    return sagemaker.CfnEndpoint.RollingUpdatePolicyProperty(
        maximum_batch_size=_render_share(rollout.batch_percent),
        rollback_maximum_batch_size=None if back is None else _render_share(back),
        wait_interval_in_seconds=rollout.wait_seconds,
        maximum_execution_timeout_in_seconds=execution_timeout_seconds(
            rollout, start_seconds=start_seconds
        ),
    )


def _render_routing(
    rollout: BlueGreenRollout,
) -> sagemaker.CfnEndpoint.TrafficRoutingConfigProperty:
    # The API requires the wait in every routing, although the resource's schema does not.
    wait = rollout.wait_seconds
    if isinstance(rollout, CanaryRollout):
        return sagemaker.CfnEndpoint.TrafficRoutingConfigProperty(
            type="CANARY",
            wait_interval_in_seconds=wait,
            canary_size=_render_share(rollout.percent),
        )
    if isinstance(rollout, LinearRollout):
        return sagemaker.CfnEndpoint.TrafficRoutingConfigProperty(
            type="LINEAR",
            wait_interval_in_seconds=wait,
            linear_step_size=_render_share(rollout.step_percent),
        )
    return sagemaker.CfnEndpoint.TrafficRoutingConfigProperty(
        type="ALL_AT_ONCE", wait_interval_in_seconds=wait
    )


def _render_share(percent: int) -> sagemaker.CfnEndpoint.CapacitySizeProperty:
    return sagemaker.CfnEndpoint.CapacitySizeProperty(type=_PERCENT, value=percent)
