"""The command line of a page that is made from the code."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def print_or_write(description: str | None, document: Callable[[], str]) -> None:
    """Print a page, or write it to the file after --write.

    Args:
        description: What is said of it in the help.
        document: What makes the page.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--write", type=Path, help="file to write it to instead of printing it")
    target = parser.parse_args().write
    page = document()
    if target is None:
        sys.stdout.write(page)
    else:
        target.write_text(page, encoding="utf-8")
