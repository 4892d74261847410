"""Every `forecast` command that a page or the Makefile shows is one that there is."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import typer

from forecast_operations.cli import app

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


def test_a_command_that_there_is_not_is_found() -> None:
    assert wrong_with("forecast fly prod") == "there is no command fly"
    assert wrong_with("forecast deploy prod --now") == "deploy has no option --now"
    assert wrong_with("forecast local up --speed 300  # start it") is None
