"""The archive `model.tar.gz`: equal content is equal bytes, whoever packs it, where and when."""

from __future__ import annotations

import hashlib
import tarfile
from typing import IO, TYPE_CHECKING, Any, cast

from isal import igzip

from forecast_packaging.errors import ContractError, ModelError
from forecast_packaging.manifest import CHUNK_BYTES, FileEntry, check_path, walk_files
from forecast_packaging.progress import Meter, MeteredReader, no_progress

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from forecast_packaging.progress import Progress

COMPRESSION_LEVEL = 1
"""Level of isal's gzip. Levels 0 to 2 give the same bytes on every CPU, level 3 does not."""

_MODE = 0o644


def write_archive(folder: Path, target: Path, progress: Progress = no_progress) -> str:
    """Pack the files of a folder into a gzip-compressed tar.

    The tar is in PAX format, which is plain ustar until a name or a size needs more. Members are
    regular files sorted by path, of mode 0644, owner 0 and time 0; folders are not members. Files
    are streamed: memory does not grow with them.

    Args:
        folder: What is packed.
        target: The file to write; the caller publishes it.
        progress: Told the bytes packed.

    Returns:
        The `archive_digest`: sha256 of the uncompressed tar. It does not depend on the compressor.

    Raises:
        ModelError: The folder holds links or unsafe names.
    """
    files = sorted(walk_files(folder, "the archive"), key=lambda item: item[0].encode())
    meter = Meter(progress, "pack", sum(file.stat().st_size for _, file in files))
    with target.open("wb") as raw:
        with igzip.IGzipFile(  # type: ignore[no-untyped-call]  # isal leaves it untyped
            "", "wb", COMPRESSION_LEVEL, raw, mtime=0
        ) as compressed:
            digesting = _Digesting(compressed)
            with tarfile.open(
                fileobj=cast("IO[bytes]", digesting),
                mode="w|",
                format=tarfile.PAX_FORMAT,
                encoding="utf-8",
                errors="strict",
            ) as tar:
                for path, file in files:
                    member = _member(path, file.stat().st_size)
                    with file.open("rb") as content:
                        tar.addfile(member, cast("IO[bytes]", MeteredReader(content, meter)))
        raw.flush()
    return f"sha256:{digesting.sha256.hexdigest()}"


def unpack_archive(
    archive: Path, into: Path, progress: Progress = no_progress
) -> tuple[FileEntry, ...]:
    """Extract an archive strictly: regular files with safe paths, each once, and nothing else.

    Args:
        archive: The `model.tar.gz`.
        into: An existing, empty folder.
        progress: Told the bytes of the compressed archive that are unpacked.

    Returns:
        The manifest of what was extracted, sorted by path.

    Raises:
        ContractError: The archive is damaged or holds anything else.
    """
    entries: dict[str, FileEntry] = {}
    try:
        with (
            archive.open("rb") as raw,
            igzip.open(raw, "rb") as compressed,  # type: ignore[no-untyped-call]  # as above
            tarfile.open(
                fileobj=cast("IO[bytes]", compressed), mode="r|", encoding="utf-8", errors="strict"
            ) as tar,
        ):
            meter = Meter(progress, "unpack", archive.stat().st_size)
            for member in tar:
                _check_member(member, entries)
                content = cast("IO[bytes]", tar.extractfile(member))
                entries[member.name] = _extract(
                    content, member, into, lambda: meter.reach(raw.tell())
                )
            _check_end(compressed)
            meter.reach(raw.tell())
    except (tarfile.TarError, EOFError, OSError, UnicodeDecodeError) as error:
        raise ContractError(f"{archive.name} is not a readable archive: {error}") from None
    except ModelError as error:
        raise ContractError(str(error)) from None
    return tuple(sorted(entries.values()))


class _Digesting:
    """A stream that digests what passes through it."""

    def __init__(self, target: Any) -> None:
        self._target = target
        self.sha256 = hashlib.sha256()

    def write(self, data: bytes) -> int:
        self.sha256.update(data)
        self._target.write(data)
        return len(data)


def _member(path: str, size: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(path)
    member.size = size
    member.mode = _MODE
    return member


def _check_member(member: tarfile.TarInfo, known: dict[str, FileEntry]) -> None:
    check_path(member.name, "the archive")
    if member.type != tarfile.REGTYPE:
        raise ContractError(f"the archive holds {member.name!r}, which is no regular file")
    if member.name in known:
        raise ContractError(f"the archive holds {member.name!r} twice")


def _check_end(compressed: IO[bytes]) -> None:
    """Read to the end, where the checksum is, and refuse anything but the tar's padding."""
    for chunk in _chunks(compressed):
        if chunk.strip(b"\0"):
            raise ContractError("the archive holds data after its last member")


def _extract(
    content: IO[bytes], member: tarfile.TarInfo, into: Path, tell: Callable[[], None]
) -> FileEntry:
    target = into / member.name
    target.parent.mkdir(parents=True, exist_ok=True)
    sha256 = hashlib.sha256()
    size = 0
    with target.open("xb") as file:
        for chunk in _chunks(content):
            sha256.update(chunk)
            size += len(chunk)
            file.write(chunk)
            tell()
    return FileEntry(member.name, size, sha256.hexdigest())


def _chunks(content: IO[bytes]) -> Iterator[bytes]:
    while chunk := content.read(CHUNK_BYTES):
        yield chunk
