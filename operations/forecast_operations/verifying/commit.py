"""The commit that a project is at."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_SECONDS = 20


def commit_of(root: Path) -> str | None:
    """The commit that a folder is at, with `-dirty` where tracked files differ from it.

    None outside git, and where git does not answer.
    """
    program = shutil.which("git")
    if program is None:
        return None
    commit = _ask(program, root, "rev-parse", "HEAD")
    changes = _ask(program, root, "status", "--porcelain", "--untracked-files=no")
    if not commit or changes is None:
        return None
    return f"{commit}-dirty" if changes else commit


def _ask(program: str, root: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(
            [program, "-C", str(root), *arguments],
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
