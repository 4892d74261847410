"""Stacks that no update can begin in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from forecast_operations.deployed.stacks import (
    is_made_anew,
    is_stuck,
    is_under_way,
    status_of,
    way_out,
)
from forecast_operations.updates.obstacles import Obstacle

if TYPE_CHECKING:
    from collections.abc import Mapping


def find_stack_obstacle(name: str, stack: Mapping[str, Any] | None, region: str) -> Obstacle | None:
    """Why a stack cannot be updated; None when it can, or when it will be made.

    Args:
        name: Its name.
        stack: The answer of DescribeStacks; None without such a stack.
        region: Its region.
    """
    if stack is None or is_made_anew(stack) or not is_stuck(status_of(stack)):
        return None
    status = status_of(stack)
    passing = is_under_way(status)
    return Obstacle(
        "busy" if passing else "stuck",
        f"the stack {name} is {status}: CloudFormation updates no stack in this state",
        (way_out(name, stack, region),),
        None,
        passing=passing,
    )
