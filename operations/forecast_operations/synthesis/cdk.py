"""The CDK CLI of a project."""

from __future__ import annotations

import atexit
import re
import shutil
import subprocess
import sys
from functools import cache
from typing import TYPE_CHECKING

from forecast_config import ForecastError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


_STANDARD_ERROR = 2
_QUIET = "--quiet"
_HINTS = ("Successfully synthesized to ", "Supply a stack id ")
"""How the lines begin that `cdk synth` prints where all is well, and that no option turns off."""

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def run_cdk(root: Path, arguments: Sequence[str]) -> None:
    """Run the CDK CLI in a project; what it prints is progress, and goes to standard error.

    Args:
        root: The project.
        arguments: Its subcommand and options; with `--quiet` its hints are left out, and its
            warnings come when it has ended.

    Raises:
        ForecastError: It is not there, or it ended with an error.
    """
    beside = root / "node_modules" / ".bin" / "cdk"
    program = str(beside) if beside.is_file() else shutil.which("cdk")
    if program is None:
        raise ForecastError("the CDK CLI is not there; run: make setup")
    run = _run_quietly if _QUIET in arguments else _run
    status = run(root, [program, *arguments])
    if status:
        raise ForecastError(
            f"cdk {arguments[0]} ended with status {status}; the reason is above, and the "
            "command can be run again"
        )


def _run(root: Path, command: Sequence[str]) -> int:
    # By its number: the results of this process alone are on standard output.
    return subprocess.run(command, cwd=root, check=False, stdout=_STANDARD_ERROR).returncode


def _run_quietly(root: Path, command: Sequence[str]) -> int:
    # In its CI mode, errors alone are on its standard error, which is left to it.
    quiet = [*command, "--ci", "--no-notices"]
    done = subprocess.run(quiet, cwd=root, check=False, stdout=subprocess.PIPE)
    for line in done.stdout.decode(errors="replace").splitlines():
        if not _COLOUR.sub("", line).startswith(_HINTS):
            sys.stderr.write(f"{line}\n")
    return done.returncode


def synthesize(
    root: Path, assembly: Path, path: Path, environment: str, context: Sequence[str] = ()
) -> None:
    """Synthesize one environment.

    Args:
        root: The project.
        assembly: Folder of the cloud assembly; what is there is replaced.
        path: The configuration file.
        environment: The environment.
        context: Further context flags, each `key=value`.

    Raises:
        ForecastError: The CLI is not there, or it ended with an error.
    """
    shutil.rmtree(assembly, ignore_errors=True)
    flags = [f"config={path.resolve()}", f"environments={environment}", *context]
    command = ["synth", _QUIET, "--output", str(assembly)]
    run_cdk(root, [*command, *(part for flag in flags for part in ("--context", flag))])


@cache
def own_folder(parent: Path) -> Path:
    """A folder that no other process synthesizes into; it goes when this process ends.

    What a process that was killed has left behind is removed by the next one.

    Args:
        parent: The folder that it is in.
    """
    # With the packaging, for those who synthesize.
    from forecast_packaging.workspace import workspace  # noqa: PLC0415

    held = workspace(parent)
    folder = held.__enter__()
    atexit.register(held.__exit__, None, None, None)
    return folder
