"""The endpoint that clients call."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from forecast_constructs.hosting.lineage import tag_lineage
from forecast_constructs.monitoring.metrics import EndpointMetrics
from forecast_constructs.rollouts.deployment_config import render_deployment_config

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aws_cdk import aws_cloudwatch as cloudwatch

    from forecast_config.packaged import PackagedModel
    from forecast_config.settings import AllAtOnceRollout, CanaryRollout, RealtimeEndpoint
    from forecast_constructs.hosting.endpoint_config import EndpointConfiguration
    from forecast_constructs.monitoring.alarms import RollbackAlarm


class ForecastEndpoint(Construct):
    """An endpoint with a fixed name, on which new versions are rolled out blue/green.

    Attributes:
        endpoint_name: The name clients call, as a literal.
        endpoint_arn: ARN of the endpoint, made from the name.
        variant_name: Name of the production variant.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: RealtimeEndpoint,
        endpoint_config: EndpointConfiguration,
        rollout: AllAtOnceRollout | CanaryRollout,
        rollback_alarms: Sequence[RollbackAlarm],
        packaged_model: PackagedModel,
        scales: bool,
    ) -> None:
        """Define the endpoint.

        Args:
            scope: The parent.
            construct_id: Id of the construct.
            settings: Name and instances.
            endpoint_config: What it runs.
            rollout: How a new configuration takes over.
            rollback_alarms: Alarms on the new fleet; each exists before the endpoint changes.
            packaged_model: Lineage for the tags.
            scales: Whether the instance count belongs to Application Auto Scaling.
        """
        super().__init__(scope, construct_id)
        self._resource = sagemaker.CfnEndpoint(
            self,
            "Resource",
            endpoint_name=settings.name,
            endpoint_config_name=endpoint_config.endpoint_config_name,
            deployment_config=render_deployment_config(
                rollout, [alarm.alarm_name for alarm in rollback_alarms]
            ),
            retain_all_variant_properties=True,
            exclude_retained_variant_properties=None if scales else _render_exclusions(),
        )
        # An alarm is named in the rollout by a literal, which orders nothing.
        self._resource.node.add_dependency(*rollback_alarms)
        tag_lineage(self._resource, packaged_model)
        self.endpoint_name = settings.name
        self.variant_name = settings.variant_name
        stack = Stack.of(self)
        self.endpoint_arn = (
            f"arn:{stack.partition}:sagemaker:{stack.region}:{stack.account}"
            f":endpoint/{settings.name}"
        )

    @property
    def metrics(self) -> EndpointMetrics:
        """Metrics of the endpoint over all its fleets."""
        return EndpointMetrics(endpoint_name=self.endpoint_name, variant_name=self.variant_name)

    def metric_error_rate(self) -> cloudwatch.IMetric:
        """Share of the requests that the endpoint failed, in percent."""
        return self.metrics.error_rate_percent()

    def grant_invoke(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let someone ask the endpoint for forecasts."""
        return iam.Grant.add_to_principal(
            grantee=grantee, actions=["sagemaker:InvokeEndpoint"], resource_arns=[self.endpoint_arn]
        )


def _render_exclusions() -> list[sagemaker.CfnEndpoint.VariantPropertyProperty]:
    # A variant property that is not excluded keeps its value from before the update, whatever the
    # new configuration says (SageMaker API reference, UpdateEndpoint); a fixed count has to follow
    # the file. Of the other two types, nothing but a person moves the weight of the one variant,
    # and DataCaptureConfig is "not currently supported" (same reference, VariantProperty).
    return [
        sagemaker.CfnEndpoint.VariantPropertyProperty(variant_property_type="DesiredInstanceCount")
    ]
