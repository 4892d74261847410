"""What a deployment takes away for good, of which it asks before it begins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forecast_operations.changes import words
from forecast_operations.changes.resources import resource_changes
from forecast_operations.synthesis.hosted import ENDPOINT

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from forecast_operations.updates.obstacles import Obstacle, Permission
    from forecast_operations.updates.proposal import Proposal

_GOING = ("removed", "replaced")


def losses(proposal: Proposal, allowed: Collection[Permission]) -> Iterator[str]:
    """What is removed or replaced with harm, one sentence each; nothing for most deployments.

    Args:
        proposal: What is wanted, and what there is.
        allowed: What is permitted in order to lead around what is in the way.
    """
    removing = [
        each
        for each in proposal.obstacles
        if each.removes is not None and each.permission in allowed
    ]
    yield from (_removal(each) for each in removing)
    changes = resource_changes(proposal.deployed, proposal.wanted, (), proposal.stacks)
    for change in changes:
        named = removing and change.type == ENDPOINT
        if change.action in _GOING and change.harm and not named:
            yield f"{change.place} ({change.type}) is {words.verdict(change)}: {change.harm}"


def _removal(obstacle: Obstacle) -> str:
    if obstacle.kind == "rename":
        return (
            f"the endpoint {obstacle.removes} is removed when the new one is there: whoever still "
            "calls it is cut off"
        )
    return (
        f"the endpoint {obstacle.removes} is removed and made anew: minutes without an answer, in "
        "which its incidents notify nobody"
    )
