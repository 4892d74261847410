"""Which resources of a template hang together, and a template without some of them."""

from __future__ import annotations

import copy
import re
from typing import TYPE_CHECKING, Any

from forecast_operations.synthesis.hosted import referred_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from forecast_operations.synthesis.hosted import Template

_HASH = re.compile(r"[0-9A-F]{8}$")
_IN_SUB = re.compile(r"\$\{([A-Za-z0-9]+)(?:\.[^}]*)?\}")


def without(template: Template, logical_ids: Iterable[str]) -> Template:
    """A template without resources, and without what refers to them.

    An order (`DependsOn`) on what is gone is dropped; its owner stays.

    Args:
        template: The template; it is left as it is.
        logical_ids: What has to go.
    """
    gone = set(logical_ids)
    resources = template["Resources"]
    while True:
        following = {
            logical_id
            for logical_id, resource in resources.items()
            if logical_id not in gone and gone & set(references(resource.get("Properties")))
        }
        if not following:
            break
        gone |= following
    left = copy.deepcopy(template)
    left["Resources"] = {
        logical_id: _without_order(resource, gone)
        for logical_id, resource in left["Resources"].items()
        if logical_id not in gone
    }
    if "Outputs" in left:
        left["Outputs"] = {
            name: output
            for name, output in left["Outputs"].items()
            if not gone & set(references(output.get("Value")))
        }
    return left


def short_id(logical_id: str) -> str:
    """A logical id, or the name of an export, without the hash that the CDK appends."""
    return _HASH.sub("", logical_id) or logical_id


def references(value: Any) -> Iterator[str]:
    """Logical ids and parameters that a value refers to, in whatever depth."""
    direct = referred_id(value)
    if direct is not None:
        yield direct
        return
    if isinstance(value, dict):
        if "Fn::Sub" in value:
            yield from _in_sub(value["Fn::Sub"])
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def imports(value: Any) -> Iterator[str]:
    """Names of the exports of other stacks that a value imports, in whatever depth."""
    if isinstance(value, dict):
        name = value.get("Fn::ImportValue")
        if isinstance(name, str):
            yield name
        for inner in value.values():
            yield from imports(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from imports(inner)


def exports(template: Template) -> dict[str, Any]:
    """What a template exports, by the name of the export."""
    return {
        output["Export"]["Name"]: output.get("Value")
        for output in template.get("Outputs", {}).values()
        if isinstance(output.get("Export", {}).get("Name"), str)
    }


def _in_sub(sub: Any) -> Iterator[str]:
    text = sub[0] if isinstance(sub, list) else sub
    yield from _IN_SUB.findall(text)


def _without_order(resource: dict[str, Any], gone: set[str]) -> dict[str, Any]:
    before = resource.get("DependsOn", [])
    kept = [name for name in ([before] if isinstance(before, str) else before) if name not in gone]
    rest = {key: value for key, value in resource.items() if key != "DependsOn"}
    return {**rest, "DependsOn": kept} if kept else rest
