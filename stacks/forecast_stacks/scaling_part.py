"""What a stack has so that the right number of instances serves at every hour."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import CfnOutput

from forecast_config.settings import ServerlessEndpoint
from forecast_constructs.scaling.off_hours import OffHours
from forecast_constructs.scaling.variant_scaling import VariantScaling, scales_to_zero
from forecast_constructs.scaling.wake_up import BacklogWakeUp
from forecast_constructs.scaling.warm_capacity import WarmCapacityScaling

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aws_cdk import Stack

    from forecast_config.settings import EnvironmentSettings
    from forecast_constructs.hosting.endpoint import ForecastEndpoint
    from forecast_constructs.monitoring.notifications import AlertTopics
    from forecast_stacks.artifacts_stack import ForecastArtifactsStack


def add_scaling(stack: Stack, settings: EnvironmentSettings, endpoint: ForecastEndpoint) -> None:
    """Scale the champion's variant, or the warm capacity of a serverless endpoint.

    A challenger keeps its own instance count: it is there to be compared, and two variants that
    scale on their own share of the traffic would differ in more than the model.

    Args:
        stack: The stack of the endpoint.
        settings: The environment.
        endpoint: What scales; everything made here depends on it.

    Raises:
        ValueError: The endpoint cannot scale, or not by one of the targets.
    """
    served = settings.endpoint
    autoscaling = settings.autoscaling
    if isinstance(served, ServerlessEndpoint):
        if autoscaling is not None:
            raise ValueError(
                "a serverless endpoint has no instances to scale, got autoscaling; "
                "its warm capacity scales by endpoint.provisioned_concurrency"
            )
        _add_warm_capacity(stack, served, endpoint)
    elif autoscaling is not None:
        scaling = VariantScaling(
            stack, "Scaling", endpoint=endpoint, served=served, settings=autoscaling
        )
        if scales_to_zero(autoscaling):
            BacklogWakeUp(stack, "WakeUp", endpoint_name=endpoint.endpoint_name, scaling_of=scaling)


def _add_warm_capacity(
    stack: Stack, served: ServerlessEndpoint, endpoint: ForecastEndpoint
) -> None:
    warm = served.provisioned_concurrency
    if warm is not None and warm.minimum < warm.maximum:
        WarmCapacityScaling(stack, "Scaling", endpoint=endpoint, settings=warm)


def add_off_hours(
    stack: Stack,
    settings: EnvironmentSettings,
    *,
    endpoint: ForecastEndpoint,
    endpoint_config_name: str,
    endpoint_config_arn: str,
    artifacts: ForecastArtifactsStack,
    topics: AlertTopics,
    alarm_names_to_mute: Sequence[str],
) -> None:
    """Remove the endpoint in its off hours and bring it back, when the settings ask for it.

    Args:
        stack: The stack of the endpoint.
        settings: The environment.
        endpoint: What is removed and brought back.
        endpoint_config_name: What it is brought back with, as a token.
        endpoint_config_arn: The same as an ARN.
        artifacts: The stateful stack: its key encrypts volumes, logs and schedules.
        topics: The critical one hears of an endpoint that is not as wanted.
        alarm_names_to_mute: Alarms whose actions rest while the endpoint is away.

    Raises:
        ValueError: The endpoint scales, or is none that its removal saves money on.
    """
    if settings.off_hours is None:
        return
    if settings.endpoint.kind == "serverless":
        raise ValueError(
            "a serverless endpoint costs nothing without requests, got off_hours; set them to null"
        )
    # Amazon SageMaker developer guide, "Delete endpoints configured for auto scaling".
    if settings.autoscaling is not None:
        raise ValueError(
            "off hours delete the endpoint and with it all of its scaling, got autoscaling as "
            "well; set autoscaling to null, or off_hours to null and schedule its minimum instead"
        )
    off_hours = OffHours(
        stack,
        "OffHours",
        endpoint=endpoint,
        endpoint_config_name=endpoint_config_name,
        endpoint_config_arn=endpoint_config_arn,
        settings=settings.off_hours,
        encryption_key=artifacts.key,
        log_retention_days=settings.log_retention_days,
        topic_arn=topics.topic_arns["critical"],
        alarm_names=alarm_names_to_mute,
    )
    CfnOutput(
        stack,
        "OffHoursStateMachineArn",
        value=off_hours.state_machine_arn,
        description="Removes the endpoint or brings it back; may be started by hand",
    )
