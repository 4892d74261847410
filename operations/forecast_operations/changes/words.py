"""A plan in words: the cells and sentences that its text and its Markdown have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forecast_operations.changes.sides import NOTHING
from forecast_operations.synthesis.references import short_id
from forecast_operations.updates.obstacles import OPTIONS

if TYPE_CHECKING:
    from forecast_operations.changes.models import ModelChange
    from forecast_operations.changes.plan import Plan
    from forecast_operations.changes.resources import Action, PropertyChange, ResourceChange
    from forecast_operations.changes.rollout import Timeline
    from forecast_operations.updates.obstacles import Obstacle

ResourceRow = tuple[str, str, str, tuple[str, ...]]
"""What happens, to which resources, of which type, and why."""

ORDER: tuple[Action, ...] = (
    "replaced",
    "removed",
    "kept",
    "unknown",
    "in place",
    "new",
    "unchanged",
)
"""The actions, those first that a reviewer should look at."""

_TAGS = "Tags/"


def headline(plan: Plan) -> str:
    """The plan in one line, without the name of its environment."""
    if plan.is_empty and not plan.over_budget:
        return "no changes: what is deployed is what is wanted"
    parts = [_outcome(plan), *(_short_version(each) for each in plan.models if not each.is_same)]
    counts = [f"{plan.counts[each]} {each}" for each in ORDER if plan.counts.get(each)]
    if plan.resources:
        parts.append(f"resources: {', '.join(counts)}")
    elif plan.outputs:
        parts.append(f"nothing but outputs changes ({', '.join(plan.outputs)})")
    return "; ".join(parts)


def _outcome(plan: Plan) -> str:
    blocked = len(plan.obstacles)
    if blocked:
        return f"blocked by {blocked} {'thing' if blocked == 1 else 'things'} in the way"
    if plan.over_budget:
        return "over its budget"
    if plan.permitted:
        return "can be deployed as it is permitted"
    return "the first deployment" if plan.is_first else "can be deployed"


def _short_version(change: ModelChange) -> str:
    old = None if change.before is None else change.before.version
    new = None if change.after is None else change.after.version
    if old is None:
        return f"{change.role} version {new}"
    if new is None:
        return f"no {change.role} any more, was version {old}"
    if old == new:
        return f"{change.role} version {new}, packed anew"
    return f"{change.role} version {old} -> {new}"


def verdict(change: ResourceChange) -> str:
    """What happens to a resource in one or two words."""
    if change.blocked:
        return "blocked"
    if change.action == "replaced" and not change.certain:
        return "perhaps replaced"
    return "changed" if change.action == "unknown" else change.action


def ordered(plan: Plan) -> list[ResourceChange]:
    """The resources, those first that a reviewer should look at."""
    return sorted(
        plan.resources,
        key=lambda each: (
            not each.blocked,
            ORDER.index(each.action),
            not each.harm,
            each.stack,
            each.logical_id,
        ),
    )


def resource_rows(plan: Plan, most: int) -> list[ResourceRow]:
    """What happens to each resource; what is new stands together by its type.

    Args:
        plan: The plan.
        most: How many properties of a resource at most.
    """
    rows: list[ResourceRow] = []
    new: dict[tuple[str, str], list[str]] = {}
    for change in ordered(plan):
        if change.action == "new" and not change.blocked:
            new.setdefault((change.stack, change.type), []).append(change.name)
            continue
        why = tuple(reasons(change, most))
        rows.append((verdict(change), change.place, _kind(change.type), why))
    for (stack, kind), names in new.items():
        count = f"{len(names)} " if len(names) > 1 else ""
        rows.append(("new", f"{stack}/{', '.join(names)}", f"{count}{_kind(kind)}", ()))
    return rows


def _kind(type_name: str) -> str:
    return type_name.removeprefix("AWS::")


def reasons(change: ResourceChange, most: int | None = None) -> list[str]:
    """Why a resource changes, a line each: the decisive properties first, then what is lost.

    Args:
        change: The change.
        most: How many properties at most; None: all.
    """
    lines = []
    if change.action == "kept":
        lines.append("it leaves its stack and stays in the account (DeletionPolicy)")
    if change.action == "unknown":
        lines.append("whether CloudFormation replaces it is not known here for its type")
    decisive = sorted(
        change.properties, key=lambda each: (not each.replaces, each.path.startswith(_TAGS))
    )
    shown = [property_text(each) for each in decisive[:most]]
    more = len(decisive) - len(shown)
    lines += [*shown, f"and {more} more"] if more else shown
    if change.harm:
        lines.append(f"note: {change.harm}")
    return lines


def property_text(change: PropertyChange) -> str:
    """One property: old and new value, or what it follows."""
    mark = " (replaces it)" if change.replaces else ""
    if change.follows is not None:
        return f"{change.path} follows {short_id(change.follows)}, which is replaced{mark}"
    before = NOTHING if change.before is None else change.before
    after = NOTHING if change.after is None else change.after
    path = change.path.removesuffix("/Value") if change.path.startswith(_TAGS) else change.path
    return f"{path}: {before} -> {after}{mark}"


def option(obstacle: Obstacle) -> str:
    """The option that permits an obstacle to be led around; empty where none does."""
    return "" if obstacle.permission is None else OPTIONS[obstacle.permission]


def moment_text(seconds: int) -> str:
    """A moment of a time line."""
    minutes, rest = divmod(seconds, 60)
    return f"{minutes} min" if not rest else f"{minutes} min {rest} s"


def undoing(timeline: Timeline) -> str | None:
    """What would undo a rollout; None where there is none to undo."""
    if not timeline.moments:
        return None
    when = []
    if timeline.alarms:
        when.append(f"one of its alarms fires ({', '.join(timeline.alarms)})")
    if timeline.timeout_seconds is not None:
        when.append(f"it has not ended after {moment_text(timeline.timeout_seconds)}")
    if not when:
        return "nothing undoes it"
    return f"it is undone when {' or '.join(when)}"
