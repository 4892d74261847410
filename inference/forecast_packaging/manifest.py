"""Manifests: the files of a folder with their sizes and digests, and what they are worth."""

from __future__ import annotations

import hashlib
import os
import stat
import unicodedata
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from forecast_packaging.documents import canonical, sha256_of
from forecast_packaging.errors import ModelError
from forecast_packaging.progress import Meter, no_progress

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from forecast_packaging.progress import Progress

CHUNK_BYTES = 1024 * 1024
"""Bytes held in memory at a time while files are read."""

_MAX_NAME_BYTES = 255
_FIRST_PRINTABLE = 0x20
_DELETE = 0x7F


@dataclass(frozen=True, order=True)
class FileEntry:
    """One file of a manifest.

    Attributes:
        path: Path below the folder, with forward slashes.
        size: Bytes.
        sha256: Digest of the content, 64 hexadecimal digits.
    """

    path: str
    size: int
    sha256: str


def scan(folder: Path, shown: str, progress: Progress = no_progress) -> tuple[FileEntry, ...]:
    """The manifest of a folder, sorted by path.

    Args:
        folder: The folder.
        shown: What the folder is, in error messages.
        progress: Told the bytes digested.

    Raises:
        ModelError: A link, a device, a socket, or a name that is not safe in an archive.
    """
    files = [(path, file, file.stat().st_size) for path, file in walk_files(folder, shown)]
    meter = Meter(progress, "digest", sum(size for _, _, size in files))
    entries = [FileEntry(path, size, file_sha256(file, meter)) for path, file, size in files]
    return tuple(sorted(entries))


def digest_of(entries: Iterable[FileEntry]) -> str:
    """The identity of a manifest: sha256 over its canonical JSON, sorted by path."""
    return sha256_of(canonical([asdict(entry) for entry in sorted(entries)]))


def file_sha256(path: Path, meter: Meter | None = None) -> str:
    """The sha256 of a file as 64 hexadecimal digits, read in bounded memory."""
    sha256 = hashlib.sha256()
    with path.open("rb", buffering=0) as file:
        while chunk := file.read(CHUNK_BYTES):
            sha256.update(chunk)
            if meter is not None:
                meter.add(len(chunk))
    return sha256.hexdigest()


def walk_files(folder: Path, shown: str) -> Iterator[tuple[str, Path]]:
    """The regular files of a folder as pairs of relative path and file, in no set order.

    Raises:
        ModelError: As `scan`.
    """
    yield from _walk(folder, "", shown)


def check_path(path: str, shown: str) -> None:
    """Refuse a relative path that is not the same harmless path on every machine.

    Raises:
        ModelError: An empty, absolute or climbing path, a control character, a backslash, a
            name over 255 bytes, or one that is not UTF-8.
    """
    for name in path.split("/"):
        if name in {"", ".", ".."} or "\\" in name or any(map(_is_control, name)):
            raise ModelError(f"{shown} holds a file with the unsafe path {path!r}")
        try:
            length = len(name.encode())
        except UnicodeEncodeError:
            raise ModelError(f"{shown} holds a file whose name is not UTF-8: {path!r}") from None
        if length > _MAX_NAME_BYTES:
            raise ModelError(
                f"{shown} holds a file name of {length} bytes, expected at most {_MAX_NAME_BYTES}"
            )


class PathSet:
    """Paths in one folder, no two of which any file system takes for the same.

    Args:
        shown: What the folder is, in error messages.
    """

    def __init__(self, shown: str) -> None:
        self._shown = shown
        self._files: dict[str, str] = {}
        self._folders: dict[str, str] = {}

    def add(self, path: str) -> None:
        """Take in a file.

        Raises:
            ModelError: It is there already, in whatever case or Unicode form, or as a folder.
        """
        self.add_folder(path.rpartition("/")[0])
        key = _folded(path)
        if key in self._files:
            self._refuse(path, self._files[key])
        if key in self._folders:
            self._refuse_file_and_folder(path)
        self._files[key] = path

    def add_folder(self, path: str) -> None:
        """Take in a folder and those above it, which may be there already.

        Raises:
            ModelError: It is there as a file, or in another case or Unicode form.
        """
        while path:
            key = _folded(path)
            if key in self._files:
                self._refuse_file_and_folder(path)
            if key in self._folders:
                if self._folders[key] != path:
                    self._refuse(path, self._folders[key])
                return
            self._folders[key] = path
            path = path.rpartition("/")[0]

    def _refuse(self, path: str, known: str) -> None:
        if path == known:
            raise ModelError(f"{self._shown} holds {path!r} twice")
        raise ModelError(
            f"{self._shown} holds {known!r} and {path!r}, which are one on some file systems"
        )

    def _refuse_file_and_folder(self, path: str) -> None:
        raise ModelError(f"{self._shown} holds {path!r} as a file and as a folder")


def _folded(path: str) -> str:
    decomposed = unicodedata.normalize("NFD", path)
    return unicodedata.normalize("NFD", decomposed.casefold())


def _is_control(character: str) -> bool:
    return ord(character) < _FIRST_PRINTABLE or ord(character) == _DELETE


def _walk(folder: Path, prefix: str, shown: str) -> Iterator[tuple[str, Path]]:
    with os.scandir(folder) as listing:
        entries = list(listing)
    for entry in entries:
        path = f"{prefix}{entry.name}"
        check_path(path, shown)
        mode = entry.stat(follow_symlinks=False).st_mode
        if stat.S_ISDIR(mode):
            yield from _walk(Path(entry.path), f"{path}/", shown)
        elif stat.S_ISREG(mode):
            yield path, Path(entry.path)
        else:
            kind = "a link" if stat.S_ISLNK(mode) else "neither a file nor a folder"
            raise ModelError(f"{shown} holds {path!r}, which is {kind}: expected files only")
