"""Create-only properties: those whose change makes CloudFormation replace a resource.

`create_only.json` holds them for every type that the project's templates use and that the local AWS
knows, out of the CloudFormation resource schemas (`createOnlyProperties` and
`conditionalCreateOnlyProperties`) that cfn-lint ships. To make it anew:

    python tests/support/create_only_schemas.py
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

FILE_NAME = "create_only.json"

_EACH = "*"


@dataclass(frozen=True)
class CreateOnly:
    """Create-only properties of a type, each by its path (`Budget/BudgetName`).

    Attributes:
        always: Whose change replaces the resource.
        conditional: Whose change replaces it for some values and not for others.
    """

    always: tuple[str, ...] = ()
    conditional: tuple[str, ...] = ()


def create_only(type_name: str) -> CreateOnly | None:
    """The create-only properties of a type; None when they are not known here."""
    return _known().get(type_name)


def value_at(properties: Mapping[str, Any], path: str) -> Any:
    """What stands at a path below properties; None for nothing.

    Below a list (`Rules/*/Name`) it is the list of what stands there in each member.
    """
    return _below(properties, path.split("/"))


def _below(value: Any, path: list[str]) -> Any:
    if not path:
        return value
    step, *rest = path
    if step == _EACH:
        return [_below(each, rest) for each in value] if isinstance(value, list) else None
    return _below(value.get(step), rest) if isinstance(value, dict) else None


@cache
def _known() -> dict[str, CreateOnly]:
    text = (files("forecast_operations.synthesis") / FILE_NAME).read_text(encoding="utf-8")
    return {
        type_name: CreateOnly(tuple(each["always"]), tuple(each["conditional"]))
        for type_name, each in json.loads(text)["types"].items()
    }
