"""Rules between an environment's blocks that AWS would report only during a deployment."""

from forecast_config.settings.rules.hosting import HOSTING_RULES
from forecast_config.settings.rules.modes import MODE_RULES
from forecast_config.settings.rules.platform import PLATFORM_RULES
from forecast_config.settings.rules.project import PROJECT_RULES
from forecast_config.settings.rules.rollout import ROLLOUT_RULES
from forecast_config.settings.rules.scaling import SCALING_RULES

ENVIRONMENT_RULES = (
    *HOSTING_RULES,
    *MODE_RULES,
    *PLATFORM_RULES,
    *ROLLOUT_RULES,
    *SCALING_RULES,
)

__all__ = ["ENVIRONMENT_RULES", "PROJECT_RULES"]
