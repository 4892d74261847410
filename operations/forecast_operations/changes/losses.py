"""What a deployment takes away for good, of which it asks before it begins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forecast_operations.changes import words
from forecast_operations.changes.resources import protection_changes, resource_changes
from forecast_operations.synthesis.hosted import ENDPOINT

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from forecast_operations.updates.obstacles import Obstacle, Permission
    from forecast_operations.updates.proposal import Proposal

_GOING = ("removed", "replaced")


def losses(proposal: Proposal, allowed: Collection[Permission]) -> Iterator[str]:
    """What goes with harm, one sentence each; nothing for most deployments.

    That is an endpoint, a resource that is removed or replaced, and the protection of a stack.

    Args:
        proposal: What is wanted, and what there is.
        allowed: What is permitted in order to lead around what is in the way.
    """
    removing = [
        each
        for each in proposal.obstacles
        if each.removes is not None and each.permission in allowed
    ]
    yield from (removal(each) for each in removing)
    changes = resource_changes(proposal.deployed, proposal.wanted, (), proposal.stacks)
    for change in changes:
        named = removing and change.type == ENDPOINT
        if change.action in _GOING and change.harm and not named:
            yield f"{change.place} ({change.type}) is {words.verdict(change)}: {change.harm}"
    for change in protection_changes(proposal.protection):
        if change.harm:
            yield f"{change.place} loses its termination protection: {change.harm}"


def removal(obstacle: Obstacle) -> str:
    """What it means that an endpoint is removed.

    Args:
        obstacle: What is in the way, and removes the endpoint when it is permitted.
    """
    if obstacle.kind == "rename":
        return (
            f"the endpoint {obstacle.removes} is removed when the new one is there: whoever still "
            "calls it is cut off"
        )
    return (
        f"the endpoint {obstacle.removes} is removed and made anew: minutes without an answer, in "
        "which its incidents notify nobody"
    )
