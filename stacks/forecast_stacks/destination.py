"""Where an environment's stacks are deployed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Environment

if TYPE_CHECKING:
    from forecast_config.settings import EnvironmentSettings


def stack_environment(settings: EnvironmentSettings) -> Environment:
    """Account and region; without an account, that of the credentials at deployment."""
    return Environment(account=settings.account, region=settings.region)
