"""The stack of an environment's endpoint, which every new model version changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_cdk import Annotations, CfnOutput, DefaultStackSynthesizer, Stack
from aws_cdk import aws_s3 as s3

from forecast_config import names
from forecast_config.instances import is_listed_by_api
from forecast_constructs import (
    MODELS_PREFIX,
    AlertTopics,
    ContainerImage,
    EndpointAlarms,
    EndpointConfiguration,
    EndpointMetrics,
    ExecutionRole,
    ForecastEndpoint,
    ForecastModel,
    RollbackAlarm,
    VariantScaling,
)
from forecast_stacks.destination import stack_environment
from forecast_stacks.tagging import tag_environment

if TYPE_CHECKING:
    from constructs import Construct

    from forecast_config.packaged import PackagedModel
    from forecast_config.settings import EnvironmentSettings
    from forecast_stacks.artifacts_stack import ForecastArtifactsStack

_ACCOUNT_PLACEHOLDER = "${AWS::AccountId}"
"""What a synthesizer takes for an account that is known at deployment only."""


class ForecastEndpointStack(Stack):
    """Model, endpoint, scaling and alarms of one environment.

    Its files, the archive among them, are published into the bucket of the artifacts stack.

    Attributes:
        endpoint: The endpoint.
    """

    def __init__(
        self,
        scope: Construct,
        settings: EnvironmentSettings,
        *,
        artifacts: ForecastArtifactsStack,
        packaged_model: PackagedModel,
        **options: Any,
    ) -> None:
        """Define the stack.

        Args:
            scope: The app or stage.
            settings: The environment.
            artifacts: The environment's stateful stack, deployed before this one.
            packaged_model: What the endpoint serves.
            **options: Further properties of a stack.
        """
        name = names.stack(settings.name)
        super().__init__(
            scope,
            name,
            stack_name=name,
            env=stack_environment(settings),
            description=f"Endpoint {settings.endpoint.name}",
            termination_protection=settings.termination_protection,
            synthesizer=_publish_into_artifact_bucket(settings),
            **options,
        )
        self.add_stack_dependency(artifacts)
        self._settings = settings
        self._artifacts = artifacts
        self._packaged_model = packaged_model
        # By its name, which is fixed, so that nothing is exported for it.
        self._bucket = s3.Bucket.from_bucket_name(
            self, "ArtifactBucket", _artifact_bucket(settings, self.account)
        )
        self._warn_of_unlisted_instance_type()
        self._topics = self._build_topics()
        self._endpoint_config = self._build_endpoint_config(self._build_model())
        self.endpoint = self._build_endpoint(self._build_rollback_alarm())
        self._build_scaling()
        self._build_alarms()
        self._build_outputs()
        tag_environment(self, settings)

    def _warn_of_unlisted_instance_type(self) -> None:
        instance_type = self._settings.endpoint.instance_type
        if not is_listed_by_api(instance_type):
            Annotations.of(self).add_warning_v2(
                "forecast:unlistedInstanceType",
                f"{instance_type} is in AWS's price list for hosting, but not among the types that "
                "the SageMaker API enumerates; if the deployment is refused, use ml.t2.medium",
            )

    def _build_topics(self) -> AlertTopics:
        return AlertTopics(
            self,
            "Alerts",
            endpoint_name=self._settings.endpoint.name,
            encryption_key=self._artifacts.key,
            notifications=self._settings.alarms.notifications,
        )

    def _build_model(self) -> ForecastModel:
        settings = self._settings
        image = ContainerImage.from_settings(self, settings.image)
        placement = self._artifacts.placement
        self._execution_role = ExecutionRole(
            self, "ExecutionRole", endpoint_name=settings.endpoint.name
        )
        self._execution_role.grant_pull(image)
        self._execution_role.grant_read_model(self._bucket, self._artifacts.key)
        self._execution_role.grant_write_logs(self._artifacts.log_group_name)
        if placement is not None:
            self._execution_role.grant_join(placement)
        return ForecastModel(
            self,
            "Model",
            packaged_model=self._packaged_model,
            image=image,
            environment=settings.container_environment,
            execution_role=self._execution_role,
            network_isolation=settings.network.isolated,
            placement=placement,
        )

    def _build_endpoint_config(self, model: ForecastModel) -> EndpointConfiguration:
        settings = self._settings
        config = EndpointConfiguration(
            self,
            "EndpointConfig",
            model=model,
            packaged_model=self._packaged_model,
            endpoint=settings.endpoint,
            encryption_key=self._artifacts.key,
            bucket=self._bucket,
            data_capture=settings.data_capture,
        )
        if config.encrypts_volumes:
            self._execution_role.grant_encrypt_volumes(self._artifacts.key)
        if settings.data_capture is not None:
            self._execution_role.grant_write_captures(self._bucket, self._artifacts.key)
        return config

    def _build_rollback_alarm(self) -> RollbackAlarm:
        settings = self._settings
        alarm = RollbackAlarm(
            self,
            "RollbackErrors",
            fleet_metrics=EndpointMetrics(
                endpoint_name=settings.endpoint.name,
                variant_name=settings.endpoint.variant_name,
                endpoint_config_name=self._endpoint_config.endpoint_config_name,
            ),
            error_count=settings.alarms.rollback_error_count,
            topic=self._topics.topics["critical"],
        )
        self._execution_role.grant_describe_alarms([alarm.alarm_name])
        return alarm

    def _build_endpoint(self, rollback_alarm: RollbackAlarm) -> ForecastEndpoint:
        settings = self._settings
        return ForecastEndpoint(
            self,
            "Endpoint",
            settings=settings.endpoint,
            endpoint_config=self._endpoint_config,
            rollout=settings.rollout,
            rollback_alarms=[rollback_alarm],
            packaged_model=self._packaged_model,
            scales=settings.autoscaling is not None,
        )

    def _build_scaling(self) -> None:
        settings = self._settings
        if settings.autoscaling is not None:
            VariantScaling(
                self,
                "Scaling",
                endpoint=self.endpoint,
                instance_type=settings.endpoint.instance_type,
                settings=settings.autoscaling,
            )

    def _build_alarms(self) -> None:
        EndpointAlarms(
            self,
            "Alarms",
            metrics=self.endpoint.metrics,
            settings=self._settings.alarms,
            topics=self._topics.topics,
        )

    def _build_outputs(self) -> None:
        outputs = {
            "EndpointName": (self.endpoint.endpoint_name, "Name that clients invoke"),
            "EndpointConfigName": (
                self._endpoint_config.endpoint_config_name,
                "What the endpoint runs after a successful rollout; compare with DescribeEndpoint",
            ),
            "ModelVersion": (
                self._packaged_model.model.version,
                f"Version of {self._packaged_model.model.name} that was deployed",
            ),
        }
        for output_id, (value, description) in outputs.items():
            CfnOutput(self, output_id, value=value, description=description)


def _publish_into_artifact_bucket(settings: EnvironmentSettings) -> DefaultStackSynthesizer:
    account = _ACCOUNT_PLACEHOLDER if settings.account is None else settings.account
    return DefaultStackSynthesizer(
        file_assets_bucket_name=_artifact_bucket(settings, account),
        bucket_prefix=MODELS_PREFIX,
        generate_bootstrap_version_rule=False,
    )


def _artifact_bucket(settings: EnvironmentSettings, account: str) -> str:
    return names.artifact_bucket(settings.endpoint.name, account, settings.region)
