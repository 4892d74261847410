"""Each severity has a topic, which only its own publishers and targets can use."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from forecast_config.settings import SEVERITIES

if TYPE_CHECKING:
    from collections.abc import Callable

TEAMS_CHANNEL = "19%3Aabc%40thread.tacv2"


def _topic_names(built: Any) -> dict[str, str]:
    """The severities of the topics, by logical id."""
    return {
        name: topic["TopicName"].rpartition("-")[2]
        for name, topic in built.of("SNS::Topic").items()
    }


def _subscriptions(built: Any) -> set[tuple[str, str, str]]:
    severities = _topic_names(built)
    return {
        (severities[each["TopicArn"]["Ref"]], each["Protocol"], each["Endpoint"])
        for each in built.of("SNS::Subscription").values()
    }


def test_each_severity_has_an_encrypted_topic(watched: Callable[[str], Any]) -> None:
    built = watched("realtime")

    assert set(_topic_names(built).values()) == set(SEVERITIES)
    assert all("KmsMasterKeyId" in topic for topic in built.of("SNS::Topic").values())
    assert not built.of("SNS::Subscription")


def test_topics_are_reached_over_tls_by_the_endpoints_alarms_only(
    watched: Callable[[str], Any],
) -> None:
    built = watched("realtime")
    policies = built.of("SNS::TopicPolicy")

    assert {policy["Topics"][0]["Ref"] for policy in policies.values()} == set(_topic_names(built))
    for policy in policies.values():
        denied, allowed = policy["PolicyDocument"]["Statement"]
        assert (denied["Effect"], denied["Principal"]) == ("Deny", "*")
        assert denied["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
        assert allowed["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
        assert allowed["Action"] == "sns:Publish"
        assert "aws:SourceAccount" in allowed["Condition"]["StringEquals"]
        source = allowed["Condition"]["ArnLike"]["aws:SourceArn"]
        assert source["Fn::Join"][1][-1] == ":alarm:forecast-*"
        assert allowed["Resource"] == policy["Topics"][0]


def test_the_budget_may_publish_where_there_is_one(watched: Callable[[str], Any]) -> None:
    for policy in watched("notified").of("SNS::TopicPolicy").values():
        *_, allowed = policy["PolicyDocument"]["Statement"]
        assert allowed["Principal"] == {"Service": "budgets.amazonaws.com"}
        assert "aws:SourceAccount" in allowed["Condition"]["StringEquals"]
        assert ":budgets::" in json.dumps(allowed["Condition"]["ArnLike"]["aws:SourceArn"])


def test_targets_are_those_of_their_severity(watched: Callable[[str], Any]) -> None:
    assert _subscriptions(watched("notified")) == {
        ("critical", "https", "{{resolve:secretsmanager:oncall/url}}"),
        ("critical", "email", "on-call@example.com"),
        ("high", "https", "https://desk.example.com/a"),
    }


def test_a_channel_has_one_configuration_with_all_its_severities(
    watched: Callable[[str], Any],
) -> None:
    built = watched("notified")
    severities = _topic_names(built)
    (slack,) = built.of("Chatbot::SlackChannelConfiguration").values()
    (teams,) = built.of("Chatbot::MicrosoftTeamsChannelConfiguration").values()

    assert [severities[arn["Ref"]] for arn in slack["SnsTopicArns"]] == ["critical", "high"]
    assert slack["SlackWorkspaceId"] == "T012ABCDEFG"
    assert slack["SlackChannelId"] == "C012ABCDEFG"
    assert slack["ConfigurationName"] == "forecast-slack-C012ABCDEFG"
    assert [severities[arn["Ref"]] for arn in teams["SnsTopicArns"]] == ["medium"]
    assert teams["TeamsChannelId"] == TEAMS_CHANNEL


def test_a_channel_can_look_at_alarms_and_do_nothing_else(watched: Callable[[str], Any]) -> None:
    built = watched("notified")
    channels = [
        *built.of("Chatbot::SlackChannelConfiguration").values(),
        *built.of("Chatbot::MicrosoftTeamsChannelConfiguration").values(),
    ]

    for channel in channels:
        (guardrail,) = channel["GuardrailPolicies"]
        policy = built.resources[guardrail["Ref"]]
        role = built.resources[channel["IamRoleArn"]["Fn::GetAtt"][0]]
        (statement,) = policy["Properties"]["PolicyDocument"]["Statement"]
        (trust,) = role["Properties"]["AssumeRolePolicyDocument"]["Statement"]

        assert policy["Type"] == "AWS::IAM::ManagedPolicy"
        assert policy["Properties"]["Roles"] == [{"Ref": channel["IamRoleArn"]["Fn::GetAtt"][0]}]
        assert set(role["Properties"]) == {"AssumeRolePolicyDocument", "Description"}
        assert all(
            action.startswith(("cloudwatch:Describe", "cloudwatch:Get", "cloudwatch:List"))
            for action in statement["Action"]
        )
        assert trust["Principal"] == {"Service": "chatbot.amazonaws.com"}
        assert "aws:SourceAccount" in trust["Condition"]["StringEquals"]


def test_without_channels_there_is_no_role_for_them(watched: Callable[[str], Any]) -> None:
    built = watched("realtime")

    assert not built.of("Chatbot::SlackChannelConfiguration")
    assert [role["Description"] for role in built.of("IAM::Role").values()] == [
        "Asks the endpoint forecast every minute"
    ]


def test_topics_and_their_policies_keep_their_logical_ids(watched: Callable[[str], Any]) -> None:
    # Under another id a topic of the same name would be deleted after it was "created", and a
    # policy that is deleted takes its topic's policy away.
    built = watched("realtime")

    assert set(built.of("SNS::Topic")) == {
        "AlertsCriticalD98B8922",
        "AlertsHighFFE6B6B7",
        "AlertsMedium247301A2",
    }
    assert set(built.of("SNS::TopicPolicy")) == {
        "AlertsCriticalPolicy8E119330",
        "AlertsHighPolicy24D0FDE2",
        "AlertsMediumPolicyAFD921F8",
    }
