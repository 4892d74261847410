"""A log group with a name that its writer expects."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_logs as logs
from constructs import Construct

if TYPE_CHECKING:
    from aws_cdk import RemovalPolicy
    from aws_cdk import aws_kms as kms


class NamedLogGroup(Construct):
    """An encrypted log group that exists before its writer would create one without retention.

    The key must admit CloudWatch Logs for this very name (`EncryptionKey.admit_log_groups`).

    Attributes:
        log_group_name: The name it was asked for.
        log_group_arn: ARN that ends in `:*`, so that it names the streams too.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        log_group_name: str,
        encryption_key: kms.IKey,
        retention_days: int,
        removal_policy: RemovalPolicy,
    ) -> None:
        super().__init__(scope, construct_id)
        # The L2 takes an enumeration instead of days, and every allowed number is in the settings.
        resource = logs.CfnLogGroup(
            self,
            "Resource",
            log_group_name=log_group_name,
            kms_key_id=encryption_key.key_arn,
            retention_in_days=retention_days,
        )
        resource.apply_removal_policy(removal_policy)
        self.log_group_name = log_group_name
        self.log_group_arn = resource.attr_arn
