"""What the state machine of the off hours may do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

from forecast_constructs.acknowledgements import acknowledge, acknowledge_wildcard

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LOG_DELIVERY_ACTIONS = (
    "logs:CreateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:DescribeLogGroups",
    "logs:DescribeResourcePolicies",
    "logs:GetLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:UpdateLogDelivery",
)
"""AWS Step Functions developer guide, "Logging using CloudWatch Logs"; none of them knows
resources."""

TRACING_ACTIONS = (
    "xray:GetSamplingRules",
    "xray:GetSamplingTargets",
    "xray:PutTelemetryRecords",
    "xray:PutTraceSegments",
)
"""Same guide, "Tracing with AWS X-Ray"."""


class OffHoursRole(Construct):
    """A role that one state machine can take on, to remove and bring back one endpoint.

    No role is passed to SageMaker: an endpoint runs with the role of its model (service
    authorization reference, CreateEndpoint).

    Attributes:
        role_arn: ARN of the role.
    """

    def __init__(self, scope: Construct, construct_id: str, *, state_machine_name: str) -> None:
        super().__init__(scope, construct_id)
        self._statements: list[dict[str, Any]] = []
        self._older_configs: list[str] = []
        stack = Stack.of(self)
        self._role = iam.CfnRole(
            self,
            "Role",
            description=f"Runs the state machine {state_machine_name}",
            assume_role_policy_document=trust(
                "states.amazonaws.com",
                stack.account,
                self._arn("states", f"stateMachine:{state_machine_name}"),
            ),
        )
        self.role_arn = self._role.attr_arn

    def allow_endpoint(self, endpoint_name: str, endpoint_config_arn: str) -> None:
        """Let it look at the endpoint, delete it and create it with its configuration.

        Older configurations of the stack are meant too, as one of them serves after a rollout that
        was undone.
        """
        # SageMaker writes names in ARNs in small letters.
        endpoints = [
            self._arn("sagemaker", f"endpoint/{name}")
            for name in sorted({endpoint_name, endpoint_name.lower()})
        ]
        self._allow(
            ["sagemaker:AddTags", "sagemaker:DeleteEndpoint", "sagemaker:DescribeEndpoint"],
            endpoints,
        )
        self._older_configs = self._find_older_configs(endpoint_config_arn)
        self._allow(
            ["sagemaker:CreateEndpoint"], [*endpoints, endpoint_config_arn, *self._older_configs]
        )

    def allow_volumes(self, key_arn: str) -> None:
        """Let SageMaker use the key for the volumes of an endpoint that it creates.

        Amazon SageMaker developer guide, "Amazon SageMaker AI API Permissions", CreateEndpoint.
        """
        self._allow(["kms:CreateGrant"], [key_arn], {"Bool": {"kms:GrantIsForAWSResource": "true"}})

    def allow_parameters(self, names: Sequence[str]) -> None:
        """Let it note and read what is wanted, and with which configuration."""
        self._allow(
            ["ssm:GetParameter", "ssm:PutParameter"],
            [self._arn("ssm", f"parameter/{name}") for name in names],
        )

    def allow_alarms(self, alarm_names: Sequence[str]) -> None:
        """Let it switch the actions of these alarms."""
        if alarm_names:
            self._allow(
                ["cloudwatch:DisableAlarmActions", "cloudwatch:EnableAlarmActions"],
                [self._arn("cloudwatch", f"alarm:{name}") for name in alarm_names],
            )

    def allow_topic(self, topic_arn: str, key_arn: str) -> None:
        """Let it publish to an encrypted topic."""
        region = Stack.of(self).region
        self._allow(["sns:Publish"], [topic_arn])
        self._allow(
            ["kms:Decrypt", "kms:GenerateDataKey"],
            [key_arn],
            {"StringLike": {"kms:ViaService": f"sns.{region}.*"}},
        )

    def attach(self) -> list[iam.CfnManagedPolicy]:
        """The policies: what uses the role must depend on them."""
        telemetry = iam.CfnManagedPolicy(
            self,
            "Telemetry",
            roles=[self._role.ref],
            policy_document=document(
                [allow([*LOG_DELIVERY_ACTIONS, *TRACING_ACTIONS], ["*"])],
            ),
        )
        acknowledge(
            telemetry,
            "IAM5[Resource::*]",
            "the delivery of logs and traces knows no resources; what is delivered is decided by "
            "the state machine, which this role cannot change",
        )
        policy = iam.CfnManagedPolicy(
            self, "Policy", roles=[self._role.ref], policy_document=document(self._statements)
        )
        for pattern in self._older_configs:
            acknowledge_wildcard(
                policy,
                pattern,
                "CloudFormation ends the name of each configuration at random, and after a rollout "
                "that was undone the endpoint comes back with an older one",
            )
        return [policy, telemetry]

    def _find_older_configs(self, endpoint_config_arn: str) -> list[str]:
        # CloudFormation makes the name of the logical id and a random end, without the stack's
        # name (aws/aws-cli, issue 4021); SageMaker writes it in small letters.
        resolved = Stack.of(self).resolve(endpoint_config_arn)
        if not isinstance(resolved, dict):
            return []
        return [self._arn("sagemaker", f"endpoint-config/{resolved['Ref'].lower()}-*")]

    def _allow(
        self,
        actions: Sequence[str],
        resources: Sequence[str],
        conditions: Mapping[str, Any] | None = None,
    ) -> None:
        self._statements.append(allow(actions, resources, conditions))

    def _arn(self, service: str, resource: str) -> str:
        stack = Stack.of(self)
        return f"arn:{stack.partition}:{service}:{stack.region}:{stack.account}:{resource}"


def allow(
    actions: Sequence[str], resources: Sequence[str], conditions: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """A statement of a policy."""
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": list(resources)}
    return statement if conditions is None else {**statement, "Condition": dict(conditions)}


def document(statements: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """A policy document."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


def trust(service: str, account: str, source_arn: str) -> dict[str, Any]:
    """Who may take on a role: a service, for one resource of the account."""
    return document(
        [
            {
                "Effect": "Allow",
                "Principal": {"Service": service},
                "Action": "sts:AssumeRole",
                "Condition": {
                    "StringEquals": {"aws:SourceAccount": account},
                    "ArnEquals": {"aws:SourceArn": source_arn},
                },
            }
        ]
    )
