"""How a wanted version takes over: capacity, time line, and what undoes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from forecast_operations.changes import sides, words
from forecast_operations.updates.obstacles import Obstacle, Templates

if TYPE_CHECKING:
    from collections.abc import Callable

    from forecast_operations.changes.plan import Plan

    Planned = Callable[..., Plan]
    Reviewed = Callable[[str], dict[str, Any]]

ENVIRONMENTS = {
    "prod": "ForecastProd",
    "steps": "ForecastSteps",
    "batches": "ForecastBatches",
    "mirror": "ForecastMirror",
    "contest": "ForecastContest",
    "queue": "ForecastQueue",
    "warm": "ForecastWarm",
}


@pytest.fixture
def updated(reviewed: Reviewed, planned: Planned) -> Callable[..., Plan]:
    """The plan of an update that brings another model to an environment."""

    def make(environment: str, *, first: bool = False, **rest: Any) -> Plan:
        old, new = reviewed(ENVIRONMENTS[environment]), reviewed(ENVIRONMENTS[environment])
        container = new["Resources"]["Model0301700E"]["Properties"]["PrimaryContainer"]
        container["Environment"]["OMP_NUM_THREADS"] = "2"
        deployed = Templates(None, None) if first else Templates(None, old)
        return planned(environment, deployed, Templates(None, new), **rest)

    return make


def _moments(plan: Plan) -> list[tuple[int, str]]:
    return [(each.seconds, each.text) for each in plan.timeline.moments]


def test_a_canary_is_told_moment_by_moment(updated: Callable[..., Plan]) -> None:
    plan = updated("prod")

    assert _moments(plan) == [
        (0, "50 % of the requests go to new instances (1 of 2)"),
        (600, "all requests go to the new instances"),
        (1200, "the alarms have been watched; the old instances are kept a while longer"),
        (1800, "the old instances are deleted; it is done"),
    ]
    assert words.undoing(plan.timeline) == (
        "it is undone when one of its alarms fires (produce-forecast-prod-rollback-failed-requests,"
        " produce-forecast-prod-rollback-latency) or it has not ended after 60 min"
    )


def test_a_linear_rollout_has_a_moment_for_each_step(updated: Callable[..., Plan]) -> None:
    assert [text for _, text in _moments(updated("steps"))][:4] == [
        "25 % of the requests go to new instances (1 of 4)",
        "50 % of the requests go to new instances (2 of 4)",
        "75 % of the requests go to new instances (3 of 4)",
        "all requests go to the new instances",
    ]


def test_batches_need_one_batch_more(updated: Callable[..., Plan]) -> None:
    plan = updated("batches")

    assert plan.timeline.takeover == "batches"
    assert dict(plan.fleet.during) == {"ml.m5.large": 5}
    assert _moments(plan)[-1][1] == "the alarms are watched no longer; it is done"


@pytest.mark.parametrize(
    ("environment", "text"),
    [
        ("mirror", "the champion answers; the challenger gets a copy of 50 %"),
        ("contest", "the champion gets 90 % of the requests, the challenger 10 %"),
    ],
)
def test_a_comparison_says_who_answers(
    environment: str, text: str, updated: Callable[..., Plan]
) -> None:
    assert _moments(updated(environment))[0] == (0, text)


def test_a_second_fleet_counts_what_runs_now(updated: Callable[..., Plan]) -> None:
    plan = updated("prod", running={"AllTraffic": 7})

    # Retained: what was scaled out stays so.
    assert [each.instances for each in plan.fleet.after] == [7]
    assert dict(plan.fleet.during) == {"ml.m5.xlarge": 14}
    assert sides.peak(plan.fleet) == (
        "while it runs, up to 14 x ml.m5.xlarge: the quota must allow as many"
    )
    assert sides.capacity_rows(plan.fleet) == [
        (
            "AllTraffic",
            "7 x ml.m5.xlarge, scales 2 to 10",
            "7 x ml.m5.xlarge, scales 2 to 10",
            "same",
        )
    ]


def test_what_nothing_scales_follows_the_file(updated: Callable[..., Plan]) -> None:
    plan = updated("steps", running={"AllTraffic": 9})

    assert [each.instances for each in plan.fleet.before] == [9]
    assert [each.instances for each in plan.fleet.after] == [4]
    assert dict(plan.fleet.during) == {"ml.m5.large": 13}


def test_a_fleet_that_is_scaled_to_nothing_is_told(updated: Callable[..., Plan]) -> None:
    plan = updated("queue", running={"Queue": 0})

    assert sides.capacity_rows(plan.fleet)[0][1] == "0 x ml.m5.xlarge, scales 0 to 5"
    assert _moments(plan)


def test_a_serverless_endpoint_has_no_rollout(updated: Callable[..., Plan]) -> None:
    plan = updated("warm")

    assert plan.timeline.summary.startswith("serverless: ")
    assert words.undoing(plan.timeline) is None
    assert dict(plan.fleet.during) == {}
    assert sides.capacity_rows(plan.fleet)[0][1] == "serverless, 40 at once, 4 warm, scales 2 to 10"


def test_a_first_deployment_shifts_nothing(updated: Callable[..., Plan]) -> None:
    plan = updated("prod", first=True)

    assert plan.timeline.takeover == "start"
    assert plan.timeline.moments == ()
    assert plan.fleet.before == ()
    assert dict(plan.fleet.during) == {"ml.m5.xlarge": 2}
    assert sides.peak(plan.fleet) is None


def test_what_leaves_the_endpoint_alone_shifts_nothing(
    reviewed: Reviewed, planned: Planned
) -> None:
    wanted = reviewed("ForecastProd")
    target = wanted["Resources"]["ScalingTargetD18E316D"]["Properties"]
    target["MaxCapacity"] = 12

    plan = planned(
        "prod",
        Templates(None, reviewed("ForecastProd")),
        Templates(None, wanted),
        running={"AllTraffic": 5},
    )

    assert plan.timeline.takeover == "none"
    assert plan.timeline.moments == ()
    assert sides.capacity_rows(plan.fleet)[0][1:] == (
        "5 x ml.m5.xlarge, scales 2 to 10",
        "5 x ml.m5.xlarge, scales 2 to 12",
        "",
    )


@pytest.mark.parametrize("kind", ["recreate", "failed", "away"])
def test_an_endpoint_that_is_made_anew_is_away_in_between(
    kind: Any, updated: Callable[..., Plan]
) -> None:
    plan = updated("prod", obstacles=(Obstacle(kind, "it is", (), "recreate"),))

    assert plan.timeline.takeover == "anew"
    assert "nobody answers" in plan.timeline.summary
    assert dict(plan.fleet.during) == {"ml.m5.xlarge": 2}


def test_other_variants_come_all_at_once(reviewed: Reviewed, planned: Planned) -> None:
    deployed = reviewed("ForecastContest")
    deployed["Resources"]["EndpointConfigD2044722"]["Properties"]["ProductionVariants"].pop()

    plan = planned(
        "contest", Templates(None, deployed), Templates(None, reviewed("ForecastContest"))
    )

    assert [each.kind for each in plan.obstacles] == ["variants"]
    assert plan.timeline.takeover == "second fleet"
    assert plan.timeline.summary.endswith("at once, and nothing undoes it")
    assert plan.timeline.moments == ()
    assert words.undoing(plan.timeline) is None


def test_another_name_means_both_for_a_while(reviewed: Reviewed, planned: Planned) -> None:
    wanted = reviewed("ForecastSteps")
    wanted["Resources"]["EndpointEEF1FD8F"]["Properties"]["EndpointName"] = "other"

    plan = planned("steps", Templates(None, reviewed("ForecastSteps")), Templates(None, wanted))

    assert plan.timeline.takeover == "beside"
    assert dict(plan.fleet.during) == {"ml.m5.large": 8}
    assert [each.kind for each in plan.obstacles] == ["rename"]
