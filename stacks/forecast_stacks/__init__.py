"""Stacks of a forecasting endpoint."""

from forecast_stacks.artifacts_stack import ForecastArtifactsStack
from forecast_stacks.context import SynthContext
from forecast_stacks.endpoint_stack import ForecastEndpointStack
from forecast_stacks.environment import EnvironmentStacks, add_environment

__all__ = [
    "EnvironmentStacks",
    "ForecastArtifactsStack",
    "ForecastEndpointStack",
    "SynthContext",
    "add_environment",
]
