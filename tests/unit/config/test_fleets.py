from __future__ import annotations

from pathlib import Path

import pytest

from forecast_config import load_config
from forecast_config.fleets import Fleet, fleets_of
from forecast_config.settings.autoscaling import (
    AutoscalingSettings,
    InvocationsTarget,
    ScheduledAction,
)

SAMPLES = load_config(Path(__file__).parents[2] / "data/modes.yaml").environments


def test_without_scaling_a_fleet_stays_as_large_as_it_is_made() -> None:
    assert fleets_of(SAMPLES["steps"]) == (Fleet("ml.m5.large", 4, 4, 4),)


@pytest.mark.parametrize(
    ("action", "most"),
    [
        ({"max_instance_count": 12}, 12),
        ({"min_instance_count": 11, "max_instance_count": 11}, 11),
        ({"min_instance_count": 3}, 10),
    ],
)
def test_schedules_may_raise_the_most(action: dict[str, int], most: int) -> None:
    scaling = AutoscalingSettings(
        min_instance_count=2,
        max_instance_count=10,
        targets={"load": InvocationsTarget(kind="invocations_per_instance", per_minute=600)},
        scheduled={"peak": ScheduledAction(schedule="cron(0 8 * * ? *)", **action)},
    )
    settings = SAMPLES["steps"].model_copy(update={"autoscaling": scaling})

    assert fleets_of(settings) == (Fleet("ml.m5.large", 4, 2, most),)


def test_a_challenger_runs_on_its_own_type_or_that_of_the_endpoint() -> None:
    mirror = SAMPLES["mirror"]
    same = mirror.rollout.model_copy(update={"instance_type": None})

    champion, challenger = fleets_of(mirror)
    _, alike = fleets_of(mirror.model_copy(update={"rollout": same}))

    assert challenger == Fleet("ml.c5.large", 1, 1, 1)
    assert alike.instance_type == champion.instance_type


def test_serverless_has_no_fleet() -> None:
    assert fleets_of(SAMPLES["warm"]) == ()
