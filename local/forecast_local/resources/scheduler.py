"""EventBridge Scheduler: schedules and their groups."""

from collections.abc import Mapping
from typing import Any

from forecast_local.cloudformation.handler import Handler, Request, ResourceError, tag_changes
from forecast_local.schedules import ScheduleError, parse_schedule

_NAME_LIMIT = 64
_GONE = frozenset({"ResourceNotFoundException"})
_DEFAULT_GROUP = "default"


class ScheduleGroup(Handler):
    """AWS::Scheduler::ScheduleGroup."""

    type_name = "AWS::Scheduler::ScheduleGroup"
    applies = frozenset({"Name", "Tags"})
    create_only = frozenset({"Name"})
    attributes = frozenset({"Arn"})
    name_property = "Name"
    tagged = True
    gone = _GONE

    def create(self, request: Request) -> str:
        """Create the group."""
        name = request.name(_NAME_LIMIT, property_name="Name")
        tags = request.properties.get("Tags", [])
        request.client("scheduler").create_schedule_group(Name=name, Tags=tags)
        return name

    def update(self, request: Request, physical_id: str, old: Mapping[str, Any]) -> None:
        """Change the tags."""
        scheduler, arn = request.client("scheduler"), self._arn(request, physical_id)
        tags, removed = tag_changes(old, request.properties)
        if removed:
            scheduler.untag_resource(ResourceArn=arn, TagKeys=removed)
        if tags:
            scheduler.tag_resource(ResourceArn=arn, Tags=tags)

    def delete(self, request: Request, physical_id: str) -> None:
        """Delete the group with its schedules."""
        request.client("scheduler").delete_schedule_group(Name=physical_id)

    def read(self, request: Request, physical_id: str) -> dict[str, Any]:
        """Return the group's ARN."""
        return {"Arn": self._arn(request, physical_id)}

    @staticmethod
    def _arn(request: Request, name: str) -> str:
        return request.arn("scheduler", f"schedule-group/{name}")


class Schedule(Handler):
    """AWS::Scheduler::Schedule."""

    type_name = "AWS::Scheduler::Schedule"
    applies = frozenset(
        {
            "Description",
            "EndDate",
            "FlexibleTimeWindow",
            "GroupName",
            "KmsKeyArn",
            "Name",
            "ScheduleExpression",
            "ScheduleExpressionTimezone",
            "StartDate",
            "State",
            "Target",
        }
    )
    required = frozenset({"FlexibleTimeWindow", "ScheduleExpression", "Target"})
    create_only = frozenset({"Name"})
    attributes = frozenset({"Arn"})
    name_property = "Name"
    gone = _GONE

    def create(self, request: Request) -> str:
        """Create the schedule."""
        name = request.name(_NAME_LIMIT, property_name="Name")
        given = self._arguments(request, "CreateSchedule")
        request.client("scheduler").create_schedule(Name=name, **given)
        return name

    def update(self, request: Request, physical_id: str, old: Mapping[str, Any]) -> None:
        """Replace everything but name and group."""
        if request.properties.get("GroupName") != old.get("GroupName"):
            raise ResourceError("the local AWS cannot move a schedule to another group")
        given = self._arguments(request, "UpdateSchedule")
        request.client("scheduler").update_schedule(Name=physical_id, **given)

    def delete(self, request: Request, physical_id: str) -> None:
        """Delete the schedule."""
        group = request.properties.get("GroupName", _DEFAULT_GROUP)
        request.client("scheduler").delete_schedule(Name=physical_id, GroupName=group)

    def read(self, request: Request, physical_id: str) -> dict[str, Any]:
        """Return the schedule's ARN."""
        group = request.properties.get("GroupName", _DEFAULT_GROUP)
        return {"Arn": request.arn("scheduler", f"schedule/{group}/{physical_id}")}

    @staticmethod
    def _arguments(request: Request, operation: str) -> dict[str, Any]:
        properties = request.properties
        zone = properties.get("ScheduleExpressionTimezone", "UTC")
        try:
            parse_schedule(str(properties["ScheduleExpression"]), str(zone))
        except ScheduleError as error:
            raise ResourceError(f"Invalid Schedule Expression: {error}") from error
        return {
            "GroupName": _DEFAULT_GROUP,
            **request.api_arguments("scheduler", operation, skip=("Name",)),
        }
