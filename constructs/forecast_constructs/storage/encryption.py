"""The key that an environment's data is encrypted with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Aws, Duration, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from forecast_config.settings import NewKey
from forecast_constructs.monitoring.alarms import alarms_of_endpoint

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aws_cdk import RemovalPolicy

    from forecast_config.settings import ExistingKey


class EncryptionKey(Construct):
    """A customer managed key: a new one that rotates, or one that exists already.

    The policy of an existing key is never changed; its owner must admit whom `admit_log_groups`,
    `admit_alarms` and the archive publishing would admit to a new one.

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
        self.key.add_to_resource_policy(
            iam.PolicyStatement(
                sid="CloudWatchAlarms",
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                actions=["kms:Decrypt", "kms:GenerateDataKey"],
                resources=["*"],
                conditions=alarms_of_endpoint(Stack.of(self), endpoint_name),
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
