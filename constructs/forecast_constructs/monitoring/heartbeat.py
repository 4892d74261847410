"""The heartbeat: a function that asks an endpoint every minute, and checks what it answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_cdk import RemovalPolicy, Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as functions
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from forecast_config import names
from forecast_constructs.acknowledgements import (
    acknowledge,
    acknowledge_checkov,
)
from forecast_constructs.hosting.interface_endpoints import (
    acknowledge_function_network,
    function_network_statements,
)
from forecast_constructs.monitoring.golden_check import render_check, render_code
from forecast_constructs.storage.log_group import NamedLogGroup

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aws_cdk import aws_kms as kms

    from forecast_config.packaged import PackagedModel
    from forecast_config.settings import EnvironmentSettings
    from forecast_constructs.hosting.endpoint import ForecastEndpoint
    from forecast_constructs.hosting.network import Placement

RUNTIME = "python3.14"
_MEMORY_MIB = 256
_DEAD_LETTER_SECONDS = 1_209_600
_MARGIN_SECONDS = 5
_NO_VPC = "the endpoint itself is in no VPC; the function reaches AWS APIs only, over TLS"


class Heartbeat(Construct):
    """A function, invoked every minute, that asks each production variant a golden request.

    It publishes `Heartbeat`, `HeartbeatLatency` and `HeartbeatThrottled`; a minute without the
    first is a failure as well.
    There is one try a minute and none later, as an answer that is a minute old says nothing.

    It is created and changed after the endpoint, so that the old version is asked what it knows
    while a rollout is under way. A new version that refuses the requests of the old one fails the
    heartbeat, as it fails the clients.

    The account's concurrency quota must leave room for one reserved execution (AWS Lambda developer
    guide, "Configuring reserved concurrency": 100 stay unreserved).

    Attributes:
        schedule: What invokes the function; what counts the beats is created after it.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: EnvironmentSettings,
        packaged_models: Mapping[str, PackagedModel],
        endpoint: ForecastEndpoint,
        encryption_key: kms.IKey,
        placement: Placement | None,
    ) -> None:
        """Define function, schedule and permissions.

        Args:
            scope: The parent.
            construct_id: Id of the construct.
            settings: The environment.
            packaged_models: What each production variant serves, by the variant's name.
            endpoint: What the function asks, and is created after.
            encryption_key: Encrypts the logs and the dead letters; it must admit CloudWatch Logs
                for `names.function_log_group`.
            placement: Where in a VPC it runs, with a way to SageMaker Runtime; None: in no VPC.

        Raises:
            ForecastError: A model has no golden requests.
        """
        super().__init__(scope, construct_id)
        self._settings = settings
        self._key_arn = encryption_key.key_arn
        self._function_name = names.heartbeat_function(settings.endpoint.name)
        logs = NamedLogGroup(
            self,
            "Logs",
            log_group_name=names.function_log_group(self._function_name),
            encryption_key=encryption_key,
            retention_days=settings.log_retention_days,
            removal_policy=RemovalPolicy.DESTROY,
        )
        queue = self._build_dead_letters()
        role = self._build_role()
        policy = self._build_policy(role, logs, queue, endpoint.endpoint_arn, placement)
        function = self._build_function(role, queue, packaged_models, placement)
        function.node.add_dependency(policy, logs, endpoint)
        self.schedule = self._build_schedule(function)

    def _build_dead_letters(self) -> sqs.CfnQueue:
        queue = sqs.CfnQueue(
            self,
            "DeadLetters",
            kms_master_key_id=self._key_arn,
            message_retention_period=_DEAD_LETTER_SECONDS,
        )
        sqs.CfnQueuePolicy(
            self,
            "DeadLettersPolicy",
            queues=[queue.ref],
            policy_document={
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Deny",
                        "Principal": "*",
                        "Action": "sqs:*",
                        "Resource": queue.attr_arn,
                        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
                    }
                ],
            },
        )
        return queue

    def _build_role(self) -> iam.CfnRole:
        return iam.CfnRole(
            self,
            "Role",
            description=f"Asks the endpoint {self._settings.endpoint.name} every minute",
            assume_role_policy_document={
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Principal": {"Service": "lambda.amazonaws.com"},
                        "Action": "sts:AssumeRole",
                    }
                ],
            },
        )

    def _build_policy(
        self,
        role: iam.CfnRole,
        logs: NamedLogGroup,
        queue: sqs.CfnQueue,
        endpoint_arn: str,
        placement: Placement | None,
    ) -> iam.CfnManagedPolicy:
        stack = Stack.of(self)
        statements: list[dict[str, Any]] = [
            _allow(["sagemaker:InvokeEndpoint"], endpoint_arn),
            _allow(["logs:CreateLogStream", "logs:PutLogEvents"], logs.log_group_arn),
            _allow(["sqs:SendMessage"], queue.attr_arn),
            {
                **_allow(["kms:Decrypt", "kms:GenerateDataKey"], self._key_arn),
                "Condition": {
                    "StringEquals": {
                        "kms:ViaService": f"sqs.{stack.region}.{stack.url_suffix}",
                    }
                },
            },
        ]
        if placement is not None:
            function_arn = (
                f"arn:{stack.partition}:lambda:{stack.region}:{stack.account}"
                f":function:{self._function_name}"
            )
            statements += function_network_statements(stack, function_arn)
        policy = iam.CfnManagedPolicy(
            self,
            "Policy",
            description="Invokes the endpoint and writes the function's own logs",
            roles=[role.ref],
            policy_document={"Version": "2012-10-17", "Statement": statements},
        )
        if placement is not None:
            acknowledge_function_network(policy)
        return policy

    def _build_function(
        self,
        role: iam.CfnRole,
        queue: sqs.CfnQueue,
        packaged_models: Mapping[str, PackagedModel],
        placement: Placement | None,
    ) -> functions.CfnFunction:
        check = render_check(self._settings, packaged_models)
        wait: int = check["read_timeout_seconds"]
        function = functions.CfnFunction(
            self,
            "Function",
            function_name=self._function_name,
            description=f"Asks {self._settings.endpoint.name} and checks what it answers",
            runtime=RUNTIME,
            architectures=["arm64"],
            handler="index.handler",
            code={"zipFile": render_code(check)},
            role=role.attr_arn,
            memory_size=_MEMORY_MIB,
            timeout=len(packaged_models) * wait + _MARGIN_SECONDS,
            reserved_concurrent_executions=1,
            dead_letter_config={"targetArn": queue.attr_arn},
            vpc_config=(
                None
                if placement is None
                else {
                    "subnetIds": list(placement.subnet_ids),
                    "securityGroupIds": list(placement.security_group_ids),
                }
            ),
        )
        if placement is None:
            acknowledge(function, "LambdaInsideVPC", _NO_VPC)
            acknowledge_checkov(function, ("CKV_AWS_117", _NO_VPC))
        return function

    def _build_schedule(self, function: functions.CfnFunction) -> events.CfnRule:
        functions.CfnEventInvokeConfig(
            self,
            "Invocation",
            function_name=function.ref,
            qualifier="$LATEST",
            maximum_retry_attempts=0,
            maximum_event_age_in_seconds=60,
        )
        rule = events.CfnRule(
            self,
            "EveryMinute",
            description=f"Asks {self._settings.endpoint.name} every minute",
            schedule_expression="rate(1 minute)",
            state="ENABLED",
            targets=[
                {
                    "id": "Heartbeat",
                    "arn": function.attr_arn,
                    "retryPolicy": {"maximumRetryAttempts": 0, "maximumEventAgeInSeconds": 60},
                }
            ],
        )
        functions.CfnPermission(
            self,
            "Permission",
            action="lambda:InvokeFunction",
            function_name=function.ref,
            principal="events.amazonaws.com",
            source_arn=rule.attr_arn,
        )
        return rule


def _allow(actions: list[str], resource: str) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": actions, "Resource": resource}
