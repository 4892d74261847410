"""The archive's files one by one: when they are wanted, and where they are."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from forecast_config.settings import ServingSettings
from forecast_packaging import package
from forecast_packaging.building import model_data
from forecast_packaging.building.archive import unpack_archive
from forecast_packaging.building.model_data import fetches_files
from forecast_packaging.manifest import scan

if TYPE_CHECKING:
    from pathlib import Path

    from forecast_config import LockedModel

GB = 1024**3
PREFIX = ServingSettings(model_data="prefix")
GONE = "http://127.0.0.1:9"


@pytest.mark.parametrize(
    ("asked", "packed", "unpacked", "expected"),
    [
        ("archive", 5 * GB, 5 * GB, False),
        ("prefix", 1, 100, True),
        ("auto", 5 * GB, 5 * GB, True),
        ("auto", model_data.SMALLEST_PREFIX_BYTES, model_data.SMALLEST_PREFIX_BYTES, True),
        ("auto", 100, model_data.SMALLEST_PREFIX_BYTES - 1, False),
        ("auto", GB, 4 * GB, False),
    ],
)
def test_large_files_that_compression_leaves_large_are_fetched_one_by_one(
    asked: str, packed: int, unpacked: int, *, expected: bool
) -> None:
    serving = ServingSettings(model_data=asked)
    assert fetches_files(serving, packed_bytes=packed, unpacked_bytes=unpacked) is expected


def test_the_files_are_those_of_the_archive_however_it_was_found(
    project: Path, produce: LockedModel, tracking_uri: str, tmp_path: Path
) -> None:
    archive = package(root=project, tracking_uri=tracking_uri, lock=produce)
    into = tmp_path / "into"
    into.mkdir()
    entries = unpack_archive(archive.archive, into)
    info = json.loads((into / "model-info.json").read_text())
    assert archive.files is None
    assert archive.unpacked_bytes == sum(entry.size for entry in entries)
    assert archive.model_bytes == sum(
        info["files"][model["file"]]["size"] for model in info["models"]
    )
    assert archive.runs_code_on_load is info["runs_code_on_load"]

    by_files = package(root=project, tracking_uri=GONE, lock=produce, serving=PREFIX)
    assert by_files.archive == archive.archive
    assert by_files.archive_digest == archive.archive_digest
    assert scan(by_files.files, "x") == entries
    before = (by_files.files / "model-info.json").stat().st_ino
    assert package(root=project, tracking_uri=GONE, lock=produce, serving=PREFIX) == by_files
    assert (by_files.files / "model-info.json").stat().st_ino == before

    for damage in ("change", "extra", "remove"):
        file = by_files.files / "model-info.json"
        if damage == "change":
            file.write_bytes(file.read_bytes()[:-1] + b" ")
        elif damage == "extra":
            (by_files.files / "extra").write_text("x")
        else:
            file.unlink()
        assert package(root=project, tracking_uri=GONE, lock=produce, serving=PREFIX) == by_files
        assert scan(by_files.files, "x") == entries


def test_what_is_packed_and_how_it_answers_make_another_archive(
    project: Path, produce: LockedModel, tracking_uri: str, tmp_path: Path
) -> None:
    first = package(root=project, tracking_uri=tracking_uri, lock=produce)
    lenient = ServingSettings(row_errors="report_rows")
    other = package(root=project, tracking_uri=tracking_uri, lock=produce, serving=lenient)
    assert other.archive_digest != first.archive_digest
    library = tmp_path / "library.py"
    library.write_text("x = 1\n")
    metadata = tmp_path / "METADATA"
    metadata.write_text("Name: library\nVersion: 1.0\n")
    vendored = {
        "code/vendor/library.py": library,
        "code/vendor/library-1.0.dist-info/METADATA": metadata,
    }
    third = package(root=project, tracking_uri=tracking_uri, lock=produce, vendored=vendored)
    assert third.archive_digest != first.archive_digest
    assert package(root=project, tracking_uri=GONE, lock=produce, vendored=vendored) == third
    library.write_text("x = 2\n")
    fourth = package(root=project, tracking_uri=tracking_uri, lock=produce, vendored=vendored)
    assert fourth.archive_digest != third.archive_digest
