"""Change sets as CloudFormation keeps them."""

from collections.abc import Mapping
from typing import Any

from moto.cloudformation.exceptions import CloudFormationError
from moto.cloudformation.models import ChangeSet
from moto.cloudformation.utils import generate_changeset_id
from moto.core.utils import utcnow

from forecast_local.cloudformation.handler import tag_list
from forecast_local.cloudformation.stack import LocalStack
from forecast_local.cloudformation.target import Target


class ChangeSetNotFoundError(CloudFormationError):
    """No change set has this name."""

    code = "ChangeSetNotFound"

    def __init__(self, name: str) -> None:
        super().__init__(f"ChangeSet [{name}] does not exist")


class LocalChangeSet(ChangeSet):
    """A change set in the shape that moto's answers read."""

    def __init__(
        self, stack: LocalStack, *, kind: str, name: str, target: Target, given: Mapping[str, str]
    ) -> None:
        # moto's own initialiser would compare templates with moto's engine.
        self.change_set_type = kind
        self.change_set_id = generate_changeset_id(name, stack.region_name, stack.account_id)
        self.change_set_name = name
        self.stack = stack
        self.stack_id = stack.stack_id
        self.stack_name = stack.name
        self.description = ""
        self.notification_arns = stack.notification_arns
        self.role_arn = stack.role_arn
        self.target = target
        self.template = target.template.body
        self.parameters = dict(given)
        self.tags: Any = tag_list(target.tags)
        self.creation_time = utcnow()
        self.changes: list[Any] = []
        self.status: str | None = "CREATE_COMPLETE"
        self.execution_status: str | None = "AVAILABLE"
        self.status_reason: str | None = None

    def fail(self, reason: str) -> None:
        """Make the change set one that cannot be executed."""
        self.status, self.execution_status, self.status_reason = "FAILED", "UNAVAILABLE", reason


def find_change_set(
    known: Mapping[str, ChangeSet], name: str, stack_name: str | None
) -> LocalChangeSet:
    """Return a change set by its ARN, or by its name and its stack.

    Args:
        known: The change sets by their ids, oldest first.
        name: ARN or name.
        stack_name: Name or id of the stack; None for any.

    Raises:
        ChangeSetNotFoundError: If there is none.
    """
    for change_set in reversed(list(known.values())):
        same_stack = stack_name in {None, change_set.stack_name, change_set.stack_id}
        named = name == change_set.change_set_name and same_stack
        if named or name == change_set.change_set_id:
            assert isinstance(change_set, LocalChangeSet)  # noqa: S101 - only these are stored
            return change_set
    raise ChangeSetNotFoundError(name)
