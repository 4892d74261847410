"""What a deployment will do to each resource, decided before anything is touched."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from forecast_local.cloudformation.handler import Handler, tag_list, tag_map
from forecast_local.cloudformation.intrinsics import Scope
from forecast_local.cloudformation.template import (
    Template,
    TemplateError,
    creation_order,
    depends_on,
    references,
)
from forecast_local.resources.registry import HANDLERS


@dataclass(frozen=True)
class Resource:
    """A resource that a stack owns.

    The attributes that moto's answers read have moto's names.

    Attributes:
        logical_resource_id: Name in the template.
        physical_resource_id: The value of ``Ref``.
        cf_resource_type: Type name.
        properties: Evaluated properties, stack tags merged in.
        definition: The resource's part of the template.
        attributes: Values of ``Fn::GetAtt`` by name.
        status: Status of the resource's last event.
    """

    logical_resource_id: str
    physical_resource_id: str
    cf_resource_type: str
    properties: Mapping[str, Any]
    definition: Mapping[str, Any]
    attributes: Mapping[str, Any] = field(default_factory=dict)
    status: str = "CREATE_COMPLETE"

    @property
    def handler(self) -> Handler:
        """The handler of the resource's type."""
        return HANDLERS[self.cf_resource_type]

    def is_retained(self, policy: str) -> bool:
        """Tell whether ``DeletionPolicy`` or ``UpdateReplacePolicy`` keeps the resource."""
        return str(self.definition.get(policy, "Delete")).startswith("Retain")


class Action(Enum):
    """What happens to a resource."""

    CREATE = "Add"
    KEEP = "Keep"
    UPDATE = "Modify"
    REPLACE = "Replace"


@dataclass(frozen=True)
class Decision:
    """An action and the properties because of which it is taken."""

    action: Action
    changed: tuple[str, ...] = ()


def decide(old: Resource | None, type_name: str, properties: Mapping[str, Any]) -> Decision:
    """Decide how a resource gets from its old properties to new ones.

    Args:
        old: The resource as it is, or None.
        type_name: Type in the new template.
        properties: Evaluated properties in the new template.

    Returns:
        The action; a replacement when a create-only property changed.
    """
    if old is None:
        return Decision(Action.CREATE)
    changed = tuple(
        sorted(
            key
            for key in {*old.properties, *properties}
            if old.properties.get(key) != properties.get(key)
        )
    )
    if not changed:
        return Decision(Action.KEEP)
    if HANDLERS[type_name].create_only.intersection(changed):
        return Decision(Action.REPLACE, changed)
    return Decision(Action.UPDATE, changed)


def effective_properties(
    definition: Mapping[str, Any], scope: Scope, stack_tags: Mapping[str, str]
) -> dict[str, Any]:
    """Evaluate a resource's properties and merge the stack's tags into them."""
    properties: dict[str, Any] = scope.resolve(definition.get("Properties", {}))
    handler = HANDLERS[definition["Type"]]
    if handler.tagged and (stack_tags or "Tags" in properties):
        properties["Tags"] = tag_list({**stack_tags, **tag_map(properties.get("Tags"))})
    return properties


def unknown_types(template: Template, scope: Scope) -> dict[str, str]:
    """Return the resources of types that this AWS does not know, as logical id to type."""
    return {
        logical_id: definition["Type"]
        for logical_id, definition in template.resources.items()
        if scope.exists(definition) and definition["Type"] not in HANDLERS
    }


def check_template(template: Template, scope: Scope, names: Mapping[str, Any]) -> list[str]:
    """Check what CloudFormation checks before it accepts a deployment.

    Args:
        template: The template.
        scope: Its scope; only conditions are evaluated.
        names: Parameters and pseudo parameters.

    Returns:
        The logical ids in creation order.

    Raises:
        TemplateError: If a reference, an attribute or the order of the resources does not work.
    """
    existing = {key for key, value in template.resources.items() if scope.exists(value)}
    known = {*names, *existing, "AWS::NoValue"}
    for logical_id in existing:
        definition = template.resources[logical_id]
        used = _active(definition.get("Properties", {}), scope)
        _check_references(used, template, known, f"Resources block of {logical_id}")
        for name in depends_on(definition):
            if name not in template.resources:
                raise TemplateError(
                    f"Template format error: Unresolved resource dependencies [{name}] in the "
                    "Resources block of the template"
                )
    for key, output in template.section("Outputs").items():
        if scope.exists(output):
            used = _active(output.get("Value"), scope)
            _check_references(used, template, known, f"Outputs block of {key}")
    _check_rules(template, scope)
    return creation_order(template.resources, lambda logical_id: logical_id in existing)


def _check_references(value: Any, template: Template, known: set[str], where: str) -> None:
    for name, attribute in references(value):
        if name not in known:
            raise TemplateError(
                f"Template format error: Unresolved resource dependencies [{name}] in the {where}"
            )
        definition = template.resources.get(name)
        if attribute is None or definition is None or definition["Type"] not in HANDLERS:
            continue
        if attribute not in HANDLERS[definition["Type"]].attributes:
            raise TemplateError(
                f"Template error: resource {name} does not support attribute type {attribute} in "
                "Fn::GetAtt"
            )


def _active(value: Any, scope: Scope) -> Any:
    """Reduce every ``Fn::If`` to the branch that its condition chooses."""
    if isinstance(value, list):
        return [_active(item, scope) for item in value]
    if isinstance(value, dict):
        if set(value) == {"Fn::If"}:
            name, positive, negative = value["Fn::If"]
            return _active(positive if scope.condition(name) else negative, scope)
        return {key: _active(item, scope) for key, item in value.items()}
    return value


def _check_rules(template: Template, scope: Scope) -> None:
    for rule in template.section("Rules").values():
        if "RuleCondition" in rule and not scope.holds(rule["RuleCondition"]):
            continue
        for assertion in rule["Assertions"]:
            if not scope.holds(assertion["Assert"]):
                raise TemplateError(
                    "Template validation error: assertion failed: "
                    f"{assertion.get('AssertDescription', assertion['Assert'])}"
                )
