"""The stateful stack of an environment: what outlives every model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_cdk import CfnOutput, DefaultStackSynthesizer, RemovalPolicy, Stack

from forecast_config import names
from forecast_config.settings import (
    AsyncEndpoint,
    DataCaptureSettings,
    ExistingNetwork,
    NewNetwork,
)
from forecast_constructs import (
    ArchivePublishing,
    ArtifactStorage,
    EncryptionKey,
    IsolatedNetwork,
    NamedLogGroup,
    Placement,
)
from forecast_constructs.hosting.interface_endpoints import InterfaceService
from forecast_stacks.destination import stack_environment
from forecast_stacks.tagging import tag_environment

if TYPE_CHECKING:
    from constructs import Construct

    from forecast_config.settings import EnvironmentSettings


class ForecastArtifactsStack(Stack):
    """Key, artifact bucket, container logs and network of one environment.

    Retained or not, the bucket deletes what clients sent when its retention is over.

    Attributes:
        key: Encrypts everything of the environment that is at rest.
        bucket: Holds the archives and the captured requests.
        log_group_name: Name of the log group that the containers write to.
        placement: Where in a VPC the containers run; None: in no VPC.
        function_placement: Where in a VPC functions run; None: in no VPC.
    """

    def __init__(self, scope: Construct, settings: EnvironmentSettings, **options: Any) -> None:
        """Define the stack.

        Args:
            scope: The app or stage.
            settings: The environment.
            **options: Further properties of a stack.
        """
        name = settings.artifacts_stack_name
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
            # Without the exception, a first creation that fails leaves behind what is in the way
            # of the next one by its name.
            else RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE
        )
        self._build_key()
        self._build_storage()
        self._build_container_logs()
        self._build_placements()
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
        encryption.admit_log_groups(self._log_group_names())
        encryption.admit_alarms(settings.endpoint.name)
        if settings.alarms.budget is not None:
            encryption.admit_budgets()
        self.key = encryption.key

    def _log_group_names(self) -> list[str]:
        settings = self._settings
        endpoint_name = settings.endpoint.name
        log_groups = [names.endpoint_log_group(endpoint_name)]
        if isinstance(settings.network, NewNetwork):
            log_groups.append(names.flow_log_group(endpoint_name))
        if _has_heartbeat(settings):
            log_groups.append(names.function_log_group(names.heartbeat_function(endpoint_name)))
        if settings.off_hours is not None:
            log_groups.append(names.off_hours_log_group(endpoint_name))
        return log_groups

    def _build_storage(self) -> None:
        settings = self._settings
        capture = settings.data_capture
        endpoint = settings.endpoint
        storage = ArtifactStorage(
            self,
            "Storage",
            bucket_name=names.artifact_bucket(
                settings.endpoint.name, self.account, settings.region
            ),
            encryption_key=self.key,
            settings=settings.artifacts,
            # What was captured before capture was switched off expires as well, and so does what an
            # endpoint answered when it was asynchronous.
            data_capture_retention_days=(
                DataCaptureSettings.model_fields["retention_days"].default
                if capture is None
                else capture.retention_days
            ),
            async_retention_days=(
                endpoint.answer_retention_days
                if isinstance(endpoint, AsyncEndpoint)
                else AsyncEndpoint.model_fields["answer_retention_days"].default
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

    def _build_placements(self) -> None:
        network = self._settings.network
        self.placement: Placement | None = None
        self.function_placement: Placement | None = None
        if isinstance(network, NewNetwork):
            built = self._build_network(network)
            self.placement, self.function_placement = built.placement, built.function_placement
        elif isinstance(network, ExistingNetwork):
            self.placement = self.function_placement = Placement.from_existing(network)

    def _build_network(self, network: NewNetwork) -> IsolatedNetwork:
        flow_logs = NamedLogGroup(
            self,
            "FlowLogs",
            log_group_name=names.flow_log_group(self._settings.endpoint.name),
            encryption_key=self.key,
            retention_days=self._settings.log_retention_days,
            # Kept when the network is given up, it would be in the way of a next one by its name.
            removal_policy=RemovalPolicy.DESTROY,
        )
        return IsolatedNetwork(
            self,
            "Network",
            cidr=network.cidr,
            max_azs=network.max_azs,
            bucket=self.bucket,
            flow_logs=flow_logs,
            interface_services=self._interface_services(),
        )

    def _interface_services(self) -> list[InterfaceService]:
        settings = self._settings
        if not _has_heartbeat(settings):
            return []
        # SageMaker writes the names of endpoints into their ARNs in small letters.
        endpoint_names = sorted({settings.endpoint.name, settings.endpoint.name.lower()})
        prefix = f"arn:{self.partition}:sagemaker:{self.region}:{self.account}:endpoint"
        return [
            InterfaceService(
                name="sagemaker.runtime",
                actions=("sagemaker:InvokeEndpoint",),
                resource_arns=tuple(f"{prefix}/{name}" for name in endpoint_names),
            )
        ]


def _has_heartbeat(settings: EnvironmentSettings) -> bool:
    # An asynchronous endpoint answers into the bucket: its backlog is what tells.
    return settings.alarms.endpoint_down is not None and not isinstance(
        settings.endpoint, AsyncEndpoint
    )
