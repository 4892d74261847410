"""Where a new project gets this library from, and what it is told of that place."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from forecast_config import ForecastError
from forecast_operations.starting import library
from forecast_operations.starting.library import requirement_of, warning_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from click.testing import Result

NAME = "forecast-endpoint[local,models]"
COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Callable[[object], None]:
    """Has the library installed from somewhere; None: from an index."""

    def install(document: object) -> None:
        class _Distribution:
            def read_text(self, name: str) -> str | None:
                assert name == "direct_url.json"
                return None if document is None else json.dumps(document)

        monkeypatch.setattr(library, "distribution", lambda _: _Distribution())

    return install


def test_a_checkout_is_installed_from_its_folder(
    tmp_path: Path, installed: Callable[[object], None]
) -> None:
    folder = tmp_path / "a b"
    folder.mkdir()
    installed({"url": folder.as_uri(), "dir_info": {"editable": True}})

    assert requirement_of(None) == f"{NAME} @ {folder.as_uri()}"


@pytest.mark.parametrize(
    ("document", "line"),
    [
        (
            {
                "url": "https://example.com/f.git",
                "vcs_info": {"vcs": "git", "commit_id": COMMIT, "requested_revision": "main"},
            },
            f" @ git+https://example.com/f.git@{COMMIT}",
        ),
        (
            {
                "url": "ssh://git@example.com/f.git",
                "subdirectory": "x",
                "vcs_info": {"vcs": "git", "commit_id": COMMIT},
            },
            f" @ git+ssh://git@example.com/f.git@{COMMIT}#subdirectory=x",
        ),
        (
            {"url": "https://example.com/f.whl", "archive_info": {}},
            " @ https://example.com/f.whl",
        ),
        ({"url": "file:///nowhere/at/all", "dir_info": {}}, f"=={library.version(NAME[:17])}"),
        (None, f"=={library.version(NAME[:17])}"),
    ],
)
def test_the_place_is_that_of_the_installed_library(
    document: Any, line: str, installed: Callable[[object], None]
) -> None:
    installed(document)

    assert requirement_of(None) == f"{NAME}{line}"


def test_the_library_can_come_from_elsewhere(tmp_path: Path) -> None:
    wheel = tmp_path / "forecast.whl"
    wheel.touch()
    git = "git+https://example.com/forecast.git@v1"

    assert requirement_of(str(wheel)).endswith(f"[local,models] @ {wheel.as_uri()}")
    assert requirement_of(git) == f"forecast-endpoint[local,models] @ {git}"


@pytest.mark.parametrize(
    "address", ["http://example.com/f.whl", "git+http://e.com/f", "git://e.com/f"]
)
def test_an_address_that_anybody_on_the_way_can_change_is_refused(address: str) -> None:
    with pytest.raises(ForecastError, match="nobody on the way can change") as caught:
        requirement_of(address)

    assert str(caught.value).endswith(f"got '{address}'")


def test_only_a_place_that_all_can_reach_and_one_owns_is_passed_over_in_silence() -> None:
    assert "nobody owns that name on PyPI" in (warning_of(f"{NAME}==0.1.0") or "")
    assert "no runner of a pipeline can reach" in (warning_of(f"{NAME} @ file:///x") or "")
    assert warning_of(f"{NAME} @ git+https://example.com/f.git@v1") is None


def test_a_bare_pin_is_warned_of_and_stands_in_the_readme_and_the_next_steps(
    tmp_path: Path, init: Callable[..., Result], installed: Callable[[object], None]
) -> None:
    installed(None)

    done = init(tmp_path / "p", "--yes", "--ci", "none")
    as_json = init(tmp_path / "q", "--yes", "--ci", "none", "--json")

    assert "warning: requirements.txt asks a package index for forecast-endpoint" in done.stderr
    assert "nobody owns that name on PyPI" in " ".join(as_json.stderr.split())
    assert "export PIP_INDEX_URL=" in done.stdout
    assert "**Nobody owns this name on PyPI**" in (tmp_path / "p" / "README.md").read_text()


def test_a_folder_is_warned_of(tmp_path: Path, init: Callable[..., Result]) -> None:
    done = init(tmp_path / "p", "--yes", "--ci", "none", "--library", tmp_path)

    assert "no runner of a pipeline can reach" in " ".join(done.stderr.split())
    assert "PIP_INDEX_URL" not in done.stdout
    assert "put the https address of a wheel" in (tmp_path / "p" / "README.md").read_text()


@pytest.mark.parametrize("library", ["nowhere", "ftp://example.com/x.whl", "git+https://a b"])
def test_a_library_from_nowhere_is_refused(
    library: str, tmp_path: Path, init: Callable[..., Result]
) -> None:
    done = init(tmp_path / "p", "--yes", "--library", library)

    assert isinstance(done.exception, ForecastError)
    assert f"got '{library}'" in str(done.exception)
    assert list(tmp_path.iterdir()) == []
