"""The states of a stack: which of them an update cannot begin in, and the way out of them.

Sources: AWS CloudFormation user guide, "Stack status codes"; AWS CDK CLI reference, `cdk deploy`
(what failed to be created is deleted and made again) and `cdk rollback`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

NEVER_MADE = "ROLLBACK_COMPLETE"
"""The first deployment failed, and nothing of it is left."""

UNDONE = "UPDATE_ROLLBACK_COMPLETE"
"""The last update failed, and what was there before it is there again."""

_DELETE_FIRST = (NEVER_MADE, "ROLLBACK_FAILED", "DELETE_FAILED")
"""States that a stack leaves by its deletion only."""

_ROLL_BACK_FIRST = ("UPDATE_ROLLBACK_FAILED", "UPDATE_FAILED", "CREATE_FAILED")
"""States that `cdk rollback` leads out of."""

_PLANNED = "REVIEW_IN_PROGRESS"
"""A change set was made for a stack that does not exist yet; the CDK goes on from there."""

_NOT_THERE = (NEVER_MADE, _PLANNED, "DELETE_COMPLETE")
"""States in which a stack has no resources."""

_UNDER_WAY = "_IN_PROGRESS"


def is_under_way(status: str) -> bool:
    """Whether a deployment of a stack is under way."""
    return status.endswith(_UNDER_WAY) and status != _PLANNED


def is_stuck(status: str) -> bool:
    """Whether a stack in a state can neither be used nor updated as it is."""
    return status in (*_DELETE_FIRST, *_ROLL_BACK_FIRST) or is_under_way(status)


def is_made_anew(stack: Mapping[str, Any]) -> bool:
    """Whether `cdk deploy` deletes what is left of a stack, and makes it again."""
    return status_of(stack) == NEVER_MADE and not is_protected(stack)


def is_there(stack: Mapping[str, Any] | None) -> bool:
    """Whether a stack has anything that an update would change.

    Args:
        stack: The answer of DescribeStacks; None without such a stack.
    """
    return stack is not None and status_of(stack) not in _NOT_THERE


def status_of(stack: Mapping[str, Any]) -> str:
    """The state of a stack."""
    return str(stack.get("StackStatus", ""))


def is_protected(stack: Mapping[str, Any]) -> bool:
    """Whether a stack refuses its deletion."""
    return bool(stack.get("EnableTerminationProtection"))


def way_out(name: str, stack: Mapping[str, Any], region: str) -> str:
    """What to do about a stack that is stuck.

    Args:
        name: Its name.
        stack: The answer of DescribeStacks.
        region: Its region.
    """
    status = status_of(stack)
    events = events_command(name, region)
    if status in _ROLL_BACK_FIRST:
        return (
            f"repair what the events name ({events}), then: npx cdk rollback {name} (--orphan "
            "LOGICAL_ID for what cannot come back; it needs bootstrap version 23)"
        )
    if status in _DELETE_FIRST:
        protected = " after its termination protection is off" if is_protected(stack) else ""
        return f"find the first failure ({events}), then delete the stack{protected}"
    return "wait for it: another deployment is under way"


def events_command(name: str, region: str) -> str:
    """The command that shows why a deployment of a stack failed."""
    return f"aws cloudformation describe-stack-events --stack-name {name} --region {region}"
