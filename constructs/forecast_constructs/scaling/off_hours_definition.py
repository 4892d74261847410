"""The state machine that removes an endpoint and brings it back, as plain data.

It knows nothing of the CDK: whatever is known only at deployment stands in it as `${Name}`, to be
filled in by the `DefinitionSubstitutions` of the resource.

How it works. An execution notes what is wanted (`stop` or `start`) in a parameter of AWS Systems
Manager, and from then on brings about whatever is wanted *now*: in every round it reads the wish
and the endpoint's status anew, takes one step, and waits. It ends when the endpoint is as wanted,
the alarms' actions have been switched to match, and a further look at both shows the same. So an
execution that is overtaken by a newer one works for the newer wish, and whichever ends last has
seen both right. Nothing is deleted or created from memory.

A rollout that was undone leaves the endpoint with an older configuration than the stack names. So
what the endpoint serves is noted right before it is deleted, and it is created with that again;
with what the stack names only when that configuration is gone.

What SageMaker allows in which status: SageMaker API reference, DescribeEndpoint, EndpointStatus.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from forecast_constructs.scaling.off_hours_states import (
    State,
    call,
    cause_is_like,
    choice,
    count,
    is_any_of,
    put,
)

if TYPE_CHECKING:
    from forecast_constructs.scaling.off_hours_plan import OffHoursPlan

MAX_ROUNDS = 600
"""Rounds after which an execution gives up: ten hours of a minute each, more than the 28,800
seconds that a rollout can take; about 12,000 of the 25,000 events an execution can have (AWS Step
Functions developer guide, "Service quotas")."""

MAX_FAILURES = 3
"""Failed creations, and calls that stay refused through their retries, before giving up."""

TIMEOUT_SECONDS = 86_400
"""Never reached by `MAX_ROUNDS`: a day, after which AWS ends an execution without a word."""

UNDER_WAY = ("Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting")
"""Statuses that pass by themselves, and in which SageMaker takes no other request."""

SERVING = ("InService", "UpdateRollbackFailed")
"""Statuses in which the endpoint answers; of the second, a person has to look after the fleets."""

BROKEN = ("Failed", "OutOfService")
"""Statuses that only a deletion ends."""

ABSENT = "Absent"
"""What is seen of an endpoint that SageMaker does not know."""

_NOT_FOUND = cause_is_like("*Could not find*")
_SERVED = {
    "And": [
        is_any_of("$.served.EndpointStatus", SERVING),
        # The API reference does not promise it.
        {"Variable": "$.served.EndpointConfigName", "IsPresent": True},
    ]
}
_TOO_MANY_FAILURES = {
    "Variable": "$.round.failures",
    "NumericGreaterThanEquals": MAX_FAILURES,
    "Next": "GiveUp",
}


def off_hours_definition(plan: OffHoursPlan) -> dict[str, Any]:
    """The state machine's definition.

    Args:
        plan: What it acts on.
    """
    return {
        "Comment": f"Removes the endpoint {plan.endpoint_name} and brings it back",
        "StartAt": "CheckAction",
        "TimeoutSeconds": TIMEOUT_SECONDS,
        "States": {
            **_beginning(plan),
            **_looking(plan),
            **_deciding(),
            **_stopping(plan),
            **_starting(plan),
            **_giving_up(plan),
            "Done": {"Type": "Succeed"},
        },
    }


def _beginning(plan: OffHoursPlan) -> dict[str, State]:
    known = {
        "And": [
            {"Variable": "$.action", "IsPresent": True},
            is_any_of("$.action", ("stop", "start")),
        ]
    }
    return {
        "CheckAction": choice({**known, "Next": "NoteWish"}, otherwise="RefuseAction"),
        "RefuseAction": {
            "Type": "Fail",
            "Error": "UnknownAction",
            "Cause": 'expected the input {"action": "stop"} or {"action": "start"}',
        },
        "NoteWish": call(
            "${PutParameter}",
            {"Name": plan.wish_parameter_name, "Value.$": "$.action", "Overwrite": True},
            then="Begin",
            on_error="GiveUp",
        ),
        "Begin": put({"number": 0, "failures": 0, "settled": "no"}, "$.round", then="NextRound"),
    }


def _looking(plan: OffHoursPlan) -> dict[str, State]:
    """A round: one more, while there are any, then what is wanted and what is there."""
    too_late = {"Variable": "$.round.number", "NumericGreaterThan": MAX_ROUNDS, "Next": "TimeIsUp"}
    # An endpoint that is gone is an error as well, and one that no retry would mend.
    look = _look(plan, on_error="IsGone", retries=0)
    return {
        "NextRound": count("number", then="HasTime"),
        "HasTime": choice(too_late, otherwise="ReadWish"),
        "TimeIsUp": put(
            {"Error": "TimeIsUp", "Cause": f"not as wanted after {MAX_ROUNDS} rounds"},
            "$.error",
            then="GiveUp",
        ),
        "ReadWish": call(
            "${GetParameter}",
            {"Name": plan.wish_parameter_name},
            then="Look",
            keep={"action.$": "$.Parameter.Value"},
            at="$.wanted",
        ),
        "Look": look,
        "IsGone": choice({**_NOT_FOUND, "Next": "SeeNothing"}, otherwise="LookAgain"),
        "LookAgain": _look(plan, on_error="IsGoneNow"),
        "IsGoneNow": choice({**_NOT_FOUND, "Next": "SeeNothing"}, otherwise="CountFailure"),
        "SeeNothing": put({"status": ABSENT}, "$.seen", then="Decide"),
        "Pause": {"Type": "Wait", "Seconds": plan.wait_seconds, "Next": "Unsettle"},
        # While it waited, others may have switched the alarms.
        "Unsettle": put("no", "$.round.settled", then="NextRound"),
    }


def _deciding() -> dict[str, State]:
    stop = {"Variable": "$.wanted.action", "StringEquals": "stop"}
    absent = {"Variable": "$.seen.status", "StringEquals": ABSENT}
    there = is_any_of("$.seen.status", (*SERVING, *BROKEN))
    settled = {"Variable": "$.round.settled", "Next": "Done"}
    return {
        "Decide": choice(
            {**is_any_of("$.seen.status", UNDER_WAY), "Next": "Pause"},
            {"And": [stop, absent], "Next": "IsSettledAway"},
            {"And": [stop, there], "Next": "MuteBeforeDeletion"},
            {**absent, "Next": "MayCreate"},
            {**is_any_of("$.seen.status", SERVING), "Next": "IsSettledServing"},
            {**is_any_of("$.seen.status", BROKEN), "Next": "CountBroken"},
            otherwise="NameUnknown",
        ),
        # A status that the API reference does not name is waited for, but not for ever.
        "NameUnknown": {
            "Type": "Pass",
            "Parameters": {
                "Error": "UnknownStatus",
                "Cause.$": "States.Format('the endpoint has the status {}', $.seen.status)",
            },
            "ResultPath": "$.error",
            "Next": "CountFailure",
        },
        "IsSettledAway": choice({**settled, "StringEquals": "away"}, otherwise="MuteWhileAway"),
        "IsSettledServing": choice({**settled, "StringEquals": "serving"}, otherwise="Unmute"),
        "CountFailure": count("failures", then="HasFailedTooOften"),
        "HasFailedTooOften": choice(_TOO_MANY_FAILURES, otherwise="Pause"),
    }


def _stopping(plan: OffHoursPlan) -> dict[str, State]:
    return {
        "MuteBeforeDeletion": _switch_alarms(plan, "${DisableAlarmActions}", then="LookAtServed"),
        "LookAtServed": call(
            "${DescribeEndpoint}",
            {"EndpointName": plan.endpoint_name},
            then="HasServed",
            on_error="WasDeleted",
            at="$.served",
        ),
        "HasServed": choice({**_SERVED, "Next": "NoteConfiguration"}, otherwise="Delete"),
        "NoteConfiguration": call(
            "${PutParameter}",
            {
                "Name": plan.configuration_parameter_name,
                "Value.$": "$.served.EndpointConfigName",
                "Overwrite": True,
            },
            then="Delete",
        ),
        "Delete": call(
            "${DeleteEndpoint}",
            {"EndpointName": plan.endpoint_name},
            then="Pause",
            on_error="WasDeleted",
        ),
        # Another execution was faster.
        "WasDeleted": choice({**_NOT_FOUND, "Next": "Pause"}, otherwise="LookAtRefusal"),
        "LookAtRefusal": _look(plan, then="IsUnderWay", on_error="CountFailure"),
        "IsUnderWay": choice(
            {**is_any_of("$.seen.status", UNDER_WAY), "Next": "Pause"}, otherwise="CountFailure"
        ),
        "MuteWhileAway": _switch_alarms(plan, "${DisableAlarmActions}", then="SettleAway"),
        "SettleAway": put("away", "$.round.settled", then="NextRound"),
    }


def _starting(plan: OffHoursPlan) -> dict[str, State]:
    noted = {"EndpointConfigName.$": "$.noted.configuration"}
    named = {"EndpointConfigName": plan.endpoint_config_name}
    # Another execution was faster.
    exists = {**cause_is_like("*already exist*"), "Next": "Pause"}
    is_lost = {**cause_is_like("*Could not find endpoint configuration*"), "Next": "CreateAsNamed"}
    return {
        "CountBroken": count("failures", then="Delete"),
        "MayCreate": choice(_TOO_MANY_FAILURES, otherwise="ReadConfiguration"),
        "ReadConfiguration": call(
            "${GetParameter}",
            {"Name": plan.configuration_parameter_name},
            then="Create",
            keep={"configuration.$": "$.Parameter.Value"},
            at="$.noted",
        ),
        "Create": _create(plan, noted, on_error="WasCreated"),
        "WasCreated": choice(exists, is_lost, otherwise="CountFailure"),
        "CreateAsNamed": _create(plan, named, on_error="WasCreatedAsNamed"),
        "WasCreatedAsNamed": choice(exists, otherwise="CountFailure"),
        "Unmute": _switch_alarms(plan, "${EnableAlarmActions}", then="SettleServing"),
        "SettleServing": put("serving", "$.round.settled", then="NextRound"),
    }


def _create(plan: OffHoursPlan, configuration: dict[str, str], *, on_error: str) -> State:
    return call(
        "${CreateEndpoint}",
        {"EndpointName": plan.endpoint_name, **configuration, "Tags": plan.tags},
        then="Pause",
        on_error=on_error,
    )


def _giving_up(plan: OffHoursPlan) -> dict[str, State]:
    message = (
        f"States.Format('Off hours of the endpoint {plan.endpoint_name} failed; what to do is in "
        "docs/scaling.md. Execution: {} Last state: {}', $$.Execution.Id, States.JsonToString($))"
    )
    return {
        # Not away on purpose any more: whatever is wrong with the endpoint may be told again.
        "GiveUp": _switch_alarms(plan, "${EnableAlarmActions}", then="Tell", on_error="Tell"),
        "Tell": call(
            "${Publish}",
            {"TopicArn": plan.topic_arn, "Subject": "Off hours failed", "Message.$": message},
            then="NotAsWanted",
            on_error="NotAsWanted",
        ),
        "NotAsWanted": {
            "Type": "Fail",
            "Error": "NotAsWanted",
            "Cause": f"the endpoint {plan.endpoint_name} is not as wanted; see the last error",
        },
    }


def _look(plan: OffHoursPlan, *, then: str = "Decide", **options: Any) -> State:
    return call(
        "${DescribeEndpoint}",
        {"EndpointName": plan.endpoint_name},
        then=then,
        keep={"status.$": "$.EndpointStatus"},
        at="$.seen",
        **options,
    )


def _switch_alarms(
    plan: OffHoursPlan, integration: str, *, then: str, on_error: str = "CountFailure"
) -> State:
    if not plan.alarm_names:
        return {"Type": "Pass", "Next": then}
    return call(
        integration,
        {"AlarmNames": list(plan.alarm_names)},
        then=then,
        on_error=on_error,
    )
