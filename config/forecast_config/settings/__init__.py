"""Settings: the typed form of `config/forecast.yaml`."""

from forecast_config.settings.alarms import (
    SEVERITIES,
    AlarmSettings,
    NotificationSettings,
    Severity,
)
from forecast_config.settings.base import Settings
from forecast_config.settings.container import AwsImage, ContainerSettings, EcrImage, OwnImage
from forecast_config.settings.endpoint import (
    AllAtOnceRollout,
    AutoscalingSettings,
    CanaryRollout,
    CpuUtilizationTarget,
    EndpointSettings,
    InvocationsTarget,
)
from forecast_config.settings.environment import EnvironmentSettings
from forecast_config.settings.platform import (
    ArtifactSettings,
    DataCaptureSettings,
    ExistingKey,
    ExistingNetwork,
    NewKey,
    NewNetwork,
    NoNetwork,
)
from forecast_config.settings.project import (
    ApprovalTag,
    CandidateSettings,
    ForecastConfig,
    ModelSettings,
)
from forecast_config.settings.serving import ServingSettings
from forecast_config.settings.tags import TagSettings

__all__ = [
    "SEVERITIES",
    "AlarmSettings",
    "AllAtOnceRollout",
    "ApprovalTag",
    "ArtifactSettings",
    "AutoscalingSettings",
    "AwsImage",
    "CanaryRollout",
    "CandidateSettings",
    "ContainerSettings",
    "CpuUtilizationTarget",
    "DataCaptureSettings",
    "EcrImage",
    "EndpointSettings",
    "EnvironmentSettings",
    "ExistingKey",
    "ExistingNetwork",
    "ForecastConfig",
    "InvocationsTarget",
    "ModelSettings",
    "NewKey",
    "NewNetwork",
    "NoNetwork",
    "NotificationSettings",
    "OwnImage",
    "ServingSettings",
    "Settings",
    "Severity",
    "TagSettings",
]
