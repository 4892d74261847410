from __future__ import annotations

from typing import Any

import pytest

from forecast_config.rollouts import (
    execution_timeout_seconds,
    step_count,
    traffic_over_time,
    waiting_seconds,
)
from forecast_config.settings import (
    AllAtOnceRollout,
    CanaryRollout,
    Challenger,
    LinearRollout,
    RollingRollout,
    Rollout,
    ShadowRollout,
    SplitRollout,
)
from forecast_config.settings.rollout import BATCH_START_SECONDS, FLEET_START_SECONDS

CHALLENGER = Challenger(alias="challenger")
AT_ONCE = AllAtOnceRollout(kind="all_at_once")
CANARY = CanaryRollout(kind="canary", percent=25)
LINEAR = LinearRollout(kind="linear", step_percent=25)
ROLLING = RollingRollout(kind="rolling", batch_percent=25)
SHADOW = ShadowRollout(kind="shadow", challenger=CHALLENGER, sampling_percent=50)
SPLIT = SplitRollout(kind="split", challenger=CHALLENGER, challenger_percent=10)


@pytest.mark.parametrize(
    ("rollout", "steps", "waits"),
    [
        (AT_ONCE, 1, 300 + 120),
        (CANARY, 2, 2 * 300 + 120),
        (LINEAR, 4, 4 * 300 + 120),
        (ROLLING, 4, 4 * 300),
        (SHADOW, 1, 300 + 120),
        (SPLIT, 1, 300 + 120),
    ],
)
def test_a_rollout_waits_after_each_step(rollout: Rollout, steps: int, waits: int) -> None:
    assert step_count(rollout, 4) == step_count(rollout) == steps
    assert waiting_seconds(rollout, 4) == waiting_seconds(rollout) == waits


def test_few_instances_take_few_steps() -> None:
    tenths = LinearRollout(kind="linear", step_percent=10)

    assert [step_count(tenths, count) for count in (2, 3, 10, 15)] == [2, 3, 10, 8]
    assert step_count(tenths) == 10


@pytest.mark.parametrize(
    ("rollout", "seconds"),
    [
        (AT_ONCE, 420 + FLEET_START_SECONDS),
        (CANARY, 720 + FLEET_START_SECONDS),
        (ROLLING, 1200 + 4 * BATCH_START_SECONDS),
        (ROLLING.model_copy(update={"wait_seconds": 3600, "batch_percent": 5}), 28_800),
        (AT_ONCE.model_copy(update={"maximum_execution_timeout_seconds": 900}), 900),
    ],
)
def test_the_timeout_leaves_room_for_the_waits_and_the_start(
    rollout: Rollout, seconds: int
) -> None:
    assert execution_timeout_seconds(rollout) == seconds


def test_a_slow_start_gets_more_room() -> None:
    assert execution_timeout_seconds(AT_ONCE, start_seconds=900) == 420 + FLEET_START_SECONDS
    assert execution_timeout_seconds(AT_ONCE, start_seconds=7200) == 420 + 7200 + 600
    assert execution_timeout_seconds(ROLLING, start_seconds=3600) == 1200 + 4 * (3600 + 600)


@pytest.mark.parametrize("rollout", [AT_ONCE, CANARY, LINEAR, ROLLING])
@pytest.mark.parametrize("count", [2, 3, 7, 100])
def test_the_fleets_share_all_traffic_until_the_new_one_has_it(
    rollout: Rollout, count: int
) -> None:
    traffic = traffic_over_time(rollout, count)
    moments = [seconds for seconds, _ in traffic]
    new = [shares["new"] for _, shares in traffic]

    assert moments[0] == 0
    assert moments == sorted(moments)
    assert moments[-1] == waiting_seconds(rollout, count)
    assert new == sorted(new)
    assert new[-1] == 1
    assert all(sum(shares.values()) == pytest.approx(1) for _, shares in traffic)


@pytest.mark.parametrize(
    ("rollout", "shares"),
    [
        (SHADOW, {"old": 0.0, "champion": 1.0, "copies": 0.5}),
        (SPLIT, {"old": 0.0, "champion": 0.9, "challenger": 0.1}),
    ],
)
def test_a_challenger_gets_its_share_at_once(rollout: Rollout, shares: dict[str, Any]) -> None:
    assert traffic_over_time(rollout, 2) == [(0, shares), (420, shares)]


def test_a_canary_has_the_share_that_its_instances_make() -> None:
    first, second, _ = traffic_over_time(CANARY, 2)

    assert first == (0, {"old": 0.5, "new": 0.5})
    assert second == (300, {"old": 0.0, "new": 1.0})
