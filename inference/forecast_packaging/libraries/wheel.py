"""Wheels: what one says about itself, and its content, unpacked strictly."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import stat
import struct
import zipfile
import zlib
from dataclasses import dataclass
from email.parser import BytesParser
from typing import TYPE_CHECKING, Final

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import (
    InvalidWheelFilename,
    canonicalize_name,
    canonicalize_version,
    parse_wheel_filename,
)

from forecast_packaging.errors import ModelError
from forecast_packaging.manifest import CHUNK_BYTES, PathSet, check_path

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from packaging.tags import Tag

MAX_UNPACKED_BYTES: Final = 4 * 1024**3
"""Most bytes that a wheel may unpack to; the largest of a model's library has a quarter of it."""

MAX_EXPANSION: Final = 100
"""Most bytes that one byte of a wheel may unpack to; libraries reach 5."""

MAX_MEMBERS: Final = 50_000
_MAX_METADATA_BYTES: Final = 4 * 1024**2
_ENCRYPTED: Final = 0x1
_COMPRESSIONS: Final = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
_BROKEN: Final = (
    EOFError,
    NotImplementedError,
    OSError,
    RuntimeError,
    ValueError,
    csv.Error,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
)
"""What Python's own modules raise for a file that is no wheel."""

_INSTALLED_AT_ROOT: Final = ("purelib", "platlib")
_OWN_FOLDERS: Final = (".data", ".dist-info")
_ARCHIVE_MODULES: Final = frozenset({"forecast_inference", "inference"})
"""Modules that the archive itself puts on Python's path."""


@dataclass(frozen=True)
class Wheel:
    """A wheel file.

    Attributes:
        path: The file.
        name: Normalized name of the library.
        version: Its version.
        tags: Pythons and platforms that it is made for.
        requires: What it requires, extras and markers included.
    """

    path: Path
    name: str
    version: str
    tags: frozenset[Tag]
    requires: tuple[Requirement, ...]

    @classmethod
    def read(cls, path: Path) -> Wheel:
        """The wheel in a file.

        Raises:
            ModelError: The file is no wheel.
        """
        try:
            name, version, _, tags = parse_wheel_filename(path.name)
            with zipfile.ZipFile(path) as archive:
                (member,) = (
                    each for each in archive.infolist() if _is_metadata_of(each.filename, name)
                )
                text = _read(archive, member, _MAX_METADATA_BYTES, path.name)
            stated = BytesParser().parsebytes(text, headersonly=True)
            requires = tuple(Requirement(line) for line in stated.get_all("Requires-Dist", ()))
        except (InvalidRequirement, InvalidWheelFilename, *_BROKEN) as error:
            raise ModelError(f"{path.name} is not a wheel: {error}") from None
        return cls(path, str(name), str(version), tags, requires)

    def unpack(self, folder: Path) -> None:
        """Write what an installation would put on Python's path.

        Scripts, headers and data files are left out. Every file is compared with the digest and
        the size in the wheel's own RECORD.

        Args:
            folder: An existing folder; what other wheels put there is kept.

        Raises:
            ModelError: A link, an unsafe or doubled path, a member in another library's folder
                or in place of the archive's own code, one that RECORD does not name or names with
                another content, a missing one, or more bytes than a library has.
        """
        try:
            with zipfile.ZipFile(self.path) as archive:
                members = self._members(archive)
                record = self._record(archive, members)
                for name, info in members.items():
                    self._write(archive, info, record.get(name), folder)
        except _BROKEN as error:
            raise ModelError(f"{self.path.name} cannot be unpacked: {error}") from None

    def _members(self, archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
        members: dict[str, zipfile.ZipInfo] = {}
        paths = PathSet(self.path.name)
        for info in archive.infolist():
            if info.filename.endswith("/"):
                continue
            check_path(info.filename, self.path.name)
            paths.add(info.filename)
            if not _is_plain(info):
                raise ModelError(
                    f"{self.path.name} holds {info.filename!r}, which is no plain file"
                )
            members[info.filename] = info
        total = sum(info.file_size for info in members.values())
        limit = min(MAX_UNPACKED_BYTES, MAX_EXPANSION * self.path.stat().st_size)
        if total > limit or len(members) > MAX_MEMBERS:
            raise ModelError(
                f"{self.path.name} unpacks to {len(members)} files of {total} bytes, expected at "
                f"most {MAX_MEMBERS} of {limit}"
            )
        return members

    def _record(
        self, archive: zipfile.ZipFile, members: dict[str, zipfile.ZipInfo]
    ) -> dict[str, tuple[str, str]]:
        """Digest and size by member, of all members but RECORD itself and its signatures."""
        own = next((name for name in members if _is_record(name, self.name)), None)
        if own is None:
            raise ModelError(f"{self.path.name} has no RECORD of its files")
        text = _read(archive, members[own], _MAX_METADATA_BYTES, self.path.name).decode()
        rows = [row for row in csv.reader(io.StringIO(text)) if row]
        record = {row[0]: (row[1], row[2]) for row in rows if len(row) >= 3 and row[1]}  # noqa: PLR2004 - path, digest and size
        unsigned = {own, f"{own}.jws", f"{own}.p7s"}
        differing = sorted((members.keys() - unsigned) ^ (record.keys() - unsigned))
        if differing:
            raise ModelError(
                f"{self.path.name} and its RECORD do not hold the same files, such as "
                f"{differing[0]!r}"
            )
        return record

    def _write(
        self,
        archive: zipfile.ZipFile,
        info: zipfile.ZipInfo,
        recorded: tuple[str, str] | None,
        folder: Path,
    ) -> None:
        place = self._place(info.filename)
        target = folder / place if place is not None else None
        if target is not None and target.exists():
            raise ModelError(f"{self.path.name} holds {place!r}, which another wheel holds too")
        digest, size = hashlib.sha256(), 0
        for chunk in _chunks(archive, info, self.path.name):
            digest.update(chunk)
            size += len(chunk)
            if target is not None:
                target.parent.mkdir(parents=True, exist_ok=True)
                with target.open("ab") as file:
                    file.write(chunk)
        if target is not None and size == 0:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.touch()
        found = base64.urlsafe_b64encode(digest.digest()).rstrip(b"=").decode()
        if recorded is not None and recorded != (f"sha256={found}", str(size)):
            raise ModelError(f"{self.path.name} and its RECORD differ in {info.filename!r}")

    def _place(self, member: str) -> str | None:
        """Where an installation puts a member on Python's path; None when it puts it elsewhere."""
        self._check_top(member, member)
        top, _, rest = member.partition("/")
        if not top.endswith(".data"):
            return member
        scheme, _, place = rest.partition("/")
        if scheme not in _INSTALLED_AT_ROOT:
            return None
        self._check_top(place, member)
        return place

    def _check_top(self, place: str, member: str) -> None:
        """Refuse a place that belongs to another library, or to the archive's own code."""
        top = place.partition("/")[0]
        if top.endswith(_OWN_FOLDERS) and not self._is_own(top):
            raise ModelError(
                f"{self.path.name} holds {member!r} in the folder of another library, expected "
                f"that of {self.name} {self.version}"
            )
        if top.partition(".")[0].casefold() in _ARCHIVE_MODULES:
            raise ModelError(
                f"{self.path.name} holds {member!r}, a module that the archive itself has: it "
                "cannot be vendored"
            )

    def _is_own(self, folder: str) -> bool:
        name, _, version = folder.rpartition(".")[0].rpartition("-")
        return canonicalize_name(name) == self.name and canonicalize_version(
            version
        ) == canonicalize_version(self.version)


def _is_plain(info: zipfile.ZipInfo) -> bool:
    kind = stat.S_IFMT(info.external_attr >> 16)
    return (
        kind in {0, stat.S_IFREG}
        and not info.flag_bits & _ENCRYPTED
        and info.compress_type in _COMPRESSIONS
    )


def _is_metadata_of(member: str, name: str) -> bool:
    return _is_in_dist_info(member, name, "METADATA")


def _is_record(member: str, name: str) -> bool:
    return _is_in_dist_info(member, name, "RECORD")


def _is_in_dist_info(member: str, name: str, file: str) -> bool:
    folder, _, rest = member.partition("/")
    if rest != file or not folder.endswith(".dist-info"):
        return False
    return canonicalize_name(folder.removesuffix(".dist-info").rpartition("-")[0]) == name


def _read(archive: zipfile.ZipFile, info: zipfile.ZipInfo, limit: int, shown: str) -> bytes:
    if info.file_size > limit:
        raise ModelError(f"{shown} holds {info.filename!r} of {info.file_size} bytes")
    return b"".join(_chunks(archive, info, shown))


def _chunks(archive: zipfile.ZipFile, info: zipfile.ZipInfo, shown: str) -> Iterator[bytes]:
    """A member's content; zipfile itself stops at the stated size and checks the checksum."""
    with archive.open(info) as stream:
        left = info.file_size
        while chunk := stream.read(CHUNK_BYTES):
            left -= len(chunk)
            if left < 0:
                raise ModelError(f"{shown} holds {info.filename!r}, which is larger than it says")
            yield chunk
