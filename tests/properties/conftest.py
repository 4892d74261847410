"""Applications with one environment, synthesized as app.py does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml
from aws_cdk.assertions import Template
from synthesis import *  # noqa: F403 - fixtures are found by being here
from synthesis import challenger_of

from forecast_config import load_config
from forecast_stacks import add_environment

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from forecast_config import EnvironmentSettings


@pytest.fixture(scope="session")
def load_environment(
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[[dict[str, Any]], EnvironmentSettings]:
    """The only environment of a document."""
    path: Path = tmp_path_factory.mktemp("configuration") / "forecast.yaml"

    def load(document: dict[str, Any]) -> EnvironmentSettings:
        path.write_text(yaml.safe_dump(document))
        (settings,) = load_config(path).environments.values()
        return settings

    return load


@pytest.fixture(scope="session")
def templates_of(
    new_app: Callable[..., Any], packaged: Callable[..., Any]
) -> Callable[..., dict[str, dict[str, Any]]]:
    """The templates of an environment by the names of its stacks, artifacts first."""

    def make(settings: EnvironmentSettings, version: str = "16") -> dict[str, dict[str, Any]]:
        made = add_environment(
            new_app(), settings, packaged(version), challenger=challenger_of(settings, packaged)
        )
        return {
            stack.stack_name: Template.from_stack(stack).to_json()
            for stack in (made.artifacts, made.endpoint)
        }

    return make
