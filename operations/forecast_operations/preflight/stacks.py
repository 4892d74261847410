"""The environment's stacks and its endpoint: whether they are in a state that can change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from forecast_operations.deployed.place import Place
from forecast_operations.deployed.stacks import (
    events_command,
    is_made_anew,
    is_protected,
    is_stuck,
    status_of,
    way_out,
)
from forecast_operations.deployed.statuses import IN_SERVICE, way_back
from forecast_operations.deployed.statuses import way_out as way_on
from forecast_operations.preflight.finding import failed, ok, warning
from forecast_operations.synthesis.hosted import hosted_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forecast_operations.preflight.finding import Finding
    from forecast_operations.preflight.surroundings import Surroundings


def look_at_stacks(around: Surroundings) -> Iterator[Finding]:
    """Whether each stack is there and at rest, or not there at all."""
    for name, stack in around.stacks.items():
        if stack is None:
            yield ok(f"stack {name}", "not deployed yet", "at rest, or not there")
        else:
            yield _check_status(name, stack, around.region)


def look_at_protection(around: Surroundings) -> Iterator[Finding]:
    """Whether the stacks refuse their deletion as the configuration says."""
    wanted = around.settings.termination_protection
    said = "on" if wanted else "off"
    for name, stack in around.stacks.items():
        if stack is None or not around.is_deployed(name):
            continue
        check, expected = f"termination protection of {name}", f"{said}, as configured"
        if is_protected(stack) == wanted:
            yield ok(check, said, expected)
        else:
            advice = "deploy: the CDK sets it; find out who changed it (CloudTrail)"
            yield warning(check, "off" if wanted else "on", expected, advice)


def look_at_endpoint(around: Surroundings) -> Iterator[Finding]:
    """Whether the endpoint, where there is one, can be updated now."""
    name, endpoint = around.endpoint_name, around.endpoint
    check, expected = "endpoint", "InService, or not there"
    if endpoint is None:
        yield _check_absence(around)
        return
    status = endpoint["EndpointStatus"]
    if status == IN_SERVICE:
        yield ok(check, f"{name} is InService", expected)
        return
    reason = endpoint.get("FailureReason")
    found = f"{name} is {status}" + (f": {reason}" if reason else "")
    yield failed(check, found, expected, way_on(around.settings.name, name, status, around.region))


def _check_status(name: str, stack: dict[str, Any], region: str) -> Finding:
    status = status_of(stack)
    check, expected = f"stack {name}", "at rest, or not there"
    if is_made_anew(stack):
        advice = (
            f"find the first failure ({events_command(name, region)}); the next deployment deletes "
            "what is left and makes it anew"
        )
        return warning(check, status, expected, advice)
    if not is_stuck(status):
        return ok(check, status, expected)
    return failed(check, status, expected, way_out(name, stack, region))


def _check_absence(around: Surroundings) -> Finding:
    check, expected = "endpoint", "InService, or not there"
    stack = around.stack_names[1]
    template = around.live.template(stack) if around.is_deployed(stack) else None
    if template is None or hosted_in(template) is None:
        return ok(check, f"no {around.endpoint_name} yet", expected)
    machine = Place(around.settings, around.live).off_hours_machine()
    advice = way_back(around.settings.name, machine, around.region)
    found = f"{around.endpoint_name} is away, though {stack} is deployed"
    return failed(check, found, "InService, as its stack is deployed", advice)
