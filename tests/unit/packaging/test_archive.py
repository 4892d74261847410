from __future__ import annotations

import gzip
import hashlib
import io
import os
import tarfile
import tracemalloc
from typing import TYPE_CHECKING

import pytest

from forecast_packaging import ContractError, ModelError
from forecast_packaging.building.archive import unpack_archive, write_archive
from forecast_packaging.building.tar_reader import Member, read_members
from forecast_packaging.manifest import scan, walk_files

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def content(tmp_path: Path) -> Path:
    folder = tmp_path / "content"
    (folder / "code").mkdir(parents=True)
    (folder / "code/inference.py").write_text("x = 1\n")
    (folder / "artifacts").mkdir()
    (folder / "artifacts" / ("长" * 60 + ".txt")).write_text("a long name that is not ASCII")
    (folder / "model-info.json").write_text("{}")
    (folder / "model").mkdir()
    (folder / "model/model.bin").write_bytes(os.urandom(3_000_000))
    return folder


def test_members_are_plain_files_in_a_fixed_order_without_traces_of_their_maker(
    tmp_path: Path, content: Path
) -> None:
    (content / "code/inference.py").chmod(0o700)
    archive = tmp_path / "model.tar.gz"
    write_archive(content, archive)
    with tarfile.open(archive) as tar:
        members = tar.getmembers()
    names = [member.name for member in members]
    assert names == sorted(names)
    assert {"code/inference.py", "model-info.json", "model/model.bin"} < set(names)
    for member in members:
        assert member.isreg()
        assert (member.mode, member.mtime, member.uid, member.gid) == (0o644, 0, 0, 0)
        assert (member.uname, member.gname) == ("", "")


def test_the_gzip_header_holds_no_time_and_no_name(tmp_path: Path, content: Path) -> None:
    archive = tmp_path / "model.tar.gz"
    write_archive(content, archive)
    header = archive.read_bytes()[:10]
    assert header[:3] == b"\x1f\x8b\x08"
    assert header[3] == 0
    assert header[4:8] == b"\x00\x00\x00\x00"


def test_the_digest_is_that_of_the_uncompressed_tar(tmp_path: Path, content: Path) -> None:
    archive = tmp_path / "model.tar.gz"
    written = write_archive(content, archive)
    plain = gzip.decompress(archive.read_bytes())
    assert written.archive_digest == f"sha256:{hashlib.sha256(plain).hexdigest()}"
    assert written.file_sha256 == hashlib.sha256(archive.read_bytes()).hexdigest()


def test_every_reader_of_tars_reads_what_is_packed(tmp_path: Path, content: Path) -> None:
    archive = tmp_path / "model.tar.gz"
    write_archive(content, archive)
    with tarfile.open(archive) as tar:
        read = {member.name: tar.extractfile(member).read() for member in tar.getmembers()}
    assert read == {path: file.read_bytes() for path, file in walk_files(content, "x")}
    with gzip.open(archive) as plain:
        plain.seek(0, os.SEEK_END)
        assert plain.tell() % tarfile.RECORDSIZE == 0


def test_a_file_of_many_gigabytes_gets_a_size_that_ustar_cannot_hold() -> None:
    size = 9 * 1024**3
    member = tarfile.TarInfo("model.bin")
    member.size = size
    stream = io.BytesIO(member.tobuf(tarfile.PAX_FORMAT))
    found, _ = next(read_members(stream))
    assert found == Member("model.bin", size, is_folder=False)


def test_what_is_packed_is_unpacked(tmp_path: Path, content: Path) -> None:
    archive, into = tmp_path / "model.tar.gz", tmp_path / "into"
    write_archive(content, archive)
    into.mkdir()
    assert unpack_archive(archive, into) == scan(content, "x") == scan(into, "x")


def test_progress_ends_with_every_byte(tmp_path: Path, content: Path) -> None:
    seen = []
    write_archive(content, tmp_path / "a", lambda *step: seen.append(step))
    stage, done, total = seen[-1]
    assert (stage, done) == ("pack", total)
    assert total == sum(entry.size for entry in scan(content, "x"))


def test_memory_does_not_grow_with_the_model(tmp_path: Path) -> None:
    folder = tmp_path / "content"
    folder.mkdir()
    with (folder / "model.bin").open("wb") as file:
        file.truncate(256 * 1024 * 1024)
    tracemalloc.start()
    write_archive(folder, tmp_path / "a")
    (tmp_path / "into").mkdir()
    unpack_archive(tmp_path / "a", tmp_path / "into")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 16 * 1024 * 1024


@pytest.mark.parametrize("kind", ["link", "folder_link", "fifo", "backslash", "newline"])
def test_what_is_no_plain_file_is_not_packed(tmp_path: Path, content: Path, kind: str) -> None:
    if kind == "link":
        (content / "passwd").symlink_to("/etc/passwd")
    elif kind == "folder_link":
        (content / "etc").symlink_to("/etc", target_is_directory=True)
    elif kind == "fifo":
        os.mkfifo(content / "pipe")
    else:
        (content / {"backslash": "..\\x", "newline": "a\nb"}[kind]).write_text("x")
    with pytest.raises(ModelError, match="the archive holds"):
        write_archive(content, tmp_path / "a")


def test_a_name_that_is_not_utf8_is_not_packed(tmp_path: Path, content: Path) -> None:
    (content / os.fsdecode(b"\xff")).write_text("x")
    with pytest.raises(ModelError, match="whose name is not UTF-8"):
        write_archive(content, tmp_path / "a")


def hostile(path: Path, *members: tuple[str, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for name, kind in members:
            member = tarfile.TarInfo(name)
            member.type = kind
            member.linkname = "/etc/passwd"
            data = b"x" if kind == tarfile.REGTYPE else b""
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return path


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ([("../up", tarfile.REGTYPE)], "unsafe path '../up'"),
        ([("a/../../up", tarfile.REGTYPE)], "unsafe path"),
        ([("/abs", tarfile.REGTYPE)], "unsafe path '/abs'"),
        ([("./a", tarfile.REGTYPE)], "unsafe path './a'"),
        ([("a//b", tarfile.REGTYPE)], "unsafe path 'a//b'"),
        ([("a", tarfile.SYMTYPE)], "'a', which is no regular file"),
        ([("a", tarfile.LNKTYPE)], "'a', which is no regular file"),
        ([("a", tarfile.FIFOTYPE)], "'a', which is no regular file"),
        ([("a", tarfile.CHRTYPE)], "'a', which is no regular file"),
        ([("a", tarfile.DIRTYPE)], "'a', which is no regular file"),
        ([("a", tarfile.REGTYPE), ("a", tarfile.REGTYPE)], "holds 'a' twice"),
        ([("a", tarfile.REGTYPE), ("a/b", tarfile.REGTYPE)], "'a' as a file and as a folder"),
        ([("a/b", tarfile.REGTYPE), ("a", tarfile.REGTYPE)], "'a' as a file and as a folder"),
        ([("a", tarfile.REGTYPE), ("A", tarfile.REGTYPE)], "one on some file systems"),
        ([("a/b", tarfile.REGTYPE), ("A/c", tarfile.REGTYPE)], "one on some file systems"),
        ([("\u00e9", tarfile.REGTYPE), ("e\u0301", tarfile.REGTYPE)], "one on some file systems"),
        ([("stra\u00dfe", tarfile.REGTYPE), ("STRASSE", tarfile.REGTYPE)], "on some file systems"),
        ([("a", tarfile.BLKTYPE)], "'a', which is no regular file"),
        ([("a", tarfile.CONTTYPE)], "'a', which is no regular file"),
        ([("a", tarfile.GNUTYPE_SPARSE)], "'a', which is no regular file"),
        ([("a", b"V")], "'a', which is no regular file"),
        ([("a", b"g")], "'a', which is no regular file"),
        ([("a", b"K")], "'a', which is no regular file"),
        ([("a\\b", tarfile.REGTYPE)], "unsafe path"),
        ([("a\nb", tarfile.REGTYPE)], "unsafe path"),
        ([("a/", tarfile.REGTYPE)], "'a/', whose name is that of a folder"),
    ],
)
def test_a_hostile_archive_is_not_unpacked(
    tmp_path: Path, members: list[tuple[str, bytes]], message: str
) -> None:
    archive = hostile(tmp_path / "a.tar.gz", *members)
    into = tmp_path / "deep" / "into"
    into.mkdir(parents=True)
    with pytest.raises(ContractError) as caught:
        unpack_archive(archive, into)
    assert message in str(caught.value)
    assert list((tmp_path / "deep").iterdir()) == [into]


@pytest.mark.parametrize("keep", [0, 5, 1000])
def test_a_truncated_archive_is_refused(tmp_path: Path, content: Path, keep: int) -> None:
    archive = tmp_path / "a"
    write_archive(content, archive)
    archive.write_bytes(archive.read_bytes()[:keep])
    (tmp_path / "into").mkdir()
    with pytest.raises(ContractError, match="is not a sound archive: its compression"):
        unpack_archive(archive, tmp_path / "into")


def test_a_bit_flipped_in_transport_is_noticed(tmp_path: Path, content: Path) -> None:
    archive = tmp_path / "a"
    write_archive(content, archive)
    data = bytearray(archive.read_bytes())
    data[-5] ^= 1
    archive.write_bytes(data)
    (tmp_path / "into").mkdir()
    with pytest.raises(ContractError, match="is not a sound archive: its compression"):
        unpack_archive(archive, tmp_path / "into")


def test_data_hidden_after_the_last_member_is_refused(tmp_path: Path, content: Path) -> None:
    archive = tmp_path / "a"
    write_archive(content, archive)
    plain = gzip.decompress(archive.read_bytes())
    archive.write_bytes(gzip.compress(plain + b"hidden" * 5000))
    (tmp_path / "into").mkdir()
    with pytest.raises(ContractError, match="holds data after its last member"):
        unpack_archive(archive, tmp_path / "into")
