"""An archive that was tampered with is refused in bounded time and space, or is what it says."""

from __future__ import annotations

import gzip
import io
import os
import tarfile
import tracemalloc
import zlib
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast_packaging import ContractError
from forecast_packaging.building import archive as archives
from forecast_packaging.building.archive import unpack_archive, write_archive
from forecast_packaging.building.tar_reader import read_members
from forecast_packaging.manifest import walk_files

if TYPE_CHECKING:
    from pathlib import Path

END = bytes(1024)


def header(name: bytes = b"a", size: bytes = b"1", kind: bytes = b"0", **changed: bytes) -> bytes:
    """A ustar header, its checksum right unless it is given."""
    fields = {
        "name": name.ljust(100, b"\0"),
        "mode": b"0000644\0",
        "uid": b"0000000\0",
        "gid": b"0000000\0",
        "size": size.rjust(11, b"0") + b"\0" if len(size) < 12 else size,
        "mtime": b"00000000000\0",
        "checksum": b" " * 8,
        "type": kind,
        "link": bytes(100),
        "magic": b"ustar\x0000",
        "owner": bytes(80),
        "prefix": bytes(155),
        "rest": bytes(12),
        **changed,
    }
    block = b"".join(fields.values())
    assert len(block) == 512
    if "checksum" in changed:
        return block
    return block[:148] + b"%06o\0 " % sum(block) + block[156:]


def padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 512)


def pax(*records: bytes, kind: bytes = b"x") -> bytes:
    body = b"".join(records)
    return header(b"PaxHeader/a", b"%o" % len(body), kind) + padded(body)


def record(key: bytes, value: bytes) -> bytes:
    length = len(key) + len(value) + 3
    length += len(str(length + len(str(length))))
    return b"%d %s=%s\n" % (length, key, value)


FILE = header() + padded(b"x")


def unpack(folder: Path, data: bytes, **options: bool) -> dict[str, bytes]:
    """What is unpacked from compressed bytes."""
    into = folder / "deep" / "into"
    into.mkdir(parents=True)
    (folder / "model.tar.gz").write_bytes(data)
    entries = unpack_archive(folder / "model.tar.gz", into, **options)
    found = {path: file.read_bytes() for path, file in walk_files(into, "x")}
    assert {entry.path: entry.size for entry in entries} == {p: len(d) for p, d in found.items()}
    return found


@pytest.mark.parametrize(
    ("tar", "message"),
    [
        (FILE, "ends too soon"),
        (FILE + bytes(512), "ends too soon"),
        (FILE[:700], "ends too soon"),
        (header(size=b"1000"), "ends too soon"),
        (b"", "ends too soon"),
        (FILE + END + b"hidden".ljust(512), "data after its last member"),
        (FILE + bytes(512) + FILE + END, "data after its last member"),
        (FILE + END + bytes(3_000_000), "goes on after its last member"),
        (header() + b"x" + b"hidden".ljust(511, b"\0") + END, "hides data behind 'a'"),
        (header(checksum=b"0000000\0") + padded(b"x") + END, "wrong checksum"),
        (FILE + header(b"b", checksum=b"0000000\0") + END, "wrong checksum"),
        (header(size=b"-1".rjust(11) + b"\0") + END, "for a number"),
        (header(size=b"\xff" * 12) + END, "for a number"),
        (header(size=b"\x80" + b"\xff" * 11) + END, "for a number"),
        (header(mode=b"rwxr-xr-") + padded(b"x") + END, "for a number"),
        (header(size=b"00000000008\0") + END, "for a number"),
        (header(size=b"77777777777\0") + END, "ends too soon"),
        (header(b"\xff\xfe") + padded(b"x") + END, "not UTF-8"),
        (header(b"") + padded(b"x") + END, "unsafe path ''"),
        (header(b"b", prefix=b"../..".ljust(155, b"\0")) + padded(b"x") + END, "unsafe path"),
        (header(b"b", prefix=b"/etc".ljust(155, b"\0")) + padded(b"x") + END, "unsafe path"),
        (header(b"folder/", b"1", b"5") + padded(b"x") + END, "with content"),
        (pax(record(b"path", b"../up")) + FILE + END, "unsafe path '../up'"),
        (pax(record(b"path", b"a\0b")) + FILE + END, "unsafe path b'a\\x00b'"),
        (pax(record(b"path", b"b\0")) + header(b"b/", b"0", b"5") + END, "unsafe path b'b\\x00'"),
        (pax(record(b"path", b"b/")) + FILE + END, "file 'b/', whose name is that of a folder"),
        (header(b"b/") + padded(b"x") + END, "file 'b/', whose name is that of a folder"),
        (header(b"b/", b"0", b"\0") + END, "file 'b/', whose name is that of a folder"),
        (pax(record(b"path", b"\xff")) + FILE + END, "not UTF-8"),
        (pax(record(b"size", b"-1")) + FILE + END, "'-1' bytes"),
        (pax(record(b"size", b"1e3")) + FILE + END, "'1e3' bytes"),
        (pax(record(b"size", b"9" * 40)) + FILE + END, "'999999999999999999999999' bytes"),
        (pax(record(b"size", b"\xd9\xa1")) + FILE + END, "bytes"),
        (pax(record(b"linkpath", b"/etc/passwd")) + FILE + END, "with 'linkpath'"),
        (pax(record(b"GNU.sparse.name", b"b")) + FILE + END, "with 'GNU.sparse.name'"),
        (pax(record(b"GNU.sparse.realsize", b"9999")) + FILE + END, "with 'GNU.sparse.realsize'"),
        (pax(record(b"hdrcharset", b"BINARY")) + FILE + END, "with 'hdrcharset'"),
        (pax(record(b"path", b"b"), record(b"path", b"c")) + FILE + END, "with 'path'"),
        (pax(record(b"path", b"b")) + pax(record(b"path", b"c")) + FILE + END, "two extended"),
        (pax(record(b"path", b"b")) + header(b"l", b"2", b"L") + padded(b"c\0") + FILE, "two ext"),
        (pax(b"9999999 path=b\n") + FILE + END, "damaged extended header"),
        (pax(b"0 path=b\n") + FILE + END, "damaged extended header"),
        (pax(b"5 path=b\n") + FILE + END, "damaged extended header"),
        (pax(b"11 path=b\n") + FILE + END, "damaged extended header"),
        (pax(b"path=b\n") + FILE + END, "damaged extended header"),
        (pax(record(b"path", b"b")) + END, "ends after an extended header"),
        (pax(record(b"comment", b"x"), kind=b"g") + FILE + END, "which is no regular file"),
        (header(b"x", b"7777777777", b"x") + END, "an extended header of"),
        (header(b"x", b"7777777777", b"L") + END, "an extended header of"),
        (header(b"l", b"6", b"L") + padded(b"../up\0") + FILE + END, "unsafe path '../up'"),
    ],
)
def test_a_tar_that_two_readers_could_read_differently_is_refused(
    tmp_path: Path, tar: bytes, message: str
) -> None:
    with pytest.raises(ContractError) as caught:
        unpack(tmp_path, gzip.compress(tar))
    assert message in str(caught.value)
    assert [file.name for file in tmp_path.rglob("*") if file.name in {"up", "etc"}] == []


@pytest.mark.parametrize("foreign", [False, True])
def test_long_names_of_posix_and_of_gnu_are_read(tmp_path: Path, *, foreign: bool) -> None:
    gnu = header(b"l", b"4", b"L") + padded(b"b/c\0")
    tar = pax(record(b"path", b"a/b"), record(b"mtime", b"1.5")) + FILE + gnu + FILE + END
    found = unpack(tmp_path, gzip.compress(tar), foreign=foreign)
    assert found == {"a/b": b"x", "b/c": b"x"}


def test_only_a_foreign_archive_may_hold_folders_and_begin_names_with_a_dot(
    tmp_path: Path,
) -> None:
    tar = header(b"./", b"0", b"5") + header(b"./b/", b"0", b"5") + header(b"./b/c") + padded(b"x")
    data = gzip.compress(tar + END)
    assert unpack(tmp_path / "1", data, foreign=True) == {"b/c": b"x"}
    with pytest.raises(ContractError, match="unsafe path"):
        unpack(tmp_path / "2", data)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "ends too soon"),
        (b"PK\3\4 a zip", "is damaged"),
        (gzip.compress(FILE + END, mtime=0) + gzip.compress(b"", mtime=0), "goes on after its end"),
        (gzip.compress(FILE + END, mtime=0) + b"\0", "goes on after its end"),
        (gzip.compress(FILE + END, mtime=0) + b"hidden", "goes on after its end"),
        (gzip.compress(FILE + END, mtime=0)[:-1], "ends too soon"),
        (gzip.compress(FILE, mtime=0)[:-8] + gzip.compress(END, mtime=0), "is damaged"),
        (zlib.compress(FILE + END), "is damaged"),
    ],
)
def test_a_gzip_of_several_parts_or_of_none_is_refused(
    tmp_path: Path, data: bytes, message: str
) -> None:
    with pytest.raises(ContractError) as caught:
        unpack(tmp_path, data)
    assert message in str(caught.value)


def test_a_bomb_is_refused_before_it_fills_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "FREE_BYTES", 1_000_000)
    zeros = gzip.compress(header(size=b"%o" % 50_000_000) + bytes(50_000_000))
    with pytest.raises(ContractError, match="larger than allowed when it is unpacked"):
        unpack(tmp_path, zeros)
    written = sum(file.stat().st_size for file in (tmp_path / "deep").rglob("a"))
    assert written <= archives.MAX_RATIO * len(zeros) + 1024 * 1024


def test_a_bomb_of_headers_is_refused_in_bounded_memory(tmp_path: Path) -> None:
    size = 60 * 1024 * 1024
    bomb = gzip.compress(header(b"x", b"%o" % size, b"x") + bytes(size))
    tracemalloc.start()
    with pytest.raises(ContractError, match="an extended header of"):
        unpack(tmp_path, bomb)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8 * 1024 * 1024


def test_a_swarm_of_members_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("forecast_packaging.building.tar_reader.MAX_MEMBERS", 10)
    swarm = b"".join(header(b"%d" % number, b"0") for number in range(11))
    with pytest.raises(ContractError, match="more than 10 members"):
        list(read_members(io.BytesIO(swarm + END)))


def test_a_member_that_is_not_what_was_staged_is_refused(tmp_path: Path) -> None:
    folder, into = tmp_path / "stage", tmp_path / "into"
    folder.mkdir()
    into.mkdir()
    (folder / "model.bin").write_bytes(b"x" * 3_000_000)
    (folder / "info.json").write_bytes(b"{}")
    write_archive(folder, tmp_path / "a")
    entries = unpack_archive(tmp_path / "a", into, staged=folder)
    assert [entry.path for entry in entries] == ["info.json", "model.bin"]
    assert (into / "model.bin").samefile(folder / "model.bin")
    (folder / "model.bin").unlink()
    for changed in (b"x" * 2_999_999, b"x" * 3_000_001, b"x" * 2_999_999 + b"y"):
        (folder / "model.bin").write_bytes(changed)
        other = tmp_path / f"other{len(list(tmp_path.iterdir()))}"
        other.mkdir()
        with pytest.raises(ContractError, match=r"another 'model\.bin' than was packed"):
            unpack_archive(tmp_path / "a", other, staged=folder)


GOOD = (
    pax(record(b"path", b"artifacts/" + b"long" * 30)) + FILE
    + header(b"code/inference.py", b"5") + padded(b"x = 1")[:512]
    + header(b"model/model.bin", b"%o" % 2000) + padded(bytes(range(250)) * 8)
    + END
)  # fmt: skip
CHANGE = st.tuples(
    st.sampled_from(["set", "insert", "delete", "copy"]),
    st.integers(0, len(GOOD)),
    st.binary(min_size=1, max_size=12)
    | st.sampled_from([b"\0", b"../", b"/", b"ustar  \0", b"x", b"L", b"S", b"5", bytes(512)]),
    st.integers(0, len(GOOD)),
)


def changed(data: bytes, changes: list[tuple[str, int, bytes, int]]) -> bytes:
    for how, place, piece, other in changes:
        end = place + {"set": len(piece), "insert": 0, "delete": len(piece), "copy": 0}[how]
        new = {"set": piece, "insert": piece, "delete": b"", "copy": data[other : other + 512]}
        data = data[:place] + new[how] + data[end:]
    return data


def with_right_checksums(tar: bytes) -> bytes:
    """The tar with every header's checksum set right, so that what is behind it is tried."""
    blocks = [tar[start : start + 512] for start in range(0, len(tar), 512)]
    for index, block in enumerate(blocks):
        if block[257:262] == b"ustar" and len(block) == 512:
            total = sum(block) - sum(block[148:156]) + 256
            blocks[index] = block[:148] + b"%06o\0 " % total + block[156:]
    return b"".join(blocks)


@given(changes=st.lists(CHANGE, max_size=6), repaired=st.booleans(), foreign=st.booleans())
def test_a_changed_tar_is_refused_or_read_as_everybody_reads_it(
    tmp_path_factory: pytest.TempPathFactory,
    changes: list[tuple[str, int, bytes, int]],
    *,
    repaired: bool,
    foreign: bool,
) -> None:
    tar = changed(GOOD, changes)
    if repaired:
        tar = with_right_checksums(tar)
    folder = tmp_path_factory.mktemp("fuzz")
    try:
        found = unpack(folder, gzip.compress(tar, 1), foreign=foreign)
    except ContractError:
        assert {path.name for path in folder.iterdir()} == {"model.tar.gz", "deep"}
        assert [path.name for path in (folder / "deep").iterdir()] == ["into"]
        return
    with tarfile.open(fileobj=io.BytesIO(tar)) as reader:
        members = [member for member in reader.getmembers() if not member.isdir()]
        read = {
            os.path.normpath(member.name): reader.extractfile(member).read() for member in members
        }
    assert read == found


@given(changes=st.lists(CHANGE, min_size=1, max_size=4))
def test_changed_bytes_of_an_archive_are_noticed(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[str, int, bytes, int]]
) -> None:
    good = gzip.compress(GOOD, 1)
    bad = changed(good, [(how, p % len(good), b, o % len(good)) for how, p, b, o in changes])
    folder = tmp_path_factory.mktemp("fuzz")
    try:
        found = unpack(folder, bad)
    except ContractError:
        return
    assert found == unpack(folder / "good", good)
