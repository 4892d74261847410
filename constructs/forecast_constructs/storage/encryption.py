"""The key that an environment's data is encrypted with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Aws, Duration, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from forecast_config import names
from forecast_config.settings import NewKey

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aws_cdk import RemovalPolicy

    from forecast_config.settings import ExistingKey


class EncryptionKey(Construct):
    """A customer managed key: a new one that rotates, or one that exists already.

    The policy of an existing key is never changed; its owner must admit whom the methods here and
    the archive publishing would admit to a new one. Roles need no admission: a new key leaves them
    to IAM.

    Attributes:
        key: The key.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: NewKey | ExistingKey,
        description: str,
        removal_policy: RemovalPolicy,
    ) -> None:
        super().__init__(scope, construct_id)
        self.key: kms.IKey = (
            self._build_key(settings, description, removal_policy)
            if isinstance(settings, NewKey)
            else kms.Key.from_key_arn(self, "Key", settings.arn)
        )

    def admit_log_groups(self, log_group_names: Iterable[str]) -> None:
        """Let CloudWatch Logs encrypt these log groups, and no others, with the key.

        The condition is that of the CloudWatch Logs user guide, "Encrypt log data in CloudWatch
        Logs using AWS KMS".
        """
        stack = Stack.of(self)
        self.key.add_to_resource_policy(
            iam.PolicyStatement(
                sid="CloudWatchLogs",
                principals=[iam.ServicePrincipal(f"logs.{stack.region}.{Aws.URL_SUFFIX}")],
                actions=[
                    "kms:Decrypt",
                    "kms:DescribeKey",
                    "kms:Encrypt",
                    "kms:GenerateDataKey",
                    "kms:GenerateDataKeyWithoutPlaintext",
                    "kms:ReEncryptFrom",
                    "kms:ReEncryptTo",
                ],
                resources=["*"],
                conditions={
                    "ArnEquals": {
                        "kms:EncryptionContext:aws:logs:arn": [
                            f"arn:{stack.partition}:logs:{stack.region}:{stack.account}:log-group:{name}"
                            for name in log_group_names
                        ]
                    }
                },
            )
        )

    def admit_alarms(self, endpoint_name: str) -> None:
        """Let the endpoint's CloudWatch alarms publish to topics that the key encrypts.

        Without it an alarm's notification is lost (Amazon SNS developer guide, "Enable
        compatibility between event sources from AWS services and encrypted topics").
        """
        stack = Stack.of(self)
        alarms = names.alarm(endpoint_name, "*")
        self._admit(
            "CloudWatchAlarms",
            "cloudwatch.amazonaws.com",
            f"arn:{stack.partition}:cloudwatch:{stack.region}:{stack.account}:alarm:{alarms}",
        )

    def admit_budgets(self) -> None:
        """Let the account's budgets publish to topics that the key encrypts.

        A budget's notification names its account only ("Creating an Amazon SNS topic for budget
        notifications", AWS cost management user guide); the topic's policy says which budgets.
        """
        stack = Stack.of(self)
        self._admit(
            "Budgets",
            "budgets.amazonaws.com",
            f"arn:{stack.partition}:budgets::{stack.account}:*",
        )

    def _admit(self, sid: str, service: str, source_arn: str) -> None:
        self.key.add_to_resource_policy(
            iam.PolicyStatement(
                sid=sid,
                principals=[iam.ServicePrincipal(service)],
                actions=["kms:Decrypt", "kms:GenerateDataKey"],
                resources=["*"],
                conditions={
                    "StringEquals": {"aws:SourceAccount": Stack.of(self).account},
                    "ArnLike": {"aws:SourceArn": source_arn},
                },
            )
        )

    def _build_key(
        self, settings: NewKey, description: str, removal_policy: RemovalPolicy
    ) -> kms.Key:
        return kms.Key(
            self,
            "Key",
            description=description,
            enable_key_rotation=True,
            rotation_period=Duration.days(settings.rotation_days),
            removal_policy=removal_policy,
        )
