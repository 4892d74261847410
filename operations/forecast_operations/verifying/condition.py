"""The condition of a deployment: its stack, its endpoint, and which configuration is served."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from forecast_operations.records.record import Check
from forecast_operations.updates.state import rollout_command
from forecast_operations.verifying.settling import IN_TRANSITION
from forecast_operations.verifying.undone import Span, explain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from forecast_operations.verifying.subject import Subject

_DONE = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE")
_IN_SERVICE = "InService"
_MIXED = "UpdateRollbackFailed"
"""An error occurred while the endpoint was rolled back: it may serve with instances of both
configurations (Amazon SageMaker API reference, DescribeEndpoint)."""

_NO_REASON = "no reason given"


def serves(endpoint: Mapping[str, Any] | None) -> bool:
    """Whether there is anything that answers."""
    return endpoint is not None and endpoint["EndpointStatus"] in {_IN_SERVICE, _MIXED}


def check_condition(subject: Subject, endpoint: Mapping[str, Any] | None) -> list[Check]:
    """What the stack and the endpoint say of themselves.

    Args:
        subject: What is verified.
        endpoint: The answer of DescribeEndpoint; None without an endpoint.
    """
    checks = [_check_stack(subject, endpoint), _check_endpoint(subject, endpoint)]
    if serves(endpoint) and endpoint is not None:
        checks.append(_check_configuration(subject, endpoint))
    return checks


def _check_stack(subject: Subject, endpoint: Mapping[str, Any] | None) -> Check:
    deployed = subject.deployed
    done = deployed.status.startswith(_DONE)
    return Check(
        name="stack",
        passed=done,
        expected=f"{deployed.stack} created or updated",
        found=deployed.status,
        advice="" if done else _why_not_done(subject, endpoint),
    )


def _why_not_done(subject: Subject, endpoint: Mapping[str, Any] | None) -> str:
    deployed = subject.deployed
    if deployed.status.endswith("_IN_PROGRESS"):
        return "a deployment is under way: verify again when it is done, or with a longer --wait"
    fired = "" if endpoint is None else _fired(subject, endpoint)
    return (
        f"the last deployment failed, and what was there before is what is deployed: "
        f"{f'{fired}; ' if fired else ''}see the events of {deployed.stack}, and run: forecast "
        f"deploy {subject.settings.name}"
    )


def _fired(subject: Subject, endpoint: Mapping[str, Any]) -> str:
    """The alarms that fired while the last deployment was under way."""
    span = Span(subject.deployed.at, endpoint.get("LastModifiedTime"))
    return explain(subject.live.cloud, subject.deployed.rollback_alarms, span)


def _check_endpoint(subject: Subject, endpoint: Mapping[str, Any] | None) -> Check:
    name = subject.settings.endpoint.name
    if endpoint is None:
        found, advice = "no such endpoint", _away(subject)
    else:
        found, advice = str(endpoint["EndpointStatus"]), _standing(subject, endpoint)
    return Check(
        name="endpoint",
        passed=found == _IN_SERVICE,
        expected=f"{name} {_IN_SERVICE}",
        found=found,
        advice="" if found == _IN_SERVICE else advice,
    )


def _away(subject: Subject) -> str:
    machine = subject.deployed.outputs.get("OffHoursStateMachineArn")
    if machine is None:
        return (
            f"its stack is deployed; after forecast stop: forecast start {subject.settings.name}; "
            "else look who deleted it (DeleteEndpoint in AWS CloudTrail), and run: forecast deploy "
            f"{subject.settings.name} --allow-recreate"
        )
    return (
        "these are its off hours, or somebody deleted it; bring it back: aws stepfunctions "
        f'start-execution --state-machine-arn {machine} --input \'{{"action": "start"}}\''
    )


def _standing(subject: Subject, endpoint: Mapping[str, Any]) -> str:
    status, reason = endpoint["EndpointStatus"], endpoint.get("FailureReason", _NO_REASON)
    if status in IN_TRANSITION:
        return "it has not come to rest: verify again later, or with a longer --wait"
    if status == _MIXED:
        return (
            f"an update failed, and so did its rollback ({reason}): instances of two "
            "configurations may answer; deploy again, or delete the endpoint's stack if that is "
            "refused"
        )
    again = f"forecast deploy {subject.settings.name} --allow-recreate"
    return f"{reason}; SageMaker does nothing with it but delete it: {again}"


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
    again = (
        "deploying the same again changes nothing; deploy another version, or try the same "
        f"rollout again: {rollout_command(name, expected)}"
    )
    if reason is None and not fired:
        return (
            "no alarm fired and SageMaker gives no reason: somebody updated the endpoint past its "
            f"stack (UpdateEndpoint in AWS CloudTrail); put back what was deployed: "
            f"{rollout_command(name, expected)}"
        )
    why = "; ".join(part for part in (fired, reason) if part)
    return f"SageMaker undid the rollout: {why}; {again}"
