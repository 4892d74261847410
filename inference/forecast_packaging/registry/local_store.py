"""A file store on this machine: files that MLflow keeps in a folder, copied without their links."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from forecast_packaging.errors import ModelError, RegistryError
from forecast_packaging.manifest import CHUNK_BYTES, walk_files
from forecast_packaging.progress import Meter, MeteredReader

if TYPE_CHECKING:
    from pathlib import Path

    from forecast_packaging.progress import Progress


def copy_files(folder: Path, path: str, into: Path, shown: str, progress: Progress) -> None:
    """Copy the files at `path` below a folder; a missing sub-folder is no files.

    Args:
        folder: The root of the store.
        path: Sub-folder of it, which the copies are in too; empty for all.
        into: Where the copies go.
        shown: What the files are, in error messages.
        progress: Told the bytes copied.

    Raises:
        RegistryError: The folder is not there.
        ModelError: It holds links or unsafe names.
    """
    source = folder / path
    if not path and not source.is_dir():
        raise RegistryError(f"the files of {shown} are in {source}, which is not a folder here")
    if source.is_symlink():
        raise ModelError(f"the files of {shown} are behind a link, {source}: expected a folder")
    if not source.is_dir():
        return
    files = list(walk_files(source, shown))
    meter = Meter(progress, "download", sum(file.stat().st_size for _, file in files))
    for name, file in files:
        target = into / path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        with file.open("rb") as content, target.open("wb") as copy:
            shutil.copyfileobj(MeteredReader(content, meter), copy, CHUNK_BYTES)
