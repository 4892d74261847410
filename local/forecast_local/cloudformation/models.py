"""The CloudFormation backend: moto's store of stacks with this project's engine behind it."""

from collections.abc import Mapping
from typing import Any

from moto.cloudformation.exceptions import (
    AlreadyExistsException,
    ValidationError,
)
from moto.cloudformation.models import CloudFormationBackend, Stack
from moto.cloudformation.utils import generate_stack_id
from moto.utilities.utils import get_partition

from forecast_local import context
from forecast_local.cloudformation import exports
from forecast_local.cloudformation.changes import preview
from forecast_local.cloudformation.changesets import LocalChangeSet, find_change_set
from forecast_local.cloudformation.handler import StackIdentity
from forecast_local.cloudformation.stack import LocalStack, Operation
from forecast_local.cloudformation.target import Output, Target, build_target
from forecast_local.cloudformation.template import Template, TemplateError

_UPDATABLE = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"})
_NO_CHANGES = (
    "The submitted information didn't contain changes. Submit different information to create a "
    "change set."
)


class LocalCloudFormationBackend(CloudFormationBackend):
    """The stacks of one account and region.

    moto's implementations of creating, updating and deleting stacks and of change sets are
    replaced: they skip types they do not know, update in place what CloudFormation replaces, and
    leave a failed stack without events. Stack sets remain moto's.
    """

    def create_stack(  # noqa: PLR0917 - moto's signature
        self,
        name: str,
        template: str,
        parameters: dict[str, Any],
        notification_arns: list[str] | None = None,
        tags: dict[str, str] | None = None,
        role_arn: str | None = None,
        enable_termination_protection: bool | None = False,  # noqa: FBT001, FBT002 - moto's signature
        timeout_in_mins: int | None = None,  # noqa: ARG002 - moto's signature
        stack_policy_body: str | None = None,
    ) -> Stack:
        """Check the request and start the creation of a stack."""
        if self._find(name) is not None:
            raise AlreadyExistsException(f"Stack [{name}] already exists")
        stack = self._new_stack(
            name,
            tags=tags or {},
            notification_arns=notification_arns or [],
            role_arn=role_arn,
            termination_protection=bool(enable_termination_protection),
        )
        stack.policy = stack_policy_body or ""
        target = self._target(stack, template, parameters, stack.tags)
        self.stacks[stack.stack_id] = stack
        self._start_creation(stack, target, parameters)
        return stack

    def update_stack(
        self,
        name: str,
        template: str,
        role_arn: str | None,
        parameters: list[dict[str, Any]],
        tags: dict[str, str] | None,
    ) -> Stack:
        """Check the request and start an update.

        Raises:
            ValidationError: If the stack is busy or broken, or nothing would change.
        """
        stack = self.local_stack(name)
        given = self._resolve_update_parameters(stack, parameters)
        target = self._target(stack, template, given, stack.tags if tags is None else tags)
        self._require_updatable(stack)
        if self._is_unchanged(stack, target):
            raise ValidationError(message="No updates are to be performed.")
        stack.role_arn = role_arn
        self._start_update(stack, target, given)
        return stack

    def delete_stack(self, name_or_stack_id: str) -> None:
        """Start the deletion of a stack; one that does not exist is no error."""
        stack = self._find(name_or_stack_id)
        if stack is None:
            return
        if stack.enable_termination_protection:
            raise ValidationError(
                message=f"Stack [{stack.name}] cannot be deleted while TerminationProtection is "
                "enabled"
            )
        if stack.is_busy:
            raise ValidationError(message=f"Stack [{stack.name}] is in {stack.status} state")
        exports.require_unused(self.stacks.values(), stack, keep={})
        empty = Target(Template("", {}), {}, {}, {})
        operation = Operation(stack, empty, lambda _: None)

        def work() -> None:
            operation.delete()
            if stack.status == "DELETE_COMPLETE":
                self.deleted_stacks[stack.stack_id] = self.stacks.pop(stack.stack_id)
                stack.found_outputs = []
                self._publish_exports()

        stack.set_status("DELETE_IN_PROGRESS", "User Initiated")
        stack.start(work)

    def prepare_change_set(
        self, request: Mapping[str, Any], template: str | None, tags: dict[str, str] | None
    ) -> LocalChangeSet:
        """Create a change set.

        Args:
            request: Parameters of CreateChangeSet.
            template: The template's text; None keeps the stack's.
            tags: Tags of the stack; None keeps the stack's.

        Returns:
            The change set, failed when there is nothing to change.
        """
        name, kind = request["StackName"], request.get("ChangeSetType", "UPDATE")
        if kind not in {"CREATE", "UPDATE"}:
            raise ValidationError(message=f"the local AWS has no change sets of type {kind}")
        stack = self._stack_for_change_set(name, kind, request, tags)
        given = self._resolve_update_parameters(stack, request.get("Parameters", []))
        body = stack.body if template is None else template
        target = self._target(stack, body, given, stack.tags if tags is None else tags)
        change_set = LocalChangeSet(
            stack, kind=kind, name=request["ChangeSetName"], target=target, given=given
        )
        change_set.description = request.get("Description", "")
        if kind == "UPDATE" and self._is_unchanged(stack, target):
            change_set.fail(_NO_CHANGES)
        else:
            try:
                change_set.changes = preview(target, stack.resources)
            except TemplateError as error:
                change_set.fail(str(error))
        self.stacks[stack.stack_id] = stack
        self.change_sets[change_set.change_set_id] = change_set
        return change_set

    def execute_change_set(self, change_set_name: str, stack_name: str | None = None) -> None:
        """Start what a change set announced."""
        change_set = find_change_set(self.change_sets, change_set_name, stack_name)
        if change_set.execution_status != "AVAILABLE":
            raise ValidationError(
                message=f"ChangeSet [{change_set.change_set_id}] cannot be executed in its current "
                f"status of [{change_set.status}]"
            )
        stack = self.local_stack(change_set.stack_id)
        if change_set.change_set_type == "UPDATE":
            self._require_updatable(stack)
        for other in self.change_sets.values():
            if other.stack_id == stack.stack_id:
                other.execution_status = "OBSOLETE"
        change_set.execution_status = "EXECUTE_COMPLETE"
        start = self._start_creation
        if change_set.change_set_type == "UPDATE":
            start = self._start_update
        start(stack, change_set.target, change_set.parameters)

    def local_stack(self, name: str) -> LocalStack:
        """Return a stack that exists.

        Raises:
            ValidationError: If there is none.
        """
        stack = self._find(name)
        if stack is None:
            raise ValidationError(name)
        return stack

    def _find(self, name_or_id: str) -> LocalStack | None:
        for stack in self.stacks.values():
            if name_or_id in {stack.name, stack.stack_id}:
                assert isinstance(stack, LocalStack)  # noqa: S101 - only these are stored
                return stack
        return None

    def _new_stack(self, name: str, **options: Any) -> LocalStack:
        identity = StackIdentity(
            name=name,
            stack_id=generate_stack_id(name, self.region_name, self.account_id),
            account=self.account_id,
            region=self.region_name,
            partition=get_partition(self.region_name),
            clients=context.current().clients,
        )
        return LocalStack(identity, **options)

    def _stack_for_change_set(
        self, name: str, kind: str, request: Mapping[str, Any], tags: dict[str, str] | None
    ) -> LocalStack:
        stack = self._find(name)
        if kind == "UPDATE":
            stack = self.local_stack(name)
            if stack.status == "REVIEW_IN_PROGRESS":
                raise ValidationError(name)
            return stack
        if stack is not None:
            if stack.status != "REVIEW_IN_PROGRESS":
                raise AlreadyExistsException(f"Stack [{name}] already exists")
            return stack
        stack = self._new_stack(
            name,
            tags=tags or {},
            notification_arns=request.get("NotificationARNs", []),
            role_arn=request.get("RoleARN"),
            termination_protection=False,
        )
        stack.set_status("REVIEW_IN_PROGRESS", "User Initiated")
        return stack

    def _target(
        self,
        stack: LocalStack,
        body: str,
        given: Mapping[str, str],
        tags: Mapping[str, str],
    ) -> Target:
        exported = {name: export.value for name, export in self.exports.items()}
        try:
            return build_target(
                stack.identity,
                body=body,
                given=given,
                tags=tags,
                exports=exported,
                resources=stack.resources,
            )
        except TemplateError as error:
            raise ValidationError(message=str(error)) from error

    def _require_updatable(self, stack: LocalStack) -> None:
        if stack.status not in _UPDATABLE:
            raise ValidationError(
                message=f"Stack:{stack.stack_id} is in {stack.status} state and can not be updated."
            )

    def _is_unchanged(self, stack: LocalStack, target: Target) -> bool:
        if not stack.body:
            return False
        same_template = Template.parse(stack.body).document == target.template.document
        same_names = stack.names == dict(target.names)
        return same_template and same_names and stack.tags == dict(target.tags)

    def _remember(self, stack: LocalStack, target: Target, given: Mapping[str, str]) -> None:
        declared = target.template.section("Parameters")
        stack.parameters = {
            key: str(given.get(key, definition.get("Default")))
            for key, definition in declared.items()
        }
        hidden = [
            key for key, item in declared.items() if str(item.get("NoEcho")).lower() == "true"
        ]
        stack.hidden = set(hidden)

    def _start_creation(self, stack: LocalStack, target: Target, given: Mapping[str, str]) -> None:
        self._remember(stack, target, given)
        stack.template = target.template.body
        stack.description = target.template.description
        operation = Operation(stack, target, lambda outputs: self._accept(stack, outputs))
        stack.set_status("CREATE_IN_PROGRESS", "User Initiated")

        def work() -> None:
            operation.create()
            self._publish_exports()

        stack.start(work)

    def _start_update(self, stack: LocalStack, target: Target, given: Mapping[str, str]) -> None:
        operation = Operation(stack, target, lambda outputs: self._accept(stack, outputs))
        stack.set_status("UPDATE_IN_PROGRESS", "User Initiated")

        def work() -> None:
            operation.update()
            if stack.status == "UPDATE_COMPLETE":
                self._remember(stack, target, given)
            self._publish_exports()

        stack.start(work)

    def _accept(self, stack: LocalStack, outputs: list[Output]) -> None:
        """Refuse outputs that would break another stack."""
        exports.require_free(self.exports, stack, outputs)
        named = {output.export_name: output.value for output in outputs if output.export_name}
        exports.require_unused(self.stacks.values(), stack, keep=named)

    def _publish_exports(self) -> None:
        found = [export for stack in list(self.stacks.values()) for export in stack.exports]
        self.exports.clear()
        self.exports.update({export.name: export for export in found})
