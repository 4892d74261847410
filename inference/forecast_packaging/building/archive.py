"""The archive `model.tar.gz`: equal content is equal bytes, whoever packs it, where and when."""

from __future__ import annotations

import hashlib
import os
import re
import tarfile
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from forecast_packaging.building.deflate import compressed
from forecast_packaging.building.inflate import GzipReader
from forecast_packaging.building.tar_reader import read_members
from forecast_packaging.digesting import Digests
from forecast_packaging.errors import ContractError, ModelError
from forecast_packaging.manifest import CHUNK_BYTES, FileEntry, PathSet, check_path, walk_files
from forecast_packaging.progress import Meter, no_progress
from forecast_packaging.workspace import place_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from hashlib import _Hash
    from pathlib import Path

    from forecast_packaging.building.tar_reader import Member
    from forecast_packaging.progress import Progress

MAX_UNPACKED_BYTES = 64 * 1024**3
"""Most bytes that an archive may unpack to."""

MAX_RATIO = 100
"""Most bytes that a byte of an archive may unpack to, once it is more than `FREE_BYTES` in all.

Packed forests and arrays of floats are a third of their size or more; a bomb is a thousandth.
"""

FREE_BYTES = 1024**3
"""Bytes that an archive may unpack to whatever its own size."""

_MODE = 0o644


@dataclass(frozen=True)
class WrittenArchive:
    """What is known of an archive that was written.

    Attributes:
        archive_digest: Digest of the uncompressed tar; it does not depend on the compressor.
        file_sha256: The sha256 of the file, 64 hexadecimal digits.
    """

    archive_digest: str
    file_sha256: str


def write_archive(folder: Path, target: Path, progress: Progress = no_progress) -> WrittenArchive:
    """Pack the files of a folder into a gzip-compressed tar.

    The tar is in PAX format, which is plain ustar until a name or a size needs more. Members are
    regular files sorted by path, of mode 0644, owner 0 and time 0; folders are not members. Files
    are streamed, and digested on a second core: memory does not grow with them.

    Args:
        folder: What is packed.
        target: The file to write; the caller publishes it.
        progress: Told the bytes packed.

    Raises:
        ModelError: The folder holds links or unsafe names, or a file changed meanwhile.
    """
    files = sorted(walk_files(folder, "the archive"), key=lambda item: item[0].encode())
    names = PathSet("the archive")
    for path, _ in files:
        names.add(path)
    meter = Meter(progress, "pack", sum(file.stat().st_size for _, file in files))
    with target.open("wb", buffering=CHUNK_BYTES) as out, Digests() as digests:
        plain, packed = digests.new(), digests.new()
        for pieces in compressed(_digested(_tar(files, meter), plain, digests)):
            digests.update(packed, pieces)
            out.writelines(pieces)
    return WrittenArchive(f"sha256:{plain.hexdigest()}", packed.hexdigest())


def digest_archive(archive: Path, progress: Progress = no_progress) -> str:
    """Digest of an archive's uncompressed content, which is its identity; nothing is unpacked.

    Args:
        archive: The `model.tar.gz`.
        progress: Told the bytes of the compressed archive that are digested.

    Raises:
        ContractError: It is no gzip file, damaged, or too large when unpacked.
    """
    size = archive.stat().st_size
    meter = Meter(progress, "digest", size)
    digest = hashlib.sha256()
    try:
        with archive.open("rb") as file:
            reader = GzipReader(file, _limit(size, MAX_UNPACKED_BYTES), meter.reach)
            while data := reader.read(CHUNK_BYTES):
                digest.update(data)
    except OSError as error:
        reason = error.strerror or error
        raise ContractError(f"{archive.name} cannot be read: {reason}") from None
    except ContractError as error:
        raise ContractError(f"{archive.name} is not a sound archive: {error}") from None
    return f"sha256:{digest.hexdigest()}"


def unpack_archive(
    archive: Path,
    into: Path,
    progress: Progress = no_progress,
    *,
    staged: Path | None = None,
    foreign: bool = False,
    max_bytes: int = MAX_UNPACKED_BYTES,
) -> tuple[FileEntry, ...]:
    """Extract an archive strictly: regular files with safe paths, each once, and nothing else.

    Args:
        archive: The `model.tar.gz`.
        into: An existing, empty folder.
        progress: Told the bytes of the compressed archive that are unpacked.
        staged: Folder of the files that the archive was made from. A member is compared with its
            file there, byte by byte, and is then given its place instead of being written again.
        foreign: Whether another maker's habits are allowed: folders, and names that begin with
            `./`.
        max_bytes: Most bytes that the archive may unpack to. One that unpacks to more than
            `FREE_BYTES` may not unpack to more than `MAX_RATIO` times its size either.

    Returns:
        The manifest of what was extracted, sorted by path.

    Raises:
        ContractError: The archive is damaged, too large when unpacked, or holds anything else.
    """
    size = archive.stat().st_size
    meter = Meter(progress, "unpack", size)
    try:
        with archive.open("rb") as file, Digests() as digests:
            reader = GzipReader(file, _limit(size, max_bytes), meter.reach)
            unpacking = _Unpacking(into, staged, digests, foreign=foreign)
            for member, content in read_members(reader):
                unpacking.take(member, content)
        meter.reach(size)
        return unpacking.entries()
    except OSError as error:
        reason = error.strerror or error
        raise ContractError(f"{archive.name} cannot be unpacked: {reason}") from None
    except (ContractError, ModelError) as error:
        raise ContractError(f"{archive.name} is not a sound archive: {error}") from None


class _Unpacking:
    """The members of an archive on their way into a folder."""

    def __init__(self, into: Path, staged: Path | None, digests: Digests, *, foreign: bool) -> None:
        self._into = into
        self._staged = staged
        self._digests = digests
        self._foreign = foreign
        self._paths = PathSet("it")
        self._files: list[tuple[str, int, _Hash]] = []

    def take(self, member: Member, content: Iterable[bytes]) -> None:
        """Write a member, or give its place to the equal file that is staged."""
        path = re.sub(r"^(\./)+", "", member.path) if self._foreign else member.path
        if self._foreign and member.is_folder:
            if path not in {"", "."}:
                self._make_folder(path)
            return
        check_path(path, "it")
        if member.is_folder:
            raise ContractError(f"it holds {path!r}, which is no regular file")
        self._paths.add(path)
        digest = self._digests.new()
        self._files.append((path, member.size, digest))
        self._place(path, _digested(content, digest, self._digests))

    def entries(self) -> tuple[FileEntry, ...]:
        """The manifest of the files, once all are digested."""
        found = (FileEntry(path, size, digest.hexdigest()) for path, size, digest in self._files)
        return tuple(sorted(found))

    def _make_folder(self, path: str) -> None:
        check_path(path, "it")
        self._paths.add_folder(path)
        (self._into / path).mkdir(parents=True, exist_ok=True)

    def _place(self, path: str, content: Iterator[bytes]) -> None:
        target = self._into / path
        if self._staged is None:
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("xb") as file:
                file.writelines(content)
        elif _is_equal(self._staged / path, content):
            place_file(self._staged / path, target)
        else:
            raise ContractError(f"it holds another {path!r} than was packed")


def _limit(size: int, max_bytes: int) -> int:
    """Most bytes that an archive of a size may unpack to."""
    return min(max_bytes, max(FREE_BYTES, MAX_RATIO * size))


def _digested(data: Iterable[bytes], digest: _Hash, digests: Digests) -> Iterator[bytes]:
    for chunk in data:
        digests.update(digest, [chunk])
        yield chunk


def _tar(files: Iterable[tuple[str, Path]], meter: Meter) -> Iterator[bytes]:
    """The bytes of a tar, cut at the same places whenever its content is the same."""
    size = 0
    for path, file in files:
        with file.open("rb") as content:
            for data in _member(path, content, meter):
                size += len(data)
                yield data
    yield bytes(2 * tarfile.BLOCKSIZE + -(size + 2 * tarfile.BLOCKSIZE) % tarfile.RECORDSIZE)


def _member(path: str, content: IO[bytes], meter: Meter) -> Iterator[bytes]:
    size = left = os.fstat(content.fileno()).st_size
    member = tarfile.TarInfo(path)
    member.size = size
    member.mode = _MODE
    before = member.tobuf(tarfile.PAX_FORMAT, "utf-8", "strict")
    while left:
        data = content.read(min(left, CHUNK_BYTES))
        if not data:
            raise ModelError(f"{path} became shorter while it was packed: run it again")
        left -= len(data)
        meter.add(len(data))
        yield before + data if before else data
        before = b""
    yield before + bytes(-size % tarfile.BLOCKSIZE)


def _is_equal(file: Path, content: Iterable[bytes]) -> bool:
    with file.open("rb") as staged:
        equal = all(staged.read(len(chunk)) == chunk for chunk in content)
        return equal and not staged.read(1)
