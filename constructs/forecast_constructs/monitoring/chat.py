"""Chat channels that alarms are posted to, by Amazon Q Developer in chat applications."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from aws_cdk import Stack
from aws_cdk import aws_chatbot as chatbot
from aws_cdk import aws_iam as iam
from constructs import Construct

from forecast_config import names
from forecast_config.settings import SEVERITIES, SlackTarget, TeamsTarget
from forecast_constructs.acknowledgements import acknowledge

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from forecast_config.settings import NotificationSettings, Severity

NAME_LIMIT = 128
"""Characters of a ConfigurationName (Amazon Q Developer in chat applications API reference)."""

_HASH_LENGTH = 12
_ACTIONS = (
    "cloudwatch:DescribeAlarmHistory",
    "cloudwatch:DescribeAlarms",
    "cloudwatch:GetMetricData",
    "cloudwatch:GetMetricStatistics",
    "cloudwatch:ListMetrics",
)
"""What is needed to draw an alarm's graph beside its message; more is open to nobody in a channel.

A narrowed form of the "Notification permissions" of the administrator guide.
"""


class ChatChannels(Construct):
    """Channels of Slack and Microsoft Teams, each with the topics of the severities that it gets.

    A channel has one configuration, however many severities reach it, as the service takes no
    second one. Its members can look at alarms and metrics and do nothing else: the policy of the
    role is the channel's guardrail too, which would be AdministratorAccess otherwise (API
    reference, CreateSlackChannelConfiguration, GuardrailPolicyArns).
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        endpoint_name: str,
        notifications: NotificationSettings,
        topic_arns: Mapping[Severity, str],
    ) -> None:
        super().__init__(scope, construct_id)
        self._endpoint_name = endpoint_name
        role = self._build_role()
        policy = self._build_policy(role)
        for target, severities in _channels(notifications).items():
            common = {
                "iam_role_arn": role.attr_arn,
                "guardrail_policies": [policy.ref],
                "sns_topic_arns": [topic_arns[severity] for severity in severities],
            }
            self._build_channel(target, common)

    @classmethod
    def add(
        cls,
        scope: Construct,
        *,
        endpoint_name: str,
        notifications: NotificationSettings,
        topic_arns: Mapping[Severity, str],
    ) -> ChatChannels | None:
        """The channels of the settings, or None when there is none."""
        if not _channels(notifications):
            return None
        return cls(
            scope,
            "Chat",
            endpoint_name=endpoint_name,
            notifications=notifications,
            topic_arns=topic_arns,
        )

    def _build_channel(self, target: SlackTarget | TeamsTarget, common: dict[str, Any]) -> None:
        if isinstance(target, SlackTarget):
            chatbot.CfnSlackChannelConfiguration(
                self,
                f"Slack{target.channel_id}",
                configuration_name=self._name("slack", target.channel_id),
                slack_workspace_id=target.workspace_id,
                slack_channel_id=target.channel_id,
                **common,
            )
            return
        digest = hashlib.sha256(target.channel_id.encode()).hexdigest()[:_HASH_LENGTH]
        chatbot.CfnMicrosoftTeamsChannelConfiguration(
            self,
            f"Teams{digest}",
            configuration_name=self._name("teams", digest),
            teams_tenant_id=target.tenant_id,
            team_id=target.team_id,
            teams_channel_id=target.channel_id,
            **common,
        )

    def _name(self, application: str, channel: str) -> str:
        return names.bounded(f"{self._endpoint_name}-{application}-{channel}", NAME_LIMIT)

    def _build_role(self) -> iam.CfnRole:
        stack = Stack.of(self)
        configurations = f"arn:{stack.partition}:chatbot::{stack.account}:chat-configuration/*"
        return iam.CfnRole(
            self,
            "Role",
            description=f"Shows the alarms of the endpoint {self._endpoint_name} in chat channels",
            assume_role_policy_document={
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Principal": {"Service": "chatbot.amazonaws.com"},
                        "Action": "sts:AssumeRole",
                        "Condition": {
                            "StringEquals": {"aws:SourceAccount": stack.account},
                            "ArnLike": {"aws:SourceArn": configurations},
                        },
                    }
                ],
            },
        )

    def _build_policy(self, role: iam.CfnRole) -> iam.CfnManagedPolicy:
        policy = iam.CfnManagedPolicy(
            self,
            "Policy",
            description="Reads alarms and their metrics",
            roles=[role.ref],
            policy_document={
                "Version": "2012-10-17",
                "Statement": [{"Effect": "Allow", "Action": list(_ACTIONS), "Resource": "*"}],
            },
        )
        acknowledge(
            policy,
            "IAM5[Resource::*]",
            "metrics have no ARN, and composite alarms are described to those only who may "
            "describe all",
        )
        return policy


def _channels(
    notifications: NotificationSettings,
) -> dict[SlackTarget | TeamsTarget, list[Severity]]:
    found: dict[SlackTarget | TeamsTarget, list[Severity]] = {}
    for severity, target in _chat_targets(notifications):
        severities = found.setdefault(target, [])
        if severity not in severities:
            severities.append(severity)
    return found


def _chat_targets(
    notifications: NotificationSettings,
) -> Iterator[tuple[Severity, SlackTarget | TeamsTarget]]:
    for severity in SEVERITIES:
        for target in getattr(notifications, severity).values():
            if isinstance(target, SlackTarget | TeamsTarget):
                yield severity, target
