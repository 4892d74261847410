"""A file that is given a second place costs no space, and is never changed by it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from forecast_packaging import ModelError
from forecast_packaging.workspace import place_file

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def source(tmp_path: Path) -> Path:
    file = tmp_path / "source.bin"
    file.write_bytes(b"x" * 3_000_000)
    return file


def refuse(*_args: object, **_options: object) -> None:
    raise PermissionError(1, "not permitted")


def test_the_second_place_is_a_hard_link(tmp_path: Path, source: Path) -> None:
    place_file(source, tmp_path / "deep/er/target.bin")
    assert (tmp_path / "deep/er/target.bin").samefile(source)


def test_without_hard_links_it_is_a_copy(
    tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "link", refuse)
    target = tmp_path / "target.bin"
    place_file(source, target)
    assert not target.samefile(source)
    assert target.read_bytes() == source.read_bytes()


@pytest.mark.parametrize("with_links", [True, False])
def test_a_link_is_not_followed(
    tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch, *, with_links: bool
) -> None:
    if not with_links:
        monkeypatch.setattr(os, "link", refuse)
    link = tmp_path / "link"
    link.symlink_to(source)
    with pytest.raises(ModelError, match="to be a regular file"):
        place_file(link, tmp_path / "target")
    assert not (tmp_path / "target").exists()


@pytest.mark.timeout(30)
def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ModelError, match="to be a regular file"):
        place_file(tmp_path / "pipe", tmp_path / "target")


def test_what_is_there_is_not_overwritten(
    tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "target"
    target.write_text("there")
    with pytest.raises(FileExistsError):
        place_file(source, target)
    monkeypatch.setattr(os, "link", refuse)
    with pytest.raises(FileExistsError):
        place_file(source, target)
    assert target.read_text() == "there"
