"""Topics on which an asynchronous endpoint says that an answer is there, or that there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_sns as sns
from constructs import Construct

if TYPE_CHECKING:
    from aws_cdk import aws_kms as kms


class AsyncTopics(Construct):
    """Two encrypted topics, reached over TLS only, that clients of the endpoint subscribe to.

    SageMaker publishes with the endpoint's execution role, which must be allowed to
    (`ExecutionRole.grant_write_async`); nobody else is admitted by the topics' policy.

    Attributes:
        success_topic_arn: Hears of every answer.
        error_topic_arn: Hears of every request that failed.
    """

    def __init__(self, scope: Construct, construct_id: str, *, encryption_key: kms.IKey) -> None:
        """Define the topics.

        Args:
            scope: The parent.
            construct_id: Id of the construct.
            encryption_key: Encrypts the messages; its policy must admit the account's IAM policies.
        """
        super().__init__(scope, construct_id)
        self.success_topic_arn = self._build_topic("Success", encryption_key)
        self.error_topic_arn = self._build_topic("Error", encryption_key)
        self._build_policy()

    @property
    def topic_arns(self) -> list[str]:
        """Both topics."""
        return [self.success_topic_arn, self.error_topic_arn]

    def _build_topic(self, construct_id: str, encryption_key: kms.IKey) -> str:
        topic = sns.CfnTopic(self, construct_id, kms_master_key_id=encryption_key.key_arn)
        return topic.ref

    def _build_policy(self) -> None:
        # A policy for each topic, as a statement may name only the topic that it is attached to.
        for construct_id, arn in zip(("Success", "Error"), self.topic_arns, strict=True):
            sns.CfnTopicPolicy(
                self,
                f"{construct_id}Policy",
                topics=[arn],
                policy_document={
                    "Version": "2012-10-17",
                    "Statement": [
                        {
                            "Sid": "TlsOnly",
                            "Effect": "Deny",
                            "Principal": "*",
                            "Action": "sns:Publish",
                            "Resource": arn,
                            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
                        }
                    ],
                },
            )
