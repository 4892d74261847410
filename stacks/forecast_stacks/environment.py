"""All stacks of one environment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from forecast_stacks.artifacts_stack import ForecastArtifactsStack
from forecast_stacks.endpoint_stack import ForecastEndpointStack

if TYPE_CHECKING:
    from constructs import Construct

    from forecast_config.packaged import PackagedModel
    from forecast_config.settings import EnvironmentSettings


@dataclass(frozen=True)
class EnvironmentStacks:
    """The stacks of one environment, in the order of their deployment.

    Attributes:
        artifacts: The stateful stack.
        endpoint: The stack of the endpoint.
    """

    artifacts: ForecastArtifactsStack
    endpoint: ForecastEndpointStack


def add_environment(
    scope: Construct,
    settings: EnvironmentSettings,
    packaged_model: PackagedModel,
    *,
    challenger: PackagedModel | None = None,
    image_uri: str | None = None,
    reset_weights: bool = False,
) -> EnvironmentStacks:
    """Add an environment's stacks, which serve the packed model, to an app.

    Args:
        scope: The app or stage.
        settings: The environment.
        packaged_model: What its endpoint serves.
        challenger: What is compared with it, in a rollout of kind shadow or split.
        image_uri: Image that takes the place of the one in the settings.
        reset_weights: Whether champion and challenger of a split go back to the share in the
            settings; default: a shifted share survives the update.

    Raises:
        ForecastError: A model does not fit into its instances, or a challenger is missing.
    """
    artifacts = ForecastArtifactsStack(scope, settings)
    endpoint = ForecastEndpointStack(
        scope,
        settings,
        artifacts=artifacts,
        packaged_model=packaged_model,
        challenger=challenger,
        image_uri=image_uri,
        reset_weights=reset_weights,
    )
    return EnvironmentStacks(artifacts, endpoint)
