"""SQS queues and their policies."""

import json
from collections.abc import Mapping
from typing import Any

from forecast_local.cloudformation.handler import Handler, Request, tag_changes, tag_map

_NAME_LIMIT = 80
_GONE = frozenset({"AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist"})
_ATTRIBUTES = frozenset(
    {
        "ContentBasedDeduplication",
        "DelaySeconds",
        "FifoQueue",
        "KmsDataKeyReusePeriodSeconds",
        "KmsMasterKeyId",
        "MaximumMessageSize",
        "MessageRetentionPeriod",
        "ReceiveMessageWaitTimeSeconds",
        "RedriveAllowPolicy",
        "RedrivePolicy",
        "SqsManagedSseEnabled",
        "VisibilityTimeout",
    }
)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value) if isinstance(value, (dict, list)) else str(value)


class Queue(Handler):
    """AWS::SQS::Queue."""

    type_name = "AWS::SQS::Queue"
    applies = frozenset({*_ATTRIBUTES, "QueueName", "Tags"})
    create_only = frozenset({"FifoQueue", "QueueName"})
    attributes = frozenset({"Arn", "QueueName", "QueueUrl"})
    name_property = "QueueName"
    tagged = True
    gone = _GONE

    def create(self, request: Request) -> str:
        """Create the queue; its Ref is its URL."""
        given = {key: _text(request.properties[key]) for key in _given(request.properties)}
        answer = request.client("sqs").create_queue(
            QueueName=request.name(_NAME_LIMIT, property_name="QueueName"),
            Attributes=given,
            tags=tag_map(request.properties.get("Tags")),
        )
        return str(answer["QueueUrl"])

    def update(self, request: Request, physical_id: str, old: Mapping[str, Any]) -> None:
        """Change attributes and tags."""
        sqs, new = request.client("sqs"), request.properties
        changed = {
            key: _text(new.get(key, ""))
            for key in {*_given(new), *_given(old)}
            if new.get(key) != old.get(key)
        }
        if changed:
            sqs.set_queue_attributes(QueueUrl=physical_id, Attributes=changed)
        tags, removed = tag_changes(old, new)
        if removed:
            sqs.untag_queue(QueueUrl=physical_id, TagKeys=removed)
        if tags:
            sqs.tag_queue(QueueUrl=physical_id, Tags=tag_map(tags))

    def delete(self, request: Request, physical_id: str) -> None:
        """Delete the queue with its messages."""
        request.client("sqs").delete_queue(QueueUrl=physical_id)

    def read(self, request: Request, physical_id: str) -> dict[str, Any]:
        """Return ARN, name and URL."""
        name = physical_id.rpartition("/")[2]
        return {"Arn": request.arn("sqs", name), "QueueName": name, "QueueUrl": physical_id}


class QueuePolicy(Handler):
    """AWS::SQS::QueuePolicy."""

    type_name = "AWS::SQS::QueuePolicy"
    applies = frozenset({"PolicyDocument", "Queues"})
    required = frozenset({"PolicyDocument", "Queues"})
    attributes = frozenset({"Id"})
    gone = _GONE

    def create(self, request: Request) -> str:
        """Put the policy on each queue."""
        self._put(request, request.properties["Queues"], request.properties["PolicyDocument"])
        return request.name(_NAME_LIMIT)

    def update(self, request: Request, physical_id: str, old: Mapping[str, Any]) -> None:  # noqa: ARG002 - the policy has no id of its own
        """Put the policy anew and take it from queues that no longer have it."""
        new = request.properties
        self._put(request, [url for url in old["Queues"] if url not in new["Queues"]], "")
        self._put(request, new["Queues"], new["PolicyDocument"])

    def delete(self, request: Request, physical_id: str) -> None:  # noqa: ARG002 - the policy has no id of its own
        """Take the policy from its queues."""
        self._put(request, request.properties["Queues"], "")

    def read(self, request: Request, physical_id: str) -> dict[str, Any]:  # noqa: ARG002 - the id says it all
        """Return the policy's id."""
        return {"Id": physical_id}

    @staticmethod
    def _put(request: Request, queues: list[str], document: Any) -> None:
        for url in queues:
            request.client("sqs").set_queue_attributes(
                QueueUrl=url, Attributes={"Policy": _text(document)}
            )


def _given(properties: Mapping[str, Any]) -> frozenset[str]:
    return _ATTRIBUTES.intersection(properties)
