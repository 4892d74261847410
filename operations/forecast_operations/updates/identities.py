"""Changes that CloudFormation refuses because of what a resource is called.

Sources: AWS CloudFormation user guide, "Custom names for resources" (no update may replace a
resource that has a name of its own, unless the name changes too), and "Troubleshooting
CloudFormation" (the type of a logical id cannot change).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from forecast_operations.synthesis.create_only import create_only, value_at
from forecast_operations.synthesis.replacement import renewed_exports, replacements
from forecast_operations.updates.obstacles import Obstacle

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from forecast_operations.synthesis.hosted import Template
    from forecast_operations.updates.obstacles import Templates

_NAMED_WITHIN = frozenset({"AWS::ApplicationAutoScaling::ScalingPolicy"})
"""Types whose name is unique only within what they belong to, which may change with them."""

_NAME = "Name"


def find_identity_obstacles(deployed: Templates, wanted: Templates) -> list[Obstacle]:
    """What CloudFormation refuses as a new resource would be called as the one that it replaces.

    Args:
        deployed: What is deployed now.
        wanted: What has been synthesized.
    """
    found: list[Obstacle] = []
    renewed: set[str] = set()
    for old, new in (
        (deployed.artifacts, wanted.artifacts),
        (deployed.endpoint, wanted.endpoint),
    ):
        if old is None or new is None:
            continue
        found += _retyped(old, new)
        found += _named(old, new, renewed)
        renewed |= renewed_exports(old, new)
    return found


def _retyped(old: Template, new: Template) -> Iterator[Obstacle]:
    for logical_id, before in old["Resources"].items():
        after = new["Resources"].get(logical_id)
        if after is None or after["Type"] == before["Type"]:
            continue
        yield Obstacle(
            "retyped",
            f"{logical_id} is a {before['Type']} and would become a {after['Type']}: "
            "CloudFormation does not change the type of what is deployed",
            ("give the new one another construct id, so that it gets another logical id",),
            None,
            (logical_id,),
        )


def _named(old: Template, new: Template, renewed: set[str]) -> Iterator[Obstacle]:
    for logical_id, replacement in replacements(old, new, renewed).items():
        before, after = old["Resources"][logical_id], new["Resources"][logical_id]
        path = _name_property(before["Type"])
        if path is None or not replacement.certain or path in replacement.properties:
            continue
        name = value_at(_properties(after), path)
        if name is None:
            continue
        shown = name if isinstance(name, str) else logical_id
        yield Obstacle(
            "named",
            f"{before['Type']} {shown} would be replaced as {', '.join(replacement.properties)} "
            f"changes, and the new one would be called the same ({path}): CloudFormation makes "
            "the new one first, and refuses two of one name",
            (
                f"give it another {path.rpartition('/')[2]} in the same change",
                f"or deploy without {logical_id} first, then with it",
            ),
            None,
            (logical_id,),
        )


def _name_property(type_name: str) -> str | None:
    """The create-only property that a resource of a type is called by; None where AWS names it."""
    known = create_only(type_name)
    if known is None or type_name in _NAMED_WITHIN:
        return None
    kind = type_name.rpartition("::")[2]
    for path in known.always:
        last = path.rpartition("/")[2]
        if last.endswith(_NAME) and kind.endswith(last.removesuffix(_NAME)):
            return path
    return None


def _properties(resource: Mapping[str, Any]) -> Mapping[str, Any]:
    properties: Mapping[str, Any] = resource.get("Properties", {})
    return properties
