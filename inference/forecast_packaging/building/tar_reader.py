"""Tars read strictly: what two readers could take for different files is refused.

`tarfile` takes a damaged header for the end of the archive, reads extended headers of any size
into memory, and follows links, sparse maps and devices. Here a tar is what POSIX.1-1988 (ustar)
makes of plain files and folders, with the `path` and `size` of POSIX.1-2001 (pax) or GNU's long
names, and ends with two blocks of zeros.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from forecast_packaging.errors import ContractError
from forecast_packaging.manifest import CHUNK_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_MEMBERS = 100_000
"""Most members of one archive."""

_BLOCK = 512
_MAX_EXTENDED_BYTES = 64 * 1024
_MAX_PADDING_BYTES = 1024 * 1024
_ZEROS = bytes(_BLOCK)
_MAX_NUMBER = 2**63 - 1
_OTHER_NUMBERS = ((100, 108), (108, 116), (116, 124), (136, 148), (329, 337), (337, 345))
_FILE = (b"0", b"\0")
_FOLDER = b"5"
_PAX = b"x"
_GNU_LONG_NAME = b"L"
_OCTAL = re.compile(rb" *([0-7]*)[ \0]*")
_RECORD = re.compile(rb"([1-9][0-9]{0,5}) ([^=\n]+)=")
_SAID_BY_PAX = frozenset(
    {"path", "size", "mtime", "atime", "ctime", "uid", "gid", "uname", "gname", "comment"}
)
_EXTENDED_ATTRIBUTES = ("LIBARCHIVE.", "SCHILY.xattr.")


@dataclass(frozen=True)
class Member:
    """A plain file or a folder of a tar.

    Attributes:
        path: Its name as it stands in the tar, which may be unsafe.
        size: Bytes of content; 0 for a folder.
        is_folder: Whether it is a folder.
    """

    path: str
    size: int
    is_folder: bool


class Stream(Protocol):
    """Something to read a tar from."""

    def read(self, size: int) -> bytes:
        """The next bytes, at most `size`; none only at the end."""


def read_members(stream: Stream) -> Iterator[tuple[Member, Iterator[bytes]]]:
    """The members of a tar with their contents in chunks, in the order of the tar.

    A content is read before the next member is asked for; what is left of it is skipped.

    Raises:
        ContractError: The tar is damaged, or holds anything but plain files and folders.
    """
    count = 0
    while (member := _next_member(stream)) is not None:
        count += 1
        if count > MAX_MEMBERS:
            raise ContractError(f"it has more than {MAX_MEMBERS} members")
        content = _content(stream, member.size)
        yield member, content
        for _ in content:
            pass
        if _exactly(stream, -member.size % _BLOCK).strip(b"\0"):
            raise ContractError(f"it hides data behind {member.path!r}")
    _check_end(stream)


def _next_member(stream: Stream) -> Member | None:
    """The next member, without its content; None at the end of the tar."""
    extended: dict[str, str] = {}
    while True:
        block = _exactly(stream, _BLOCK)
        if block == _ZEROS:
            if extended:
                raise ContractError("it ends after an extended header")
            return None
        _check_sum(block)
        # Owner, times and device numbers mean nothing here, but a reader may refuse wrong ones.
        for start, end in _OTHER_NUMBERS:
            _number(block[start:end])
        kind, size = block[156:157], _number(block[124:136])
        if kind not in {_PAX, _GNU_LONG_NAME}:
            return _member(block, kind, size, extended)
        if extended:
            raise ContractError("it has two extended headers for one member")
        body = _extended_body(stream, size)
        extended = _pax(body) if kind == _PAX else {"path": _text(_until_nul(body))}


def _member(block: bytes, kind: bytes, size: int, extended: dict[str, str]) -> Member:
    path = extended["path"] if "path" in extended else _text(_name(block))
    if "size" in extended:
        size = _decimal(extended["size"])
    if kind == _FOLDER:
        if size:
            raise ContractError(f"it holds the folder {path!r} with content")
        return Member(path.removesuffix("/"), 0, is_folder=True)
    if kind not in _FILE:
        raise ContractError(f"it holds {path!r}, which is no regular file")
    if path.endswith("/"):
        # A folder to some readers, as before POSIX.1-1988, and a file to others.
        raise ContractError(f"it holds the file {path!r}, whose name is that of a folder")
    return Member(path, size, is_folder=False)


def _name(block: bytes) -> bytes:
    name = _until_nul(block[:100])
    # GNU's tar keeps other things where POSIX's keeps the beginning of a long name.
    prefix = _until_nul(block[345:500]) if block[257:263] == b"ustar\0" else b""
    return prefix + b"/" + name if prefix else name


def _check_sum(block: bytes) -> None:
    expected = sum(block) - sum(block[148:156]) + 8 * ord(" ")
    if _octal(block[148:156]) != expected:
        raise ContractError("a header of it has a wrong checksum")


def _number(field: bytes) -> int:
    # GNU's binary form of what does not fit; its negative form begins with 0xff.
    number = int.from_bytes(field[1:]) if field[0] == 0x80 else _octal(field)  # noqa: PLR2004
    if number > _MAX_NUMBER:
        raise ContractError(f"a header of it has {number} for a number")
    return number


def _octal(field: bytes) -> int:
    match = _OCTAL.fullmatch(field)
    if match is None:
        raise ContractError(f"a header of it has {field!r} for a number")
    return int(match[1] or b"0", 8)


def _decimal(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,18}", text, re.ASCII):
        raise ContractError(f"it holds a member of {text[:24]!r} bytes")
    return int(text)


def _extended_body(stream: Stream, size: int) -> bytes:
    if size > _MAX_EXTENDED_BYTES:
        raise ContractError(
            f"it has an extended header of {size} bytes, expected at most {_MAX_EXTENDED_BYTES}"
        )
    return _exactly(stream, size + -size % _BLOCK)[:size]


def _pax(body: bytes) -> dict[str, str]:
    """The records of a pax header that name or measure a member."""
    records: dict[str, str] = {}
    while body:
        match = _RECORD.match(body)
        length = int(match[1]) if match else 0
        if match is None or not match.end() < length <= len(body) or body[length - 1] != ord("\n"):
            raise ContractError("it has a damaged extended header")
        key = _text(match[2])
        if key in records or not (key in _SAID_BY_PAX or key.startswith(_EXTENDED_ATTRIBUTES)):
            raise ContractError(f"it has an extended header with {key!r}")
        value = body[match.end() : length - 1]
        if key == "path" and b"\0" in value:
            # Cut off there by some readers, and kept by others.
            raise ContractError(f"it holds a file with the unsafe path {value[:80]!r}")
        records[key] = _text(value) if key in {"path", "size"} else ""
        body = body[length:]
    # Kept even when it says nothing of interest, so that a second header is noticed.
    return records or {"comment": ""}


def _text(name: bytes) -> str:
    try:
        return name.decode()
    except UnicodeDecodeError:
        raise ContractError(f"it holds a file whose name is not UTF-8: {name[:80]!r}") from None


def _until_nul(field: bytes) -> bytes:
    return field.partition(b"\0")[0]


def _content(stream: Stream, size: int) -> Iterator[bytes]:
    while size > 0:
        chunk = _some(stream, min(size, CHUNK_BYTES))
        size -= len(chunk)
        yield chunk


def _exactly(stream: Stream, size: int) -> bytes:
    parts = []
    while size > 0:
        parts.append(_some(stream, size))
        size -= len(parts[-1])
    return b"".join(parts)


def _some(stream: Stream, size: int) -> bytes:
    data = stream.read(size)
    if not data:
        raise ContractError("it ends too soon")
    return data


def _check_end(stream: Stream) -> None:
    """Read to the end, where gzip's checksum is, and refuse anything but the tar's padding."""
    padding = _exactly(stream, _BLOCK)
    count = len(padding)
    while padding:
        if padding.strip(b"\0"):
            raise ContractError("it holds data after its last member")
        if count > _MAX_PADDING_BYTES:
            raise ContractError("it goes on after its last member")
        padding = stream.read(CHUNK_BYTES)
        count += len(padding)
