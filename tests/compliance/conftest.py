"""The samples, synthesized with every pack of policy checks at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from synthesis import *  # noqa: F403 - fixtures are found by being here

from forecast_constructs.conformance import conformance_packs
from forecast_constructs.rules import SageMakerRules

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture(scope="session")
def checked(synthesize: Callable[..., Any], samples: dict[str, Path]) -> Callable[[str], Any]:
    """A sample synthesized with packs and rules, at most once; any violation ends the synth."""
    made: dict[str, Any] = {}
    rules = SageMakerRules()

    def get(sample: str) -> Any:
        if sample not in made:
            made[sample] = synthesize(
                samples[sample], plugins=lambda app: (*conformance_packs(app), rules)
            )
        return made[sample]

    return get


@pytest.fixture(scope="session")
def all_templates(
    checked: Callable[[str], Any], samples: dict[str, Path]
) -> dict[str, dict[str, Any]]:
    """Every template of every sample, by the name of its stack."""
    return {
        name: template for sample in samples for name, template in checked(sample).templates.items()
    }
