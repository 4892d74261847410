"""Application Auto Scaling of what a serverless endpoint keeps warm."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_applicationautoscaling as scaling
from constructs import Construct

from forecast_constructs.scaling.variant_scaling import SERVICE_NAMESPACE, variant_resource_id

if TYPE_CHECKING:
    from forecast_config.settings import ProvisionedConcurrency
    from forecast_constructs.hosting.endpoint import ForecastEndpoint

PROVISIONED_CONCURRENCY = "sagemaker:variant:DesiredProvisionedConcurrency"


class WarmCapacityScaling(Construct):
    """Holds the share of a serverless endpoint's provisioned concurrency that is in use.

    Amazon SageMaker developer guide, "Automatically scale Provisioned Concurrency for a serverless
    endpoint". The metric is a share from 0 to 1, not a percentage.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        endpoint: ForecastEndpoint,
        settings: ProvisionedConcurrency,
    ) -> None:
        """Define target and policy.

        Args:
            scope: The parent.
            construct_id: Id of the construct.
            endpoint: The endpoint; both depend on it.
            settings: Bounds and utilization.

        Raises:
            ValueError: The bounds leave nothing to scale.
        """
        super().__init__(scope, construct_id)
        if settings.minimum >= settings.maximum:
            raise ValueError(
                f"expected a maximum over the minimum ({settings.minimum}), got {settings.maximum}"
            )
        target = scaling.CfnScalableTarget(
            self,
            "Target",
            service_namespace=SERVICE_NAMESPACE,
            scalable_dimension=PROVISIONED_CONCURRENCY,
            resource_id=variant_resource_id(endpoint),
            min_capacity=settings.minimum,
            max_capacity=settings.maximum,
        )
        target.node.add_dependency(endpoint)
        policy = scaling.CfnScalingPolicy
        policy(
            self,
            "Utilization",
            policy_name="utilization",
            policy_type="TargetTrackingScaling",
            scaling_target_id=target.ref,
            target_tracking_scaling_policy_configuration=(
                policy.TargetTrackingScalingPolicyConfigurationProperty(
                    target_value=settings.utilization_percent / 100,
                    predefined_metric_specification=policy.PredefinedMetricSpecificationProperty(
                        predefined_metric_type="SageMakerVariantProvisionedConcurrencyUtilization"
                    ),
                )
            ),
        )
