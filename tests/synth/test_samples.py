"""The sample configurations together use every key and every kind of block."""

from __future__ import annotations

import typing
from typing import TYPE_CHECKING, Any

import yaml
from pydantic import BaseModel

from forecast_config import EnvironmentSettings, load_config
from forecast_config.settings import ModelSettings, ServingSettings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Key = tuple[str, str]
"""Name of a settings class, and of one of its keys."""


def _blocks(annotation: Any) -> Iterator[type[BaseModel]]:
    """Every settings class that an annotation can hold, its members' classes included."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
        for field in annotation.model_fields.values():
            yield from _blocks(field.annotation)
    for argument in typing.get_args(annotation):
        yield from _blocks(argument)


def _used(value: Any) -> Iterator[Key]:
    """Every key that was given in a block read from a file, its members' keys included."""
    if isinstance(value, BaseModel):
        for name in value.model_fields_set:
            yield type(value).__name__, name
            yield from _used(getattr(value, name))


def _given(sample: Path) -> set[Key]:
    config = load_config(sample)
    text = yaml.safe_load(sample.read_text())
    used = set(_used(config.model)) | set(_used(config.serving))
    for name, block in text["environments"].items():
        given = {**text.get("defaults", {}), **block}
        used |= {("EnvironmentSettings", key) for key in given}
        for key in given:
            used |= set(_used(getattr(config.environments[name], key)))
    return used


def test_every_key_is_used(samples: dict[str, Path]) -> None:
    expected = {
        (block.__name__, name)
        for root in (EnvironmentSettings, ModelSettings, ServingSettings)
        for block in _blocks(root)
        for name in block.model_fields
    } - {("EnvironmentSettings", "name")}

    used = _given(samples["minimal"]) | _given(samples["comprehensive"])
    assert len(expected) > 70
    assert expected - used == set()


def test_the_minimal_sample_cannot_do_without_any_of_its_keys(samples: dict[str, Path]) -> None:
    text = yaml.safe_load(samples["minimal"].read_text())
    (block,) = text["environments"].values()
    required = {
        name for name, field in EnvironmentSettings.model_fields.items() if field.is_required()
    }

    assert set(block) == required - {"name"}
