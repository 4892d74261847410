"""A stack: what it owns, what happened to it, and the operation that is under way."""

import logging
import threading
import uuid
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from moto.cloudformation.models import Event, Stack
from moto.cloudformation.parsing import Export
from moto.core.utils import utcnow

from forecast_local import context
from forecast_local.cloudformation.calls import DeploymentError, Report
from forecast_local.cloudformation.engine import Deployment
from forecast_local.cloudformation.handler import ResourceError, StackIdentity
from forecast_local.cloudformation.plan import Resource
from forecast_local.cloudformation.target import Output, Target
from forecast_local.cloudformation.template import TemplateError

if TYPE_CHECKING:
    from datetime import datetime

_LOG = logging.getLogger(__name__)

# A request waits this long for its operation, so that a small one is over when it is answered.
_PATIENCE_SECONDS = 1.0


class LocalStack(Stack):
    """A stack deployed by this project's engine, in the shape that moto's answers read.

    Args:
        identity: Name and place of the stack.
        tags: Tags of the stack.
        notification_arns: Topics that its events are sent to.
        role_arn: The role passed with the request; nothing is done with it.
        termination_protection: Whether DeleteStack is refused.
    """

    def __init__(
        self,
        identity: StackIdentity,
        *,
        tags: Mapping[str, str],
        notification_arns: list[str],
        role_arn: str | None,
        termination_protection: bool,
    ) -> None:
        # moto's own initialiser would parse the template with moto's engine.
        self.identity = identity
        self.stack_id = identity.stack_id
        self.name = identity.name
        self.account_id = identity.account
        self.region_name = identity.region
        self.tags = dict(tags)
        self.notification_arns = notification_arns
        self.role_arn = role_arn
        self.enable_termination_protection = termination_protection
        self.events: list[Event] = []
        self.operation_id = ""
        self.template = ""
        self.description: str | None = None
        self.parameters: dict[str, str] = {}
        self.names: dict[str, Any] = {}
        self.hidden: set[str] = set()
        self.resources: dict[str, Resource] = {}
        self.found_outputs: list[Output] = []
        self.imported: set[str] = set()
        self.status = "CREATE_PENDING"
        self.stack_status_reason: str | None = None
        self.creation_time = utcnow()
        self.last_updated_time: datetime | None = None
        self.deletion_time: datetime | None = None
        self.disable_rollback = False
        self.timeout_in_minutes = None
        self.policy = ""
        self.worker: threading.Thread | None = None

    @staticmethod
    def cloudformation_name_type() -> str:
        """No property names a stack."""
        return ""

    def is_created(self) -> bool:
        """Whether the creation is over; moto asks for nested stacks only."""
        return not self.is_busy

    @property
    def body(self) -> str:
        """The template's text."""
        return str(self.template)

    @property
    def is_busy(self) -> bool:
        """Whether an operation is under way."""
        return self.status.endswith("_IN_PROGRESS") and self.status != "REVIEW_IN_PROGRESS"

    @property
    def parameter_list(self) -> list[dict[str, Any]]:
        """The parameters in the shape of DescribeStacks."""
        return [
            {
                "ParameterKey": key,
                "ParameterValue": "****" if key in self.hidden else value,
                **(
                    {}
                    if self.names.get(key) == value
                    else {"ResolvedValue": str(self.names.get(key))}
                ),
            }
            for key, value in self.parameters.items()
        ]

    @property
    def stack_parameters(self) -> dict[str, Any]:
        """The parameters as they were given, defaults filled in."""
        return dict(self.parameters)

    @property
    def stack_resources(self) -> Any:
        """The resources that exist."""
        return list(self.resources.values())

    @property
    def outputs(self) -> list[dict[str, Any]] | None:
        """The outputs in the shape of DescribeStacks."""
        found = [
            {
                "OutputKey": output.key,
                "OutputValue": output.value,
                "Description": output.description,
                "ExportName": output.export_name,
            }
            for output in self.found_outputs
        ]
        return found or None

    @property
    def exports(self) -> list[Export]:
        """The outputs that other stacks can import."""
        return [
            Export(self.stack_id, output.export_name, output.value)
            for output in self.found_outputs
            if output.export_name is not None
        ]

    @property
    def template_description(self) -> str | None:
        """The template's description, as ListStacks reads it."""
        return self.description

    def set_status(self, status: str, reason: str | None = None) -> None:
        """Enter a status and record the event of it.

        A rollback is an operation of its own, as on AWS: clients tell by it which events belong
        together.
        """
        if status.endswith("_IN_PROGRESS") and "CLEANUP" not in status:
            self.operation_id = str(uuid.uuid4())
        self.stack_status_reason = reason
        self._add_stack_event(status, resource_status_reason=reason)
        self._stamp_last_event()
        self.status = status

    def report(self, resource: Resource, status: str, reason: str | None = None) -> None:
        """Record the event of a resource."""
        event = Event(
            stack_id=self.stack_id,
            stack_name=self.name,
            logical_resource_id=resource.logical_resource_id,
            physical_resource_id=resource.physical_resource_id,
            resource_type=resource.cf_resource_type,
            resource_status=status,
            resource_status_reason=reason,
            resource_properties=None,
        )
        self.events.append(event)
        self._stamp_last_event()

    def _stamp_last_event(self) -> None:
        """Give an event its operation, and a time of its own: its order is seen by it alone."""
        self.events[-1].operation_id = self.operation_id  # type: ignore[attr-defined] # moto lacks it
        if len(self.events) > 1:
            earliest = self.events[-2].timestamp + timedelta(milliseconds=1)
            self.events[-1].timestamp = max(self.events[-1].timestamp, earliest)

    def start(self, work: Callable[[], None]) -> None:
        """Run an operation in the background; wait a little in case it is short."""

        def guarded() -> None:
            try:
                work()
            except Exception as error:  # noqa: BLE001 - whatever it is, the stack must not stay busy
                _LOG.exception("operation on stack %s failed", self.name)
                final = self.status.replace("_IN_PROGRESS", "_FAILED")
                self.set_status(final, f"Internal failure: {type(error).__name__}: {error}")

        if context.current().is_simulated:
            guarded()
            return
        self.worker = threading.Thread(target=guarded, name=f"stack-{self.name}", daemon=True)
        self.worker.start()
        self.worker.join(_PATIENCE_SECONDS)


class Operation:
    """A create, an update or a deletion of a stack, from its first event to its last.

    Args:
        stack: The stack.
        target: What it shall become.
        accept: Called with the outputs before anything old is deleted; raises TemplateError to
            refuse them.
    """

    def __init__(
        self, stack: LocalStack, target: Target, accept: Callable[[list[Output]], None]
    ) -> None:
        self._stack = stack
        self._target = target
        self._accept = accept

    def create(self) -> None:
        """Create everything; on failure delete it again."""
        stack = self._stack
        deployment = self._deployment(stack.report)
        try:
            outputs = self._advance(deployment)
        except (DeploymentError, TemplateError, ResourceError) as error:
            stack.set_status("ROLLBACK_IN_PROGRESS", f"{error} Rollback requested by user.")
            complete = deployment.roll_back()
            stack.set_status("ROLLBACK_COMPLETE" if complete else "ROLLBACK_FAILED")
            return
        self._adopt(deployment, outputs)
        stack.set_status("CREATE_COMPLETE")

    def update(self) -> None:
        """Update in place, replace and clean up; on failure restore what was there."""
        stack = self._stack
        deployment = self._deployment(stack.report)
        try:
            outputs = self._advance(deployment)
        except (DeploymentError, TemplateError, ResourceError) as error:
            stack.set_status("UPDATE_ROLLBACK_IN_PROGRESS", str(error))
            complete = deployment.roll_back()
            if complete:
                stack.set_status("UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS")
                stack.set_status("UPDATE_ROLLBACK_COMPLETE")
            else:
                stack.set_status("UPDATE_ROLLBACK_FAILED", "see the events of the resources")
            return
        self._adopt(deployment, outputs)
        stack.last_updated_time = utcnow()
        stack.set_status("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
        deployment.clean_up()
        stack.set_status("UPDATE_COMPLETE")

    def delete(self) -> None:
        """Delete everything, newest first."""
        stack = self._stack
        deployment = self._deployment(stack.report)
        failed = []
        for logical_id in reversed(list(stack.resources)):
            if deployment.delete(stack.resources[logical_id]):
                del stack.resources[logical_id]
            else:
                failed.append(logical_id)
        if failed:
            stack.set_status(
                "DELETE_FAILED",
                f"The following resource(s) failed to delete: [{', '.join(failed)}].",
            )
            return
        stack.deletion_time = utcnow()
        stack.set_status("DELETE_COMPLETE")

    def _deployment(self, report: Report) -> Deployment:
        stack = self._stack
        return Deployment(stack.identity, self._target, stack.resources, report)

    def _advance(self, deployment: Deployment) -> list[Output]:
        deployment.apply()
        outputs = deployment.outputs()
        self._accept(outputs)
        return outputs

    def _adopt(self, deployment: Deployment, outputs: list[Output]) -> None:
        stack, target = self._stack, self._target
        stack.resources = deployment.resources
        stack.found_outputs = outputs
        stack.imported = set(deployment.scope.imported)
        stack.template = target.template.body
        stack.description = target.template.description
        stack.tags = dict(target.tags)
        stack.names = dict(target.names)
