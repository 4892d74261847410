"""The schedules of the off hours, which would undo a stop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forecast_operations.cloud.cloud import Cloud

Schedule = tuple[str, str]
"""Group and name of a schedule."""

_GIVEN = (
    "Description",
    "EndDate",
    "FlexibleTimeWindow",
    "GroupName",
    "KmsKeyArn",
    "Name",
    "ScheduleExpression",
    "ScheduleExpressionTimezone",
    "StartDate",
    "Target",
)
"""What UpdateSchedule takes: whatever is left out goes back to its default (EventBridge Scheduler
API reference)."""


def schedules_of(cloud: Cloud, state_machine: str) -> list[Schedule]:
    """The schedules that are on and start a state machine."""
    found = cloud.pages("scheduler", "list_schedules", "Schedules", State="ENABLED")
    return [
        (each["GroupName"], each["Name"])
        for each in found
        if each["Target"]["Arn"] == state_machine
    ]


def is_running(cloud: Cloud, state_machine: str) -> bool:
    """Whether an execution of a state machine is under way."""
    found = cloud.pages(
        "stepfunctions",
        "list_executions",
        "executions",
        stateMachineArn=state_machine,
        statusFilter="RUNNING",
    )
    return next(found, None) is not None


def switch(
    cloud: Cloud, schedules: Sequence[Schedule], state: Literal["ENABLED", "DISABLED"]
) -> None:
    """Switch schedules on or off; one that is gone is left out."""
    for group, name in schedules:
        found: dict[str, Any] | None = cloud.ask(
            "scheduler", "get_schedule", missing="ResourceNotFound", GroupName=group, Name=name
        )
        if found is None:
            continue
        given = {key: found[key] for key in _GIVEN if found.get(key) is not None}
        cloud.ask("scheduler", "update_schedule", **given, State=state)
