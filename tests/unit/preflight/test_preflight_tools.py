"""The tools are those that the project pins."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from forecast_operations.preflight.tools import look_at_tools

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Around = Callable[..., Any]

OWN_IMAGE = {"image": {"kind": "own", "python": "3.11"}}


@pytest.fixture
def tools(around: Around, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Around:
    """The findings in a project with these programs, by what they say of their version."""

    def look(
        *,
        pinned: str | None = None,
        installed: str | None = None,
        changes: Any = None,
        **programs: str,
    ) -> dict[str, Any]:
        folder = tmp_path / "bin"
        folder.mkdir()
        for name, said in programs.items():
            program = folder / name
            program.write_text(f"#!/bin/sh\n{said}\n")
            program.chmod(0o755)
        if pinned is not None:
            package = {"devDependencies": {"aws-cdk": pinned}}
            (tmp_path / "package.json").write_text(json.dumps(package))
        if installed is not None:
            here = tmp_path / "node_modules" / "aws-cdk"
            here.mkdir(parents=True)
            package = {"version": installed, "engines": {"node": ">= 18.0.0"}}
            (here / "package.json").write_text(json.dumps(package))
        monkeypatch.setenv("PATH", str(folder))
        monkeypatch.delenv("CDK_DOCKER", raising=False)
        return {each.check: each for each in look_at_tools(around(changes))}

    return look


def test_the_pinned_cli_on_a_node_that_runs_it_is_fine(tools: Around) -> None:
    found = tools(pinned="2.1.0", installed="2.1.0", node="echo v24.1.0")

    assert {check: each.status for check, each in found.items()} == {"cdk cli": "ok", "node": "ok"}


def test_another_cli_than_the_pinned_one_fails(tools: Around) -> None:
    found = tools(pinned="2.1.0", installed="3.0.0", node="echo v24.1.0")["cdk cli"]

    assert (found.status, found.found) == ("failed", "version 3.0.0")
    assert found.expected == "version 2.1.0, as package.json says"


def test_without_a_pin_the_cli_of_the_path_will_do(tools: Around) -> None:
    found = tools(cdk="echo '2.9.0 (build 1)'", node="echo v24.1.0")["cdk cli"]

    assert (found.status, found.found) == ("ok", "2.9.0")


def test_nothing_at_hand_fails_twice(tools: Around) -> None:
    found = tools(pinned="2.1.0")

    assert [each.status for each in found.values()] == ["failed", "failed"]
    assert found["cdk cli"].advice == "make setup"


@pytest.mark.parametrize(("version", "status"), [("v16.20.0", "failed"), ("v18.0.0", "ok")])
def test_a_node_that_the_cli_does_not_run_on_fails(
    version: str, status: str, tools: Around
) -> None:
    found = tools(pinned="2.1.0", installed="2.1.0", node=f"echo {version}")["node"]

    assert (found.status, found.expected) == (status, ">= 18.0.0")


def test_docker_is_needed_for_an_own_image_only(tools: Around) -> None:
    assert "docker" not in tools(node="echo v24.1.0")


@pytest.mark.parametrize(
    ("programs", "status"),
    [({}, "failed"), ({"docker": "exit 1"}, "warning"), ({"docker": "echo 29"}, "ok")],
)
def test_docker_must_answer(programs: dict[str, str], status: str, tools: Around) -> None:
    assert tools(changes=OWN_IMAGE, **programs)["docker"].status == status
