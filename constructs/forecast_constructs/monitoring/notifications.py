"""Topics that alarms go to, one for each severity, and whom they reach."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Stack
from aws_cdk import aws_sns as sns
from constructs import Construct

from forecast_config import names
from forecast_config.settings import (
    SEVERITIES,
    EmailTarget,
    PagerDutyTarget,
    WebhookTarget,
)
from forecast_constructs.monitoring.alarms import alarms_of_endpoint
from forecast_constructs.monitoring.budget import budgets_of_account
from forecast_constructs.monitoring.chat import ChatChannels

if TYPE_CHECKING:
    from typing import Any

    from aws_cdk import aws_kms as kms

    from forecast_config.settings import (
        AlarmSettings,
        NotificationSettings,
        NotificationTarget,
        Severity,
    )


class AlertTopics(Construct):
    """One encrypted topic for each severity, reached over TLS only, with its targets.

    The key must admit CloudWatch (`EncryptionKey.admit_alarms`), and AWS Budgets where there is a
    budget. E-mail and webhooks must confirm their subscription once.

    Attributes:
        topic_arns: ARNs of the topics, by severity.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        endpoint_name: str,
        encryption_key: kms.IKey,
        settings: AlarmSettings,
    ) -> None:
        super().__init__(scope, construct_id)
        self._endpoint_name = endpoint_name
        self._key_arn = encryption_key.key_arn
        self.topic_arns: dict[Severity, str] = {
            severity: self._build_topic(severity, settings) for severity in SEVERITIES
        }
        ChatChannels.add(
            self,
            endpoint_name=endpoint_name,
            notifications=settings.notifications,
            topic_arns=self.topic_arns,
        )

    def _build_topic(self, severity: Severity, settings: AlarmSettings) -> str:
        parts = Construct(self, severity.title())
        topic = sns.CfnTopic(
            parts,
            "Resource",
            topic_name=names.topic(self._endpoint_name, severity),
            kms_master_key_id=self._key_arn,
        )
        # Below a construct of its own for its id: a policy that another one replaced would take the
        # topic's policy away when it is deleted.
        sns.CfnTopicPolicy(
            Construct(parts, "Policy"),
            "Resource",
            topics=[topic.ref],
            policy_document={
                "Version": "2012-10-17",
                "Statement": self._render_statements(topic.ref, budget=settings.budget is not None),
            },
        )
        for name, target in targets_of(settings.notifications, severity).items():
            _build_subscription(parts, name, target, topic.ref)
        return topic.ref

    def _render_statements(self, topic_arn: str, *, budget: bool) -> list[dict[str, Any]]:
        stack = Stack.of(self)
        statements: list[dict[str, Any]] = [
            {
                "Sid": "AllowPublishThroughSSLOnly",
                "Effect": "Deny",
                "Principal": "*",
                "Action": "sns:Publish",
                "Resource": topic_arn,
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            },
            {
                "Sid": "PublishAlarms",
                "Effect": "Allow",
                "Principal": {"Service": "cloudwatch.amazonaws.com"},
                "Action": "sns:Publish",
                "Resource": topic_arn,
                "Condition": alarms_of_endpoint(stack, self._endpoint_name),
            },
        ]
        if budget:
            statements.append(
                {
                    "Sid": "PublishBudgets",
                    "Effect": "Allow",
                    "Principal": {"Service": "budgets.amazonaws.com"},
                    "Action": "sns:Publish",
                    "Resource": topic_arn,
                    "Condition": budgets_of_account(stack),
                }
            )
        return statements


def targets_of(
    notifications: NotificationSettings, severity: Severity
) -> dict[str, NotificationTarget]:
    """The targets of a severity, by name."""
    targets: dict[str, NotificationTarget] = getattr(notifications, severity)
    return targets


def _build_subscription(
    scope: Construct, name: str, target: NotificationTarget, topic_arn: str
) -> None:
    if isinstance(target, EmailTarget):
        protocol, address = "email", target.address
    elif isinstance(target, WebhookTarget):
        protocol, address = "https", target.url
    elif isinstance(target, PagerDutyTarget):
        # Whoever knows the integration URL can page: CloudFormation reads it when it deploys, and
        # no template holds it (CloudFormation user guide, "Get a secret … from Secrets Manager").
        protocol, address = "https", f"{{{{resolve:secretsmanager:{target.secret_name}}}}}"
    else:
        return
    sns.CfnSubscription(
        scope,
        f"{name.title().replace('-', '')}Subscription",
        topic_arn=topic_arn,
        protocol=protocol,
        endpoint=address,
    )
