"""SNS topics, their policies and subscriptions."""

import json
from collections.abc import Mapping
from typing import Any

from forecast_local.cloudformation.handler import Handler, Request, tag_changes

_NAME_LIMIT = 256
_GONE = frozenset({"NotFound", "NotFoundException"})
_TOPIC_ATTRIBUTES = {
    "DisplayName": "DisplayName",
    "KmsMasterKeyId": "KmsMasterKeyId",
    "SignatureVersion": "SignatureVersion",
    "TracingConfig": "TracingConfig",
}
_SUBSCRIPTION_ATTRIBUTES = (
    "DeliveryPolicy",
    "FilterPolicy",
    "FilterPolicyScope",
    "RawMessageDelivery",
    "RedrivePolicy",
)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else json.dumps(value)


class Topic(Handler):
    """AWS::SNS::Topic."""

    type_name = "AWS::SNS::Topic"
    applies = frozenset({*_TOPIC_ATTRIBUTES, "Subscription", "Tags", "TopicName"})
    create_only = frozenset({"TopicName"})
    attributes = frozenset({"TopicArn", "TopicName"})
    name_property = "TopicName"
    tagged = True
    gone = _GONE

    def create(self, request: Request) -> str:
        """Create the topic with its attributes and inline subscriptions."""
        sns, properties = request.client("sns"), request.properties
        name = request.name(_NAME_LIMIT, property_name="TopicName")
        given = {"Tags": properties["Tags"]} if properties.get("Tags") else {}
        values = {
            api: _text(properties[key])
            for key, api in _TOPIC_ATTRIBUTES.items()
            if key in properties
        }
        arn = sns.create_topic(Name=name, Attributes=values, **given)["TopicArn"]
        request.made(arn)
        for item in properties.get("Subscription", []):
            sns.subscribe(TopicArn=arn, Protocol=item["Protocol"], Endpoint=item["Endpoint"])
        return str(arn)

    def update(self, request: Request, physical_id: str, old: Mapping[str, Any]) -> None:
        """Change attributes, inline subscriptions and tags."""
        sns, new = request.client("sns"), request.properties
        for key, api in _TOPIC_ATTRIBUTES.items():
            if new.get(key) != old.get(key):
                value = _text(new.get(key, ""))
                sns.set_topic_attributes(
                    TopicArn=physical_id, AttributeName=api, AttributeValue=value
                )
        self._update_subscriptions(sns, physical_id, new, old)
        tags, removed = tag_changes(old, new)
        if removed:
            sns.untag_resource(ResourceArn=physical_id, TagKeys=removed)
        if tags:
            sns.tag_resource(ResourceArn=physical_id, Tags=tags)

    @staticmethod
    def _update_subscriptions(
        sns: Any, arn: str, new: Mapping[str, Any], old: Mapping[str, Any]
    ) -> None:
        wanted, before = new.get("Subscription", []), old.get("Subscription", [])
        for item in wanted:
            if item not in before:
                sns.subscribe(TopicArn=arn, Protocol=item["Protocol"], Endpoint=item["Endpoint"])
        dropped = [(i["Protocol"], i["Endpoint"]) for i in before if i not in wanted]
        for known in sns.list_subscriptions_by_topic(TopicArn=arn)["Subscriptions"]:
            if (known["Protocol"], known["Endpoint"]) in dropped:
                sns.unsubscribe(SubscriptionArn=known["SubscriptionArn"])

    def delete(self, request: Request, physical_id: str) -> None:
        """Delete the topic."""
        request.client("sns").delete_topic(TopicArn=physical_id)

    def read(self, request: Request, physical_id: str) -> dict[str, Any]:  # noqa: ARG002 - the ARN says it all
        """Return ARN and name of the topic."""
        return {"TopicArn": physical_id, "TopicName": physical_id.rpartition(":")[2]}


class Subscription(Handler):
    """AWS::SNS::Subscription."""

    type_name = "AWS::SNS::Subscription"
    applies = frozenset({*_SUBSCRIPTION_ATTRIBUTES, "Endpoint", "Protocol", "TopicArn"})
    required = frozenset({"Protocol", "TopicArn"})
    create_only = frozenset({"Endpoint", "Protocol", "TopicArn"})
    gone = _GONE

    def create(self, request: Request) -> str:
        """Subscribe the endpoint."""
        properties = request.properties
        values = {
            key: _text(properties[key]) for key in _SUBSCRIPTION_ATTRIBUTES if key in properties
        }
        answer = request.client("sns").subscribe(
            TopicArn=properties["TopicArn"],
            Protocol=properties["Protocol"],
            Endpoint=properties.get("Endpoint", ""),
            Attributes=values,
            ReturnSubscriptionArn=True,
        )
        return str(answer["SubscriptionArn"])

    def update(self, request: Request, physical_id: str, old: Mapping[str, Any]) -> None:
        """Change the attributes of the subscription."""
        for key in _SUBSCRIPTION_ATTRIBUTES:
            if request.properties.get(key) != old.get(key):
                request.client("sns").set_subscription_attributes(
                    SubscriptionArn=physical_id,
                    AttributeName=key,
                    AttributeValue=_text(request.properties.get(key, "")),
                )

    def delete(self, request: Request, physical_id: str) -> None:
        """Unsubscribe the endpoint."""
        request.client("sns").unsubscribe(SubscriptionArn=physical_id)


class TopicPolicy(Handler):
    """AWS::SNS::TopicPolicy."""

    type_name = "AWS::SNS::TopicPolicy"
    applies = frozenset({"PolicyDocument", "Topics"})
    required = applies
    gone = _GONE

    def create(self, request: Request) -> str:
        """Set the policy on each topic."""
        for topic in request.properties["Topics"]:
            self._set(request, topic, request.properties["PolicyDocument"])
        return request.name(_NAME_LIMIT)

    def update(self, request: Request, physical_id: str, old: Mapping[str, Any]) -> None:  # noqa: ARG002 - the policy has no id of its own
        """Set the policy anew and reset it on topics that no longer have it."""
        for topic in request.properties["Topics"]:
            self._set(request, topic, request.properties["PolicyDocument"])
        for topic in set(old["Topics"]) - set(request.properties["Topics"]):
            self._set(request, topic, _owner_policy(request, topic))

    def delete(self, request: Request, physical_id: str) -> None:  # noqa: ARG002 - the policy has no id of its own
        """Reset the topics to the policy that a new topic has."""
        for topic in request.properties["Topics"]:
            self._set(request, topic, _owner_policy(request, topic))

    @staticmethod
    def _set(request: Request, topic: str, document: Any) -> None:
        request.client("sns").set_topic_attributes(
            TopicArn=topic, AttributeName="Policy", AttributeValue=_text(document)
        )


def _owner_policy(request: Request, topic: str) -> dict[str, Any]:
    """A topic always has a policy: without one of its own, its owner's default."""
    return {
        "Version": "2008-10-17",
        "Id": "__default_policy_ID",
        "Statement": [
            {
                "Sid": "__default_statement_ID",
                "Effect": "Allow",
                "Principal": {"AWS": "*"},
                "Action": ["SNS:Publish", "SNS:Subscribe"],
                "Resource": topic,
                "Condition": {"StringEquals": {"AWS:SourceOwner": request.stack.account}},
            }
        ],
    }
