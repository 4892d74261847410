"""The script of a new project that keeps an older commit from being deployed over a newer one."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Started


def _git(folder: Path, *arguments: str) -> str:
    who = ("-c", "user.name=a", "-c", "user.email=a@example.com")
    done = subprocess.run(
        ["git", *who, *arguments],  # noqa: S607 - whichever there is
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


@pytest.fixture
def checkout(tmp_path: Path) -> tuple[Path, str, str]:
    """A checkout whose origin has gone on: its folder, its commit, and the newest one."""
    origin, here = tmp_path / "origin", tmp_path / "here"
    origin.mkdir()
    _git(origin, "init", "--quiet", "--initial-branch", "main")
    _git(origin, "commit", "--quiet", "--allow-empty", "--message", "a")
    _git(tmp_path, "clone", "--quiet", str(origin), "here")
    _git(origin, "commit", "--quiet", "--allow-empty", "--message", "b")
    return here, _git(here, "rev-parse", "HEAD"), _git(origin, "rev-parse", "HEAD")


def _newest(projects: dict[str, Started], folder: Path, commit: str, **variables: str) -> Any:
    script = projects["both"].root / "ci" / "check_newest.py"
    return subprocess.run(
        [sys.executable, str(script), commit],
        cwd=folder,
        env={"PATH": os.environ["PATH"], **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_commit_that_main_has_left_behind_is_not_deployed(
    projects: dict[str, Started], checkout: tuple[Path, str, str]
) -> None:
    folder, older, newest = checkout

    stopped = _newest(projects, folder, older)
    wrong = _newest(projects, folder, older, DEPLOY_OLDER="true")

    assert stopped.returncode == wrong.returncode == 1
    assert f"main has gone on to {newest}: nothing of {older} is deployed" in stopped.stderr
    assert "it may wait for older approvals: reject those" in stopped.stderr
    assert _newest(projects, folder, newest, GITHUB_TOKEN="t").returncode == 0  # noqa: S106 - none
    assert _newest(projects, folder, older, DEPLOY_OLDER=older).returncode == 0


def test_an_origin_that_does_not_answer_stops_a_deployment(
    projects: dict[str, Started], tmp_path: Path
) -> None:
    done = _newest(projects, tmp_path, "0" * 40)

    assert done.returncode == 1
    assert done.stderr.startswith("cannot ask the origin for refs/heads/main: ")
    assert "Traceback" not in done.stderr
