"""Tags on everything that an environment owns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Tags

if TYPE_CHECKING:
    from aws_cdk import Stack

    from forecast_config.settings import EnvironmentSettings


def tag_environment(stack: Stack, settings: EnvironmentSettings) -> None:
    """Put team, cost centre, environment and the further tags on all resources of a stack."""
    tags = {
        **settings.tags.additional,
        "team": settings.tags.team,
        "cost-centre": settings.tags.cost_centre,
        "environment": settings.name,
    }
    for key, value in tags.items():
        Tags.of(stack).add(key, value)
