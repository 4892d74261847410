"""Validation errors in the words of the configuration's author."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter

from forecast_config.yaml_source import type_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pydantic_core import ErrorDetails

    from forecast_config.yaml_source import KeyPath


def unknown_key(key: str, known: Iterable[str]) -> str:
    """What to say of a key that no setting has: the nearest one, or all."""
    names = list(known)
    close = difflib.get_close_matches(key, names, n=1)
    hint = f"; did you mean {close[0]}" if close else f"; expected one of: {', '.join(names)}"
    return f"unknown key{hint}"


_EXPECTED = {
    "string_type": "a string",
    "int_type": "an integer",
    "float_type": "a number",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
}


def explain(details: ErrorDetails, raw: Any, kind: Any) -> tuple[KeyPath, str]:
    """The place of a validation error within the value validated, and what was expected there.

    Args:
        details: One of pydantic's errors.
        raw: The value validated, as read from the file.
        kind: The type it was validated against.
    """
    context = details.get("ctx", {})
    location = tuple(_file_location(details["loc"], raw))
    match details["type"]:
        case "broken_rule":
            location = (*location, *str(context["key"]).split("."))
            message = str(context["message"])
        case "extra_forbidden":
            message = unknown_key(str(location[-1]), _known_keys(kind, details["loc"][:-1]))
        case "missing":
            message = "is missing"
        case "union_tag_not_found":
            location = (*location, "kind")
            message = f"is missing; expected one of: {_tags(kind)}"
        case "union_tag_invalid":
            location = (*location, "kind")
            expected = context["expected_tags"].replace("'", "")
            message = f"expected one of: {expected}, got '{context['tag']}'"
        case error:
            message = _explain_value(error, details["msg"], details["input"])
    return location, message


def _explain_value(error: str, message: str, value: Any) -> str:
    if error in _EXPECTED:
        quote = "; put it in quotes" if error == "string_type" and _is_number(value) else ""
        return f"expected {_EXPECTED[error]}, got {type_name(value)}{quote}"
    message = message.removeprefix("Value error, ")
    shown = f", got {value!r}" if isinstance(value, int | float | str) else ""
    return f"{message[:1].lower()}{message[1:]}{shown}"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _file_location(location: Iterable[str | int], raw: Any) -> Iterator[str | int]:
    """The parts of a pydantic location that stand in the file, without the tags of unions."""
    for part in location:
        if isinstance(raw, dict):
            if part in raw:
                raw = raw[part]
            elif raw.get("kind") == part or part == "[key]":
                continue
            yield part
        elif isinstance(raw, tuple) and isinstance(part, int):
            raw = raw[part]
            yield part


def _known_keys(kind: Any, location: Iterable[str | int]) -> list[str]:
    schema = TypeAdapter(kind).json_schema()
    definitions = schema.get("$defs", {})

    def resolve(node: dict[str, Any]) -> dict[str, Any]:
        while "$ref" in node:
            node = definitions[node["$ref"].rsplit("/", 1)[1]]
        return node

    node = resolve(schema)
    for part in location:
        options = [resolve(option) for option in node.get("oneOf", node.get("anyOf", [node]))]
        node = next(
            (
                resolve(option["properties"][part])
                if part in option.get("properties", {})
                else option
                for option in options
                if part in option.get("properties", {})
                or option.get("properties", {}).get("kind", {}).get("const") == part
            ),
            node,
        )
    options = [resolve(option) for option in node.get("anyOf", [node])]
    return [key for option in options for key in option.get("properties", {})]


def _tags(kind: Any) -> str:
    text = str(TypeAdapter(kind).json_schema())
    tags = [part.split("'")[0] for part in text.split("'const': '")[1:]]
    return ", ".join(dict.fromkeys(tags))
