"""Rules between values: each names the values it needs, and is left out when one is not there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from forecast_config.words import KeyPath

    Broken = tuple[KeyPath, str]
    """Key path within the block, and what was expected and found there."""


@dataclass(frozen=True)
class Rule:
    """A rule between values of one block.

    Attributes:
        needs: Dotted keys of the values, in the order of the check's parameters. The key of a
            block inside gives True, and None when it is switched off. A value that is invalid, or
            that belongs to a block switched off or of another kind, leaves the rule out.
        check: Gives each thing that is wrong with the values.
    """

    needs: tuple[str, ...]
    check: Callable[..., Iterator[Broken]]


def rule(*needs: str) -> Callable[[Callable[..., Iterator[Broken]]], Rule]:
    """Makes a check a rule that needs the values of the dotted keys given."""

    def make(check: Callable[..., Iterator[Broken]]) -> Rule:
        return Rule(needs, check)

    return make


def broken_rules(rules: Iterable[Rule], values: Mapping[str, Any]) -> Iterator[Broken]:
    """Everything that the valid values of one block break.

    Args:
        rules: The block's rules.
        values: The valid values by their dotted keys.
    """
    for each in rules:
        if all(key in values for key in each.needs):
            yield from each.check(*(values[key] for key in each.needs))


def values_of(block: BaseModel) -> dict[str, Any]:
    """All values of a block by their dotted keys, those of the blocks inside too."""
    values: dict[str, Any] = {}
    for key in type(block).model_fields:
        values |= values_of_field(key, getattr(block, key))
    return values


def values_of_field(key: str, value: Any) -> dict[str, Any]:
    """A field's value by its key, and what is inside by dotted keys when it is a block."""
    if isinstance(value, BaseModel):
        return nested(key, values_of(value))
    if isinstance(value, dict):
        value = {
            name: values_of(each) if isinstance(each, BaseModel) else each
            for name, each in value.items()
        }
    return {key: value}


def nested(key: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a block by their dotted keys in the block around it."""
    return {key: True, **{f"{key}.{inner}": value for inner, value in values.items()}}


def refused(message: str) -> PydanticCustomError:
    """The error of a value that a validator refuses, in words that need no further ones."""
    return PydanticCustomError("refused", "{message}", {"message": message})


def all_refused(broken: Iterable[Broken], value: Any) -> ValidationError:
    """The error of several things wrong inside a value, each at its own place.

    Args:
        broken: The places within the value, and what is wrong there.
        value: The value.
    """
    lines = [
        InitErrorDetails(type=refused(message), loc=path, input=value) for path, message in broken
    ]
    return ValidationError.from_exception_data("settings", lines)
