"""Room is asked for by the size of what is locked, as far as it is here to be measured."""

from __future__ import annotations

import shutil
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from forecast_config.lock import LockedModel, ModelsLock, lock_text
from forecast_operations.preflight.disk import look_at_disk
from forecast_packaging.building.kept import Archives, BuildRecord
from forecast_packaging.registry.cache import SnapshotCache

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Around = Callable[..., Any]

MIB = 1024 * 1024
CHAMPION = LockedModel(
    name="forecaster",
    version="16",
    run_id="a" * 32,
    model_digest=f"sha256:{'0' * 64}",
    signature_digest=f"sha256:{'1' * 64}",
    libraries={"python": "3.12", "xgboost": "3.2.0"},
)
CHALLENGER = CHAMPION.model_copy(update={"version": "17", "model_digest": f"sha256:{'2' * 64}"})
SPLIT = {
    "rollout": {
        "kind": "split",
        "challenger": {"alias": "challenger"},
        "challenger_percent": 10,
    }
}
RECORD = BuildRecord(
    archive="forecaster.tar.gz",
    archive_digest=f"sha256:{'3' * 64}",
    file_sha256=f"sha256:{'4' * 64}",
    files_digest=f"sha256:{'5' * 64}",
    unpacked_bytes=2 * MIB,
    model_bytes=MIB,
    runs_code_on_load=False,
)


def cache(root: Path, model: LockedModel, mib: int) -> None:
    """Put a snapshot of so many MiB into the project's cache."""
    folder = SnapshotCache(root).folder / model.model_digest.removeprefix("sha256:")
    folder.mkdir(parents=True)
    (folder / "model.ubj").write_bytes(bytes(mib * MIB))


@pytest.fixture
def disk(around: Around, monkeypatch: pytest.MonkeyPatch) -> Around:
    """What is found of a disk with a GiB free, with these models locked and in the cache."""

    def look(
        champion: LockedModel, challenger: LockedModel | None = None, cached: tuple[int, ...] = ()
    ) -> Any:
        surroundings = around(SPLIT)
        lock = ModelsLock(
            environments={"live": champion},
            challengers={} if challenger is None else {"live": challenger},
        )
        surroundings.config.lock_path.write_text(lock_text(lock), encoding="utf-8")
        for model, mib in zip((champion, challenger), cached, strict=False):
            if model is not None:
                cache(surroundings.root, model, mib)
        monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=2048 * MIB))
        return next(iter(look_at_disk(surroundings)))

    return look


def test_a_challenger_needs_its_room_too(disk: Around) -> None:
    found = disk(CHAMPION, CHALLENGER, cached=(1, 3))

    assert (found.status, found.expected) == ("ok", "at least 528 MiB")


def test_a_model_that_is_not_here_yet_has_no_size_that_is_known(disk: Around) -> None:
    found = disk(CHAMPION, CHALLENGER, cached=(1,))

    assert found.status == "warning"
    assert found.expected == "at least 516 MiB, and 4 times the size of version 17"
    assert found.advice.endswith("forecast package live")


def test_an_archive_that_is_here_tells_its_size(
    disk: Around, monkeypatch: pytest.MonkeyPatch
) -> None:
    pinned = CHAMPION.model_copy(update={"archive_digest": RECORD.archive_digest})
    monkeypatch.setattr(Archives, "find", lambda *_: RECORD)

    found = disk(pinned)

    assert (found.status, found.expected) == ("ok", "at least 520 MiB")
