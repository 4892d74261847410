"""A new project on the disk: all of it, or nothing."""

from __future__ import annotations

import os
import secrets
import shutil
from typing import TYPE_CHECKING

from forecast_config import ForecastError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def check_free(folder: Path, files: Mapping[str, str]) -> None:
    """Refuse a folder in which a file of the project would take the place of another.

    Raises:
        ForecastError: Files are in the way; it names them all.
    """
    taken = sorted({taken for path in files if (taken := _in_the_way(folder, path)) is not None})
    if taken:
        lines = "\n".join(f"  {path}" for path in taken)
        raise ForecastError(
            f"nothing was written: these files are in the way in {folder}; move them, or choose "
            f"another folder\n{lines}"
        )


def write_project(folder: Path, files: Mapping[str, str]) -> None:
    """Write the files of a project; nothing stays when it fails or is interrupted.

    A folder that is not there yet is written under another name beside its place, and renamed when
    it is whole. In one that is there, no file is ever replaced.

    Raises:
        ForecastError: Files are in the way, or the folder cannot be written.
    """
    check_free(folder, files)
    try:
        if folder.is_dir():
            _add(folder, files)
        else:
            _make(folder, files)
    except OSError as error:
        reason = error.strerror or error
        raise ForecastError(f"nothing was written: cannot write {folder}: {reason}") from None


def _in_the_way(folder: Path, path: str) -> str | None:
    """What stands where a file should, or where a folder above it should."""
    here = folder / path
    if os.path.lexists(here):
        return path
    for above in here.parents:
        if os.path.lexists(above):
            return None if above.is_dir() else os.path.relpath(above, folder)
    return None


def _make(folder: Path, files: Mapping[str, str]) -> None:
    """Write a folder that is not there, with all those above it that are missing."""
    whole = folder.absolute()
    top = next(each for each in reversed((whole, *whole.parents)) if not each.exists())
    draft = top.with_name(f".{top.name}.{secrets.token_hex(4)}")
    inside = draft / whole.relative_to(top)
    try:
        inside.mkdir(parents=True)
        for path, text in files.items():
            (inside / path).parent.mkdir(parents=True, exist_ok=True)
            with (inside / path).open("x", encoding="utf-8", newline="\n") as file:
                file.write(text)
        draft.rename(top)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise


def _add(folder: Path, files: Mapping[str, str]) -> None:
    """Write into a folder that is there; what was written is taken away again on the way out."""
    made: list[Path] = []
    try:
        for path, text in files.items():
            target = folder / path
            for above in reversed(target.relative_to(folder).parents):
                if not (folder / above).is_dir():
                    (folder / above).mkdir()
                    made.append(folder / above)
            with target.open("x", encoding="utf-8", newline="\n") as file:
                made.append(target)
                file.write(text)
    except BaseException:
        for each in reversed(made):
            each.rmdir() if each.is_dir() else each.unlink()
        raise
