"""Validation errors in the words of the configuration's author."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from forecast_config.words import shown, type_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

    from forecast_config.words import KeyPath

_TYPES = {
    "string_type": "a string",
    "int_type": "an integer",
    "float_type": "a number",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "dict_type": "a mapping of keys",
    "model_type": "a mapping of keys",
}

_BOUNDS = {
    "greater_than": ("gt", "more than"),
    "greater_than_equal": ("ge", "at least"),
    "less_than": ("lt", "less than"),
    "less_than_equal": ("le", "at most"),
}

_LENGTHS = {
    "string_too_short": ("min_length", "at least", ("character", "characters")),
    "string_too_long": ("max_length", "at most", ("character", "characters")),
    "too_short": ("min_length", "at least", ("entry", "entries")),
    "too_long": ("max_length", "at most", ("entry", "entries")),
}

_FIXED = {"finite_number": "a finite number", "string_unicode": "whole characters"}


def explain(error: ValidationError) -> Iterator[tuple[KeyPath, str]]:
    """What was expected, and what was got, at each place within the value validated.

    Args:
        error: What pydantic says of the value.
    """
    for details in error.errors(include_url=False):
        if not _is_counted_without_invalid_entries(details):
            yield tuple(part for part in details["loc"] if part != "[key]"), _message(details)


def _is_counted_without_invalid_entries(details: ErrorDetails) -> bool:
    """Whether a list is called too short only because its invalid entries were left out."""
    return details["type"] == "too_short" and len(details["input"]) >= details["ctx"]["min_length"]


def _message(details: ErrorDetails) -> str:
    error, context, value = details["type"], details.get("ctx", {}), details["input"]
    if error == "refused":
        return str(context["message"])
    if error == "float_type" and type(value) is int:
        return f"expected a number of at most 308 digits, got {shown(value)}"
    if error in _TYPES:
        quotes = "; put it in quotes" if error == "string_type" and _is_scalar(value) else ""
        return f"expected {_TYPES[error]}, got {type_name(value)}{quotes}"
    got = len(value) if error in _LENGTHS else shown(value)
    return f"expected {_expectation(error, context, details['msg'])}, got {got}"


def _expectation(error: str, context: Mapping[str, Any], message: str) -> str:
    if error in _BOUNDS:
        key, relation = _BOUNDS[error]
        return f"{relation} {context[key]:.15g}"
    if error in _LENGTHS:
        key, relation, (one, several) = _LENGTHS[error]
        return f"{relation} {context[key]} {one if context[key] == 1 else several}"
    if error == "literal_error":
        choices = str(context["expected"]).replace(" or ", ", ").replace("'", "")
        return f"one of: {choices}" if "," in choices else choices
    return _FIXED.get(error, message.removeprefix("Input should be "))


def _is_scalar(value: Any) -> bool:
    return value is not None and not isinstance(value, dict | tuple | list)
