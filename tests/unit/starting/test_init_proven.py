"""The pipelines of new projects deploy the bytes that were proved, and prove what they deployed."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from cloudformation_yaml import load_template

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Started

HOUR = 3600
"""Seconds that the action asks for with a token of GitHub, unless it is told otherwise."""
FETCH = "Fetch what the environment before has proved"


def _bash(script: str, cwd: Path, **variables: str) -> tuple[list[str], int]:
    """What a step says, and what it ends with; a placeholder of CircleCI stands for prod."""
    done = subprocess.run(
        ["bash", "-eo", "pipefail", "-c", script.replace("<< parameters.environment >>", "prod")],  # noqa: S607
        cwd=cwd,
        env=variables,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.splitlines(), done.returncode


def _roles(job: dict[str, Any]) -> list[dict[str, Any]]:
    """The steps of a job of GitHub that take a role on."""
    return [step for step in job["steps"] if "role-to-assume" in step.get("with", {})]


def test_github_fetches_by_the_role_that_looks_at_the_environment_before(
    projects: dict[str, Started],
) -> None:
    jobs = projects["both"].workflow["jobs"]
    plans = jobs["plan"]["strategy"]["matrix"]["include"]

    def arns(job: str) -> list[str]:
        return [step["with"]["role-to-assume"] for step in _roles(jobs[job])]

    before = [f"${{{{ vars.AWS_PLAN_ROLE_{name} }}}}" for name in ("DEV", "QA", "STAGING")]
    own = "${{ vars.AWS_DEPLOY_ROLE }}"
    assert [each.get("source") for each in plans] == [None, *before]
    assert arns("plan") == ["${{ matrix.source }}", "${{ matrix.role }}"]
    assert arns("deploy-dev") == [own]
    assert [arns(f"deploy-{name}") for name in ("qa", "staging", "prod")] == [
        [each, own] for each in before
    ]


@pytest.mark.parametrize(
    ("job", "command"),
    [("plan", 'forecast package "$ENVIRONMENT"'), ("deploy-prod", "forecast package prod")],
)
def test_github_goes_on_without_the_fetched_archive_but_not_without_any(
    job: str, command: str, projects: dict[str, Started]
) -> None:
    steps = projects["both"].workflow["jobs"][job]["steps"]

    at = next(index for index, step in enumerate(steps) if step.get("id") == "source")
    role, fetch, own, strict = steps[at : at + 4]
    assert role["continue-on-error"] is fetch["continue-on-error"] is True
    assert fetch["if"] == "${{ steps.source.outcome == 'success' }}"
    assert own["with"]["unset-current-credentials"] is True
    assert fetch["run"] == strict["run"] == command
    assert "continue-on-error" not in strict


def test_circleci_fetches_with_credentials_that_stay_behind(
    projects: dict[str, Started], tmp_path: Path
) -> None:
    role = "ci/assume_role.py AWS_SOURCE_ROLE_ARN 3600"
    script = f"""
        python() {{ [ "$*" = "{role}" ] && echo "export KEY=$ROLE"; }}
        forecast() {{ echo "$* with $KEY"; return $CODE; }}
        {dict(projects["both"].steps("plan"))[FETCH]}
        echo "then ${{KEY:-none}}"
    """
    given = {"AWS_SOURCE_ROLE_ARN": "arn", "ROLE": "source"}
    fetched = "package prod with source"

    assert _bash(script, tmp_path, **given, CODE="0") == ([fetched, "then none"], 0)
    lines = [fetched, "nothing was fetched", "then none"]
    assert _bash(script, tmp_path, **given, CODE="1") == (lines, 0)
    assert _bash(script, tmp_path, CODE="0") == (["then none"], 0)


@pytest.mark.parametrize("job", ["plan", "deploy"])
def test_circleci_goes_on_with_its_own_role_and_the_archive(
    job: str, projects: dict[str, Started]
) -> None:
    steps = projects["both"].steps(job)

    at = [name for name, _ in steps].index(FETCH)
    assert steps[at + 1][0] == "Take the role on"
    assert steps[at + 2] == ("Have the archive", "forecast package << parameters.environment >>")


def test_a_role_is_asked_for_no_longer_than_it_may_be_taken_on(
    projects: dict[str, Started],
) -> None:
    project = projects["both"]
    jobs, orb = project.workflow["jobs"], project.circleci["jobs"]

    def seconds(job: str) -> int:
        (found,) = (each["have-archive"] for each in orb[job]["steps"] if "have-archive" in each)
        return int(found["seconds"])

    on_github = {
        "PlanRole": jobs["plan"],
        "DeployRole": jobs["deploy-prod"],
    }
    asked = {
        "github": {
            role: _roles(job)[-1]["with"].get("role-duration-seconds", HOUR)
            for role, job in on_github.items()
        },
        "circleci": {"PlanRole": seconds("plan"), "DeployRole": seconds("deploy")},
    }
    for service, by_role in asked.items():
        text = (project.root / "ci" / f"aws-roles-{service}.yaml").read_text()
        for role, wanted in by_role.items():
            allowed = load_template(text)["Resources"][role]["Properties"]["MaxSessionDuration"]
            assert wanted <= allowed, (service, role)


def test_github_looks_at_a_deployment_that_was_undone(projects: dict[str, Started]) -> None:
    *_, deploy, verify = projects["both"].workflow["jobs"]["deploy-prod"]["steps"]

    assert deploy["run"] == "forecast deploy prod --yes"
    assert verify["run"] == "forecast verify prod"
    assert verify["if"] == f"${{{{ !cancelled() && steps.{deploy['id']}.outcome != 'skipped' }}}}"


@pytest.mark.parametrize("where", ["circleci", "make"])
@pytest.mark.parametrize(
    ("code", "lines"), [(0, ["deploy prod --yes"]), (3, ["deploy prod --yes", "verify prod"])]
)
def test_a_deployment_that_was_undone_is_looked_at_and_fails(
    where: str, code: int, lines: list[str], *, projects: dict[str, Started], tmp_path: Path
) -> None:
    project = projects["both"]
    if where == "circleci":
        (command,) = (each for _, each in project.steps("deploy") if "forecast deploy" in each)
    else:
        command = _made(project, "deploy-prod")
    fake = f'forecast() {{ echo "$*"; if [ $1 = deploy ]; then return {code}; fi; }}\n'

    assert _bash(fake + command, tmp_path) == (lines, code)


def _made(project: Started, target: str) -> str:
    """The line of a target that deploys, as make hands it to the shell."""
    done = subprocess.run(
        ["make", "-n", target, "ARGS=--yes"],  # noqa: S607 - whichever there is
        cwd=project.root,
        capture_output=True,
        text=True,
        check=True,
    )
    (line,) = (each for each in done.stdout.splitlines() if each.startswith("forecast deploy"))
    return line
