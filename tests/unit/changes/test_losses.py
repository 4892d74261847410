"""What a deployment asks about before it begins."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from forecast_operations.changes.losses import losses
from forecast_operations.updates.obstacles import Templates


def _proposal(**protection: tuple[bool, bool]) -> Any:
    nothing: dict[str, Any] = {"Resources": {}}
    return SimpleNamespace(
        obstacles=(),
        deployed=Templates(nothing, nothing),
        wanted=Templates(nothing, nothing),
        stacks=("ForecastProdArtifacts", "ForecastProd"),
        protection=protection,
    )


def test_a_stack_that_loses_its_protection_is_asked_about_and_no_other() -> None:
    proposal = _proposal(ForecastProdArtifacts=(True, False), ForecastProd=(False, True))

    (lost,) = losses(proposal, ())

    assert lost == (
        "ForecastProdArtifacts loses its termination protection: whoever may delete the stack can "
        "do so at once"
    )
