"""The part of an environment's endpoint stack that serves: role, models and endpoint."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from forecast_config import names
from forecast_config.instances import is_graviton
from forecast_config.settings import AsyncEndpoint, OwnImage, ServerlessEndpoint
from forecast_config.sizing import size_container
from forecast_constructs import (
    ContainerImage,
    EndpointConfiguration,
    ExecutionRole,
    ForecastEndpoint,
    ForecastModel,
    server_environment,
)
from forecast_constructs.hosting.async_topics import AsyncTopics
from forecast_constructs.hosting.variants import (
    Variant,
    challenger_instance_type,
    challenger_variant,
    champion_variant,
)
from forecast_stacks.comparison import find_comparison

if TYPE_CHECKING:
    from aws_cdk import Stack
    from aws_cdk import aws_s3 as s3

    from forecast_config.packaged import PackagedModel
    from forecast_config.settings import EnvironmentSettings
    from forecast_config.sizing import ContainerSize
    from forecast_constructs.rollouts.rollback_alarms import RollbackAlarms
    from forecast_stacks.artifacts_stack import ForecastArtifactsStack
    from forecast_stacks.comparison import Comparison


@dataclass(frozen=True, kw_only=True)
class Hosting:
    """What an endpoint is made from.

    Attributes:
        execution_role: The role that SageMaker serves with.
        variants: What is served, the champion first.
        config: The endpoint configuration.
        topics: Where an asynchronous endpoint says that it is done; None for the others.
    """

    execution_role: ExecutionRole
    variants: tuple[Variant, ...]
    config: EndpointConfiguration
    topics: AsyncTopics | None

    @property
    def packaged_models(self) -> dict[str, PackagedModel]:
        """What each variant serves, by its name; the champion first."""
        return {variant.name: variant.packaged_model for variant in self.variants}

    @property
    def answering_models(self) -> dict[str, PackagedModel]:
        """What each variant serves whose answers clients get; the champion first."""
        return {each.name: each.packaged_model for each in self.variants if not each.shadow}

    @property
    def challenger(self) -> PackagedModel | None:
        """What is compared with the champion; None: nothing."""
        _, *others = self.variants
        return others[0].packaged_model if others else None


class HostingPart:
    """Builds what serves, in the order in which AWS needs it."""

    def __init__(
        self,
        stack: Stack,
        settings: EnvironmentSettings,
        *,
        artifacts: ForecastArtifactsStack,
        bucket: s3.IBucket,
        image_uri: str | None,
    ) -> None:
        """Remember what everything is made from.

        Args:
            stack: The endpoint's stack.
            settings: The environment.
            artifacts: The stateful stack: key, logs and network.
            bucket: The artifact bucket.
            image_uri: Image that takes the place of the one in the settings.
        """
        self._stack = stack
        self._settings = settings
        self._artifacts = artifacts
        self._bucket = bucket
        self._image_uri = image_uri

    def add_hosting(
        self, packaged_model: PackagedModel, challenger: PackagedModel | None
    ) -> Hosting:
        """Add role, models and endpoint configuration.

        Args:
            packaged_model: The champion.
            challenger: What is compared with it; needed for a shadow and a split, and for no other
                rollout.

        Raises:
            ForecastError: A model does not fit into its instances, or there is no challenger.
            ValueError: There is a challenger, and nothing compares it.
        """
        settings = self._settings
        comparison = find_comparison(settings, challenger)
        size = size_container(settings, packaged_model)
        role = self._build_role()
        variants = [self._build_champion(role, packaged_model, size)]
        if comparison is not None:
            variants.append(self._build_challenger(role, comparison))
        topics = self._build_topics(role)
        config = EndpointConfiguration(
            self._stack,
            "EndpointConfig",
            endpoint=settings.endpoint,
            variants=variants,
            encryption_key=self._artifacts.key,
            bucket=self._bucket,
            data_capture=settings.data_capture,
            async_topics=topics,
        )
        if config.encrypts_volumes:
            role.grant_encrypt_volumes(self._artifacts.key)
        if settings.data_capture is not None:
            role.grant_write_captures(self._bucket, self._artifacts.key)
        return Hosting(execution_role=role, variants=tuple(variants), config=config, topics=topics)

    def add_endpoint(
        self, hosting: Hosting, rollback_alarms: RollbackAlarms | None, *, reset_weights: bool
    ) -> ForecastEndpoint:
        """Add the endpoint.

        Args:
            hosting: What it is made from.
            rollback_alarms: What undoes a rollout; None for a serverless endpoint.
            reset_weights: Whether champion and challenger go back to the share in the settings.
        """
        settings = self._settings
        if rollback_alarms is not None:
            hosting.execution_role.grant_describe_alarms(rollback_alarms.alarm_names)
        return ForecastEndpoint(
            self._stack,
            "Endpoint",
            settings=settings.endpoint,
            endpoint_config=hosting.config,
            rollout=settings.rollout,
            rollback_alarms=rollback_alarms,
            packaged_model=hosting.variants[0].packaged_model,
            scales=capacity_scales(settings),
            challenger=hosting.challenger,
            reset_weights=reset_weights,
        )

    def _build_role(self) -> ExecutionRole:
        artifacts = self._artifacts
        role = ExecutionRole(
            self._stack, "ExecutionRole", endpoint_name=self._settings.endpoint.name
        )
        role.grant_read_model(self._bucket, artifacts.key)
        role.grant_write_logs(artifacts.log_group_name)
        if artifacts.placement is not None:
            role.grant_join(artifacts.placement)
        return role

    def _build_champion(
        self, role: ExecutionRole, packaged_model: PackagedModel, size: ContainerSize
    ) -> Variant:
        endpoint = self._settings.endpoint
        arm = not isinstance(endpoint, ServerlessEndpoint) and is_graviton(endpoint.instance_type)
        image = self._choose_image(packaged_model, arm=arm, asset_id="ServingImage")
        environment = server_environment(self._settings, size)
        model = self._build_model("Model", role, packaged_model, image, environment)
        return champion_variant(endpoint, model=model, packaged_model=packaged_model, size=size)

    def _build_challenger(self, role: ExecutionRole, comparison: Comparison) -> Variant:
        settings, packaged_model = self._settings, comparison.challenger
        rollout, endpoint = comparison.rollout, comparison.endpoint
        instance_type = challenger_instance_type(rollout, endpoint)
        size = size_container(settings, packaged_model, instance_type)
        image = self._choose_image(
            packaged_model, arm=is_graviton(instance_type), asset_id="ChallengerImage"
        )
        variant_name = names.challenger_variant(endpoint.variant_name)
        environment = server_environment(settings, size, variant_name)
        model = self._build_model(
            "ChallengerModel", role, packaged_model, image, environment, outlives_stack=True
        )
        return challenger_variant(
            rollout, endpoint, model=model, packaged_model=packaged_model, size=size
        )

    def _build_model(
        self,
        construct_id: str,
        role: ExecutionRole,
        packaged_model: PackagedModel,
        image: ContainerImage,
        environment: dict[str, str],
        *,
        outlives_stack: bool = False,
    ) -> ForecastModel:
        role.grant_pull(image)
        return ForecastModel(
            self._stack,
            construct_id,
            packaged_model=packaged_model,
            image=image,
            environment=environment,
            execution_role=role,
            network_isolation=self._settings.network.isolated,
            placement=self._artifacts.placement,
            outlives_stack=outlives_stack,
            serverless=isinstance(self._settings.endpoint, ServerlessEndpoint),
        )

    def _choose_image(
        self, packaged_model: PackagedModel, *, arm: bool, asset_id: str
    ) -> ContainerImage:
        image = self._settings.image
        if self._image_uri is not None:
            return ContainerImage.from_uri(self._stack, self._image_uri)
        if isinstance(image, OwnImage):
            return ContainerImage.from_folder(
                self._stack, packaged_model.image_context, arm=arm, asset_id=asset_id
            )
        return ContainerImage.from_settings(self._stack, image)

    def _build_topics(self, role: ExecutionRole) -> AsyncTopics | None:
        if not isinstance(self._settings.endpoint, AsyncEndpoint):
            return None
        key = self._artifacts.key
        topics = AsyncTopics(self._stack, "AsyncTopics", encryption_key=key)
        role.grant_write_async(self._bucket, key, topics.topic_arns)
        return topics


def capacity_scales(settings: EnvironmentSettings) -> bool:
    """Whether Application Auto Scaling changes the champion's capacity."""
    endpoint = settings.endpoint
    if isinstance(endpoint, ServerlessEndpoint):
        warm = endpoint.provisioned_concurrency
        return warm is not None and warm.maximum > warm.minimum
    return settings.autoscaling is not None
