"""The commit of a project is noted as git knows it."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from forecast_operations.verifying.commit import commit_of

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    program = shutil.which("git")
    assert program is not None

    def git(*arguments: str) -> None:
        who = ("-c", "user.name=n", "-c", "user.email=e@x")
        subprocess.run([program, *who, *arguments], cwd=tmp_path, check=True, capture_output=True)

    git("init")
    (tmp_path / "lock").write_text("1")
    git("add", "lock")
    git("commit", "-m", "first")
    return tmp_path


def test_a_clean_project_is_at_its_commit(repository: Path) -> None:
    (repository / "untracked").write_text("")

    commit = commit_of(repository)

    assert commit is not None
    assert len(commit) == 40


def test_changed_files_make_it_dirty(repository: Path) -> None:
    clean = commit_of(repository)
    (repository / "lock").write_text("2")

    assert commit_of(repository) == f"{clean}-dirty"


def test_outside_git_and_without_git_there_is_none(
    tmp_path: Path, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outside = tmp_path.with_name(f"{tmp_path.name}-outside")
    outside.mkdir()

    assert commit_of(outside) is None
    monkeypatch.setattr(shutil, "which", lambda _: None)
    assert commit_of(repository) is None
