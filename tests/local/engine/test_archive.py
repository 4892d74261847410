"""The extraction of archives that are not trusted."""

import gzip
import io
import tarfile
from pathlib import Path

import pytest

from forecast_local.sagemaker.archive import ArchiveError, extract


def member(name: str, content: bytes = b"x", **attributes: object) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    for key, value in attributes.items():
        setattr(info, key, value)
    return info, content


def write(path: Path, *members: tuple[tarfile.TarInfo, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for info, content in members:
            tar.addfile(info, io.BytesIO(content))
    return path


def test_plain_archive_is_extracted(tmp_path: Path) -> None:
    folder = member("code", b"", type=tarfile.DIRTYPE)
    archive = write(tmp_path / "a.tar.gz", folder, member("code/a.py", b"1"), member("./b/c", b"2"))
    extract(archive, tmp_path / "out")
    assert (tmp_path / "out/code/a.py").read_bytes() == b"1"
    assert (tmp_path / "out/b/c").read_bytes() == b"2"


@pytest.mark.parametrize(
    "members",
    [
        [member("../escape")],
        [member("a/../../escape")],
        [member("/etc/escape")],
        [member("a\\..\\b")],
        [member("link", b"", type=tarfile.SYMTYPE, linkname="/etc")],
        [member("a"), member("hard", b"", type=tarfile.LNKTYPE, linkname="a")],
        [member("pipe", b"", type=tarfile.FIFOTYPE)],
        [member("device", b"", type=tarfile.CHRTYPE)],
        [member("device", b"", type=tarfile.BLKTYPE)],
        [member("a", b"1"), member("a", b"2")],
        [member("a", b"1"), member("./a", b"2")],
        [member("a", b"1"), member("a/b", b"2")],
    ],
    ids=lambda members: "+".join(info.name for info, _ in members),
)
def test_hostile_member_is_refused(
    tmp_path: Path, members: list[tuple[tarfile.TarInfo, bytes]]
) -> None:
    archive = write(tmp_path / "a.tar.gz", *members)
    with pytest.raises(ArchiveError):
        extract(archive, tmp_path / "out")
    assert not (tmp_path / "escape").exists()


def test_archive_that_unpacks_to_too_much_is_refused(tmp_path: Path) -> None:
    archive = write(tmp_path / "a.tar.gz", member("zeros", bytes(1_000_000)))
    with pytest.raises(ArchiveError, match="larger than allowed"):
        extract(archive, tmp_path / "out", max_bytes=100_000)


@pytest.mark.parametrize(
    "content",
    [b"", b"nothing", gzip.compress(b"nothing" * 1000, mtime=0)],
    # The time of day is in a gzip header: workers that collect at two times need one name.
    ids=["empty", "text", "gzip of text"],
)
def test_what_is_no_archive_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.tar.gz").write_bytes(content)
    with pytest.raises(ArchiveError):
        extract(tmp_path / "a.tar.gz", tmp_path / "out")


def test_truncated_archive_is_refused(tmp_path: Path) -> None:
    archive = write(tmp_path / "a.tar.gz", member("a", bytes(range(256)) * 4000))
    archive.write_bytes(archive.read_bytes()[:-200])
    with pytest.raises(ArchiveError):
        extract(archive, tmp_path / "out")
