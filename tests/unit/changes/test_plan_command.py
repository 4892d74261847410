"""`forecast plan` asks AWS and changes nothing; its exit code says whether it can be deployed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError, NoCredentialsError
from typer.testing import CliRunner

from forecast_operations.cli import app
from forecast_operations.cloud.cloud import Cloud
from forecast_operations.synthesis import cdk as cdk_cli
from forecast_operations.updates.live import Live

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from click.testing import Result

REPOSITORY = Path(__file__).parents[3]
STACKS = ("ForecastProdArtifacts", "ForecastProd")
READS = ("describe_", "get_", "list_", "paginate")


class Client:
    """Answers each operation with what it was given, and notes what was called."""

    def __init__(self, called: list[str], answers: dict[str, Any]) -> None:
        self._called, self._answers = called, answers

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        def answer(**arguments: Any) -> Any:
            self._called.append(operation)
            found = self._answers[operation]
            return found(**arguments) if callable(found) else found

        return answer

    def get_paginator(self, operation: str) -> Any:
        self._called.append(operation)
        return Pages(self._answers.get(operation, []))


class Pages:
    """Pages of a list."""

    def __init__(self, pages: list[Any]) -> None:
        self._pages = pages

    def paginate(self, **_: Any) -> Iterator[Any]:
        yield from self._pages


class World:
    """A project, what its synth makes, and what is deployed of it."""

    def __init__(self, root: Path, templates: dict[str, dict[str, Any]]) -> None:
        self.root = root
        self.config = root / "config" / "forecast.yaml"
        self.wanted = templates
        self.deployed: dict[str, dict[str, Any]] = {}
        self.serves = "config-1"
        self.called: list[str] = []
        self.context: list[str] = []

    def synthesize(self, _: Path, arguments: Sequence[str]) -> None:
        folder = Path(arguments[arguments.index("--output") + 1])
        self.context = [each for each in arguments if "=" in each]
        self.write(folder, self.wanted)

    @staticmethod
    def write(folder: Path, templates: dict[str, dict[str, Any]]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        artifacts = {
            stack: {"environment": "aws://unknown-account/ap-southeast-1"} for stack in templates
        }
        (folder / "manifest.json").write_text(json.dumps({"artifacts": artifacts}))
        for stack, template in templates.items():
            (folder / f"{stack}.template.json").write_text(json.dumps(template))

    def live(self, region: str) -> Live:
        outputs = {"EndpointConfigName": "config-1", "ArtifactBucketName": "bucket"}
        listed = [{"OutputKey": key, "OutputValue": value} for key, value in outputs.items()]
        answers = {
            "cloudformation": {
                "get_template": self._template,
                "describe_stacks": {"Stacks": [{"Outputs": listed}]},
            },
            "sagemaker": {
                "describe_endpoint": {
                    "EndpointStatus": "InService",
                    "EndpointConfigName": self.serves,
                    "ProductionVariants": [
                        {"VariantName": "AllTraffic", "CurrentInstanceCount": 5}
                    ],
                },
                "describe_endpoint_config": {
                    "EndpointConfigArn": "arn",
                    "ProductionVariants": [
                        {"VariantName": "AllTraffic", "InstanceType": "ml.m5.xlarge"}
                    ],
                },
                "list_tags": [{"Tags": [{"Key": "model_version", "Value": "15"}]}],
            },
            "s3": {"list_objects_v2": [{}]},
        }
        clients = {name: Client(self.called, each) for name, each in answers.items()}
        return Live(Cloud(region, clients=clients))

    def _template(self, **arguments: Any) -> dict[str, Any]:
        if arguments["StackName"] in self.deployed:
            return {"TemplateBody": self.deployed[arguments["StackName"]]}
        error = {"Code": "ValidationError", "Message": "Stack with id … does not exist"}
        raise ClientError({"Error": error}, "GetTemplate")

    def plan(self, *options: str) -> Result:
        return CliRunner().invoke(app, ["plan", "prod", "--config", str(self.config), *options])


@pytest.fixture
def world(
    tmp_path: Path, reviewed: Callable[[str], dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> World:
    (tmp_path / "config").mkdir()
    shutil.copy(REPOSITORY / "config" / "forecast.yaml", tmp_path / "config")
    made = World(tmp_path, {stack: reviewed(stack) for stack in STACKS})
    monkeypatch.setattr(cdk_cli, "run_cdk", made.synthesize)
    monkeypatch.setattr(Live, "in_region", made.live)
    return made


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


def test_a_file_that_cannot_be_written_is_named(world: World) -> None:
    done = world.plan("--json", "--write", str(world.root / "nowhere" / "plan.json"))

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

    clients = {"cloudformation": Client([], {"get_template": refuse})}
    monkeypatch.setattr(Live, "in_region", lambda region: Live(Cloud(region, clients=clients)))

    assert str(world.plan().exception).startswith("there are no AWS credentials; ")
