"""The steps of a rollout, and how long they are watched."""

from datetime import datetime
from typing import Any

import pytest

from forecast_config.rollouts import traffic_over_time
from forecast_config.settings.rollout import (
    AllAtOnceRollout,
    CanaryRollout,
    LinearRollout,
    RollingRollout,
)
from forecast_local.clock import SimulatedClock
from forecast_local.sagemaker.rollout import RolledBackError, Rollout, Shift, plan_rollout

START = datetime(2027, 1, 4)  # noqa: DTZ001 - moto's times have no zone


def blue_green(termination: int = 30, **routing: Any) -> dict[str, Any]:
    return {
        "BlueGreenUpdatePolicy": {
            "TrafficRoutingConfiguration": {"WaitIntervalInSeconds": 60, **routing},
            "TerminationWaitInSeconds": termination,
            "MaximumExecutionTimeoutInSeconds": 1800,
        }
    }


def percent(value: int) -> dict[str, Any]:
    return {"Type": "CAPACITY_PERCENT", "Value": value}


def rolling(batch: int) -> dict[str, Any]:
    return {
        "RollingUpdatePolicy": {"MaximumBatchSize": percent(batch), "WaitIntervalInSeconds": 60}
    }


@pytest.mark.parametrize(
    ("deployment", "settings"),
    [
        (blue_green(Type="ALL_AT_ONCE"), AllAtOnceRollout(kind="all_at_once", wait_seconds=60)),
        (
            blue_green(Type="CANARY", CanarySize=percent(30)),
            CanaryRollout(kind="canary", percent=30, wait_seconds=60),
        ),
        (
            blue_green(Type="LINEAR", LinearStepSize=percent(25)),
            LinearRollout(kind="linear", step_percent=25, wait_seconds=60),
        ),
        (rolling(20), RollingRollout(kind="rolling", batch_percent=20, wait_seconds=60)),
    ],
)
@pytest.mark.parametrize("count", [2, 3, 7])
def test_steps_are_those_that_the_settings_announce(
    deployment: dict[str, Any], settings: Any, count: int
) -> None:
    plan = plan_rollout(deployment, {"main": count})
    announced = [shares["new"] for _, shares in traffic_over_time(settings, count)[:-1]]
    steps = [step for step in plan.shifts if step.status == "Baking"]
    assert [step.shares["main"] for step in steps] == pytest.approx(announced)
    assert {step.wait_seconds for step in steps} == {60}


def test_without_a_policy_all_traffic_moves_at_once() -> None:
    assert plan_rollout(None, {"main": 4}).shifts == (Shift({"main": 1.0}, 0),)


def test_excluded_instances_fall_back_to_all_at_once_without_a_wait() -> None:
    plan = plan_rollout(
        blue_green(Type="CANARY", CanarySize=percent(50)), {"main": 4}, falls_back=True
    )
    assert [step.wait_seconds for step in plan.shifts] == [0]


def run(deployment: dict[str, Any], alarms_at: float | None = None) -> tuple[list[Shift], float]:
    clock = SimulatedClock(START, lambda _: None)
    made: list[Shift] = []

    def tripped(_: Any) -> list[str]:
        is_time = alarms_at is not None and clock.elapsed_seconds >= alarms_at
        return ["errors"] if is_time else []

    Rollout(plan_rollout(deployment, {"main": 4}), clock, shift=made.append, tripped=tripped).run()
    return made, clock.elapsed_seconds


def test_rollout_waits_after_each_step_and_before_the_old_fleet_goes() -> None:
    made, elapsed = run(blue_green(Type="LINEAR", LinearStepSize=percent(25)))
    assert [step.shares["main"] for step in made] == [0.25, 0.5, 0.75, 1.0, 1.0]
    assert elapsed == 4 * 60 + 30


@pytest.mark.parametrize("moment", [0.0, 61.0, 265.0])
def test_alarm_undoes_it_at_any_time(moment: float) -> None:
    with pytest.raises(RolledBackError, match="errors"):
        run(blue_green(Type="LINEAR", LinearStepSize=percent(25)), alarms_at=moment)


def test_time_is_up() -> None:
    deployment = blue_green(Type="LINEAR", LinearStepSize=percent(25))
    deployment["BlueGreenUpdatePolicy"]["MaximumExecutionTimeoutInSeconds"] = 100
    with pytest.raises(RolledBackError, match="MaximumExecutionTimeoutInSeconds 100"):
        run(deployment)
