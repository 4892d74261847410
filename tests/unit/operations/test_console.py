"""Files that somebody asked for: whole, or not at all."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from forecast_config import ForecastError
from forecast_operations.console import write_bytes, write_text

if TYPE_CHECKING:
    from pathlib import Path


def test_a_file_is_written_whole_and_so_is_its_folder(tmp_path: Path) -> None:
    path = tmp_path / "new/page.html"

    write_text(path, "prices: 5 ¥\n")
    write_bytes(path, "prices: 6 ¥\n".encode())

    assert path.read_text("utf-8") == "prices: 6 ¥\n"
    assert [each.name for each in path.parent.iterdir()] == ["page.html"]


def test_a_file_that_is_not_written_to_its_end_stays_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "page.html"
    write_text(path, "old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    monkeypatch.setattr("pathlib.Path.replace", full)

    with pytest.raises(ForecastError, match=r"cannot write .*page.html: No space left"):
        write_text(path, "new")
    assert path.read_text() == "old"


def test_what_is_no_file_is_written_into(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        write_bytes(pipe, b"content")
        assert os.read(reader, 100) == b"content"
    finally:
        os.close(reader)
    with pytest.raises(ForecastError, match="cannot write"):
        write_bytes(tmp_path, b"content")
