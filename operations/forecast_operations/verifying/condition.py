"""The condition of a deployment: its stack, its endpoint, and which configuration is served."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from forecast_operations.deployed import statuses
from forecast_operations.deployed.stacks import (
    NEVER_MADE,
    UNDONE,
    events_command,
    is_under_way,
    way_out,
)
from forecast_operations.deployed.statuses import IN_SERVICE, MIXED, is_in_transition, way_back
from forecast_operations.records.record import Check
from forecast_operations.updates.state import rollout_command
from forecast_operations.verifying.settling import default_wait_seconds
from forecast_operations.verifying.undone import Span, explain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from forecast_operations.cloud.refusals import NotAllowedError
    from forecast_operations.verifying.fleet import Variant
    from forecast_operations.verifying.subject import Subject

_DONE = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE")
_UNDONE = "the last update failed and was undone"

_NO_REASON = "no reason given"


def serves(endpoint: Mapping[str, Any] | None) -> bool:
    """Whether there is anything that answers."""
    return endpoint is not None and endpoint["EndpointStatus"] in {IN_SERVICE, MIXED}


def check_condition(
    subject: Subject,
    endpoint: Mapping[str, Any] | None,
    fleet: Sequence[Variant] = (),
    refused: NotAllowedError | None = None,
) -> list[Check]:
    """What the stack and the endpoint say of themselves.

    Args:
        subject: What is verified.
        endpoint: The answer of DescribeEndpoint; None without an endpoint.
        fleet: The variants that it serves.
        refused: Why the endpoint could not be looked at; None where it was.
    """
    checks = [_check_stack(subject, endpoint, fleet)]
    if refused is not None:
        expected = f"{subject.settings.endpoint.name} {IN_SERVICE}"
        return [*checks, not_allowed("endpoint", expected, refused)]
    checks.append(_check_endpoint(subject, endpoint))
    if serves(endpoint) and endpoint is not None:
        checks.append(_check_configuration(subject, endpoint))
    return checks


def not_allowed(name: str, expected: str, error: NotAllowedError) -> Check:
    """A check for which the permission to look is missing."""
    return Check(
        name=name,
        passed=False,
        expected=expected,
        found=f"not allowed: {error.permission}",
        advice=str(error),
    )


def _check_stack(
    subject: Subject, endpoint: Mapping[str, Any] | None, fleet: Sequence[Variant]
) -> Check:
    deployed = subject.deployed
    undone = deployed.status.startswith(UNDONE)
    done = deployed.status.startswith(_DONE) or (undone and _is_back(subject, endpoint, fleet))
    return Check(
        name="stack",
        passed=done,
        expected=f"{deployed.stack} created or updated",
        found=f"{deployed.status}: {_UNDONE}" if undone else deployed.status,
        advice="" if done else _why_not_done(subject, endpoint),
    )


def _is_back(
    subject: Subject, endpoint: Mapping[str, Any] | None, fleet: Sequence[Variant]
) -> bool:
    """Whether an undone update has left what is locked, as the stack describes it."""
    if endpoint is None or endpoint["EndpointConfigName"] != subject.deployed.configuration:
        return False
    served = {variant.name: variant.archive_digest for variant in fleet}
    return served == {name: each.archive_digest for name, each in subject.models.items()}


def _why_not_done(subject: Subject, endpoint: Mapping[str, Any] | None) -> str:
    deployed, environment = subject.deployed, subject.settings.name
    events = events_command(deployed.stack, subject.live.cloud.region)
    if deployed.status.startswith(UNDONE):
        fired = "" if endpoint is None else _fired(subject, endpoint)
        return (
            f"{_UNDONE}: {f'{fired}; ' if fired else ''}what was there before it is deployed; "
            f"lock it again: forecast rollback {environment}, or repair what the events name "
            f"({events}) and run: forecast deploy {environment}"
        )
    if deployed.status == NEVER_MADE and not deployed.protected:
        return (
            f"the first deployment failed, and nothing of it is left: repair what the events name "
            f"({events}), and run: forecast deploy {environment}, which makes the stack anew"
        )
    stack = {"StackStatus": deployed.status, "EnableTerminationProtection": deployed.protected}
    if is_under_way(deployed.status):
        return "a deployment is under way: verify again when it is done, or with a longer --wait"
    way = way_out(deployed.stack, stack, subject.live.cloud.region)
    return f"{way}; then run: forecast deploy {environment}"


def _fired(subject: Subject, endpoint: Mapping[str, Any]) -> str:
    """The alarms that fired while the last rollout was under way.

    They go on watching what is deployed, long after it: what fires later undoes nothing.
    """
    deployed, changed = subject.deployed, endpoint.get("LastModifiedTime")
    cloud, alarms, start = subject.live.cloud, deployed.rollback_alarms, deployed.at
    if start is None:
        return explain(cloud, alarms, Span(None, changed))
    longest = timedelta(seconds=default_wait_seconds(subject))
    end = start + longest if changed is None else min(changed, start + longest)
    told = explain(cloud, alarms, Span(start, end))
    if told or not deployed.status.startswith(UNDONE):
        return told
    # Of a stack that was put back AWS does not document whether this is when that began.
    return explain(cloud, alarms, Span(start - longest, end))


def _check_endpoint(subject: Subject, endpoint: Mapping[str, Any] | None) -> Check:
    name = subject.settings.endpoint.name
    if endpoint is None:
        found, advice = "no such endpoint", _away(subject)
    else:
        found, advice = str(endpoint["EndpointStatus"]), _standing(subject, endpoint)
    return Check(
        name="endpoint",
        passed=found == IN_SERVICE,
        expected=f"{name} {IN_SERVICE}",
        found=found,
        advice="" if found == IN_SERVICE else advice,
    )


def _away(subject: Subject) -> str:
    if subject.deployed.status == NEVER_MADE:
        return "see stack"
    machine = subject.deployed.outputs.get("OffHoursStateMachineArn")
    return way_back(subject.settings.name, machine, subject.live.cloud.region)


def _standing(subject: Subject, endpoint: Mapping[str, Any]) -> str:
    status, reason = endpoint["EndpointStatus"], endpoint.get("FailureReason", _NO_REASON)
    if is_in_transition(status):
        return "it has not come to rest: verify again later, or with a longer --wait"
    name, region = endpoint["EndpointName"], subject.live.cloud.region
    return f"{reason}; {statuses.way_out(subject.settings.name, name, status, region)}"


def _check_configuration(subject: Subject, endpoint: Mapping[str, Any]) -> Check:
    expected, found = subject.deployed.configuration, endpoint["EndpointConfigName"]
    return Check(
        name="configuration",
        passed=expected == found,
        expected=expected or "an output EndpointConfigName of the stack",
        found=found,
        advice="" if expected == found else _why_another(subject, endpoint, expected),
    )


def _why_another(subject: Subject, endpoint: Mapping[str, Any], expected: str | None) -> str:
    name = endpoint["EndpointName"]
    if expected is None:
        return f"look at the stack {subject.deployed.stack} in this account and region"
    reason, fired = endpoint.get("FailureReason"), _fired(subject, endpoint)
    ways = (
        f"go back to what was verified: forecast rollback {subject.settings.name}; or roll what "
        f"the stack says out again: {rollout_command(name, expected, subject.live.cloud.region)}; "
        "deploying the same again changes nothing"
    )
    why = "; ".join(part for part in (fired, reason) if part)
    if why:
        return f"SageMaker undid the rollout: {why}; {ways}"
    return (
        "no alarm fired and SageMaker gives no reason: either SageMaker undid the rollout for "
        "another cause, which is its time limit, missing capacity or containers that never "
        f"answered (see the log group /aws/sagemaker/Endpoints/{name}), or somebody updated the "
        f"endpoint past its stack (UpdateEndpoint in AWS CloudTrail); {ways}"
    )
