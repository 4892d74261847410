"""Nothing changes with a version alone but what `forecast rollback` takes to be of the version."""

from __future__ import annotations

from typing import TYPE_CHECKING

from synthesis import SAMPLE_STACKS, SAMPLES

from forecast_operations.changes.resources import resource_changes
from forecast_operations.returning.consequences import beside_the_version
from forecast_operations.updates.obstacles import Templates

if TYPE_CHECKING:
    from collections.abc import Callable

    from synthesis import Synthesized


def test_another_version_alone_changes_nothing_beside_it(
    synthesized: Callable[[str], Synthesized], synthesize: Callable[..., Synthesized]
) -> None:
    new, old = synthesized("modes").templates, synthesize(SAMPLES["modes"], "15").templates

    for stack in SAMPLE_STACKS["modes"]:
        names = (f"{stack}Artifacts", stack)
        before, after = (Templates(*(each[name] for name in names)) for each in (old, new))
        changes = resource_changes(before, after, (), names)
        assert [each.action for each in changes if each.action != "unchanged"]
        assert beside_the_version(changes) == []
