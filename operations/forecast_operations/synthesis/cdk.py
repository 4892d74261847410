"""The CDK CLI of a project."""

from __future__ import annotations

import atexit
import shutil
import subprocess
from functools import cache
from typing import TYPE_CHECKING

from forecast_config import ForecastError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


_STANDARD_ERROR = 2


def run_cdk(root: Path, arguments: Sequence[str]) -> None:
    """Run the CDK CLI in a project; what it prints is progress, and goes to standard error.

    Args:
        root: The project.
        arguments: Its subcommand and options.

    Raises:
        ForecastError: It is not there, or it ended with an error.
    """
    beside = root / "node_modules" / ".bin" / "cdk"
    program = str(beside) if beside.is_file() else shutil.which("cdk")
    if program is None:
        raise ForecastError("the CDK CLI is not there; run: make setup")
    # By its number: the results of this process alone are on standard output.
    done = subprocess.run([program, *arguments], cwd=root, check=False, stdout=_STANDARD_ERROR)
    if done.returncode:
        raise ForecastError(
            f"cdk {arguments[0]} ended with status {done.returncode}; the reason is above, and the "
            "command can be run again"
        )


def synthesize(
    root: Path, assembly: Path, config: Path, environment: str, context: Sequence[str] = ()
) -> None:
    """Synthesize one environment.

    Args:
        root: The project.
        assembly: Folder of the cloud assembly; what is there is replaced.
        config: The configuration file.
        environment: The environment.
        context: Further context flags, each `key=value`.

    Raises:
        ForecastError: The CLI is not there, or it ended with an error.
    """
    shutil.rmtree(assembly, ignore_errors=True)
    flags = [f"config={config.resolve()}", f"environments={environment}", *context]
    command = ["synth", "--quiet", "--output", str(assembly)]
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
