"""Hours in which an endpoint is removed, and what brings it back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jsii
from aws_cdk import IStableAnyProducer, Lazy, RemovalPolicy, Stack
from aws_cdk import aws_ssm as ssm
from aws_cdk import aws_stepfunctions as stepfunctions
from constructs import Construct

from forecast_config import names
from forecast_constructs.scaling.off_hours_definition import off_hours_definition
from forecast_constructs.scaling.off_hours_plan import OffHoursPlan, integration_substitutions
from forecast_constructs.scaling.off_hours_role import OffHoursRole
from forecast_constructs.scaling.off_hours_schedules import OffHoursSchedules
from forecast_constructs.storage.log_group import NamedLogGroup

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aws_cdk import TagManager
    from aws_cdk import aws_kms as kms

    from forecast_config.settings import OffHoursSettings
    from forecast_constructs.hosting.endpoint import ForecastEndpoint


class OffHours(Construct):
    """Two schedules, and the state machine that both start.

    What the state machine does is in `off_hours_definition`. It may be started by hand at any time
    with the input `{"action": "start"}` or `{"action": "stop"}`; the newest wish wins.

    Attributes:
        state_machine_arn: ARN of the state machine.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        endpoint: ForecastEndpoint,
        endpoint_config_name: str,
        endpoint_config_arn: str,
        settings: OffHoursSettings,
        encryption_key: kms.IKey,
        log_retention_days: int,
        topic_arn: str,
        alarm_names: Sequence[str],
    ) -> None:
        """Define parameters, state machine and schedules.

        Args:
            scope: The parent.
            construct_id: Id of the construct.
            endpoint: What is removed and brought back; everything here depends on it.
            endpoint_config_name: What the stack names; what it is brought back with is noted
                before each removal, as a rollout may have been undone.
            endpoint_config_arn: The same as an ARN; SageMaker writes it in small letters.
            settings: The hours.
            encryption_key: Encrypts volumes, logs, schedules and the topic.
            log_retention_days: Days that the state machine's log is kept.
            topic_arn: Whom it is told that the endpoint is not as wanted.
            alarm_names: Alarms whose actions rest meanwhile; at most 100.

        Raises:
            ValueError: There are more alarms than one call can switch.
        """
        super().__init__(scope, construct_id)
        self._endpoint_name = endpoint.endpoint_name
        self._wish = ssm.CfnParameter(
            self,
            "Wish",
            type="String",
            value="start",
            description=f"Whether the endpoint {endpoint.endpoint_name} is wanted",
        )
        configuration = ssm.CfnParameter(
            self,
            "Configuration",
            type="String",
            # A deployment brings a new one; each deletion notes the one that did serve.
            value=endpoint_config_name,
            description=f"What the endpoint {endpoint.endpoint_name} is created with",
        )
        role = OffHoursRole(self, "Role", state_machine_name=names.off_hours(self._endpoint_name))
        role.allow_endpoint(endpoint.endpoint_name, endpoint_config_arn)
        role.allow_volumes(encryption_key.key_arn)
        role.allow_parameters([self._wish.ref, configuration.ref])
        role.allow_alarms(alarm_names)
        role.allow_topic(topic_arn, encryption_key.key_arn)
        policies = role.attach()
        plan = OffHoursPlan(
            endpoint_name=endpoint.endpoint_name,
            endpoint_config_name="${EndpointConfigName}",
            wish_parameter_name="${WishParameterName}",
            configuration_parameter_name="${ConfigurationParameterName}",
            topic_arn="${TopicArn}",
            alarm_names=alarm_names,
            tags=_rendered_later(endpoint),
        )
        state_machine = self._build_state_machine(
            plan, role, self._build_log_group(encryption_key, log_retention_days)
        )
        state_machine.definition_substitutions = {
            **integration_substitutions(Stack.of(self).partition),
            "EndpointConfigName": endpoint_config_name,
            "WishParameterName": self._wish.ref,
            "ConfigurationParameterName": configuration.ref,
            "TopicArn": topic_arn,
        }
        state_machine.node.add_dependency(endpoint, *policies)
        self.state_machine_arn = state_machine.ref
        OffHoursSchedules(
            self,
            "Schedules",
            settings=settings,
            endpoint_name=endpoint.endpoint_name,
            state_machine_arn=self.state_machine_arn,
            encryption_key_arn=encryption_key.key_arn,
            topic_arn=topic_arn,
        )

    def _build_log_group(self, encryption_key: kms.IKey, retention_days: int) -> NamedLogGroup:
        return NamedLogGroup(
            self,
            "Log",
            log_group_name=names.off_hours_log_group(self._endpoint_name),
            encryption_key=encryption_key,
            retention_days=retention_days,
            # Kept when the off hours are given up, it would be in the way of the next ones.
            removal_policy=RemovalPolicy.DESTROY,
        )

    def _build_state_machine(
        self, plan: OffHoursPlan, role: OffHoursRole, log_group: NamedLogGroup
    ) -> stepfunctions.CfnStateMachine:
        machine = stepfunctions.CfnStateMachine
        return machine(
            self,
            "StateMachine",
            state_machine_name=names.off_hours(self._endpoint_name),
            role_arn=role.role_arn,
            definition=off_hours_definition(plan),
            tracing_configuration=machine.TracingConfigurationProperty(enabled=True),
            logging_configuration=machine.LoggingConfigurationProperty(
                level="ALL",
                include_execution_data=True,
                destinations=[
                    machine.LogDestinationProperty(
                        cloud_watch_logs_log_group=machine.CloudWatchLogsLogGroupProperty(
                            log_group_arn=log_group.log_group_arn
                        )
                    )
                ],
            ),
        )


@jsii.implements(IStableAnyProducer)
class _RenderedTags:
    """The endpoint's tags, which are known only when all of the app has been defined."""

    def __init__(self, tags: TagManager) -> None:
        self._tags = tags

    def produce(self) -> Any:
        return [
            {"Key": key, "Value": value} for key, value in sorted(self._tags.tag_values().items())
        ]


def _rendered_later(endpoint: ForecastEndpoint) -> Any:
    resource: Any = endpoint.node.find_child("Resource")
    return Lazy.any(_RenderedTags(resource.tags))
