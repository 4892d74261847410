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
        ({"endpoint_status": "away"}, "is away though its stack is deployed: CloudFormation"),
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


def test_a_rollout_that_is_under_way_is_noted_with_what_stops_it(world: World) -> None:
    world.deployed = world.wanted
    world.stack_status, world.endpoint_status = "UPDATE_IN_PROGRESS", "Updating"

    (scales,) = json.loads(world.plan("--json").stdout)["notes"]
    world.rolls_out = True
    (rolls_out,) = json.loads(world.plan("--json").stdout)["notes"]

    assert "set-alarm-state" not in scales
    assert "--alarm-name produce-forecast-prod-rollback-failed-requests --state-" in rolls_out
    assert rolls_out.endswith("then: forecast rollback prod")


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
    world.stack_status, world.protected = "ROLLBACK_COMPLETE", False

    done = world.plan("--json")

    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["is_first"]


def test_prices_are_dated_by_the_region(world: World) -> None:
    document = json.loads(world.plan("--json").stdout)

    assert document["money"]["priced_at"] == "2026-03-26"
    assert "prices of 2026-03-26; line by line" in world.plan().stdout


def test_an_endpoint_that_is_away_may_be_made_anew_with_its_option(world: World) -> None:
    world.deployed = world.wanted
    world.endpoint_status = "away"
    world.outputs["OffHoursStateMachineArn"] = "arn:machine"

    plan = json.loads(world.plan("--json", "--allow-recreate").stdout)

    assert [each["kind"] for each in plan["permitted"]] == ["away"]
    assert (plan["notes"], len(plan["steps"])) == ([], 2)


@pytest.mark.parametrize("serves", ["config-0", "config-1"])
def test_a_mix_of_two_configurations_is_noted_and_mended_by_a_change_only(
    world: World, version_17: Callable[[dict[str, Any]], dict[str, Any]], serves: str
) -> None:
    world.deployed = dict(world.wanted)
    world.endpoint_status, world.serves = "UpdateRollbackFailed", serves

    same = world.plan("--json")
    world.wanted["ForecastProd"] = version_17(world.wanted["ForecastProd"])
    other = world.plan("--json")

    assert same.exit_code == 1, same.output
    (obstacle,) = json.loads(same.stdout)["obstacles"]
    assert "undone in part" in obstacle["reason"]
    assert other.exit_code == 0, other.output
    assert json.loads(other.stdout)["notes"][-1].startswith("instances of two configurations")


def test_termination_protection_that_goes_is_a_change(world: World) -> None:
    world.deployed = world.wanted
    world.protects = False

    done = world.plan("--json")
    text = " ".join(world.plan().stdout.split())

    plan = json.loads(done.stdout)
    assert not plan["is_empty"]
    assert [(each["logical_id"], each["action"]) for each in plan["resources"]] == [
        (stack, "in place") for stack in sorted(STACKS)
    ]
    assert "│ in place │ ForecastProd │ CloudFormation::Stack │ TerminationProtection: on" in text
    assert "whoever may delete the stack can do so at once" in text


def test_termination_protection_is_compared_with_another_synth_too(world: World) -> None:
    main = world.root / "cdk.out.main"
    world.write(main, world.wanted)
    world.protects = False

    plan = json.loads(world.plan("--json", "--against", str(main)).stdout)
    (main / "manifest.json").unlink()
    unknown = json.loads(world.plan("--json", "--against", str(main)).stdout)

    assert [each["properties"][0]["after"] for each in plan["resources"]] == ["off", "off"]
    assert unknown["is_empty"]
