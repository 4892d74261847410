"""EventBridge rules."""

import json
from collections.abc import Mapping
from typing import Any

from forecast_local.cloudformation.handler import (
    Handler,
    Request,
    ResourceError,
    tag_changes,
)
from forecast_local.schedules import ScheduleError, parse_schedule

_NAME_LIMIT = 64


class Rule(Handler):
    """AWS::Events::Rule of the default event bus."""

    type_name = "AWS::Events::Rule"
    applies = frozenset(
        {
            "Description",
            "EventPattern",
            "Name",
            "RoleArn",
            "ScheduleExpression",
            "State",
            "Tags",
            "Targets",
        }
    )
    create_only = frozenset({"Name"})
    attributes = frozenset({"Arn"})
    name_property = "Name"
    tagged = True
    gone = frozenset({"ResourceNotFoundException"})

    def create(self, request: Request) -> str:
        """Put the rule and its targets."""
        name = request.name(_NAME_LIMIT, property_name="Name")
        tags = request.properties.get("Tags")
        self._put(request, name, {"Tags": tags} if tags else {})
        request.made(name)
        self._set_targets(request, name, {})
        return name

    def update(self, request: Request, physical_id: str, old: Mapping[str, Any]) -> None:
        """Put rule, targets and tags anew."""
        self._put(request, physical_id, {})
        self._set_targets(request, physical_id, old)
        events, arn = request.client("events"), request.arn("events", f"rule/{physical_id}")
        tags, removed = tag_changes(old, request.properties)
        if removed:
            events.untag_resource(ResourceARN=arn, TagKeys=removed)
        if tags:
            events.tag_resource(ResourceARN=arn, Tags=tags)

    def delete(self, request: Request, physical_id: str) -> None:
        """Remove the targets, then the rule."""
        events = request.client("events")
        known = [item["Id"] for item in request.properties.get("Targets", [])]
        if known:
            events.remove_targets(Rule=physical_id, Ids=known)
        events.delete_rule(Name=physical_id)

    def read(self, request: Request, physical_id: str) -> dict[str, Any]:
        """Return the rule's ARN."""
        return {"Arn": request.arn("events", f"rule/{physical_id}")}

    @staticmethod
    def _put(request: Request, name: str, tags: dict[str, Any]) -> None:
        given = dict(request.properties)
        if "ScheduleExpression" in given:
            try:
                parse_schedule(str(given["ScheduleExpression"]), "UTC")
            except ScheduleError as error:
                raise ResourceError(
                    f"Parameter ScheduleExpression is not valid: {error}"
                ) from error
        if isinstance(given.get("EventPattern"), dict):
            given["EventPattern"] = json.dumps(given["EventPattern"])
        skipped = {"Name", "Tags", "Targets"}
        kept = {key: value for key, value in given.items() if key not in skipped}
        request.client("events").put_rule(Name=name, **kept, **tags)

    @staticmethod
    def _set_targets(request: Request, name: str, old: Mapping[str, Any]) -> None:
        events, targets = request.client("events"), request.properties.get("Targets", [])
        wanted = {item["Id"] for item in targets}
        gone = [item["Id"] for item in old.get("Targets", []) if item["Id"] not in wanted]
        if gone:
            events.remove_targets(Rule=name, Ids=gone)
        if targets:
            events.put_targets(Rule=name, Targets=targets)
