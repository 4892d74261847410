"""The consequences of a return, as a person is told of them before it is carried out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forecast_operations.changes.losses import removal
from forecast_operations.changes.resources import protection_changes, resource_changes
from forecast_operations.changes.words import ORDER, reasons, verdict
from forecast_operations.records.card import ranked
from forecast_operations.synthesis.hosted import ENDPOINT, ENDPOINT_CONFIG, hosted_in
from forecast_operations.verifying.subject import rollback_alarms

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from forecast_operations.changes.resources import ResourceChange
    from forecast_operations.returning.plan import Return
    from forecast_operations.updates.proposal import Proposal

_MODEL = "AWS::SageMaker::Model"
_OF_A_VERSION = {
    "AWS::CDK::Metadata": ("Analytics",),
    "AWS::CloudWatch::Dashboard": ("DashboardBody",),
    "AWS::Lambda::Function": ("Code/",),
    ENDPOINT: ("Tags/",),
    ENDPOINT_CONFIG: ("Tags/",),
    _MODEL: ("PrimaryContainer/ModelData", "Tags/"),
}
"""Properties that change with the version itself: its archive, its lineage, its golden request in a
function and in a text of the dashboard."""

_MOST_METRICS = 6
_MOST_RESOURCES = 10
_MOST_PROPERTIES = 3


def consequences(plan: Return, proposal: Proposal) -> Iterator[str]:
    """What a return does, one sentence each, and the way back.

    Args:
        plan: The return.
        proposal: What is deployed by it; its obstacles have been allowed.
    """
    changes = (
        # Nothing is in the way any more: what was is permitted.
        *resource_changes(proposal.deployed, proposal.wanted, (), proposal.stacks),
        *protection_changes(proposal.protection),
    )
    yield from _direction(plan)
    yield from _rollout(plan, proposal, changes)
    if plan.standing.challenger is not None:
        yield (
            f"the comparison with version {plan.standing.challenger.version} ends: one version "
            "answers all requests"
        )
    yield from _metrics(plan)
    yield from _working_copy(plan, changes)
    yield from _locking(plan)


def _direction(plan: Return) -> Iterator[str]:
    record, standing = plan.record, plan.standing
    yield (
        f"version {standing.version} is deployed, version {record.lock.version} was verified on "
        f"{record.started_at:%Y-%m-%d %H:%M} UTC by {record.caller} (record {record.record_id})"
    )
    if plan.resumed:
        yield "an earlier return to it was interrupted, and goes on"
    if standing.failed:
        yield "the last deployment failed, and CloudFormation has put back what was there before it"
    if standing.undone:
        version = "something unknown" if standing.answering is None else standing.answering.version
        yield (
            f"SageMaker has undone the last rollout: {standing.answers} with version {version} "
            f"answers, and not {standing.configuration}"
        )


def _rollout(plan: Return, proposal: Proposal, changes: Sequence[ResourceChange]) -> Iterator[str]:
    """How the endpoint changes, and what would undo that."""
    for step in proposal.steps[:-1]:
        yield f"in a step of its own: {step.title}"
    removed = [removal(each) for each in proposal.obstacles if each.removes is not None]
    yield from removed or [_change(plan, proposal, changes)]


def _change(plan: Return, proposal: Proposal, changes: Sequence[ResourceChange]) -> str:
    """What becomes of an endpoint that is not removed."""
    name, kinds = plan.settings.endpoint.name, {each.kind for each in proposal.obstacles}
    template = proposal.wanted.endpoint
    hosted = None if template is None else hosted_in(template)
    if "away" in kinds:
        return f"the endpoint {name} is made anew, and nothing undoes it: minutes without an answer"
    if all(each.action == "unchanged" for each in changes if each.type == ENDPOINT):
        return (
            f"version {plan.record.lock.version} is the deployed one already: the endpoint stays "
            "as it is, lock and stack are made to agree"
        )
    if "variants" in kinds or hosted is None or not hosted.guarded:
        return f"the endpoint {name} changes all at once, and nothing undoes it"
    by_rollout = f"the endpoint {name} changes by its rollout ({plan.settings.rollout.kind})"
    guarded = template is not None and rollback_alarms(template, hosted)
    return f"{by_rollout}, which its alarms undo" if guarded else by_rollout


def _metrics(plan: Return) -> Iterator[str]:
    known = {name: value for name, value in plan.record.card.metrics.items() if value is not None}
    if known:
        drift = plan.settings.alarms.model_drift
        names = ranked(known, None if drift is None else drift.metric_name)[:_MOST_METRICS]
        shown = ", ".join(f"{name} {known[name]:g}" for name in names)
        yield f"metrics of version {plan.record.lock.version}: {shown}"


def beside_the_version(changes: Sequence[ResourceChange]) -> list[ResourceChange]:
    """What changes for another reason than the version, what a person should look at first."""
    return sorted(
        (each for each in changes if not _is_of_version(each)),
        key=lambda each: (not each.harm, ORDER.index(each.action), each.stack, each.logical_id),
    )


def _working_copy(plan: Return, changes: Sequence[ResourceChange]) -> Iterator[str]:
    """What else is deployed from this working copy."""
    others = beside_the_version(changes)
    if not others:
        return
    yield (
        f"beside the version, all of {plan.path} as it is here is deployed, which changes "
        f"{len(others)} more; all of it: forecast plan {plan.settings.name}"
    )
    for change in others[:_MOST_RESOURCES]:
        why = "; ".join(reasons(change, _MOST_PROPERTIES))
        kind = change.type.removeprefix("AWS::")
        yield f"{verdict(change)}: {change.place} ({kind}){f': {why}' if why else ''}"
    if len(others) > _MOST_RESOURCES:
        yield f"and {len(others) - _MOST_RESOURCES} more"


def _is_of_version(change: ResourceChange) -> bool:
    """Whether a resource changes for no other reason than another version."""
    if change.action in {"new", "removed", "kept"}:
        return False
    if change.action == "replaced" and change.type not in {_MODEL, ENDPOINT_CONFIG}:
        return False
    own = _OF_A_VERSION.get(change.type, ())
    return all(each.follows is not None or each.path.startswith(own) for each in change.properties)


def _locking(plan: Return) -> Iterator[str]:
    """What becomes of the lock, and the way back."""
    name, path, version = plan.settings.name, plan.project.lock_path.name, plan.lock.version
    locked = plan.locked
    if locked is not None and not plan.resumed and not plan.standing.runs(locked):
        yield (
            f"{path} names version {locked.version} here, which is not what is deployed: it was "
            "not deployed yet, its deployment failed, or this working copy is an old one (git pull)"
        )
    left = plan.left
    if left is None or left == version:
        return
    back = f"forecast rollback {name} --to {left}"
    if not plan.leads_back:
        back = f"put {path} back (git), and forecast deploy {name}"
    was = "" if locked is None or locked.version == version else f" instead of {locked.version}"
    yield f"{path} names version {version}{was}; the way back to version {left}: {back}"
