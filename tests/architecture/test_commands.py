"""Every `forecast` command that a page or the Makefile shows is one that there is."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import typer

from forecast_operations.cli import app
from forecast_operations.starting.questions import complete
from forecast_operations.starting.rendering import render_project

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "Makefile", *sorted((ROOT / "docs").glob("*.md"))]
COMMAND = typer.main.get_command(app)

_SPAN = re.compile(r"`(forecast [^`\n]+)`")
_LINE = re.compile(r"^[\t ]*[@$]?[\t ]*(forecast [a-z].*)$", re.MULTILINE)
_FENCE = re.compile(r"^```[a-z]*\n(.*?)^```", re.MULTILINE | re.DOTALL)


def shown_in(page: Path) -> Iterator[str]:
    """What a page shows as code, from `forecast` to the end of the command."""
    text = page.read_text("utf-8")
    yield from _SPAN.findall(text)
    for block in [text] if page.name == "Makefile" else _FENCE.findall(text):
        yield from _LINE.findall(block)


def wrong_with(shown: str) -> str | None:
    """What is wrong with a command; None when there is such a one."""
    words = re.split(r"[|;&>()]|\s#", shown.replace("\\", " "))[0]
    try:
        _, *arguments = shlex.split(words)
    except ValueError:
        _, *arguments = words.split()
    command: Any = COMMAND
    while (commands := getattr(command, "commands", None)) and arguments:
        name, *arguments = arguments
        if name not in commands:
            return None if _stands_for_any(name) else f"there is no command {name}"
        command = commands[name]
    options = {option for each in command.params for option in (*each.opts, *each.secondary_opts)}
    given = {word.partition("=")[0] for word in arguments if re.match(r"--?[a-z]", word)}
    unknown = sorted(given - options - {"--help"})
    return f"{command.name} has no option {', '.join(unknown)}" if unknown else None


def _stands_for_any(name: str) -> bool:
    return not re.fullmatch(r"[a-z][a-z-]*", name)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_shown_is_one_that_there_is(page: Path) -> None:
    wrong = {shown: why for shown in shown_in(page) if (why := wrong_with(shown)) is not None}

    assert wrong == {}


@pytest.fixture(scope="module")
def targets() -> set[str]:
    text = (ROOT / "Makefile").read_text("utf-8")
    return set(re.findall(r"^([a-z-]+):.*## ", text, re.MULTILINE))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_target_shown_is_one_that_there_is(page: Path, targets: set[str]) -> None:
    text = page.read_text("utf-8")
    blocks = "\n".join(_FENCE.findall(text))
    shown = set(re.findall(r"^\$? ?make ([a-z-]+)", blocks, re.MULTILINE))
    shown |= set(re.findall(r"`make ([a-z-]+)", text))

    assert shown <= targets


def test_the_makefile_names_every_part_of_operating(targets: set[str]) -> None:
    assert targets >= {
        "delete-endpoint",
        "deploy-dev",
        "deploy-prod",
        "deploy-staging",
        "emergency-stop",
        "list-endpoints",
        "monitoring-start",
        "monitoring-status",
        "pipeline-train-full",
        "promote-model",
        "register-models",
        "test-endpoint",
        "workflow-prod",
        "workflow-staging",
    }


def _made(target: str, *variables: str) -> list[str]:
    """The `forecast` commands of a target of the Makefile, as make hands them to the shell."""
    done = subprocess.run(
        ["make", "-n", target, *variables],  # noqa: S607 - whichever there is
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return re.findall(r"\bforecast [a-z][^|;\n]*", done.stdout)


def _operating() -> dict[str, list[str]]:
    """The variables that the help shows for each target of operating."""
    part = (ROOT / "Makefile").read_text("utf-8").partition("\n##@ Operate")[2]
    shown = re.findall(r"^([a-z-]+):.*## (.*)", part, re.MULTILINE)
    return {target: re.findall(r"([A-Z_]+=[\w.-]+)", text) for target, text in shown}


@pytest.mark.parametrize("target", _operating())
def test_every_target_runs_commands_that_there_are_also_without_asking(target: str) -> None:
    commands = _made(target, *_operating()[target], "ARGS=--yes", "VERSION=16")

    assert commands or target == "register-models"
    wrong = {shown: why for shown in commands if (why := wrong_with(shown)) is not None}
    assert wrong == {}


@pytest.mark.parametrize("target", ["deploy-prod", "delete-endpoint", "emergency-stop"])
def test_what_asks_can_be_answered_beforehand(target: str) -> None:
    asks, *_ = _made(target, *_operating()[target], "ARGS=--yes")

    assert asks.rstrip().endswith(" --yes")


def test_a_training_pins_for_one_environment_only() -> None:
    assert _made("pipeline-train-full") == ["forecast resolve dev", "forecast package dev"]


def test_two_accounts_are_asked_with_a_profile_each() -> None:
    make = ["make", "-n", "workflow-prod", "SOURCE_PROFILE=proof", "TARGET_PROFILE=live"]
    done = subprocess.run(make, cwd=ROOT, capture_output=True, text=True, check=True)

    found = re.findall(r"AWS_PROFILE=(\w+) forecast (\w+)", done.stdout)
    assert found == [
        ("proof", "promote"),
        ("live", "preflight"),
        ("live", "plan"),
        ("live", "deploy"),
        ("live", "verify"),
        ("live", "verify"),
    ]
    assert done.stdout.count("forecast ") == len(found)


@pytest.mark.parametrize("code", [0, 3])
def test_a_deployment_that_was_undone_is_looked_at_and_fails(code: int) -> None:
    make = ["make", "-n", "deploy-prod"]
    done = subprocess.run(make, cwd=ROOT, capture_output=True, text=True, check=True)
    (line,) = (each for each in done.stdout.splitlines() if each.startswith("forecast deploy"))
    fake = f'forecast() {{ echo "$1"; if [ $1 = deploy ]; then return {code}; fi; }}\n'
    ran = subprocess.run(["bash", "-c", fake + line], capture_output=True, text=True, check=False)  # noqa: S607

    assert ran.returncode == code
    assert ran.stdout.split() == (["deploy", "verify"] if code else ["deploy"])


@pytest.fixture(scope="module")
def new_project() -> dict[str, str]:
    """The files of a new project with both pipelines."""
    answers = complete({"folder": "prices", "ci": "both"})
    return render_project(answers, "forecast-endpoint @ https://example.com/f.whl")


@pytest.mark.parametrize(
    "path",
    ["README.md", "docs/runbooks.md", ".github/workflows/pipeline.yml", ".circleci/config.yml"],
)
def test_a_new_project_names_commands_that_there_are(
    path: str, new_project: dict[str, str]
) -> None:
    text = new_project[path].replace("<< parameters.environment >>", "prod")

    shown = {
        *_SPAN.findall(text),
        *re.findall(r"^[ \t(]*(?:\w+: )?(forecast [a-z].*)$", text, re.MULTILINE),
    }
    assert shown
    wrong = {each: why for each in shown if (why := wrong_with(each)) is not None}
    assert wrong == {}


def test_a_command_that_there_is_not_is_found() -> None:
    assert wrong_with("forecast fly prod") == "there is no command fly"
    assert wrong_with("forecast deploy prod --now") == "deploy has no option --now"
    assert wrong_with("forecast local up --speed 300  # start it") is None
