"""The main job, once: a trained model in the local AWS as ForecastProd, deployed by the CDK CLI."""

from __future__ import annotations

import functools
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from forecast_local import lifecycle

if TYPE_CHECKING:
    from collections.abc import Iterator

REPOSITORY = Path(__file__).parents[3]
BIN = Path(sys.executable).parent


@dataclass(frozen=True)
class Project:
    """A new user's folder: the app and the configuration, and nothing made yet."""

    root: Path
    region: str = "ap-southeast-1"

    def run(self, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        tools = os.pathsep.join([str(BIN), str(REPOSITORY / "node_modules" / ".bin")])
        local = lifecycle.status(self.root)
        environment = {
            **os.environ,
            "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}",
            "CI": "true",
            "NO_COLOR": "1",
            **(local.environment(region=self.region) if local else {}),
        }
        done = subprocess.run(
            command, cwd=self.root, env=environment, capture_output=True, text=True, check=False
        )
        if check:
            assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        return done

    def train(self, seed: int) -> None:
        train = str(REPOSITORY / "examples" / "train.py")
        self.run("python", train, "--seed", str(seed), "--days", "500", "--rounds", "40")

    def request(self, items: int = 3) -> dict[str, Any]:
        return json.loads(_written_request(self, items))

    def client(self, service: str) -> Any:
        local = lifecycle.status(self.root)
        assert local is not None
        variables = local.environment()
        session = boto3.Session(
            aws_access_key_id=variables["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=variables["AWS_SECRET_ACCESS_KEY"],
            region_name=self.region,
        )
        return session.client(service, endpoint_url=local.endpoint_url)

    def template(self, stack: str) -> dict[str, Any]:
        """What is deployed."""
        return self.client("cloudformation").get_template(StackName=stack)["TemplateBody"]

    def forecast(self, request: dict[str, Any]) -> list[dict[str, Any]]:
        answer = self.client("sagemaker-runtime").invoke_endpoint(
            EndpointName="produce-forecast-prod",
            ContentType="application/json",
            Body=json.dumps(request),
        )
        document = json.loads(answer["Body"].read())
        assert "predictions" in document, document
        return document["predictions"]


@functools.cache
def _written_request(project: Project, items: int) -> str:
    """The script's output, a text: each test may change its own document."""
    write = str(REPOSITORY / "examples" / "request.py")
    options = ("--days", "500", "--items", str(items), "--last-days", "7")
    return project.run("python", write, *options).stdout


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    root = tmp_path_factory.mktemp("project")
    for name in ("app.py", "cdk.json"):
        shutil.copy(REPOSITORY / name, root / name)
    (root / "config").mkdir()
    shutil.copy(REPOSITORY / "config" / "forecast.yaml", root / "config" / "forecast.yaml")
    yield Project(root)
    lifecycle.down(root)


@pytest.fixture(scope="session")
def deployed(project: Project) -> Project:
    project.train(seed=1)
    project.run("forecast", "resolve")
    project.run("forecast", "package")
    project.run("forecast", "local", "up")
    project.run("cdk", "bootstrap", "-c", "environments=prod")
    project.run("cdk", "deploy", "ForecastProd", "--require-approval", "never")
    return project


@pytest.fixture(scope="session")
def first_answer(deployed: Project) -> list[dict[str, Any]]:
    """What version 1 answers, which is verified while it is there."""
    deployed.run("forecast", "verify", "prod")
    return deployed.forecast(deployed.request(items=1))


@pytest.fixture(scope="session")
def updated(deployed: Project, first_answer: list[dict[str, Any]]) -> Project:
    """The project with version 2 deployed over version 1, which the lock still names."""
    assert first_answer
    deployed.train(seed=2)
    before = deployed.template("ForecastProd")["Resources"]
    deploy = ("cdk", "deploy", "ForecastProd", "--require-approval", "never")
    deployed.run(*deploy, "-c", "model_version=2")
    after = deployed.template("ForecastProd")["Resources"]
    changed = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
    assert {after[key]["Type"] for key in changed} == {
        "AWS::SageMaker::Model",
        "AWS::SageMaker::EndpointConfig",
        "AWS::SageMaker::Endpoint",
        # The heartbeat asks for the new version's own answer, and the dashboard names it.
        "AWS::Lambda::Function",
        "AWS::CloudWatch::Dashboard",
    }
    return deployed
