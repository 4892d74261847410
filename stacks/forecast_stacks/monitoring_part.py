"""The part of an environment's endpoint stack that watches: topics, alarms, heartbeat, budget."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forecast_config.alerts import has_heartbeat
from forecast_config.settings import ServerlessEndpoint
from forecast_constructs.monitoring.alarms import EndpointAlarms
from forecast_constructs.monitoring.budget import EnvironmentBudget
from forecast_constructs.monitoring.composite import IncidentAlarms
from forecast_constructs.monitoring.heartbeat import Heartbeat
from forecast_constructs.monitoring.monitoring import Monitoring
from forecast_constructs.monitoring.notifications import AlertTopics
from forecast_constructs.rollouts.rollback_alarms import RollbackAlarms

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aws_cdk import Stack
    from aws_cdk import aws_kms as kms

    from forecast_config.packaged import PackagedModel
    from forecast_config.settings import EnvironmentSettings
    from forecast_constructs.hosting.endpoint import ForecastEndpoint
    from forecast_stacks.artifacts_stack import ForecastArtifactsStack


def add_topics(stack: Stack, settings: EnvironmentSettings, key: kms.IKey) -> AlertTopics:
    """Add the topics that the incidents of each severity go to, with their targets."""
    return AlertTopics(
        stack,
        "Alerts",
        endpoint_name=settings.endpoint.name,
        encryption_key=key,
        settings=settings.alarms,
    )


def add_rollback_alarms(
    stack: Stack,
    settings: EnvironmentSettings,
    *,
    endpoint_config_name: str,
    variant_names: Sequence[str],
) -> RollbackAlarms | None:
    """Add what undoes a rollout; None for a serverless endpoint, which has no guardrails.

    Args:
        stack: The endpoint's stack.
        settings: The environment.
        endpoint_config_name: What the new fleet runs.
        variant_names: The production variants.

    Raises:
        ValueError: With `rollout.additional_alarms` they are more than a rollout can have.
    """
    if isinstance(settings.endpoint, ServerlessEndpoint):
        return None
    return RollbackAlarms(
        stack,
        "RollbackAlarms",
        settings=settings,
        variant_names=variant_names,
        endpoint_config_name=endpoint_config_name,
    )


def add_monitoring(
    stack: Stack,
    settings: EnvironmentSettings,
    *,
    topics: AlertTopics,
    endpoint: ForecastEndpoint,
    packaged_models: Mapping[str, PackagedModel],
    artifacts: ForecastArtifactsStack,
) -> Monitoring:
    """Add alarms, composite alarms, heartbeat and budget.

    Args:
        stack: The endpoint's stack.
        settings: The environment.
        topics: Where incidents are reported to.
        endpoint: The endpoint, which the heartbeat asks.
        packaged_models: What each production variant serves, by the variant's name.
        artifacts: The stateful stack, whose key and network the heartbeat uses.

    Raises:
        ForecastError: A model has no golden requests for the heartbeat.
    """
    heartbeat = _add_heartbeat(stack, settings, endpoint, packaged_models, artifacts)
    alarms = EndpointAlarms(stack, "Alarms", settings=settings, heartbeat=heartbeat)
    incidents = IncidentAlarms(
        stack,
        "Incidents",
        settings=settings,
        topic_arns=topics.topic_arns,
        # The endpoint itself comes after the alarms that undo its rollouts.
        after=[alarms, endpoint],
    )
    return Monitoring(
        alarms=alarms,
        incidents=incidents,
        heartbeat=heartbeat,
        budget=_add_budget(stack, settings, topics),
    )


def _add_heartbeat(
    stack: Stack,
    settings: EnvironmentSettings,
    endpoint: ForecastEndpoint,
    packaged_models: Mapping[str, PackagedModel],
    artifacts: ForecastArtifactsStack,
) -> Heartbeat | None:
    if not has_heartbeat(settings):
        return None
    return Heartbeat(
        stack,
        "Heartbeat",
        settings=settings,
        packaged_models=packaged_models,
        endpoint=endpoint,
        encryption_key=artifacts.key,
        placement=artifacts.function_placement,
    )


def _add_budget(
    stack: Stack, settings: EnvironmentSettings, topics: AlertTopics
) -> EnvironmentBudget | None:
    budget = settings.alarms.budget
    if budget is None:
        return None
    return EnvironmentBudget(
        stack, "Budget", environment=settings.name, settings=budget, topic_arns=topics.topic_arns
    )
