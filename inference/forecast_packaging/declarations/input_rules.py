"""Contradictions of inputs: types, ranges, categories, policies and imputed values."""

from __future__ import annotations

import math
import re
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from forecast_packaging.declarations.inputs import BOUNDS, NUMBER_TYPES, WHOLE_TYPES

_DATETIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"([T ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]{1,6})?)?(Z|[+-][0-9]{2}:?[0-9]{2})?)?"
)
"""A date and time as a request may spell it."""

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from forecast_packaging.declarations.inputs import DeclaredInput
    from forecast_packaging.declarations.serving import Serving
    from forecast_packaging.declarations.signature import Column, MlModel


def input_problems(
    model: MlModel, serving: Serving, inputs: Mapping[str, Mapping[str, Any]]
) -> Iterator[str]:
    """Every contradiction of the inputs.

    Args:
        model: The MLmodel file.
        serving: What the run declares.
        inputs: The merged inputs by name.
    """
    columns = {column.name: column for column in model.inputs}
    sources = {derivation.source for derivation in serving.derived.values()}
    if serving.horizon is not None:
        sources.add(serving.horizon.date_input)
    seen: set[str] = set()
    for item in serving.inputs:
        if item.name in seen:
            yield f"the input {item.name!r} is declared twice"
        elif item.name in serving.derived:
            yield f"the input {item.name!r} is a derived feature: a request does not hold it"
        elif item.name in columns:
            yield from _signature_problems(item, columns[item.name])
        elif item.type is None:
            yield f"the input {item.name!r} has no type, and is no column of the model's signature"
        elif item.name not in sources:
            yield f"the input {item.name!r} is used by no derived feature and no horizon"
        seen.add(item.name)
    for merged in inputs.values():
        declared = next((item for item in serving.inputs if item.name == merged["name"]), None)
        yield from (f"the input {merged['name']!r} {problem}" for problem in _problems(merged))
        if declared is not None:
            yield from _impute_problems(merged, declared)


def _signature_problems(item: DeclaredInput, column: Column) -> Iterator[str]:
    if item.type not in {None, column.type}:
        yield (
            f"the input {item.name!r} has the type {item.type!r}, and {column.type!r} in the "
            "model's signature"
        )
    if item.nullable not in {None, column.nullable}:
        said, signed = (
            "may" if nullable else "may not" for nullable in (item.nullable, column.nullable)
        )
        yield f"the input {item.name!r} {said} be null, and {signed} in the model's signature"


def _problems(merged: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with one merged input, to be read after its name."""
    yield from _range_problems(merged)
    yield from _category_problems(merged)
    if "missing" in merged and merged["nullable"]:
        yield f"has missing {merged['missing']!r} and may be null: the model takes what is missing"


def _range_problems(merged: Mapping[str, Any]) -> Iterator[str]:
    kind, limits = merged["type"], merged.get("range")
    if limits is None:
        if "out_of_range" in merged:
            yield f"has out_of_range {merged['out_of_range']!r} and no range"
        return
    if kind not in NUMBER_TYPES:
        yield f"has a range and the type {kind!r}, expected a number"
    low, high = _bounds(limits)
    if low > high:
        yield f"has a range with the minimum {low:g} above the maximum {high:g}"
    clips = merged["out_of_range"] == "clip" and kind in WHOLE_TYPES
    if clips and not all(map(_is_whole, limits.values())):
        yield "is clipped to its range, whose bounds are not whole"


def _category_problems(merged: Mapping[str, Any]) -> Iterator[str]:
    categories = merged.get("categories")
    if categories is None:
        if "unknown_category" in merged:
            yield f"has unknown_category {merged['unknown_category']!r} and no categories"
        return
    if merged["type"] != "string":
        yield f"has categories and the type {merged['type']!r}, expected 'string'"
    if not categories or len(set(categories)) != len(categories):
        yield "has categories that are none or repeat, expected some that differ"


def _impute_problems(merged: Mapping[str, Any], declared: DeclaredInput) -> Iterator[str]:
    shown = f"the input {merged['name']!r}"
    value = merged.get("impute")
    if value is None:
        if declared.imputes:
            yield (
                f"{shown} has a policy that imputes and no value: declare impute, or log "
                "artifacts/training_profile.json"
            )
        return
    if not declared.imputes:
        yield f"{shown} has an impute value and no policy that uses it"
    if not _is_of(merged["type"], value):
        yield f"{shown} has the impute value {value!r}, expected one of the type {merged['type']!r}"
        return
    categories, limits = merged.get("categories"), merged.get("range", {})
    if categories is not None and value not in categories:
        yield f"{shown} has the impute value {value!r}, expected one of its categories"
    if limits and merged.get("out_of_range") != "accept" and not _within(value, limits):
        yield f"{shown} has the impute value {value!r}, which is outside its range"


def _within(value: float, limits: Mapping[str, float]) -> bool:
    low, high = _bounds(limits)
    return low <= value <= high


def _bounds(limits: Mapping[str, float]) -> tuple[float, float]:
    return limits.get("minimum", -math.inf), limits.get("maximum", math.inf)


def _is_of(kind: str, value: Any) -> bool:
    """Whether a value could stand in a request for an input of a type."""
    if kind == "boolean":
        return isinstance(value, bool)
    if kind in NUMBER_TYPES:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        low, high = BOUNDS[kind]
        return number and low <= value <= high and (kind not in WHOLE_TYPES or _is_whole(value))
    if not isinstance(value, str) or kind == "string":
        return isinstance(value, str)
    try:
        if kind == "date":
            return date.fromisoformat(value).isoformat() == value
        return _DATETIME.fullmatch(value) is not None and bool(datetime.fromisoformat(value))
    except ValueError:
        return False


def _is_whole(value: float) -> bool:
    return value == int(value)
