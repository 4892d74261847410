"""Which resources an update makes anew, and what follows from that for those that refer to them.

A resource whose create-only property changes is replaced; it then has another identity, so that a
`Ref`, `Fn::GetAtt` or import of it is another value, which may replace its owner in turn (AWS
CloudFormation user guide, "Update behaviors of stack resources").
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from forecast_operations.synthesis.create_only import create_only, value_at
from forecast_operations.synthesis.references import exports, imports, references

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from forecast_operations.synthesis.hosted import Template

_NO_IMPORTS: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Replacement:
    """Why a resource is replaced.

    Attributes:
        properties: Paths of the create-only properties that change.
        certain: Whether it is replaced whatever their values are.
    """

    properties: tuple[str, ...]
    certain: bool


def replacements(
    old: Template, new: Template, renewed_imports: Collection[str] = _NO_IMPORTS
) -> dict[str, Replacement]:
    """The resources that an update replaces, by logical id.

    Args:
        old: What is deployed.
        new: What is wanted.
        renewed_imports: Names of imports whose value becomes another one.
    """
    shared = {
        logical_id: (before, new["Resources"][logical_id])
        for logical_id, before in old["Resources"].items()
        if new["Resources"].get(logical_id, {}).get("Type") == before["Type"]
    }
    found: dict[str, Replacement] = {}
    while True:
        renewed = Renewed(frozenset(found), frozenset(renewed_imports))
        again = {
            logical_id: replacement
            for logical_id, (before, after) in shared.items()
            if (replacement := _replacement(before, after, renewed)) is not None
        }
        # What is replaced stays replaced when more is, so that this ends.
        if again == found:
            return found
        found = again


def renewed_exports(old: Template, new: Template) -> set[str]:
    """Names of a template's exports whose value an update makes another one."""
    before, after = exports(old), exports(new)
    renewed = Renewed(frozenset(replacements(old, new)))
    return {
        name
        for name in before.keys() & after.keys()
        if before[name] != after[name] or renewed.touches(after[name])
    }


@dataclass(frozen=True)
class Renewed:
    """What has another identity after an update.

    Attributes:
        logical_ids: Resources of the same template.
        imports: Imports from another stack.
    """

    logical_ids: frozenset[str]
    imports: frozenset[str] = _NO_IMPORTS

    def touches(self, value: Any) -> bool:
        """Whether a value of a template holds one of them."""
        return bool(self.among(value))

    def among(self, value: Any) -> list[str]:
        """Those that a value of a template holds: logical ids, then imports, each once."""
        ids = self.logical_ids.intersection(references(value))
        return [*sorted(ids), *sorted(self.imports.intersection(imports(value)))]


def _replacement(
    before: Mapping[str, Any], after: Mapping[str, Any], renewed: Renewed
) -> Replacement | None:
    known = create_only(str(before["Type"]))
    if known is None:
        return None
    old, new = before.get("Properties", {}), after.get("Properties", {})

    def changed(paths: tuple[str, ...]) -> list[str]:
        return [
            path
            for path in paths
            if value_at(old, path) != value_at(new, path) or renewed.touches(value_at(new, path))
        ]

    always, conditional = changed(known.always), changed(known.conditional)
    if not (always or conditional):
        return None
    return Replacement((*always, *conditional), certain=bool(always))
