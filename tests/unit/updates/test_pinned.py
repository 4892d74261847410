"""A pinned archive that is not here is fetched before anything is synthesized."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from forecast_config import ForecastError, load_config
from forecast_operations.updates import pinned, proposal

MODES = Path(__file__).parents[2] / "data" / "modes.yaml"


class Reached(Exception):  # noqa: N818 - what comes after the fetching
    """The synth has begun."""


@pytest.fixture
def fetched(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Versions that were fetched up to the synth; those of `queue` are here already."""
    found: list[str] = []
    lock = SimpleNamespace(
        environments={
            name: SimpleNamespace(version=f"champion of {name}")
            for name in load_config(MODES).environments
        },
        challengers={
            name: SimpleNamespace(version=f"challenger of {name}")
            for name in load_config(MODES).environments
        },
    )

    def provide(_: Any, __: Any, locked: Any, progress: Any) -> None:
        progress("model.tar.gz", 0, 1)
        found.append(locked.version)

    def synthesize(*_: Any) -> None:
        raise Reached

    monkeypatch.setattr(pinned, "read_lock", lambda _: lock)
    monkeypatch.setattr(pinned, "is_at_hand", lambda _, locked: locked.version.endswith("queue"))
    monkeypatch.setattr(pinned, "provide", provide)
    monkeypatch.setattr(proposal, "synthesize", synthesize)
    monkeypatch.setattr(proposal, "own_folder", lambda folder: folder)
    return found


def _propose(environment: str, *context: str, **more: Any) -> None:
    with pytest.raises(Reached):
        proposal.propose(MODES, environment, context, **more)


def test_champion_and_challenger_are_fetched_where_they_are_not_here(fetched: list[str]) -> None:
    for environment in ("queue", "steps", "mirror"):
        _propose(environment)

    assert fetched == ["champion of steps", "champion of mirror", "challenger of mirror"]


@pytest.mark.parametrize("flag", ["model_version=16", "model_alias=a", "candidate_run_id=b"])
def test_another_version_needs_the_pinned_challenger_only(flag: str, fetched: list[str]) -> None:
    _propose("mirror", "reset_weights=true", flag)

    assert fetched == ["challenger of mirror"]


def test_a_challenger_that_is_left_out_is_not_fetched(fetched: list[str]) -> None:
    _propose("mirror", "challenger=none")

    assert fetched == ["champion of mirror"]


def test_another_account_is_refused_before_any_bucket_is_asked(
    fetched: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise ForecastError("expected credentials of account 111111111111")

    monkeypatch.setattr(proposal, "check_account", refuse)

    with pytest.raises(ForecastError, match="expected credentials"):
        proposal.propose(MODES, "mirror")
    assert fetched == []


def test_a_comparison_with_a_synth_asks_no_bucket(fetched: list[str], tmp_path: Path) -> None:
    (tmp_path / "Any.template.json").write_text("{}")

    _propose("mirror", against=tmp_path)

    assert fetched == []
