"""What the state machine of the off hours acts on, and what stands for it in the definition."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_ALARM_NAMES = 100
"""Names in one call (CloudWatch API reference, DisableAlarmActions)."""

INTEGRATIONS = {
    "PutParameter": "aws-sdk:ssm:putParameter",
    "GetParameter": "aws-sdk:ssm:getParameter",
    "DescribeEndpoint": "aws-sdk:sagemaker:describeEndpoint",
    "CreateEndpoint": "aws-sdk:sagemaker:createEndpoint",
    "DeleteEndpoint": "aws-sdk:sagemaker:deleteEndpoint",
    "EnableAlarmActions": "aws-sdk:cloudwatch:enableAlarmActions",
    "DisableAlarmActions": "aws-sdk:cloudwatch:disableAlarmActions",
    "Publish": "sns:publish",
}
"""The service integrations, by the substitutions that stand for them: their ARNs differ by the
partition."""


@dataclass(frozen=True, kw_only=True)
class OffHoursPlan:
    """What the state machine acts on; each text may be a `${Substitution}`.

    Attributes:
        endpoint_name: The endpoint.
        endpoint_config_name: What it is created with when the configuration noted is gone.
        wish_parameter_name: Parameter of AWS Systems Manager that holds `stop` or `start`.
        configuration_parameter_name: The one that holds the name of the configuration that the
            endpoint had before its last deletion.
        topic_arn: Whom a failure is told to.
        alarm_names: Alarms whose actions rest while the endpoint is away; at most 100.
        tags: Tags of the endpoint, which a deletion loses: a list of Key and Value.
        wait_seconds: Length of a round's pause.
    """

    endpoint_name: str
    endpoint_config_name: str
    wish_parameter_name: str
    configuration_parameter_name: str
    topic_arn: str
    alarm_names: Sequence[str] = ()
    tags: Any = ()
    wait_seconds: int = 60

    def __post_init__(self) -> None:
        """Refuse what one call could not do.

        Raises:
            ValueError: There are more alarms than one call can switch.
        """
        if len(self.alarm_names) > MAX_ALARM_NAMES:
            raise ValueError(
                f"expected at most {MAX_ALARM_NAMES} alarms to mute, got {len(self.alarm_names)}"
            )


def integration_substitutions(partition: str) -> dict[str, str]:
    """What the definition's service integrations are in a partition, such as `aws`."""
    return {
        name: f"arn:{partition}:states:::{integration}"
        for name, integration in INTEGRATIONS.items()
    }
