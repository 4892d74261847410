"""`forecast plan` asks AWS and changes nothing; its exit code says whether it can be deployed."""

from __future__ import annotations

import json
from io import StringIO
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from botocore.exceptions import NoCredentialsError
from rich.console import Console

from forecast_operations.cloud.cloud import Cloud
from forecast_operations.commands import plan as command
from forecast_operations.deployed.live import Live

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    World = Any

STACKS = ("ForecastProdArtifacts", "ForecastProd")
READS = ("describe_", "get_", "list_", "paginate")


def _on_other_instances(template: dict[str, Any]) -> None:
    config = template["Resources"]["EndpointConfigD2044722"]["Properties"]
    config["ProductionVariants"][0]["InstanceType"] = "ml.c5.xlarge"


def test_nothing_to_deploy_is_one_line_and_fine(world: World) -> None:
    world.deployed = world.wanted

    done = world.plan()

    assert done.exit_code == 0, done.output
    assert done.stdout == (
        "prod (produce-forecast-prod, ap-southeast-1): no changes: what is deployed is what is "
        "wanted\n"
    )


def test_it_only_reads(world: World, reviewed: Callable[[str], dict[str, Any]]) -> None:
    world.deployed = {stack: reviewed(stack) for stack in STACKS}
    world.serves = "config-0"
    _on_other_instances(world.wanted["ForecastProd"])

    world.plan()

    assert world.called
    assert [each for each in world.called if not each.startswith(READS)] == []


def test_a_first_deployment_can_be_planned(world: World) -> None:
    done = world.plan()

    assert done.exit_code == 0, done.output
    assert "the first deployment; champion version 16" in done.stdout


def test_what_is_in_the_way_fails_it(
    world: World, reviewed: Callable[[str], dict[str, Any]]
) -> None:
    world.deployed = {stack: reviewed(stack) for stack in STACKS}
    _on_other_instances(world.wanted["ForecastProd"])

    done = world.plan()

    assert done.exit_code == 1
    assert "or let it be done for you: --allow-rescale" in done.stdout
    assert "5 x ml.m5.xlarge, scales 2 to 10" in done.stdout


def test_a_name_that_is_taken_by_what_it_replaces_fails_it(
    world: World, reviewed: Callable[[str], dict[str, Any]]
) -> None:
    world.deployed = {stack: reviewed(stack) for stack in STACKS}
    for path, templates in (("/", world.deployed), ("/other/", world.wanted)):
        role = templates["ForecastProd"]["Resources"]["ExecutionRoleCDF74862"]["Properties"]
        role |= {"RoleName": "serving", "Path": path}

    done = world.plan("--json")

    assert done.exit_code == 1
    plan = json.loads(done.stdout)
    assert [each["kind"] for each in plan["obstacles"]] == ["named"]
    (blocked,) = [each for each in plan["resources"] if each["verdict"] == "blocked"]
    assert (blocked["logical_id"], blocked["action"]) == ("ExecutionRoleCDF74862", "replaced")


def test_a_budget_fails_it(world: World) -> None:
    text = world.config.read_text()
    budget = "  alarms:\n    budget: {monthly_usd: 1, thresholds_percent: {high: 100}}\n"
    world.config.write_text(text.replace("  alarms:\n", budget, 1))
    world.deployed = world.wanted

    done = world.plan()

    assert done.exit_code == 1, done.output
    assert "over its budget" in done.stdout
    assert "alarms.budget.monthly_usd" in done.stdout


def test_json_is_all_that_is_printed(world: World) -> None:
    done = world.plan("--json")

    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["is_first"] is True


def test_a_comment_is_written_to_a_file(world: World) -> None:
    path = world.root / "plan.md"

    done = world.plan("--markdown", "--write", str(path))

    assert done.exit_code == 0, done.output
    assert done.stdout == ""
    assert "prod: the first deployment" in done.stderr
    assert path.read_text().startswith("<!-- forecast plan prod -->\n")


def test_a_plan_that_fails_is_written_all_the_same(
    world: World, reviewed: Callable[[str], dict[str, Any]]
) -> None:
    world.deployed = {stack: reviewed(stack) for stack in STACKS}
    _on_other_instances(world.wanted["ForecastProd"])
    path = world.root / "plan.txt"

    done = world.plan("--write", str(path))

    assert done.exit_code == 1
    assert "In the way" in path.read_text()


def test_a_written_plan_is_of_one_width_and_without_colours_whatever_the_terminal(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = Console(force_terminal=True, color_system="standard", width=40, file=StringIO())
    monkeypatch.setattr(command, "out", terminal)
    path = world.root / "plan.txt"

    world.plan("--write", str(path))

    text = path.read_text()
    assert "\x1b" not in text
    assert max(map(len, text.splitlines())) > 100


def test_what_is_permitted_does_not_fail_it(
    world: World, reviewed: Callable[[str], dict[str, Any]]
) -> None:
    world.deployed = {stack: reviewed(stack) for stack in STACKS}
    _on_other_instances(world.wanted["ForecastProd"])

    done = world.plan("--allow-rescale")

    assert done.exit_code == 0, done.output
    assert "can be deployed as it is permitted" in done.stdout
    assert "1. take produce-forecast-prod from Application Auto Scaling" in done.stdout
    assert world.plan("--allow-unguarded", "--allow-recreate").exit_code == 1


def test_a_file_that_cannot_be_written_is_named(world: World) -> None:
    done = world.plan("--json", "--write", str(world.config / "plan.json"))

    assert "cannot write" in str(done.exception)


def test_two_formats_are_a_mistake(world: World) -> None:
    assert world.plan("--json", "--markdown").exit_code == 2


def test_context_reaches_the_synth(world: World) -> None:
    world.plan("--context", "model_version=17")

    assert "model_version=17" in world.context


def test_after_an_undone_rollout_models_are_compared_with_what_serves(
    world: World, reviewed: Callable[[str], dict[str, Any]]
) -> None:
    world.deployed = {stack: reviewed(stack) for stack in STACKS}
    world.serves = "config-0"
    container = world.wanted["ForecastProd"]["Resources"]["Model0301700E"]["Properties"]
    container["PrimaryContainer"]["Environment"]["OMP_NUM_THREADS"] = "2"

    done = world.plan()

    assert "champion version 15 -> 16" in done.stdout
    assert "SageMaker has undone the last rollout" in done.stdout


def test_a_folder_stands_for_what_is_deployed_without_any_aws(
    world: World,
    reviewed: Callable[[str], dict[str, Any]],
    version_17: Callable[[dict[str, Any]], dict[str, Any]],
) -> None:
    main = world.root / "cdk.out.main"
    world.write(main, {stack: reviewed(stack) for stack in STACKS})
    world.wanted["ForecastProd"] = version_17(world.wanted["ForecastProd"])

    done = world.plan("--against", str(main))

    assert done.exit_code == 0, done.output
    assert world.called == []
    assert f"compared with {main}: can be deployed; champion version 16 -> 17" in done.stdout


def test_an_environment_that_the_folder_does_not_have_is_a_first_deployment(
    world: World,
) -> None:
    main = world.root / "cdk.out.main"
    world.write(main, {"ForecastDev": {"Resources": {}}})

    assert "the first deployment" in world.plan("--against", str(main)).stdout


def test_a_folder_without_templates_is_refused_before_the_synth(world: World) -> None:
    done = world.plan("--against", str(world.root / "nowhere"))

    assert "expected a folder with templates, as cdk synth writes them" in str(done.exception)
    assert world.context == []


def test_aws_that_cannot_be_asked_is_one_sentence(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**_: Any) -> Any:
        raise NoCredentialsError

    client = SimpleNamespace(describe_stacks=refuse)
    clients = {"cloudformation": client}
    monkeypatch.setattr(Live, "in_region", lambda region: Live(Cloud(region, clients=clients)))

    assert str(world.plan().exception).startswith("there are no AWS credentials; ")
