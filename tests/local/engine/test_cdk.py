"""The real CDK CLI and AWS CLI against the local AWS."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from forecast_local import lifecycle

pytestmark = [pytest.mark.local, pytest.mark.slow]
PROJECT = Path(__file__).parents[3]
APP = Path(__file__).parent / "app" / "app.py"


class Cli:
    """The CDK CLI and the AWS CLI in the environment of a local AWS."""

    def __init__(self, root: Path, aws: lifecycle.LocalAws) -> None:
        self.root = root
        self._environment = {
            **os.environ,
            **aws.environment(),
            "PATH": f"{PROJECT / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}",
            "CI": "true",
        }

    def run(self, *command: str) -> tuple[int, str]:
        done = subprocess.run(
            command,
            cwd=self.root,
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    def cdk(self, *arguments: str) -> tuple[int, str]:
        return self.run(str(PROJECT / "node_modules" / ".bin" / "cdk"), *arguments)

    def deploy(self, archive: Path, *arguments: str) -> tuple[int, str]:
        options = ("--require-approval", "never", "-c", f"archive={archive}")
        return self.cdk("deploy", "LocalEndpoint", *options, *arguments)

    def invoke(self) -> Any:
        output = self.root / "answer.json"
        name, body = "local-test", "price?"
        code, text = self.run(
            *("aws", "sagemaker-runtime", "invoke-endpoint", "--endpoint-name", name),
            *("--body", body, str(output)),
        )
        assert code == 0, text
        return json.loads(output.read_text(encoding="utf-8"))


@pytest.fixture
def cli(tmp_path: Path, archive: Any) -> Iterator[Cli]:
    for version in ("1", "2"):
        (tmp_path / f"{version}.tar.gz").write_bytes(archive(version))
    python = PROJECT / ".venv" / "bin" / "python"
    content = {
        "app": f"{python} {APP}",
        "context": {
            "archive": str(tmp_path / "1.tar.gz"),
            "@aws-cdk/aws-s3:serverAccessLogsUseBucketPolicy": True,
        },
    }
    (tmp_path / "cdk.json").write_text(json.dumps(content), encoding="utf-8")
    aws = lifecycle.up(tmp_path)
    yield Cli(tmp_path, aws)
    lifecycle.down(tmp_path)


def test_cdk_cli_bootstraps_deploys_updates_and_destroys(cli: Cli) -> None:
    one, two = cli.root / "1.tar.gz", cli.root / "2.tar.gz"
    code, text = cli.cdk("bootstrap")
    assert code == 0, text

    code, text = cli.deploy(one, "LocalNetwork")
    assert code == 0, text
    assert "LocalEndpoint.EndpointName = local-test" in text
    assert cli.invoke()["version"] == "1"

    code, text = cli.cdk("diff", "LocalEndpoint", "-c", f"archive={two}")
    assert text.count("requires replacement") == 2

    code, text = cli.deploy(two, "--method=direct")
    assert code == 0, text
    assert cli.invoke()["version"] == "2"

    code, text = cli.deploy(one, "-c", "unknown=1")
    assert code != 0
    assert "the local AWS does not know the resource type AWS::Braket::Device of Unknown" in text
    assert cli.invoke()["version"] == "2"

    code, text = cli.cdk("destroy", "--force", "LocalEndpoint", "LocalNetwork")
    assert code == 0, text
    state = cli.root / ".forecast" / "local"
    assert list((state / "processes").iterdir()) == []
    assert list((state / "endpoints").iterdir()) == []
    found = boto3.client(
        "sagemaker",
        endpoint_url=lifecycle.up(cli.root).endpoint_url,
        region_name="us-east-1",
        aws_access_key_id="local",
        aws_secret_access_key="local",  # noqa: S106 - the local AWS takes any
    )
    assert found.list_models()["Models"] == []
