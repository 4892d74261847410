"""Constructs for a forecasting endpoint on Amazon SageMaker."""

from forecast_constructs.alarms import EndpointAlarms, RollbackAlarm
from forecast_constructs.artifact_storage import (
    DATA_CAPTURE_PREFIX,
    MODELS_PREFIX,
    ArtifactStorage,
)
from forecast_constructs.autoscaling import VariantScaling
from forecast_constructs.encryption import EncryptionKey
from forecast_constructs.endpoint import ForecastEndpoint
from forecast_constructs.endpoint_config import EndpointConfiguration
from forecast_constructs.execution_role import ExecutionRole
from forecast_constructs.lineage import lineage_tags, tag_lineage
from forecast_constructs.log_group import NamedLogGroup
from forecast_constructs.metrics import EndpointMetrics
from forecast_constructs.model import ForecastModel
from forecast_constructs.network import IsolatedNetwork, Placement
from forecast_constructs.notifications import AlertTopics
from forecast_constructs.publishing import ArchivePublishing, ModelSynthesizer
from forecast_constructs.rollout import render_deployment_config
from forecast_constructs.serving_image import ContainerImage, server_environment

__all__ = [
    "DATA_CAPTURE_PREFIX",
    "MODELS_PREFIX",
    "AlertTopics",
    "ArchivePublishing",
    "ArtifactStorage",
    "ContainerImage",
    "EncryptionKey",
    "EndpointAlarms",
    "EndpointConfiguration",
    "EndpointMetrics",
    "ExecutionRole",
    "ForecastEndpoint",
    "ForecastModel",
    "IsolatedNetwork",
    "ModelSynthesizer",
    "NamedLogGroup",
    "Placement",
    "RollbackAlarm",
    "VariantScaling",
    "lineage_tags",
    "render_deployment_config",
    "server_environment",
    "tag_lineage",
]
