"""`forecast serve`: the packed archive on this machine, by the same process as in the container."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path  # typer reads the annotations
from typing import TYPE_CHECKING, Annotated

import typer

from forecast_config import load_config, load_environments
from forecast_operations.console import byte_progress, out, say
from forecast_operations.options import DEFAULT_CONFIG, ConfigOption
from forecast_operations.serving.archive import Running, remember, server, unpacked
from forecast_packaging.building.environment import package_for

if TYPE_CHECKING:
    import subprocess

EnvironmentArgument = Annotated[
    str | None, typer.Argument(metavar="[ENV]", help="Environment; the first when none is named.")
]
ArchiveOption = Annotated[
    Path | None, typer.Option("--archive", help="Archive to serve instead of an environment's.")
]


def find_model(config: Path, environment: str | None, archive: Path | None) -> tuple[Path, Path]:
    """The files of the archive that is meant, and the root below which they lie.

    Args:
        config: The configuration file; it need not be there when an archive is named.
        environment: Name of an environment; the first one when none is given.
        archive: An archive instead.

    Raises:
        ForecastError: The configuration is wrong, or the archive cannot be built or opened.
    """
    if archive is not None:
        root = load_config(config).root if config.is_file() else Path.cwd()
        return unpacked(archive, root), root
    project, wanted = load_environments(config, [environment] if environment else None)
    settings = next(iter(wanted.values()))
    with byte_progress(f"packing for {settings.name}") as report:
        packaged = package_for(project, settings, progress=report)
    return packaged.files or unpacked(packaged.archive, project.root), project.root


def serve_command(
    environment: EnvironmentArgument = None,
    archive: ArchiveOption = None,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Where to listen; 0 takes a free port.")
    ] = 8080,
    workers: Annotated[
        int, typer.Option(min=1, max=64, help="Processes, each with its own copy of the model.")
    ] = 1,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Serve the packed archive on this machine, with the limits of SageMaker's container contract.

    It stays in the foreground; Ctrl-C ends it. Every request is logged, without its payload.
    """
    model_dir, root = find_model(config, environment, archive)
    with server(model_dir, port=port, workers=workers) as (process, url):
        note = remember(root, Running(url, process.pid, str(archive or environment or "")))
        _greet(url, model_dir)
        try:
            _relay(process)
        finally:
            note.unlink(missing_ok=True)
    if process.returncode not in {0, -signal.SIGTERM}:
        say(f"the model server ended with status {process.returncode}; the reason is above")
        raise typer.Exit(1)
    out.print("stopped")


def _greet(url: str, model_dir: Path) -> None:
    example = os.path.relpath(model_dir / "artifacts" / "input_example.json")
    out.print(f"serving on {url}; Ctrl-C ends it")
    out.print(f"paths: {url}/invocations /ping /health /metadata /metrics", markup=False)
    out.print("ask it in another terminal, with one of:")
    out.print(f"  forecast invoke --local --file {example}", markup=False)
    out.print(
        f"  curl -H 'Content-Type: application/json' --data-binary @{example} {url}/invocations",
        markup=False,
    )


def _relay(process: subprocess.Popen[str]) -> None:
    """Print what the server logs until it ends, or until it is asked to by Ctrl-C or SIGTERM."""
    previous = signal.signal(signal.SIGTERM, lambda *_: process.terminate())
    try:
        _print_lines(process)
    except KeyboardInterrupt:
        # The terminal has sent it to the server too, which finishes its requests and logs them.
        _print_lines(process)
    finally:
        signal.signal(signal.SIGTERM, previous)


def _print_lines(process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None  # noqa: S101 - it is a pipe
    for line in process.stdout:
        sys.stdout.write(line)
        sys.stdout.flush()
    process.wait()
