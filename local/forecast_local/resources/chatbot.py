"""Amazon Q Developer in chat applications: channels that topics post to.

Nothing is posted from here. What the service checks is checked: role and topics exist.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

from forecast_local.cloudformation.handler import Handler, Request, ResourceError

_COMMON = frozenset(
    {
        "ConfigurationName",
        "GuardrailPolicies",
        "IamRoleArn",
        "LoggingLevel",
        "SnsTopicArns",
        "Tags",
        "UserRoleRequired",
    }
)


class _Channel(Handler):
    """What both kinds of channels have in common."""

    attributes = frozenset({"Arn"})
    name_property = "ConfigurationName"
    tagged = True
    kind: ClassVar[str]

    def create(self, request: Request) -> str:
        """Check role and topics; the channel has no other state here."""
        self._check(request)
        stack = request.stack
        name = request.properties["ConfigurationName"]
        return (
            f"arn:{stack.partition}:chatbot::{stack.account}:chat-configuration/{self.kind}/{name}"
        )

    def update(self, request: Request, physical_id: str, old: Mapping[str, Any]) -> None:  # noqa: ARG002 - there is no state
        """Check role and topics."""
        self._check(request)

    def delete(self, request: Request, physical_id: str) -> None:
        """Leave nothing behind."""

    def read(self, request: Request, physical_id: str) -> dict[str, Any]:  # noqa: ARG002 - the ARN says it all
        """Return the ARN."""
        return {"Arn": physical_id}

    @staticmethod
    def _check(request: Request) -> None:
        role = str(request.properties["IamRoleArn"])
        iam, sns = request.client("iam"), request.client("sns")
        try:
            iam.get_role(RoleName=role.rpartition("/")[2])
        except iam.exceptions.NoSuchEntityException as error:
            raise ResourceError(
                f"Invalid request provided: the role {role} does not exist"
            ) from error
        for arn in request.properties.get("SnsTopicArns", []):
            sns.get_topic_attributes(TopicArn=arn)


class SlackChannelConfiguration(_Channel):
    """AWS::Chatbot::SlackChannelConfiguration."""

    type_name = "AWS::Chatbot::SlackChannelConfiguration"
    kind = "slack-channel"
    applies = frozenset({*_COMMON, "SlackChannelId", "SlackWorkspaceId"})
    required = frozenset({"ConfigurationName", "IamRoleArn", "SlackChannelId", "SlackWorkspaceId"})
    create_only = frozenset({"ConfigurationName", "SlackWorkspaceId"})


class MicrosoftTeamsChannelConfiguration(_Channel):
    """AWS::Chatbot::MicrosoftTeamsChannelConfiguration."""

    type_name = "AWS::Chatbot::MicrosoftTeamsChannelConfiguration"
    kind = "ms-teams-channel"
    applies = frozenset({*_COMMON, "TeamId", "TeamsChannelId", "TeamsChannelName", "TeamsTenantId"})
    required = frozenset(
        {"ConfigurationName", "IamRoleArn", "TeamId", "TeamsChannelId", "TeamsTenantId"}
    )
    create_only = frozenset({"ConfigurationName", "TeamId", "TeamsTenantId"})
