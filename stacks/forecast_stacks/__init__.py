"""Stacks of a forecasting endpoint."""

from forecast_stacks.artifacts_stack import ForecastArtifactsStack
from forecast_stacks.context import SynthContext
from forecast_stacks.endpoint_stack import ForecastEndpointStack
from forecast_stacks.environment import EnvironmentStacks, add_environment
from forecast_stacks.overview_stack import ForecastOverviewStack, add_overview

__all__ = [
    "EnvironmentStacks",
    "ForecastArtifactsStack",
    "ForecastEndpointStack",
    "ForecastOverviewStack",
    "SynthContext",
    "add_environment",
    "add_overview",
]
