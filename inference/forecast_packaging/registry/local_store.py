"""A file store on this machine: files that MLflow keeps in a folder, copied without their links."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forecast_packaging.errors import ModelError, RegistryError
from forecast_packaging.manifest import CHUNK_BYTES, walk_files
from forecast_packaging.registry.transfer import StoredFile

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class LocalStore:
    """A store whose root is a folder.

    Args:
        folder: The root.
    """

    def __init__(self, folder: Path) -> None:
        self.root = str(folder)
        self._folder = folder

    def files(self, path: str, shown: str) -> list[StoredFile]:
        """The files at a path below the root; a file is known by its size and its time.

        Raises:
            RegistryError: The root is not there.
            ModelError: It holds links or unsafe names.
        """
        source = self._folder / path
        if not path and not source.is_dir():
            raise RegistryError(f"the files of {shown} are in {source}, which is not a folder here")
        if source.is_symlink():
            raise ModelError(f"the files of {shown} are behind a link, {source}: expected a folder")
        if not source.is_dir():
            return []
        prefix = f"{path}/" if path else ""
        return sorted(
            (
                StoredFile(f"{prefix}{name}", file.stat().st_size, str(file.stat().st_mtime_ns))
                for name, file in walk_files(source, shown)
            ),
            key=lambda file: file.path,
        )

    def fetch(self, file: StoredFile, part: Path, arrived: Callable[[int], None]) -> None:
        """Copy a file, going on behind what was copied before."""
        with (self._folder / file.path).open("rb") as source, part.open("ab") as copy:
            source.seek(copy.tell())
            arrived(copy.tell())
            while data := source.read(CHUNK_BYTES):
                copy.write(data)
                arrived(copy.tell())
