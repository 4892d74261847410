"""What the command line prints: results to standard output, progress and errors beside them."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, SpinnerColumn, TextColumn

from forecast_config import ForecastError
from forecast_operations.documents import as_json

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from forecast_packaging import Progress as Report

_PIPED_WIDTH = 200

out = Console(
    soft_wrap=True,
    highlight=False,
    emoji=False,
    width=None if sys.stdout.isatty() else _PIPED_WIDTH,
)
err = Console(stderr=True, soft_wrap=True, highlight=False, emoji=False)


@contextmanager
def byte_progress(title: str) -> Iterator[Report]:
    """A line that shows what a long step is doing, and how many bytes of it are done.

    It is shown on a terminal only, and gone when the step is done.
    """
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    quiet = not err.is_terminal
    with Progress(*columns, console=err, transient=True, disable=quiet) as progress:
        task = progress.add_task(title, total=None)

        def report(stage: str, done_bytes: int, total_bytes: int) -> None:
            progress.update(
                task,
                description=f"{title}: {stage}",
                completed=done_bytes,
                total=total_bytes or None,
            )

        yield report


def say(line: str) -> None:
    """A line about what is done, beside the results."""
    err.print(line, markup=False)


def warn(what: object) -> None:
    """A warning, beside the results."""
    say(f"warning: {what}")


def print_json(text: str) -> None:
    """A document for a program to read, as it is: nothing in it is wrapped, marked or replaced."""
    typer.echo(text)


def print_document(value: Any) -> None:
    """A result as JSON, indented, with times in ISO 8601."""
    print_json(as_json(value))


def write_text(path: Path, text: str) -> None:
    """Write a text that somebody asked for into a file: whole, or not at all.

    Raises:
        ForecastError: It cannot be written.
    """
    write_bytes(path, text.encode())


def write_bytes(path: Path, content: bytes) -> None:
    """Write what somebody asked for into a file: whole, or not at all.

    Raises:
        ForecastError: It cannot be written.
    """
    from forecast_packaging.workspace import write_atomic  # noqa: PLC0415 - a quarter of a second

    try:
        if path.exists() and not path.is_file():  # a pipe, or /dev/stdout
            path.write_bytes(content)
        else:
            write_atomic(path, content)
    except OSError as error:
        raise ForecastError(f"cannot write {path}: {error.strerror}") from None
