"""A wheel is read for what it requires, and unpacked only when it is exactly what it says."""

from __future__ import annotations

import importlib.util
import stat
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forecast_packaging import ModelError
from forecast_packaging.libraries import wheel as wheels_module
from forecast_packaging.libraries.choose import required_on
from forecast_packaging.libraries.target import Target
from forecast_packaging.libraries.wheel import Wheel

_SPEC = importlib.util.spec_from_file_location("wheels", Path(__file__).with_name("wheels.py"))
assert _SPEC is not None
assert _SPEC.loader is not None
wheels = importlib.util.module_from_spec(_SPEC)
sys.modules.setdefault("wheels", wheels)
_SPEC.loader.exec_module(wheels)

if TYPE_CHECKING:
    from collections.abc import Callable

TARGET = Target("3.12")


def _files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.fixture
def unpack(tmp_path: Path) -> Callable[..., dict[str, bytes]]:
    def make(**options: Any) -> dict[str, bytes]:
        folder = tmp_path / "content"
        folder.mkdir(exist_ok=True)
        Wheel.read(wheels.make_wheel(tmp_path, "tiny", **options)).unpack(folder)
        return _files(folder)

    return make


def test_a_wheel_says_what_it_requires_on_a_target(tmp_path: Path) -> None:
    path = wheels.make_wheel(
        tmp_path,
        "tiny",
        requires=[
            "numpy>=1.21",
            'tomli; python_version < "3.11"',
            'pandas>=2; extra == "frames"',
            'colorama; sys_platform == "win32"',
            'greenlet; platform_machine == "x86_64"',
        ],
    )
    wheel = Wheel.read(path)

    assert (wheel.name, wheel.version) == ("tiny", "1.0")
    assert [str(each.name) for each in required_on(TARGET, wheel)] == ["numpy", "greenlet"]
    assert [str(each.name) for each in required_on(Target("3.10", "aarch64"), wheel)] == [
        "numpy",
        "tomli",
    ]


@pytest.mark.parametrize(
    ("tag", "runs"),
    [
        ("py3-none-any", True),
        ("cp312-cp312-manylinux_2_28_x86_64", True),
        ("cp312-cp312-manylinux2014_x86_64", True),
        ("cp39-abi3-manylinux_2_17_x86_64", True),
        ("cp311-cp311-manylinux_2_17_x86_64", False),
        ("cp312-cp312-manylinux_2_35_x86_64", False),
        ("cp312-cp312-manylinux_2_17_aarch64", False),
        ("cp312-cp312-macosx_11_0_arm64", False),
    ],
)
def test_a_target_knows_which_wheels_run_on_it(tmp_path: Path, tag: str, runs: bool) -> None:  # noqa: FBT001
    wheel = Wheel.read(wheels.make_wheel(tmp_path, "tiny", tag=tag))

    assert (not wheel.tags.isdisjoint(TARGET.tags)) is runs


def test_what_an_installation_puts_on_the_path_is_unpacked_and_nothing_else(
    unpack: Callable[..., dict[str, bytes]],
) -> None:
    found = unpack(
        files={
            "tiny/empty.py": b"",
            "tiny/part.so": b"\x7fELF",
            "tiny-1.0.data/purelib/tiny_extra.py": b"x = 1\n",
            "tiny-1.0.data/scripts/tiny": b"#!python\n",
            "tiny-1.0.data/data/share/tiny.txt": b"text",
        }
    )

    assert {name for name in found if "dist-info" not in name} == {
        "tiny/__init__.py",
        "tiny/empty.py",
        "tiny/part.so",
        "tiny_extra.py",
    }
    assert found["tiny/part.so"] == b"\x7fELF"


def _info(name: str, mode: int = stat.S_IFREG | 0o644) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = mode << 16
    return info


@pytest.mark.parametrize(
    ("name", "mode", "message"),
    [
        ("../outside.py", stat.S_IFREG, "unsafe path"),
        ("tiny/../../outside.py", stat.S_IFREG, "unsafe path"),
        ("/etc/passwd", stat.S_IFREG, "unsafe path"),
        ("tiny\\outside.py", stat.S_IFREG, "unsafe path"),
        ("tiny/bell\x07.py", stat.S_IFREG, "unsafe path"),
        ("tiny/link.py", stat.S_IFLNK, "no plain file"),
        ("tiny/device", stat.S_IFCHR, "no plain file"),
        ("tiny/unrecorded.py", stat.S_IFREG, "do not hold the same files"),
    ],
)
def test_a_hostile_member_is_refused(
    unpack: Callable[..., dict[str, bytes]], tmp_path: Path, name: str, mode: int, message: str
) -> None:
    with pytest.raises(ModelError, match=message):
        unpack(extra=[(_info(name, mode | 0o644), b"/etc/passwd")])

    assert not (tmp_path / "outside.py").exists()
    assert not any(path.is_symlink() for path in tmp_path.rglob("*"))


@pytest.mark.parametrize(
    "name",
    [
        "other-1.0.dist-info/METADATA",
        "other-1.0.data/purelib/tiny_extra.py",
        "tiny-2.0.dist-info/licenses/LICENSE",
        "tiny-2.0.data/purelib/tiny_extra.py",
        "tiny.data/purelib/tiny_extra.py",
        "tiny-1.0.data/purelib/other-1.0.dist-info/METADATA",
        "other-1.0.data/scripts/tiny",
    ],
)
def test_a_member_in_the_folder_of_another_library_is_refused(
    unpack: Callable[..., dict[str, bytes]], name: str
) -> None:
    with pytest.raises(ModelError, match=r"of another library, expected that of tiny 1\.0"):
        unpack(files={name: b"x"})


@pytest.mark.parametrize("place", ["", "tiny-1.0.data/purelib/", "tiny-1.0.data/platlib/"])
@pytest.mark.parametrize(
    "name",
    ["forecast_inference/handler.py", "Forecast_Inference/handler.py", "inference.py"],
)
def test_a_module_of_the_archive_itself_is_refused(
    unpack: Callable[..., dict[str, bytes]], tmp_path: Path, place: str, name: str
) -> None:
    with pytest.raises(ModelError, match="a module that the archive itself has"):
        unpack(files={f"{place}{name}": b"x"})

    assert not list((tmp_path / "content").rglob(Path(name).name))


def test_the_own_folders_may_spell_name_and_version_otherwise(
    unpack: Callable[..., dict[str, bytes]],
) -> None:
    assert "tiny_extra.py" in unpack(files={"Tiny-1.0.0.data/purelib/tiny_extra.py": b"x"})


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("name", ["tiny/__init__.py", "tiny/__INIT__.py", "Tiny/more.py"])
def test_a_member_given_twice_is_refused_in_whatever_case(
    unpack: Callable[..., dict[str, bytes]], name: str
) -> None:
    with pytest.raises(ModelError, match=r"twice$|are one on some file systems"):
        unpack(extra=[(_info(name), b"import os\n")])


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ("", "do not hold the same files"),
        ("tiny-1.0.dist-info/RECORD,,\n", "do not hold the same files"),
        ("tiny/__init__.py\n", "do not hold the same files"),
    ],
)
def test_a_record_that_leaves_files_out_is_refused(
    unpack: Callable[..., dict[str, bytes]], record: str, message: str
) -> None:
    with pytest.raises(ModelError, match=message):
        unpack(record=record)


def test_a_file_that_is_not_the_recorded_one_is_refused(tmp_path: Path) -> None:
    honest = wheels.make_wheel(tmp_path / "honest", "tiny")
    with zipfile.ZipFile(honest) as archive:
        record = archive.read("tiny-1.0.dist-info/RECORD").decode()
    changed = wheels.make_wheel(
        tmp_path / "changed", "tiny", files={"tiny/__init__.py": b"import os\n"}, record=record
    )

    with pytest.raises(ModelError, match=r"and its RECORD differ in 'tiny/__init__\.py'"):
        Wheel.read(changed).unpack(tmp_path)


def test_a_file_that_two_wheels_hold_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "content"
    folder.mkdir()
    Wheel.read(wheels.make_wheel(tmp_path, "tiny")).unpack(folder)
    other = wheels.make_wheel(tmp_path, "other", files={"tiny/__init__.py": b""})

    with pytest.raises(ModelError, match=r"holds 'tiny/__init__\.py', which another wheel"):
        Wheel.read(other).unpack(folder)


def test_a_bomb_is_refused_before_anything_is_written(
    unpack: Callable[..., dict[str, bytes]], tmp_path: Path
) -> None:
    with pytest.raises(ModelError, match=r"unpacks to \d+ files of \d+ bytes, expected at most"):
        unpack(files={"tiny/zeros.bin": bytes(20_000_000)})

    assert _files(tmp_path / "content") == {}


def test_more_files_than_a_library_has_are_refused(
    unpack: Callable[..., dict[str, bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wheels_module, "MAX_MEMBERS", 10)

    with pytest.raises(ModelError, match="unpacks to 11 files of"):
        unpack(files={f"tiny/part{number}.py": b"" for number in range(7)})


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"not a zip" * 100])
def test_what_is_no_wheel_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "tiny-1.0-py3-none-any.whl"
    path.write_bytes(content)

    with pytest.raises(ModelError, match=r"tiny-1\.0-py3-none-any\.whl is not a wheel"):
        Wheel.read(path)


def test_a_wheel_without_its_metadata_is_refused(tmp_path: Path) -> None:
    made = wheels.make_wheel(tmp_path, "tiny")
    renamed = made.rename(tmp_path / "another-1.0-py3-none-any.whl")

    with pytest.raises(ModelError, match="is not a wheel"):
        Wheel.read(renamed)


@given(damage=st.data())
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_damaged_wheel_leaves_another_file_than_it_records(
    tmp_path: Path, damage: st.DataObject
) -> None:
    whole = wheels.make_wheel(tmp_path / "whole", "tiny", files={"tiny/data.bin": bytes(range(99))})
    content = bytearray(whole.read_bytes())
    place = damage.draw(st.integers(0, len(content) - 1))
    content[place] = damage.draw(st.integers(0, 255))
    path = tmp_path / "tiny-1.0-py3-none-any.whl"
    path.write_bytes(content)
    expected = tmp_path / "expected"
    if not expected.exists():
        expected.mkdir()
        Wheel.read(whole).unpack(expected)
    folder = tmp_path / f"damaged-{len(list(tmp_path.iterdir()))}"
    folder.mkdir()

    try:
        Wheel.read(path).unpack(folder)
    except ModelError:
        return
    assert {name: data for name, data in _files(folder).items() if not name.endswith("RECORD")} == {
        name: data for name, data in _files(expected).items() if not name.endswith("RECORD")
    }
