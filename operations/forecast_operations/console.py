"""What the command line prints: results to standard output, progress and errors beside them."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_PIPED_WIDTH = 200

out = Console(soft_wrap=True, highlight=False, width=None if sys.stdout.isatty() else _PIPED_WIDTH)
err = Console(stderr=True, soft_wrap=True, highlight=False)

PROGRESS_FROM_BYTES = 16 * 1024 * 1024
"""Smallest total that a progress bar is shown for."""


@contextmanager
def byte_progress(title: str) -> Iterator[Callable[[int, int], None]]:
    """A progress bar for long reads and writes, fed with bytes done and bytes in all."""
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    with Progress(*columns, TransferSpeedColumn(), console=err, transient=True) as progress:
        task = progress.add_task(title, visible=False)

        def update(done: int, total: int) -> None:
            progress.update(task, completed=done, total=total, visible=total >= PROGRESS_FROM_BYTES)

        yield update


def print_json(text: str) -> None:
    """A JSON document for a program to read, as it is."""
    out.print(text, markup=False)
