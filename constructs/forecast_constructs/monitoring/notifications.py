"""Topics that alarms go to, one for each severity."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from forecast_config import names
from forecast_config.settings import SEVERITIES
from forecast_constructs.monitoring.alarms import alarms_of_endpoint

if TYPE_CHECKING:
    from aws_cdk import aws_kms as kms

    from forecast_config.settings import NotificationSettings, Severity


class AlertTopics(Construct):
    """One encrypted topic for each severity, reached over TLS only, with its e-mail subscribers.

    The key must admit CloudWatch (`EncryptionKey.admit_alarms`).

    Attributes:
        topics: The topics, by severity.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        endpoint_name: str,
        encryption_key: kms.IKey,
        notifications: NotificationSettings,
    ) -> None:
        super().__init__(scope, construct_id)
        self.topics: dict[Severity, sns.ITopic] = {
            severity: self._build_topic(
                severity, endpoint_name, encryption_key, tuple(t.address for t in getattr(notifications, severity).values() if t.kind == "email")
            )
            for severity in SEVERITIES
        }

    def _build_topic(
        self,
        severity: Severity,
        endpoint_name: str,
        encryption_key: kms.IKey,
        addresses: tuple[str, ...],
    ) -> sns.Topic:
        topic = sns.Topic(
            self,
            severity.title(),
            topic_name=names.topic(endpoint_name, severity),
            master_key=encryption_key,
            enforce_ssl=True,
        )
        topic.add_to_resource_policy(self._render_publish_statement(topic.topic_arn, endpoint_name))
        for address in addresses:
            topic.add_subscription(subscriptions.EmailSubscription(address))
        return topic

    def _render_publish_statement(self, topic_arn: str, endpoint_name: str) -> iam.PolicyStatement:
        return iam.PolicyStatement(
            sid="PublishAlarms",
            principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
            actions=["sns:Publish"],
            resources=[topic_arn],
            conditions=alarms_of_endpoint(Stack.of(self), endpoint_name),
        )
