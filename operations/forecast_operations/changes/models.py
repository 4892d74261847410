"""Which model version replaces which: what is known of both, and how they differ."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from forecast_operations.changes.versions import ROLES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from forecast_operations.changes.versions import Role, TaggedVersion
    from forecast_operations.records.record import ModelCard


@dataclass(frozen=True)
class Knowledge:
    """What is known of a model version besides its tags.

    Attributes:
        source: Where that is from, or why it is not known and what to do.
        card: Its metrics and its signature; None when they are not known.
        trained_at: When its training began, in UTC; None when that is not known.
    """

    source: str
    card: ModelCard | None = None
    trained_at: str | None = None


@dataclass(frozen=True)
class MetricChange:
    """One metric of both versions.

    Attributes:
        name: Its name.
        before: Of the version that goes; None where it has none.
        after: Of the version that comes; None where it has none.
    """

    name: str
    before: float | None
    after: float | None

    @property
    def difference(self) -> float | None:
        """What it rises by; None where one of them is not there."""
        if self.before is None or self.after is None:
            return None
        return self.after - self.before


@dataclass(frozen=True)
class ModelChange:
    """One role before and after.

    Attributes:
        role: The role.
        before: The version that goes; None for a role that was not filled.
        after: The version that comes; None for a role that is given up.
        known_before: What is known of the one.
        known_after: What is known of the other.
        metrics: Metrics of both, by name.
        signature: How their signatures differ, one sentence each; None when that is not known.
    """

    role: Role
    before: TaggedVersion | None
    after: TaggedVersion | None
    known_before: Knowledge | None = None
    known_after: Knowledge | None = None
    metrics: tuple[MetricChange, ...] = ()
    signature: tuple[str, ...] | None = None

    @property
    def is_same(self) -> bool:
        """Whether the archive stays the same one."""
        if self.before is None or self.after is None:
            return False
        if self.before.archive_digest is None or self.after.archive_digest is None:
            return self.before == self.after
        return self.before.archive_digest == self.after.archive_digest


Known = tuple["TaggedVersion", "Knowledge | None"]
"""A version and what is known of it."""


def model_changes(
    before: Mapping[Role, Known], after: Mapping[Role, Known]
) -> tuple[ModelChange, ...]:
    """Each role that is filled before or after.

    Args:
        before: What serves now, by role.
        after: What is wanted, by role.
    """
    return tuple(
        _change(role, before.get(role), after.get(role))
        for role in ROLES
        if role in before or role in after
    )


def _change(role: Role, before: Known | None, after: Known | None) -> ModelChange:
    old, known_old = before or (None, None)
    new, known_new = after or (None, None)
    change = ModelChange(role, old, new, known_old, known_new)
    if change.is_same:
        return change
    old_card = None if known_old is None else known_old.card
    new_card = None if known_new is None else known_new.card
    signature = None
    if old_card is not None and new_card is not None:
        signature = signature_changes(old_card, new_card)
    return replace(change, metrics=_metrics(old_card, new_card), signature=signature)


def _metrics(before: ModelCard | None, after: ModelCard | None) -> tuple[MetricChange, ...]:
    old = {} if before is None else before.metrics
    new = {} if after is None else after.metrics
    return tuple(MetricChange(name, old.get(name), new.get(name)) for name in sorted({*old, *new}))


def signature_changes(before: ModelCard, after: ModelCard) -> tuple[str, ...]:
    """How two signatures differ, one sentence each; nothing when clients notice nothing.

    Args:
        before: The version that goes.
        after: The version that comes.
    """
    old, new = before.inputs, after.inputs
    shared = [name for name in old if name in new]
    found = [f"feature {name} ({new[name]}) is added" for name in new if name not in old]
    found += [f"feature {name} ({old[name]}) is removed" for name in old if name not in new]
    found += [
        f"feature {name} becomes {new[name]}, and was {old[name]}"
        for name in shared
        if old[name] != new[name]
    ]
    if shared != [name for name in new if name in old]:
        found.append(f"the features are in another order: {', '.join(new)}")
    found += _output_changes(before.outputs, after.outputs)
    return tuple(found)


def _output_changes(old: Mapping[str, str], new: Mapping[str, str]) -> list[str]:
    found = [f"output {name} is added" for name in new if name not in old]
    found += [f"output {name} is removed" for name in old if name not in new]
    found += [
        f"output {name} is in {new[name] or 'no unit'}, and was in {old[name] or 'no unit'}"
        for name in old
        if name in new and old[name] != new[name]
    ]
    if not found and list(old) != list(new):
        found.append(f"the outputs are in another order: {', '.join(new)}")
    return found
