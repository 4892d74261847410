"""Constructs for a forecasting endpoint on Amazon SageMaker."""

from forecast_constructs.hosting.endpoint import ForecastEndpoint
from forecast_constructs.hosting.endpoint_config import EndpointConfiguration
from forecast_constructs.hosting.execution_role import ExecutionRole
from forecast_constructs.hosting.lineage import lineage_tags, tag_lineage
from forecast_constructs.hosting.model import ForecastModel
from forecast_constructs.hosting.network import IsolatedNetwork, Placement
from forecast_constructs.hosting.publishing import ArchivePublishing, ModelSynthesizer
from forecast_constructs.hosting.serving_image import ContainerImage, server_environment
from forecast_constructs.monitoring.alarms import EndpointAlarms
from forecast_constructs.monitoring.metrics import EndpointMetrics
from forecast_constructs.monitoring.notifications import AlertTopics
from forecast_constructs.rollouts.deployment_config import render_deployment_config
from forecast_constructs.rollouts.rollback_alarms import RollbackAlarms
from forecast_constructs.scaling.variant_scaling import VariantScaling
from forecast_constructs.storage.artifact_storage import (
    DATA_CAPTURE_PREFIX,
    MODELS_PREFIX,
    ArtifactStorage,
)
from forecast_constructs.storage.encryption import EncryptionKey
from forecast_constructs.storage.log_group import NamedLogGroup

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
    "RollbackAlarms",
    "VariantScaling",
    "lineage_tags",
    "render_deployment_config",
    "server_environment",
    "tag_lineage",
]
