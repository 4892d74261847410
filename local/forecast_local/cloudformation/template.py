"""CloudFormation templates: parsing, references between resources and creation order."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

import yaml

SUBSTITUTION = re.compile(r"\$\{([^!}][^}]*)\}")
_SECTIONS = frozenset(
    {
        "AWSTemplateFormatVersion",
        "Conditions",
        "Description",
        "Mappings",
        "Metadata",
        "Outputs",
        "Parameters",
        "Resources",
        "Rules",
    }
)
_MULTI_KEY_RESOURCE_ATTRIBUTES = frozenset(
    {
        "Condition",
        "CreationPolicy",
        "DeletionPolicy",
        "DependsOn",
        "Metadata",
        "Properties",
        "Type",
        "UpdatePolicy",
        "UpdateReplacePolicy",
    }
)


class TemplateError(Exception):
    """A template or a request that CloudFormation refuses before it touches any resource."""


@dataclass(frozen=True)
class Template:
    """A parsed template together with the text it came from.

    Attributes:
        body: The text as it was sent; GetTemplate returns it unchanged.
        document: The parsed template.
    """

    body: str
    document: Mapping[str, Any]

    @classmethod
    def parse(cls, body: str) -> Self:
        """Read a template in JSON or YAML (with the short form of intrinsic functions).

        Args:
            body: The template's text.

        Returns:
            The template, its structure checked.

        Raises:
            TemplateError: If the text is no template, or uses a section that is not known here.
        """
        document = _load(body)
        if not isinstance(document, dict):
            raise TemplateError("Template format error: unsupported structure.")
        unknown = sorted(set(document) - _SECTIONS)
        if unknown:
            raise TemplateError(
                f"Template format error: the local AWS does not know the section(s) {unknown}"
            )
        resources = document.get("Resources")
        if not isinstance(resources, dict) or not resources:
            raise TemplateError(
                "Template format error: At least one Resources member must be defined."
            )
        for logical_id, definition in resources.items():
            _check_resource(logical_id, definition)
        return cls(body=body, document=document)

    def section(self, name: str) -> dict[str, Any]:
        """Return a section of the template, empty when the template has none."""
        section = self.document.get(name)
        return {} if section is None else section

    @property
    def resources(self) -> dict[str, Any]:
        """The resource definitions by logical id."""
        return self.section("Resources")

    @property
    def description(self) -> str | None:
        """The template's description."""
        return self.document.get("Description")


def _load(body: str) -> Any:
    try:
        if body.lstrip().startswith("{"):
            return json.loads(body)
        return yaml.load(body, Loader=_ShortFormLoader)  # noqa: S506 - derives from SafeLoader
    except (ValueError, yaml.YAMLError) as error:
        raise TemplateError(f"Template format error: {error}") from error


def _check_resource(logical_id: str, definition: Any) -> None:
    if not isinstance(definition, dict) or not isinstance(definition.get("Type"), str):
        raise TemplateError(
            f"Template format error: [/Resources/{logical_id}] Every Resources object must "
            "contain a Type member."
        )
    unknown = sorted(set(definition) - _MULTI_KEY_RESOURCE_ATTRIBUTES)
    if unknown:
        raise TemplateError(f"Invalid template resource property '{unknown[0]}' of {logical_id}")


class _ShortFormLoader(yaml.SafeLoader):
    """A YAML loader that understands ``!Ref``, ``!GetAtt`` and the other short forms."""


def _short_form(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    name = suffix if suffix in {"Ref", "Condition"} else f"Fn::{suffix}"
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
        if suffix == "GetAtt":
            value = value.split(".", 1)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)  # type: ignore[arg-type] # the third kind
    return {name: value}


def _plain_date(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> str:
    return str(loader.construct_yaml_timestamp(node).isoformat())


_ShortFormLoader.add_multi_constructor("!", _short_form)
_ShortFormLoader.add_constructor("tag:yaml.org,2002:timestamp", _plain_date)


def references(value: Any) -> Iterator[tuple[str, str | None]]:
    """Yield what a template value refers to, as ``(logical id, attribute or None)``.

    Args:
        value: Any part of a template.

    Yields:
        Names of parameters, pseudo parameters and resources, each with the attribute a
        ``Fn::GetAtt`` asks for.
    """
    if isinstance(value, list):
        for item in value:
            yield from references(item)
    elif isinstance(value, dict):
        if set(value) == {"Ref"}:
            yield value["Ref"], None
        elif set(value) == {"Fn::GetAtt"}:
            yield from _attribute_reference(value["Fn::GetAtt"])
        elif set(value) == {"Fn::Sub"}:
            yield from _substitution_references(value["Fn::Sub"])
        else:
            for item in value.values():
                yield from references(item)


def _attribute_reference(argument: Any) -> Iterator[tuple[str, str | None]]:
    logical_id, attribute = attribute_pair(argument)
    if isinstance(attribute, str):
        yield logical_id, attribute
    else:
        yield logical_id, None
        yield from references(attribute)


def attribute_pair(argument: Any) -> tuple[str, Any]:
    """Split the argument of ``Fn::GetAtt`` into logical id and attribute."""
    if isinstance(argument, str):
        argument = argument.split(".", 1)
    if not isinstance(argument, list) or len(argument) != 2:  # noqa: PLR2004 - id and attribute
        raise TemplateError(
            f"Template error: every Fn::GetAtt object requires two non-empty parameters, "
            f"got {argument!r}"
        )
    return argument[0], argument[1]


def _substitution_references(argument: Any) -> Iterator[tuple[str, str | None]]:
    text, variables = argument if isinstance(argument, list) else (argument, {})
    yield from references(list(variables.values()))
    for name in SUBSTITUTION.findall(text):
        if name not in variables:
            logical_id, _, attribute = name.partition(".")
            yield logical_id, attribute or None


def depends_on(definition: Mapping[str, Any]) -> list[str]:
    """Return the logical ids of a resource's explicit dependencies."""
    explicit = definition.get("DependsOn", [])
    return [explicit] if isinstance(explicit, str) else list(explicit)


def creation_order(
    resources: Mapping[str, Any], exists: Callable[[str], bool] = lambda _: True
) -> list[str]:
    """Sort resources so that each follows everything it refers to or depends on.

    Args:
        resources: Definitions by logical id.
        exists: Tells whether a resource's condition holds.

    Returns:
        The logical ids of the resources that exist; template order where nothing else decides.

    Raises:
        TemplateError: If resources depend on each other in a circle.
    """
    order: list[str] = []
    visiting: list[str] = []

    def visit(logical_id: str) -> None:
        if logical_id in order:
            return
        if logical_id in visiting:
            circle = ", ".join(visiting[visiting.index(logical_id) :])
            raise TemplateError(f"Circular dependency between resources: [{circle}]")
        visiting.append(logical_id)
        definition = resources[logical_id]
        needed = [name for name, _ in references(definition.get("Properties", {}))]
        for name in [*needed, *depends_on(definition)]:
            if name in resources and exists(name):
                visit(name)
        visiting.pop()
        order.append(logical_id)

    for logical_id in resources:
        if exists(logical_id):
            visit(logical_id)
    return order
