"""A plan says what stands in the way of an update now, and goes on where that passes by itself."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    World = Any

STACKS = ("ForecastProdArtifacts", "ForecastProd")


def _on_other_instances(template: dict[str, Any]) -> None:
    config = template["Resources"]["EndpointConfigD2044722"]["Properties"]
    config["ProductionVariants"][0]["InstanceType"] = "ml.c5.xlarge"


def test_an_undone_rollout_is_in_the_way_of_the_same_again(world: World) -> None:
    world.deployed = world.wanted
    world.serves = "config-0"

    done = world.plan()

    assert done.exit_code == 1, done.output
    said = " ".join(done.stdout.split())
    assert "blocked by 1 thing in the way; champion version 15 -> 16" in said
    assert "CloudFormation has counted it as done" in said
    assert "1. forecast rollback prod: " in said
    assert "update-endpoint --endpoint-name produce-forecast-prod --endpoint-config-name" in said
    assert "no changes" not in said
    document = json.loads(world.plan("--json").stdout)
    assert not document["is_empty"]
    assert [each["kind"] for each in document["obstacles"]] == ["undone"]


@pytest.mark.parametrize(
    ("change", "noted"),
    [
        ({"endpoint_status": "Updating"}, "produce-forecast-prod is Updating: SageMaker takes no"),
        ({"stack_status": "UPDATE_IN_PROGRESS"}, "is UPDATE_IN_PROGRESS: CloudFormation updates"),
        ({"endpoint_status": "away"}, "is away though its stack is deployed, as its off hours"),
    ],
)
def test_what_passes_by_itself_is_noted_and_the_plan_goes_on(
    world: World,
    reviewed: Callable[[str], dict[str, Any]],
    version_17: Callable[[dict[str, Any]], dict[str, Any]],
    change: dict[str, str],
    noted: str,
) -> None:
    world.deployed = {stack: reviewed(stack) for stack in STACKS}
    world.wanted["ForecastProd"] = version_17(world.wanted["ForecastProd"])
    world.outputs["OffHoursStateMachineArn"] = "arn:machine"
    vars(world).update(change)

    done = world.plan("--json")

    assert done.exit_code == 0, done.output
    plan = json.loads(done.stdout)
    assert plan["headline"].startswith("can be deployed; champion version 16 -> 17")
    assert (plan["obstacles"], plan["steps"]) == ([], ["deploy what is wanted"])
    (note,) = plan["notes"]
    assert noted in note
    assert "until then forecast deploy refuses: " in note


def test_behind_what_passes_the_rest_is_still_found(
    world: World, reviewed: Callable[[str], dict[str, Any]]
) -> None:
    world.deployed = {stack: reviewed(stack) for stack in STACKS}
    _on_other_instances(world.wanted["ForecastProd"])
    world.endpoint_status = "Updating"

    done = world.plan("--markdown")

    assert done.exit_code == 1
    assert "> the endpoint produce-forecast-prod is Updating" in done.stdout
    assert "--allow-rescale" in done.stdout


def test_an_endpoint_that_is_away_without_a_schedule_is_in_the_way(world: World) -> None:
    world.deployed = world.wanted
    world.endpoint_status = "away"

    done = world.plan("--json")

    assert done.exit_code == 1
    assert [each["kind"] for each in json.loads(done.stdout)["obstacles"]] == ["away"]


def test_a_stack_that_never_was_made_is_a_first_deployment(world: World) -> None:
    world.deployed = world.wanted
    world.stack_status = "ROLLBACK_COMPLETE"

    done = world.plan("--json")

    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["is_first"]


def test_prices_are_dated_by_the_region(world: World) -> None:
    document = json.loads(world.plan("--json").stdout)

    assert document["money"]["priced_at"] == "2026-03-26"
    assert "prices of 2026-03-26; line by line" in world.plan().stdout
