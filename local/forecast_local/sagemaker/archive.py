"""The extraction of a model archive that is not trusted.

``tarfile``'s own filter lets most hostile archives through; here a member is a plain file or a
folder with a relative name that no other member has, or the archive is refused.
"""

import gzip
import tarfile
import zlib
from pathlib import Path, PurePosixPath

MAX_MEMBERS = 100_000
MAX_BYTES = 16 * 1024**3
_CHUNK_BYTES = 1024 * 1024
_FILE_TYPES = frozenset({tarfile.REGTYPE, tarfile.AREGTYPE})


class ArchiveError(Exception):
    """An archive that is not extracted, with the member and the reason."""


class _BoundedReader:
    """A stream that fails once more has been read from it than allowed."""

    def __init__(self, stream: gzip.GzipFile, limit: int) -> None:
        self._stream = stream
        self._left = limit

    def read(self, size: int = -1) -> bytes:
        content = self._stream.read(size)
        self._left -= len(content)
        if self._left < 0:
            raise ArchiveError("the archive is larger than allowed when it is unpacked")
        return content


def extract(archive: Path, folder: Path, *, max_bytes: int = MAX_BYTES) -> None:
    """Unpack a ``tar.gz`` into a folder that does not exist yet.

    Args:
        archive: The archive.
        folder: The folder to create.
        max_bytes: Most bytes that the unpacked archive may have.

    Raises:
        ArchiveError: If the archive is broken, too large, or has a member that is no plain file or
            folder, has a name that leaves the folder, or has the name of another member.
    """
    folder.mkdir(parents=True)
    seen: set[PurePosixPath] = set()
    try:
        with gzip.open(archive, "rb") as stream:
            bounded = _BoundedReader(stream, max_bytes)
            with tarfile.open(fileobj=bounded, mode="r|") as tar:  # type: ignore[call-overload] # it only reads
                for member in tar:
                    path = _safe_path(member, seen)
                    _extract_member(tar, member, folder / path)
    except (tarfile.TarError, EOFError, OSError, ValueError, zlib.error) as error:
        raise ArchiveError(f"the archive cannot be read: {error}") from error


def _safe_path(member: tarfile.TarInfo, seen: set[PurePosixPath]) -> PurePosixPath:
    path = PurePosixPath(member.name)
    if member.type not in _FILE_TYPES and member.type != tarfile.DIRTYPE:
        raise ArchiveError(f"{member.name}: only files and folders are allowed")
    if path.is_absolute() or ".." in path.parts or "\\" in member.name or "\0" in member.name:
        raise ArchiveError(f"{member.name}: the name leaves the archive")
    if path in seen:
        raise ArchiveError(f"{member.name}: the name occurs twice")
    if len(seen) >= MAX_MEMBERS:
        raise ArchiveError(f"the archive has more than {MAX_MEMBERS} members")
    seen.add(path)
    return path


def _extract_member(tar: tarfile.TarFile, member: tarfile.TarInfo, target: Path) -> None:
    if member.type == tarfile.DIRTYPE:
        target.mkdir(parents=True, exist_ok=True)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    source = tar.extractfile(member)
    if source is None:
        raise ArchiveError(f"{member.name}: the file has no content")
    # Exclusive creation: whatever the name hides, nothing that exists is written to.
    with target.open("xb") as file:
        while chunk := source.read(_CHUNK_BYTES):
            file.write(chunk)
