"""Configuration: settings, the YAML file that they come from, the lock and physical names."""

from forecast_config.errors import ConfigError, ForecastError, Problem
from forecast_config.loader import load_config, load_environments
from forecast_config.lock import (
    LockedModel,
    LockedWheel,
    ModelsLock,
    lock_text,
    locked_challenger,
    locked_model,
    read_lock,
)
from forecast_config.packaged import PackagedModel
from forecast_config.settings import EnvironmentSettings, ForecastConfig

__all__ = [
    "ConfigError",
    "EnvironmentSettings",
    "ForecastConfig",
    "ForecastError",
    "LockedModel",
    "LockedWheel",
    "ModelsLock",
    "PackagedModel",
    "Problem",
    "load_config",
    "load_environments",
    "lock_text",
    "locked_challenger",
    "locked_model",
    "read_lock",
]
