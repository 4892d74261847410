"""The reviewed template of every stack of the project's and of the sample configurations.

A changed template fails here first. When the change is meant, write the new templates and review
their diff like any other code; a changed logical id replaces what it stood for:

    pytest tests/snapshot --snapshot-update
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from syrupy.extensions.json import JSONSnapshotExtension

if TYPE_CHECKING:
    from collections.abc import Callable

    from syrupy.assertion import SnapshotAssertion

ENVIRONMENTS = (
    "ForecastDev",
    "ForecastStaging",
    "ForecastProd",
    "ForecastOnly",
    "ForecastExisting",
    "ForecastNew",
    "ForecastOpen",
    "ForecastBuilt",
    "ForecastWarm",
    "ForecastQueue",
    "ForecastSteps",
    "ForecastBatches",
    "ForecastMirror",
    "ForecastContest",
)
STACKS = (
    *(f"{name}{part}" for name in ENVIRONMENTS for part in ("Artifacts", "")),
    "ForecastOverview",
)


@pytest.mark.parametrize("stack", STACKS)
def test_template_is_as_reviewed(
    stack: str, template: Callable[[str], dict[str, Any]], snapshot: SnapshotAssertion
) -> None:
    assert template(stack) == snapshot(extension_class=JSONSnapshotExtension)


def test_every_stack_of_every_sample_has_a_snapshot(
    sample_stacks: dict[str, tuple[str, ...]], synthesized: Callable[[str], Any]
) -> None:
    made = {name for sample in sample_stacks for name in synthesized(sample).templates}

    assert made == set(STACKS)
