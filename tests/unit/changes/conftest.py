from __future__ import annotations

import copy
import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from typer.testing import CliRunner

from forecast_config import load_config
from forecast_operations.changes.models import Knowledge
from forecast_operations.changes.plan import Situation, plan_between
from forecast_operations.changes.versions import versions_in
from forecast_operations.cli import app
from forecast_operations.cloud.cloud import Cloud
from forecast_operations.deployed.live import Live
from forecast_operations.records.record import ModelCard
from forecast_operations.synthesis import cdk as cdk_cli
from forecast_operations.updates.identities import find_identity_obstacles
from forecast_operations.updates.obstacles import Templates, find_obstacles
from forecast_operations.updates.steps import plan_steps

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from click.testing import Result

    from forecast_operations.changes.plan import Plan

REPOSITORY = Path(__file__).parents[3]
SNAPSHOTS = REPOSITORY / "tests/snapshot/__snapshots__/test_templates"
STACKS = ("ForecastProdArtifacts", "ForecastProd")
CONFIGURATIONS = (REPOSITORY / "config/forecast.yaml", REPOSITORY / "tests/data/modes.yaml")


@pytest.fixture(scope="session")
def reviewed() -> Callable[[str], dict[str, Any]]:
    """The reviewed template of a stack, to be changed at will."""
    read: dict[str, dict[str, Any]] = {}

    def get(stack: str) -> dict[str, Any]:
        if stack not in read:
            path = SNAPSHOTS / f"test_template_is_as_reviewed[{stack}].json"
            read[stack] = json.loads(path.read_text("utf-8"))
        return copy.deepcopy(read[stack])

    return get


@pytest.fixture(scope="session")
def environments() -> dict[str, Any]:
    """The settings of every environment that has a reviewed template here."""
    return {
        name: settings
        for path in CONFIGURATIONS
        for name, settings in load_config(path).environments.items()
    }


@pytest.fixture(scope="session")
def version_17() -> Callable[[dict[str, Any]], dict[str, Any]]:
    """A template in which version 17 takes the place of version 16."""

    def make(template: dict[str, Any]) -> dict[str, Any]:
        text = json.dumps(template)
        for old, new in (
            ('"16"', '"17"'),
            ("run-16", "run-17"),
            ("sha256:64cbf13ff559", "sha256:74cbf13ff559"),
            ("sha256:c9433d809ff5", "sha256:d9433d809ff5"),
            ("models/ef90ceb19d0f", "models/ff90ceb19d0f"),
        ):
            text = text.replace(old, new)
        made: dict[str, Any] = json.loads(text)
        return made

    return make


@pytest.fixture
def cards() -> dict[str, ModelCard]:
    """What is known of each version, to be changed at will."""
    return {
        "16": ModelCard(
            metrics={"mase": 0.9, "wape": 0.21},
            inputs={"price": "double", "day": "long"},
            outputs={"forecasted_price": "RMB/kg"},
        ),
        "17": ModelCard(
            metrics={"mase": 0.95, "wape": 0.19},
            inputs={"price": "double", "item": "string?"},
            outputs={"forecasted_price": "RMB/kg"},
        ),
    }


@pytest.fixture
def planned(environments: dict[str, Any], cards: dict[str, ModelCard]) -> Callable[..., Plan]:
    """The plan between two sets of templates, as the command makes it."""

    def make(environment: str, deployed: Templates, wanted: Templates, **rest: Any) -> Plan:
        obstacles = (
            *find_obstacles(deployed, wanted),
            *find_identity_obstacles(deployed, wanted),
        )
        steps = tuple(each.title for each in plan_steps(deployed, wanted, obstacles))
        known = {
            version: Knowledge(f"archive of {version}", card, f"20{version}-01-01T00:00:00Z")
            for version, card in cards.items()
        }
        sides = [
            {role: (each, known.get(each.version)) for role, each in versions_in(side).items()}
            for side in (deployed.endpoint, wanted.endpoint)
        ]
        situation = {"obstacles": obstacles, "steps": steps, **rest}
        return plan_between(
            Situation(
                settings=environments[environment],
                deployed=deployed,
                wanted=wanted,
                serving=sides[0],
                coming=sides[1],
                **situation,
            )
        )

    return make


@pytest.fixture
def prod(reviewed: Callable[[str], dict[str, Any]]) -> Templates:
    """The templates of prod."""
    return Templates(reviewed("ForecastProdArtifacts"), reviewed("ForecastProd"))


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
        self.stack_status = "UPDATE_COMPLETE"
        self.endpoint_status = "InService"
        self.protected = self.protects = True
        self.rolls_out = False
        self.outputs = {"EndpointConfigName": "config-1", "ArtifactBucketName": "bucket"}
        self.called: list[str] = []
        self.context: list[str] = []

    def synthesize(self, _: Path, arguments: Sequence[str]) -> None:
        folder = Path(arguments[arguments.index("--output") + 1])
        self.context = [each for each in arguments if "=" in each]
        self.write(folder, self.wanted)

    def write(self, folder: Path, templates: dict[str, dict[str, Any]]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        artifacts = {
            stack: {
                "environment": "aws://unknown-account/ap-southeast-1",
                "properties": {"terminationProtection": self.protects},
            }
            for stack in templates
        }
        (folder / "manifest.json").write_text(json.dumps({"artifacts": artifacts}))
        for stack, template in templates.items():
            (folder / f"{stack}.template.json").write_text(json.dumps(template))

    def live(self, region: str) -> Live:
        listed = [{"OutputKey": key, "OutputValue": value} for key, value in self.outputs.items()]
        stack = {
            "StackStatus": self.stack_status,
            "EnableTerminationProtection": self.protected,
            "Outputs": listed,
        }
        answers = {
            "cloudformation": {
                "get_template": self._template,
                "describe_stacks": {"Stacks": [stack]},
            },
            "sagemaker": {
                "describe_endpoint": self._endpoint,
                "describe_endpoint_config": {
                    "EndpointConfigArn": "arn",
                    "EndpointConfigName": self.serves,
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

    def _endpoint(self, **_: Any) -> dict[str, Any]:
        if self.endpoint_status == "away":
            error = {"Code": "ValidationException", "Message": "Could not find endpoint"}
            raise ClientError({"Error": error}, "DescribeEndpoint")
        pending = {"PendingDeploymentSummary": {"EndpointConfigName": "config-2"}}
        return {
            **(pending if self.rolls_out else {}),
            "EndpointStatus": self.endpoint_status,
            "EndpointConfigName": self.serves,
            "ProductionVariants": [{"VariantName": "AllTraffic", "CurrentInstanceCount": 5}],
        }

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
