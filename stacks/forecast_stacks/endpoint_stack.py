"""The stack of an environment's endpoint, which every new model version changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_cdk import Annotations, CfnOutput, Stack
from aws_cdk import aws_s3 as s3

from forecast_config import names
from forecast_config.instances import is_graviton, is_listed_by_api
from forecast_config.settings import OwnImage
from forecast_config.sizing import size_container
from forecast_constructs import (
    AlertTopics,
    ContainerImage,
    EndpointAlarms,
    EndpointConfiguration,
    EndpointMetrics,
    ExecutionRole,
    ForecastEndpoint,
    ForecastModel,
    ModelSynthesizer,
    RollbackAlarm,
    VariantScaling,
    server_environment,
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
        image_uri: str | None = None,
        **options: Any,
    ) -> None:
        """Define the stack.

        Args:
            scope: The app or stage.
            settings: The environment.
            artifacts: The environment's stateful stack, deployed before this one.
            packaged_model: What the endpoint serves.
            image_uri: Image that takes the place of the one in the settings.
            **options: Further properties of a stack.

        Raises:
            ForecastError: The model does not fit into the instance type.
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
        self._image_uri = image_uri
        self._size = size_container(settings, packaged_model)
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
        image = self._choose_image()
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
            environment=server_environment(settings, self._size),
            execution_role=self._execution_role,
            network_isolation=settings.network.isolated,
            placement=placement,
        )

    def _choose_image(self) -> ContainerImage:
        image = self._settings.image
        if self._image_uri is not None:
            return ContainerImage.from_uri(self, self._image_uri)
        if isinstance(image, OwnImage):
            arm = is_graviton(self._settings.endpoint.instance_type)
            return ContainerImage.from_folder(self, self._packaged_model.image_context, arm=arm)
        return ContainerImage.from_settings(self, image)

    def _build_endpoint_config(self, model: ForecastModel) -> EndpointConfiguration:
        settings = self._settings
        config = EndpointConfiguration(
            self,
            "EndpointConfig",
            model=model,
            packaged_model=self._packaged_model,
            endpoint=settings.endpoint,
            size=self._size,
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
            error_count=settings.alarms.rollback.error_count,
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


def _publish_into_artifact_bucket(settings: EnvironmentSettings) -> ModelSynthesizer:
    account = _ACCOUNT_PLACEHOLDER if settings.account is None else settings.account
    return ModelSynthesizer(bucket_name=_artifact_bucket(settings, account))


def _artifact_bucket(settings: EnvironmentSettings, account: str) -> str:
    return names.artifact_bucket(settings.endpoint.name, account, settings.region)
