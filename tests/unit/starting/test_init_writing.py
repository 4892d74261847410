"""`forecast init` on the disk: all of a project, or nothing of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from forecast_config import ForecastError
from forecast_operations.starting.writing import write_project

if TYPE_CHECKING:
    from collections.abc import Callable

    from click.testing import Result

FILES = {"a.txt": "a\n", "b/c.txt": "c\n", "b/d/e.txt": "é\n"}


def _everything(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): path.read_text(encoding="utf-8")
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_a_folder_is_made_with_those_above_it(tmp_path: Path) -> None:
    write_project(tmp_path / "x" / "y", FILES)

    assert _everything(tmp_path / "x" / "y") == FILES
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


def test_what_is_in_a_folder_already_stays(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "mine.txt").write_text("mine")

    write_project(tmp_path, FILES)

    assert _everything(tmp_path) == {**FILES, "b/mine.txt": "mine"}


def test_files_in_the_way_are_all_named_and_none_is_replaced(
    tmp_path: Path, init: Callable[..., Result]
) -> None:
    (tmp_path / "config").mkdir()
    taken = ("README.md", "config/forecast.yaml")
    for name in taken:
        (tmp_path / name).write_text("mine")
    (tmp_path / "tests").symlink_to(tmp_path / "gone")

    done = init(tmp_path, "--yes")

    assert isinstance(done.exception, ForecastError)
    first, *lines = str(done.exception).splitlines()
    assert first.startswith("nothing was written: these files are in the way in ")
    assert lines == ["  README.md", "  config/forecast.yaml", "  tests"]
    assert _everything(tmp_path) == dict.fromkeys(taken, "mine")


def test_a_file_in_the_place_of_the_folder_is_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "p").write_text("mine")

    with pytest.raises(ForecastError, match="these files are in the way"):
        write_project(tmp_path / "p", FILES)

    assert _everything(tmp_path) == {"p": "mine"}


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError(28, "No space left on device")])
@pytest.mark.parametrize("there", ["there", ""])
def test_nothing_stays_of_a_project_that_is_cut_short(
    error: Any, there: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "p"
    if there:
        (target / "b").mkdir(parents=True)
        (target / "b" / "mine.txt").write_text("mine")
    before = sorted(str(path) for path in tmp_path.rglob("*"))
    real = Path.open

    def fail_at_the_last(self: Path, *arguments: Any, **options: Any) -> Any:
        if self.name == "e.txt":
            raise error
        return real(self, *arguments, **options)

    monkeypatch.setattr(Path, "open", fail_at_the_last)

    expected = KeyboardInterrupt if error is KeyboardInterrupt else ForecastError
    with pytest.raises(expected) as caught:
        write_project(target, FILES)

    assert sorted(str(path) for path in tmp_path.rglob("*")) == before
    if expected is ForecastError:
        assert str(caught.value).endswith("No space left on device")


def test_a_folder_that_cannot_be_written_is_one_sentence() -> None:
    with pytest.raises(ForecastError) as caught:
        write_project(Path("/proc/nowhere/p"), FILES)

    assert str(caught.value).startswith("nothing was written: cannot write /proc/nowhere/p: ")
