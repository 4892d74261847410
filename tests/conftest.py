"""What several suites share: who runs where, and environments for what cannot be installed here."""

from __future__ import annotations

import fcntl
import hashlib
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings
from xdist.scheduler import LoadFileScheduling

if TYPE_CHECKING:
    from collections.abc import Callable

    from xdist.remote import Producer

ROOT = Path(__file__).parents[1]

# No deadline: the machine may be busy. `--hypothesis-profile long` searches for hours, not seconds.
# Numbers of examples alone bound the search: Hypothesis has no setting for the time of a whole
# test, and its deadline, which is that of one example, would fail on a busy machine.
settings.register_profile("short", deadline=None)
settings.register_profile("long", deadline=None, max_examples=20_000)
settings.load_profile("short")


class _ByFileOrFolder(LoadFileScheduling):
    """The tests of a file in one process; those of the main job all in one, which deploys once."""

    def _split_scope(self, nodeid: str) -> str:
        file = super()._split_scope(nodeid)
        folder = file.rpartition("/")[0]
        return folder if folder.endswith("local/main_job") else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadFileScheduling:
    return _ByFileOrFolder(config, log)


def install(requirements: Path, base: str = sys.executable) -> Path:
    """The Python of an environment with the packages of a file; benchmarks use it too."""
    kind = sys.version_info[:2] if base == sys.executable else base
    text = f"{kind}\n{requirements.read_text(encoding='utf-8')}"
    folder = ROOT / ".forecast" / "test-environments"
    folder /= hashlib.sha256(text.encode()).hexdigest()[:16]
    folder.mkdir(parents=True, exist_ok=True)
    python = folder / "bin" / "python"
    with folder.with_suffix(".lock").open("w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "complete").exists():
            subprocess.run([base, "-m", "venv", "--clear", folder], check=True)
            pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
            # Few of the modules are ever imported; those are compiled then.
            pip = [*pip, "--no-deps", "--no-compile"]
            # Some packages are source distributions from before isolated builds.
            build_tools = re.findall(r"^setuptools==\S+", text, re.MULTILINE)
            if build_tools:
                subprocess.run([*pip, *build_tools], check=True)
                pip.append("--no-build-isolation")
            subprocess.run([*pip, "--requirement", requirements], check=True)
            (folder / "complete").touch()
    return python


@pytest.fixture(scope="session")
def pinned_environment() -> Callable[..., Path]:
    """The Python of an environment that holds exactly the packages of a requirements file.

    Each is installed once, below `.forecast/test-environments`, and found again by its content. The
    second argument is the interpreter that it is made with; this one by default.
    """
    return install
