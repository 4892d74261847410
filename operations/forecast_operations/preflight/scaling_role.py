"""The role that Application Auto Scaling works with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forecast_config.settings import ServerlessEndpoint
from forecast_operations.preflight.finding import ok, warning

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forecast_config import EnvironmentSettings
    from forecast_operations.preflight.finding import Finding
    from forecast_operations.preflight.surroundings import Surroundings

ROLE = "AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint"
"""Application Auto Scaling user guide, "Service-linked roles"."""


def look_at_scaling_role(around: Surroundings) -> Iterator[Finding]:
    """Whether the role is there; else it is made with the first scalable target, if allowed."""
    if not _scales(around.settings):
        return
    check, expected = "role for scaling", ROLE
    if around.cloud.ask("iam", "get_role", missing="NoSuchEntity", RoleName=ROLE) is not None:
        yield ok(check, ROLE, expected)
        return
    advice = (
        "aws iam create-service-linked-role --aws-service-name "
        "sagemaker.application-autoscaling.amazonaws.com; without it CloudFormation's role needs "
        "iam:CreateServiceLinkedRole"
    )
    yield warning(check, "none yet", expected, advice)


def _scales(settings: EnvironmentSettings) -> bool:
    endpoint = settings.endpoint
    if isinstance(endpoint, ServerlessEndpoint):
        warm = endpoint.provisioned_concurrency
        return warm is not None and warm.minimum < warm.maximum
    return settings.autoscaling is not None
