"""Change sets: what a deployment would do, without doing it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from forecast_local.cloudformation.intrinsics import Scope
from forecast_local.cloudformation.plan import (
    Action,
    Decision,
    Resource,
    check_template,
    decide,
    effective_properties,
)
from forecast_local.cloudformation.target import Target
from forecast_local.resources.registry import HANDLERS


@dataclass(frozen=True)
class Change:
    """A change of one resource, with the attribute names that moto's answers read."""

    action: str
    logical_resource_id: str
    resource_type: str
    physical_resource_id: str | None = None
    replacement: str | None = None
    scope: list[str] = field(default_factory=list)
    details: list[dict[str, Any]] = field(default_factory=list)


class _Preview:
    """Walks a template as a deployment would; what does not exist yet has a placeholder."""

    def __init__(self, target: Target, resources: Mapping[str, Resource]) -> None:
        self._resources = resources
        self._new: set[str] = set()
        self._target = target
        self.scope = Scope(
            template=target.template,
            names=target.names,
            lookup=self._lookup,
            exports=target.exports,
        )

    def _lookup(self, logical_id: str, attribute: str | None) -> Any:
        resource = self._resources.get(logical_id)
        if logical_id in self._new or resource is None:
            return f"{{{{known after deployment:{logical_id}.{attribute}}}}}"
        if attribute is None:
            return resource.physical_resource_id
        return resource.attributes.get(attribute)

    def change(self, logical_id: str) -> Change | None:
        definition = self._target.template.resources[logical_id]
        type_name = definition["Type"]
        old = self._resources.get(logical_id)
        if type_name not in HANDLERS:
            return Change("Add", logical_id, type_name)
        properties = effective_properties(definition, self.scope, self._target.tags)
        decision = decide(old, type_name, properties)
        if decision.action in {Action.CREATE, Action.REPLACE}:
            self._new.add(logical_id)
        if decision.action is Action.KEEP:
            return None
        if old is None:
            return Change("Add", logical_id, type_name)
        return _modification(old, type_name, decision)


def _modification(old: Resource, type_name: str, decision: Decision) -> Change:
    create_only = HANDLERS[type_name].create_only
    details = [
        {
            "Target": {
                "Attribute": "Tags" if key == "Tags" else "Properties",
                "Name": key,
                "RequiresRecreation": "Always" if key in create_only else "Never",
            },
            "Evaluation": "Static",
            "ChangeSource": "DirectModification",
        }
        for key in decision.changed
    ]
    scope = sorted({str(detail["Target"]["Attribute"]) for detail in details})  # type: ignore[index] # built above
    return Change(
        action="Modify",
        logical_resource_id=old.logical_resource_id,
        resource_type=type_name,
        physical_resource_id=old.physical_resource_id,
        replacement="True" if decision.action is Action.REPLACE else "False",
        scope=scope,
        details=details,
    )


def preview(target: Target, resources: Mapping[str, Resource]) -> list[Change]:
    """Return what a deployment would change.

    Args:
        target: What the stack shall become.
        resources: What it owns.

    Returns:
        One change for each resource that is added, modified, replaced or removed.

    Raises:
        TemplateError: If the template would be refused.
    """
    walk = _Preview(target, resources)
    order = check_template(target.template, walk.scope, target.names)
    changes = [change for change in map(walk.change, order) if change is not None]
    removed = [item for key, item in resources.items() if key not in order]
    changes.extend(
        Change(
            action="Remove",
            logical_resource_id=item.logical_resource_id,
            resource_type=item.cf_resource_type,
            physical_resource_id=item.physical_resource_id,
        )
        for item in removed
    )
    return changes
