"""The pipelines of new projects: valid, gated, and without a key that lasts."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from click.testing import Result
    from conftest import Started

BIN = Path(sys.executable).parent


def _run(*command: str) -> None:
    done = subprocess.run(
        [str(BIN / command[0]), *command[1:]], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"


def test_github_and_circleci_accept_them(projects: dict[str, Started]) -> None:
    on_github = [projects[name].root / ".github" for name in ("github", "both")]
    on_circleci = [projects[name].root / ".circleci" for name in ("circleci", "both")]
    for schema, paths in {
        "github-workflows": [folder / "workflows" / "pipeline.yml" for folder in on_github],
        "dependabot": [folder / "dependabot.yml" for folder in on_github],
        "circle-ci": [folder / "config.yml" for folder in on_circleci],
    }.items():
        _run("check-jsonschema", "--builtin-schema", f"vendor.{schema}", *map(str, paths))


def test_an_audit_of_the_workflow_finds_nothing(projects: dict[str, Started]) -> None:
    folders = [str(projects[name].root / ".github") for name in ("github", "both")]

    _run("zizmor", "--offline", "--no-progress", "--strict-collection", *folders)


def test_actions_are_pinned_by_their_commits(projects: dict[str, Started]) -> None:
    text = (projects["both"].root / ".github" / "workflows" / "pipeline.yml").read_text()

    used = re.findall(r"uses: (.*)", text)
    assert used
    pinned = re.compile(r"\S+@[0-9a-f]{40} # v\d+\.\d+\.\d+")
    assert [line for line in used if not pinned.fullmatch(line)] == []


def test_github_deploys_one_environment_after_another_in_its_own_environment(
    projects: dict[str, Started],
) -> None:
    jobs = projects["both"].workflow["jobs"]

    before = "test"
    for name in ("dev", "qa", "staging", "prod"):
        job = jobs[f"deploy-{name}"]
        assert (job["needs"], job["environment"]) == (before, name)
        assert job["concurrency"] == {"group": f"deploy-{name}", "cancel-in-progress": False}
        assert job["permissions"] == {"contents": "read", "id-token": "write"}
        commands = [step["run"] for step in job["steps"] if "run" in step]
        assert commands[-4:] == [
            f"forecast package {name}",
            f"forecast preflight {name}",
            f"forecast deploy {name} --yes",
            f"forecast verify {name}",
        ]
        before = f"deploy-{name}"


def test_a_pull_request_of_a_fork_is_tested_only(projects: dict[str, Started]) -> None:
    workflow = projects["github"].workflow

    assert set(workflow["on"]) == {"pull_request", "push"}
    assert workflow["permissions"] == {}
    assert "head.repo.full_name == github.repository" in workflow["jobs"]["plan"]["if"]
    assert "permissions" in workflow["jobs"]["test"]
    assert "id-token" not in workflow["jobs"]["test"]["permissions"]


def test_circleci_deploys_one_environment_after_another_with_an_approval_before_all_but_dev(
    projects: dict[str, Started],
) -> None:
    entries = projects["both"].circleci["workflows"]["deployment"]["jobs"]
    jobs = {job["name"]: job for entry in entries for job in entry.values()}

    assert jobs["deploy-dev"]["requires"] == ["test"]
    before = "deploy-dev"
    for name in ("qa", "staging", "prod"):
        assert jobs[f"approve-{name}"]["type"] == "approval"
        assert jobs[f"approve-{name}"]["requires"] == [before]
        assert jobs[f"deploy-{name}"]["requires"] == [f"approve-{name}"]
        assert jobs[f"deploy-{name}"]["context"] == f"forecast-{name}"
        before = f"deploy-{name}"
    assert all(job["filters"] == {"branches": {"only": "main"}} for job in jobs.values())


def test_an_environment_alone_is_gated_unless_it_is_dev(projects: dict[str, Started]) -> None:
    entries = projects["circleci"].circleci["workflows"]["deployment"]["jobs"]

    assert [next(iter(entry.values()))["name"] for entry in entries] == [
        "test",
        "approve-test-bed",
        "deploy-test-bed",
    ]


def test_no_pipeline_holds_a_key(projects: dict[str, Started]) -> None:
    for project in projects.values():
        for file in project.files:
            if file.startswith((".github", ".circleci")):
                assert "AWS_SECRET" not in (project.root / file).read_text()


def test_a_plan_gets_a_token_that_reads_and_a_deployment_that_of_its_environment(
    projects: dict[str, Started],
) -> None:
    jobs = projects["both"].workflow["jobs"]

    tokens = {name: job.get("env", {}).get("MLFLOW_TRACKING_TOKEN") for name, job in jobs.items()}
    assert tokens.pop("test") is None
    assert tokens.pop("plan") == "${{ secrets.MLFLOW_READ_TOKEN }}"
    assert set(tokens.values()) == {"${{ secrets.MLFLOW_TRACKING_TOKEN }}"}
    assert all("environment" in jobs[name] for name in tokens)
    reads = projects["both"].steps("plan")[1]
    assert reads == (
        "Read the registry",
        """echo 'export MLFLOW_TRACKING_TOKEN="${MLFLOW_READ_TOKEN:-}"' >> "$BASH_ENV\"""",
    )


def test_a_deployment_asks_first_whether_main_has_gone_on(projects: dict[str, Started]) -> None:
    for name, job in projects["both"].workflow["jobs"].items():
        if name.startswith("deploy-"):
            names = [step.get("name", step.get("uses", "")) for step in job["steps"]]
            asked = names.index("Stop when main has gone on")
            assert asked < next(
                index for index, each in enumerate(names) if "configure-aws-credentials" in each
            )
    deploy = projects["both"].steps("deploy")
    assert deploy[1] == ("Stop when main has gone on", 'python ci/check_newest.py "$CIRCLE_SHA1"')
    assert deploy[2][0] == "Fetch what the environment before has proved"


def test_a_pipeline_without_a_gate_speaks_of_no_reviewers(
    tmp_path: Path, init: Callable[..., Result]
) -> None:
    init(tmp_path / "p", "--yes", "--ci", "github", "--environments", "dev")

    text = (tmp_path / "p" / ".github" / "workflows" / "pipeline.yml").read_text()
    assert "reviewers" not in text
