"""The stateful stack of an environment: what outlives every model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_cdk import Aws, CfnOutput, DefaultStackSynthesizer, RemovalPolicy, Stack

from forecast_config import names
from forecast_config.settings import DataCaptureSettings, NewNetwork
from forecast_constructs import ArchivePublishing, ArtifactStorage, EncryptionKey, NamedLogGroup
from forecast_stacks.destination import stack_environment
from forecast_stacks.tagging import tag_environment

if TYPE_CHECKING:
    from constructs import Construct

    from forecast_config.settings import EnvironmentSettings

FLOW_LOG_PREFIX = "/aws/vpc/flow-logs/"


class ForecastArtifactsStack(Stack):
    """Key, artifact bucket and container logs of one environment.

    Attributes:
        key: Encrypts everything of the environment that is at rest.
        bucket: Holds the archives and the captured requests.
        log_group_name: Name of the log group that the containers write to.
    """

    def __init__(self, scope: Construct, settings: EnvironmentSettings, **options: Any) -> None:
        """Define the stack.

        Args:
            scope: The app or stage.
            settings: The environment.
            **options: Further properties of a stack.
        """
        name = names.stack(settings.name, "Artifacts")
        super().__init__(
            scope,
            name,
            stack_name=name,
            env=stack_environment(settings),
            description=f"Artifacts of the endpoint {settings.endpoint.name}",
            termination_protection=settings.termination_protection,
            synthesizer=DefaultStackSynthesizer(generate_bootstrap_version_rule=False),
            **options,
        )
        self._settings = settings
        self._removal_policy = (
            RemovalPolicy.DESTROY
            if settings.artifacts.on_stack_deletion == "destroy"
            else RemovalPolicy.RETAIN
        )
        self._build_key()
        self._build_storage()
        self._build_container_logs()
        CfnOutput(
            self,
            "ArtifactBucketName",
            value=self.bucket.bucket_name,
            description="Bucket of the archives and the captured requests",
        )
        tag_environment(self, settings)

    def _build_key(self) -> None:
        settings = self._settings
        encryption = EncryptionKey(
            self,
            "Encryption",
            settings=settings.encryption,
            description=f"Data of the endpoint {settings.endpoint.name}",
            removal_policy=self._removal_policy,
        )
        log_groups = [names.endpoint_log_group(settings.endpoint.name)]
        if isinstance(settings.network, NewNetwork):
            log_groups.append(flow_log_group_name(settings))
        encryption.admit_log_groups(log_groups)
        encryption.admit_alarms()
        self.key = encryption.key

    def _build_storage(self) -> None:
        settings = self._settings
        capture = settings.data_capture
        storage = ArtifactStorage(
            self,
            "Storage",
            bucket_name=names.artifact_bucket(
                settings.endpoint.name, Aws.ACCOUNT_ID, settings.region
            ),
            encryption_key=self.key,
            settings=settings.artifacts,
            # Requests captured before capture was switched off expire as well.
            data_capture_retention_days=(
                DataCaptureSettings.model_fields["retention_days"].default
                if capture is None
                else capture.retention_days
            ),
            removal_policy=self._removal_policy,
        )
        ArchivePublishing(self, "Publishing", bucket=storage.bucket, encryption_key=self.key)
        self.bucket = storage.bucket

    def _build_container_logs(self) -> None:
        self.log_group_name = NamedLogGroup(
            self,
            "ContainerLogs",
            log_group_name=names.endpoint_log_group(self._settings.endpoint.name),
            encryption_key=self.key,
            retention_days=self._settings.log_retention_days,
            removal_policy=self._removal_policy,
        ).log_group_name


def flow_log_group_name(settings: EnvironmentSettings) -> str:
    """Log group of the flow logs of an environment's own VPC."""
    return f"{FLOW_LOG_PREFIX}{settings.endpoint.name}"
