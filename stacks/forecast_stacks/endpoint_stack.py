"""The stack of an environment's endpoint, which every new model version changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_cdk import Annotations, CfnOutput, Stack
from aws_cdk import aws_s3 as s3

from forecast_config import names
from forecast_config.advice import zone_warnings
from forecast_config.instances import is_listed_by_api
from forecast_constructs import ModelSynthesizer
from forecast_constructs.storage.artifact_storage import ASYNC_REQUESTS_PREFIX
from forecast_stacks.dashboard_part import add_dashboard
from forecast_stacks.destination import stack_environment
from forecast_stacks.hosting_part import HostingPart
from forecast_stacks.monitoring_part import add_monitoring, add_rollback_alarms, add_topics
from forecast_stacks.scaling_part import add_off_hours, add_scaling
from forecast_stacks.tagging import tag_environment

if TYPE_CHECKING:
    from constructs import Construct

    from forecast_config.packaged import PackagedModel
    from forecast_config.settings import EnvironmentSettings
    from forecast_constructs.monitoring.monitoring import Monitoring
    from forecast_constructs.rollouts.rollback_alarms import RollbackAlarms
    from forecast_stacks.artifacts_stack import ForecastArtifactsStack

_ACCOUNT_PLACEHOLDER = "${AWS::AccountId}"
"""What a synthesizer takes for an account that is known at deployment only."""


class ForecastEndpointStack(Stack):
    """Models, endpoint, scaling, alarms and dashboard of one environment.

    Its files, the archives among them, are published into the bucket of the artifacts stack.

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
        challenger: PackagedModel | None = None,
        image_uri: str | None = None,
        reset_weights: bool = False,
        **options: Any,
    ) -> None:
        """Define the stack.

        Args:
            scope: The app or stage.
            settings: The environment.
            artifacts: The environment's stateful stack, deployed before this one.
            packaged_model: What the endpoint serves.
            challenger: What is compared with it, in a rollout of kind shadow or split.
            image_uri: Image that takes the place of the one in the settings.
            reset_weights: Whether champion and challenger of a split go back to the share in the
                settings; default: a shifted share survives the update.
            **options: Further properties of a stack.

        Raises:
            ForecastError: A model does not fit into its instances, or a challenger is missing.
        """
        name = settings.stack_name
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
        # By its name, which is fixed, so that nothing is exported for it.
        self._bucket = s3.Bucket.from_bucket_name(
            self, "ArtifactBucket", _artifact_bucket(settings, self.account)
        )
        self._artifacts = artifacts
        self._topics = add_topics(self, settings, artifacts.key)
        part = HostingPart(
            self, settings, artifacts=artifacts, bucket=self._bucket, image_uri=image_uri
        )
        self._hosting = part.add_hosting(packaged_model, challenger)
        self.endpoint = part.add_endpoint(
            self._hosting, self._add_rollback_alarms(), reset_weights=reset_weights
        )
        add_scaling(self, settings, self.endpoint)
        self._add_off_hours(self._add_monitoring())
        self._add_dashboard()
        self._build_outputs()
        self._warn_of_unlisted_instance_types()
        self._warn_of_single_zone()
        tag_environment(self, settings)

    def _add_rollback_alarms(self) -> RollbackAlarms | None:
        return add_rollback_alarms(
            self,
            self._settings,
            endpoint_config_name=self._hosting.config.endpoint_config_name,
            variant_names=list(self._hosting.answering_models),
        )

    def _add_monitoring(self) -> Monitoring:
        return add_monitoring(
            self,
            self._settings,
            topics=self._topics,
            endpoint=self.endpoint,
            packaged_models=self._hosting.answering_models,
            artifacts=self._artifacts,
        )

    def _add_off_hours(self, monitoring: Monitoring) -> None:
        add_off_hours(
            self,
            self._settings,
            endpoint=self.endpoint,
            endpoint_config_name=self._hosting.config.endpoint_config_name,
            endpoint_config_arn=self._hosting.config.endpoint_config_arn,
            artifacts=self._artifacts,
            topics=self._topics,
            alarm_names_to_mute=monitoring.alarm_names_to_mute,
        )

    def _add_dashboard(self) -> None:
        add_dashboard(
            self,
            self._settings,
            packaged_models=self._hosting.packaged_models,
            endpoint_config_name=self._hosting.config.endpoint_config_name,
        )

    def _warn_of_unlisted_instance_types(self) -> None:
        types = {variant.instance_type for variant in self._hosting.variants}
        for instance_type in sorted(each for each in types if each is not None):
            if not is_listed_by_api(instance_type):
                Annotations.of(self).add_warning_v2(
                    "forecast:unlistedInstanceType",
                    f"{instance_type} is in AWS's price list for hosting, but not among the types "
                    "that the SageMaker API enumerates; if the deployment is refused, use "
                    "ml.t2.medium",
                )

    def _warn_of_single_zone(self) -> None:
        for warning, message in zone_warnings(self._settings).items():
            Annotations.of(self).add_warning_v2(f"forecast:{warning}", message)

    def _build_outputs(self) -> None:
        outputs = {
            "EndpointName": (self.endpoint.endpoint_name, "Name that clients invoke"),
            "EndpointConfigName": (
                self._hosting.config.endpoint_config_name,
                "What the endpoint runs after a successful rollout; compare with DescribeEndpoint",
            ),
            **self._describe_models(),
            **self._describe_async(),
        }
        for output_id, (value, description) in outputs.items():
            CfnOutput(self, output_id, value=value, description=description)

    def _describe_models(self) -> dict[str, tuple[str, str]]:
        model = self._hosting.variants[0].packaged_model.model
        described = {"ModelVersion": (model.version, f"Version of {model.name} that was deployed")}
        if self._hosting.challenger is not None:
            challenger = self._hosting.challenger.model
            described["ChallengerVersion"] = (
                challenger.version,
                f"Version of {challenger.name} that is compared with it",
            )
        return described

    def _describe_async(self) -> dict[str, tuple[str, str]]:
        topics = self._hosting.topics
        if topics is None:
            return {}
        return {
            "AsyncRequests": (
                self._bucket.s3_url_for_object(ASYNC_REQUESTS_PREFIX),
                "Where clients put requests before they invoke the endpoint",
            ),
            "AsyncSuccessTopic": (topics.success_topic_arn, "Hears of every answer"),
            "AsyncErrorTopic": (topics.error_topic_arn, "Hears of every request that failed"),
        }


def _publish_into_artifact_bucket(settings: EnvironmentSettings) -> ModelSynthesizer:
    account = _ACCOUNT_PLACEHOLDER if settings.account is None else settings.account
    return ModelSynthesizer(bucket_name=_artifact_bucket(settings, account))


def _artifact_bucket(settings: EnvironmentSettings, account: str) -> str:
    return names.artifact_bucket(settings.endpoint.name, account, settings.region)
