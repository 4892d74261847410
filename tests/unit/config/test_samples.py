"""The sample configurations together use every key and every kind of block."""

from __future__ import annotations

import typing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from pydantic import BaseModel

from forecast_config import EnvironmentSettings, load_config
from forecast_config.settings import ModelSettings, ServingSettings
from forecast_config.settings.environment import OF_THE_FILE

if TYPE_CHECKING:
    from collections.abc import Iterator

Key = tuple[str, str]
"""Name of a settings class, and of one of its keys."""

DATA = Path(__file__).parents[2] / "data"
SAMPLES = sorted(DATA.glob("*.yaml"))


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
    elif isinstance(value, dict):
        for entry in value.values():
            yield from _used(entry)


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


def test_every_key_and_every_kind_is_used() -> None:
    expected = {
        (block.__name__, name)
        for root in (EnvironmentSettings, ModelSettings, ServingSettings)
        for block in _blocks(root)
        for name in block.model_fields
    } - {("EnvironmentSettings", name) for name in OF_THE_FILE}

    used = set().union(*(_given(sample) for sample in SAMPLES))
    assert {kind for kind, name in expected if name == "kind"} >= {
        "ServerlessEndpoint",
        "SplitRollout",
        "BacklogTarget",
        "TeamsTarget",
    }
    assert expected - used == set()


def test_no_sample_leans_on_what_is_built_in_for_a_name() -> None:
    names = {name for sample in SAMPLES for name in load_config(sample).environments}

    assert names & {"dev", "staging", "prod"} == set()


def test_the_minimal_sample_cannot_do_without_any_of_its_keys() -> None:
    text = yaml.safe_load((DATA / "minimal.yaml").read_text())
    (block,) = text["environments"].values()
    required = {
        name for name, field in EnvironmentSettings.model_fields.items() if field.is_required()
    }

    assert set(block) == required - {"name"}
