"""Settling: waiting until a stack and its endpoint have come to rest."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from forecast_operations.deployed.stacks import is_under_way
from forecast_operations.deployed.statuses import is_in_transition

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from forecast_operations.verifying.subject import Subject

_CLEANING_UP = "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"
"""What was asked for is there; only what it replaced still goes."""

_FIRST_PAUSE_SECONDS = 1.0
_LONGEST_PAUSE_SECONDS = 15.0
_SECONDS_PER_MINUTE = 60
_MARGIN_SECONDS = 900
"""Room for the way back, and for CloudFormation to take note."""

_FIRST_SECONDS = 3600
"""Longest that a container may take to fetch its model or to start (SageMaker API reference,
ProductionVariant); without a rollout that is what takes the time."""


def default_wait_seconds(subject: Subject) -> float:
    """How long to wait unless told: as long as the rollout may take, and the way back."""
    seconds = subject.deployed.rollout_seconds
    return (_FIRST_SECONDS if seconds is None else seconds) + _MARGIN_SECONDS


def wait_until_settled(
    subject: Subject,
    seconds: float,
    say: Callable[[str], None],
    *,
    sleep: Callable[[float], None] = time.sleep,
) -> tuple[Subject, dict[str, Any] | None]:
    """What the stack and the endpoint are once nothing moves any more, or the time is up.

    Only described: it can be interrupted at any time.

    Args:
        subject: What is verified.
        seconds: How long to wait at most; 0: do not wait.
        say: Told what is waited for, whenever that changes.
        sleep: Waits.

    Returns:
        The subject as it is then, and the answer of DescribeEndpoint; None without an endpoint.
    """
    waited, said, pause = 0.0, "", _FIRST_PAUSE_SECONDS
    while True:
        endpoint = subject.live.endpoint(subject.settings.endpoint.name)
        moving = list(_moving(subject, endpoint))
        if not moving or waited >= seconds:
            return subject, endpoint
        if " and ".join(moving) != said:
            said = " and ".join(moving)
            minutes = f"{(seconds - waited) / _SECONDS_PER_MINUTE:.0f}"
            say(f"{said}; waiting up to {minutes} minutes (--wait), and can be interrupted")
        sleep(pause)
        waited += pause
        pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
        subject = subject.looked_at_again()


def _moving(subject: Subject, endpoint: Mapping[str, Any] | None) -> Iterator[str]:
    deployed = subject.deployed
    if is_under_way(deployed.status) and deployed.status != _CLEANING_UP:
        yield f"{deployed.stack} is {deployed.status}"
    if endpoint is not None and is_in_transition(endpoint["EndpointStatus"]):
        yield f"{endpoint['EndpointName']} is {endpoint['EndpointStatus']}{_how_far(endpoint)}"


def _how_far(endpoint: Mapping[str, Any]) -> str:
    """Which part of the new fleet a rollout is at, as SageMaker says it."""
    pending = endpoint.get("PendingDeploymentSummary") or {}
    steps = [
        f"{variant['VariantName']} {status['Status']}"
        for variant in pending.get("ProductionVariants") or ()
        for status in variant.get("VariantStatus") or ()
    ]
    return f" ({', '.join(dict.fromkeys(steps))})" if steps else ""
