"""A project of `forecast init`: it passes its own tests, and deploys to the local AWS."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from forecast_local import lifecycle

if TYPE_CHECKING:
    from collections.abc import Iterator

REPOSITORY = Path(__file__).parents[2]
BIN = Path(sys.executable).parent


def _run(root: Path, *command: str) -> str:
    """Run a command as the project's user would, with this environment for the project's own."""
    local = lifecycle.status(root)
    tools = os.pathsep.join([str(BIN), str(REPOSITORY / "node_modules" / ".bin")])
    # What is exported for the tests here is no concern of the project's.
    ours = ("PYTEST", "FORECAST")
    surroundings = {key: value for key, value in os.environ.items() if not key.startswith(ours)}
    done = subprocess.run(
        command,
        cwd=root,
        env={
            **surroundings,
            "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}",
            "CI": "true",
            "NO_COLOR": "1",
            **(local.environment(region="eu-central-1") if local else {}),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    root = tmp_path_factory.mktemp("new") / "prices"
    _run(root.parent, "forecast", "init", "prices", "--yes", "--ci", "both")
    yield root
    lifecycle.down(root)


def test_a_new_project_passes_its_own_tests(project: Path) -> None:
    said = _run(project, "python", "-m", "pytest", "-q", "-p", "no:cacheprovider")

    assert " passed" in said
    assert "failed" not in said
    assert "skipped" not in said


@pytest.mark.local
@pytest.mark.slow
def test_a_new_project_deploys_and_answers(project: Path) -> None:
    _run(project, "python", "example/train.py")
    _run(project, "forecast", "resolve", "dev")
    _run(project, "forecast", "local", "up")
    _run(project, "cdk", "bootstrap", "-c", "environments=dev")
    _run_pipeline(project, "dev")

    answer = json.loads(_run(project, "forecast", "invoke", "dev", "-f", "example/request.json"))

    (prediction,) = answer["predictions"]
    # What the example is trained to see: 0.9 x 4.2 + 0.1 x 4 - 0.02 x 12.5.
    assert prediction["forecasted_price"] == pytest.approx(3.93, abs=0.6)


@pytest.mark.local
@pytest.mark.slow
def test_a_fresh_runner_deploys_the_very_bytes_that_were_proved(project: Path) -> None:
    _run(project, "forecast", "promote", "--from", "dev", "--to", "staging")
    proved = _archive(project, "dev")
    # A runner has what the repository has; the bytes are in the bucket of dev.
    for name in ("archives", "cache"):
        shutil.rmtree(project / ".forecast" / name)
    (project / "mlflow.db").rename(project / "away.db")

    _run_pipeline(project, "staging")

    assert _archive(project, "staging") == proved


def _run_pipeline(project: Path, environment: str) -> None:
    """Run the commands of a deployment's job, in their order."""
    pipeline = yaml.safe_load((project / ".github" / "workflows" / "pipeline.yml").read_text())
    steps = pipeline["jobs"][f"deploy-{environment}"]["steps"]
    commands = [step["run"] for step in steps if step.get("run", "").startswith("forecast ")]
    assert len(commands) >= 4
    for command in commands:
        _run(project, *command.split())


def _archive(project: Path, environment: str) -> str:
    """Digest of the archive that the newest record of an environment proves."""
    record = json.loads(_run(project, "forecast", "show", environment, "--json"))
    digest: str = record["archive_digest"]
    return digest
