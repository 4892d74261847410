"""One environment: everything that differs between dev, staging and prod."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from forecast_config import names
from forecast_config.settings.alarms import AlarmSettings
from forecast_config.settings.autoscaling import AutoscalingSettings, OffHoursSettings
from forecast_config.settings.base import Settings
from forecast_config.settings.container import ContainerSettings, Image
from forecast_config.settings.endpoint import Endpoint
from forecast_config.settings.fields import Matching, Region, StackPrefix
from forecast_config.settings.platform import (
    ArtifactSettings,
    DataCaptureSettings,
    Encryption,
    Network,
    NewKey,
    NoNetwork,
)
from forecast_config.settings.rollout import AllAtOnceRollout, Rollout
from forecast_config.settings.rules import ENVIRONMENT_RULES
from forecast_config.settings.tags import TagSettings

LogRetentionDays = Literal[
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922,
    3288, 3653,
]  # fmt: skip
"""Days that CloudWatch Logs can keep a log group (PutRetentionPolicy, API reference)."""


OF_THE_FILE = ("name", "stack_prefix")
"""Settings of an environment that stand outside of its block in the file."""


class EnvironmentSettings(Settings):
    """Everything that differs between environments.

    The environment's `name` is its key in the file, and its `stack_prefix` is the file's.
    """

    name: Annotated[
        str,
        Field(max_length=20),
        Matching(
            r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$",
            "small letters, digits and single hyphens, with a letter first",
        ),
    ]
    """Name of the environment, its key under environments."""

    stack_prefix: StackPrefix = "Forecast"
    """What the names of its stacks begin with: the project's."""

    account: Annotated[str, Matching(r"^[0-9]{12}$", "an account id of 12 digits")] | None = None
    """Account id, quoted; left out, the stacks deploy to the account of the credentials."""

    region: Region
    """AWS region; one of allowed_regions."""

    model_alias: Annotated[str, Field(min_length=1, max_length=255)] = "champion"
    """Registry alias that this environment serves."""

    endpoint: Endpoint
    """The endpoint, and the mode that it serves in."""

    autoscaling: AutoscalingSettings | None = None
    """Application Auto Scaling; null keeps the instance count fixed."""

    rollout: Rollout = AllAtOnceRollout(kind="all_at_once")
    """How a new version takes over, and whom it is compared with."""

    off_hours: OffHoursSettings | None = None
    """Hours in which the endpoint is removed; null: it serves day and night."""

    image: Image
    """The serving image."""

    container: ContainerSettings = ContainerSettings()
    """The server inside the container."""

    network: Network = NoNetwork(kind="none")
    """Where the containers run."""

    encryption: Encryption = NewKey(kind="new")
    """The key that everything at rest is encrypted with."""

    data_capture: DataCaptureSettings | None = None
    """Capture of requests and answers; null keeps none."""

    alarms: AlarmSettings = AlarmSettings()
    """The alerts, their thresholds, and whom they reach."""

    dashboard: bool = True
    """Whether there is a dashboard of the environment."""

    artifacts: ArtifactSettings = ArtifactSettings()
    """Retention of what is stored."""

    log_retention_days: LogRetentionDays = 90
    """Days that container logs are kept."""

    termination_protection: bool = False
    """Whether the stacks refuse to be deleted."""

    tags: TagSettings
    """Tags on every resource."""

    rules = ENVIRONMENT_RULES

    @property
    def stack_name(self) -> str:
        """Name of the endpoint's stack."""
        return names.stack(self.stack_prefix, self.name)

    @property
    def artifacts_stack_name(self) -> str:
        """Name of the stack that outlives the endpoint."""
        return names.stack(self.stack_prefix, self.name, "Artifacts")
