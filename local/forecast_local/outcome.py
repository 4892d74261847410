"""What became of a simulated deployment."""

from collections.abc import Sequence
from dataclasses import dataclass

from moto.cloudformation.models import Event

REFUSED = "REFUSED"
"""Status of a deployment that CloudFormation refused before it began."""


@dataclass(frozen=True)
class StackEvent:
    """An event of a stack, as DescribeStackEvents has it.

    Attributes:
        logical_id: Name of the resource in the template, or the stack's.
        resource_type: Its type.
        status: The status that it reached.
        reason: Why, if a reason was given.
    """

    logical_id: str
    resource_type: str
    status: str
    reason: str | None


@dataclass(frozen=True)
class Outcome:
    """What became of a deployment.

    Attributes:
        status: Final status of the stack, REFUSED, or UNCHANGED.
        events: Its events, oldest first; none of earlier deployments.
        tripped: Alarms that went off on demand while a rollout waited.
        waited_seconds: How long rollouts waited on AWS, in all.
    """

    status: str
    events: tuple[StackEvent, ...]
    tripped: tuple[str, ...]
    waited_seconds: float
    refusal: str | None = None

    @property
    def succeeded(self) -> bool:
        """Whether the stack is as its template says."""
        return self.status in {"CREATE_COMPLETE", "UPDATE_COMPLETE", "UNCHANGED", "DELETE_COMPLETE"}

    @property
    def rolled_back(self) -> bool:
        """Whether the stack is as it was before, all of it."""
        return self.status in {"ROLLBACK_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"}

    @property
    def failure(self) -> StackEvent | None:
        """The first failure of a resource, which is the cause of the rest."""
        for event in self.events:
            if event.status.endswith("_FAILED") and event.reason:
                return event
        return None

    @property
    def reason(self) -> str | None:
        """Why it failed: the words of the refusal or of the first failure; None when it did not."""
        if self.refusal is not None:
            return self.refusal
        return None if self.failure is None else self.failure.reason


def stack_events(events: Sequence[Event]) -> tuple[StackEvent, ...]:
    """Return moto's events of a stack in a plain form."""
    return tuple(
        StackEvent(
            event.logical_resource_id,
            event.resource_type,
            event.resource_status,
            event.resource_status_reason,
        )
        for event in events
    )
