"""CloudWatch Logs log groups."""

from collections.abc import Mapping
from typing import Any

from moto.logs.models import logs_backends

from forecast_local.cloudformation.handler import Handler, Request, tag_changes, tag_map

_NAME_LIMIT = 512


class LogGroup(Handler):
    """AWS::Logs::LogGroup."""

    type_name = "AWS::Logs::LogGroup"
    applies = frozenset({"KmsKeyId", "LogGroupName", "RetentionInDays", "Tags"})
    create_only = frozenset({"LogGroupName"})
    attributes = frozenset({"Arn"})
    name_property = "LogGroupName"
    tagged = True
    gone = frozenset({"ResourceNotFoundException"})

    def create(self, request: Request) -> str:
        """Create the log group and set its retention."""
        logs, properties = request.client("logs"), request.properties
        name = request.name(_NAME_LIMIT, property_name="LogGroupName")
        given = {"kmsKeyId": properties["KmsKeyId"]} if "KmsKeyId" in properties else {}
        tags = tag_map(properties.get("Tags"))
        if tags:
            given["tags"] = tags
        logs.create_log_group(logGroupName=name, **given)
        request.made(name)
        if "RetentionInDays" in properties:
            days = int(properties["RetentionInDays"])
            logs.put_retention_policy(logGroupName=name, retentionInDays=days)
        return name

    def update(self, request: Request, physical_id: str, old: Mapping[str, Any]) -> None:
        """Change retention, key and tags."""
        logs, new = request.client("logs"), request.properties
        if "RetentionInDays" in new:
            days = int(new["RetentionInDays"])
            logs.put_retention_policy(logGroupName=physical_id, retentionInDays=days)
        elif "RetentionInDays" in old:
            logs.delete_retention_policy(logGroupName=physical_id)
        # moto has no AssociateKmsKey, which changes the key of a log group.
        backend = logs_backends[request.stack.account][request.stack.region]
        backend.groups[physical_id].kms_key_id = new.get("KmsKeyId")
        tags, removed = tag_changes(old, new)
        arn = self._arn(request, physical_id)
        if removed:
            logs.untag_resource(resourceArn=arn, tagKeys=removed)
        if tags:
            logs.tag_resource(resourceArn=arn, tags=tag_map(tags))

    def delete(self, request: Request, physical_id: str) -> None:
        """Delete the log group with its streams."""
        request.client("logs").delete_log_group(logGroupName=physical_id)

    def read(self, request: Request, physical_id: str) -> dict[str, Any]:
        """Return the ARN, which ends with ``:*`` as CloudFormation's does."""
        return {"Arn": f"{self._arn(request, physical_id)}:*"}

    @staticmethod
    def _arn(request: Request, name: str) -> str:
        return request.arn("logs", f"log-group:{name}")
