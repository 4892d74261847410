from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from forecast_config import load_config
from forecast_operations.changes.models import Knowledge
from forecast_operations.changes.plan import Situation, plan_between
from forecast_operations.changes.versions import versions_in
from forecast_operations.records.record import ModelCard
from forecast_operations.updates.identities import find_identity_obstacles
from forecast_operations.updates.obstacles import Templates, find_obstacles
from forecast_operations.updates.steps import plan_steps

if TYPE_CHECKING:
    from collections.abc import Callable

    from forecast_operations.changes.plan import Plan

REPOSITORY = Path(__file__).parents[3]
SNAPSHOTS = REPOSITORY / "tests/snapshot/__snapshots__/test_templates"
CONFIGURATIONS = (REPOSITORY / "config/forecast.yaml", REPOSITORY / "tests/data/modes.yaml")


@pytest.fixture(scope="session")
def reviewed() -> Callable[[str], dict[str, Any]]:
    """The reviewed template of a stack, to be changed at will."""
    read: dict[str, dict[str, Any]] = {}

    def get(stack: str) -> dict[str, Any]:
        if stack not in read:
            path = SNAPSHOTS / f"test_template_is_as_reviewed[{stack}].json"
            read[stack] = json.loads(path.read_text("utf-8"))
        return copy.deepcopy(read[stack])

    return get


@pytest.fixture(scope="session")
def environments() -> dict[str, Any]:
    """The settings of every environment that has a reviewed template here."""
    return {
        name: settings
        for path in CONFIGURATIONS
        for name, settings in load_config(path).environments.items()
    }


@pytest.fixture(scope="session")
def version_17() -> Callable[[dict[str, Any]], dict[str, Any]]:
    """A template in which version 17 takes the place of version 16."""

    def make(template: dict[str, Any]) -> dict[str, Any]:
        text = json.dumps(template)
        for old, new in (
            ('"16"', '"17"'),
            ("run-16", "run-17"),
            ("sha256:64cbf13ff559", "sha256:74cbf13ff559"),
            ("sha256:c9433d809ff5", "sha256:d9433d809ff5"),
            ("models/ef90ceb19d0f", "models/ff90ceb19d0f"),
        ):
            text = text.replace(old, new)
        made: dict[str, Any] = json.loads(text)
        return made

    return make


@pytest.fixture
def cards() -> dict[str, ModelCard]:
    """What is known of each version, to be changed at will."""
    return {
        "16": ModelCard(
            metrics={"mase": 0.9, "wape": 0.21},
            inputs={"price": "double", "day": "long"},
            outputs={"forecasted_price": "RMB/kg"},
        ),
        "17": ModelCard(
            metrics={"mase": 0.95, "wape": 0.19},
            inputs={"price": "double", "item": "string?"},
            outputs={"forecasted_price": "RMB/kg"},
        ),
    }


@pytest.fixture
def planned(environments: dict[str, Any], cards: dict[str, ModelCard]) -> Callable[..., Plan]:
    """The plan between two sets of templates, as the command makes it."""

    def make(environment: str, deployed: Templates, wanted: Templates, **rest: Any) -> Plan:
        obstacles = (
            *find_obstacles(deployed, wanted),
            *find_identity_obstacles(deployed, wanted),
        )
        steps = tuple(each.title for each in plan_steps(deployed, wanted, obstacles))
        known = {
            version: Knowledge(f"archive of {version}", card, f"20{version}-01-01T00:00:00Z")
            for version, card in cards.items()
        }
        sides = [
            {role: (each, known.get(each.version)) for role, each in versions_in(side).items()}
            for side in (deployed.endpoint, wanted.endpoint)
        ]
        situation = {"obstacles": obstacles, "steps": steps, **rest}
        return plan_between(
            Situation(
                settings=environments[environment],
                deployed=deployed,
                wanted=wanted,
                serving=sides[0],
                coming=sides[1],
                **situation,
            )
        )

    return make


@pytest.fixture
def prod(reviewed: Callable[[str], dict[str, Any]]) -> Templates:
    """The templates of prod."""
    return Templates(reviewed("ForecastProdArtifacts"), reviewed("ForecastProd"))
