"""The model that the lock names can be had, and there is room for it."""

from __future__ import annotations

import shutil
from collections import namedtuple
from typing import TYPE_CHECKING, Any

import pytest

from forecast_config.lock import LockedModel, ModelsLock, lock_text
from forecast_operations.preflight import model as model_check
from forecast_operations.preflight.disk import look_at_disk
from forecast_operations.preflight.model import look_at_model
from forecast_packaging import RegistryError
from forecast_packaging.registry.cache import CachedVersion, SnapshotCache
from forecast_packaging.registry.registered import RegisteredVersion

if TYPE_CHECKING:
    from collections.abc import Callable

    Around = Callable[..., Any]

_Usage = namedtuple("_Usage", "free")  # noqa: PYI024 - as shutil gives it
URI = "sqlite:///mlflow.db"
DIGEST = f"sha256:{'0' * 64}"
ARCHIVE = f"sha256:{'abcdef012345' + '0' * 52}"
LOCKED = LockedModel(
    name="forecaster",
    version="16",
    run_id="a" * 32,
    model_digest=DIGEST,
    signature_digest=f"sha256:{'1' * 64}",
    libraries={"python": "3.12", "xgboost": "3.2.0"},
)
SPLIT = {
    "rollout": {
        "kind": "split",
        "challenger": {"alias": "challenger"},
        "challenger_percent": 10,
    }
}


@pytest.fixture
def locked(around: Around) -> Around:
    """What is found of a model that is locked so, and of a challenger."""

    def look(model: LockedModel | None, challenger: LockedModel | None = None) -> dict[str, Any]:
        surroundings = around(SPLIT if challenger else {})
        lock = ModelsLock(
            environments={} if model is None else {"live": model},
            challengers={} if challenger is None else {"live": challenger},
        )
        surroundings.config.lock_path.write_text(lock_text(lock), encoding="utf-8")
        return {each.check: each for each in look_at_model(surroundings)}

    return look


@pytest.fixture
def cached(around: Around) -> None:
    """The version is in the project's cache."""
    cache = SnapshotCache(around().root)
    cache.remember(URI, "forecaster", "16", CachedVersion(LOCKED.run_id, DIGEST))
    (cache.folder / ("0" * 64)).mkdir(parents=True)


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], None]:
    """A registry that gives a version, or an error."""

    def answer(found: Any) -> None:
        class Fake:
            def __init__(self, *_: Any) -> None:
                pass

            def resolve_version(self, *_: Any) -> Any:
                if isinstance(found, Exception):
                    raise found
                return RegisteredVersion("forecaster", "16", found)

        monkeypatch.setattr(model_check, "Registry", Fake)

    return answer


@pytest.mark.usefixtures("cached")
def test_a_version_in_the_cache_needs_no_registry(locked: Around, registry: Any) -> None:
    registry(AssertionError("it was asked"))

    found = locked(LOCKED)

    assert {check: each.status for check, each in found.items()} == {
        "lock of the champion": "ok",
        "libraries of the champion": "ok",
        "source of the champion": "ok",
    }


def test_a_version_that_is_not_here_is_asked_for(locked: Around, registry: Any) -> None:
    registry(LOCKED.run_id)
    assert locked(LOCKED)["source of the champion"].status == "ok"

    registry(RegistryError("the model registry cannot be reached"))
    found = locked(LOCKED)["source of the champion"]
    assert (found.status, found.found) == ("failed", "the model registry cannot be reached")


def test_another_run_than_the_locked_one_fails(locked: Around, registry: Any) -> None:
    registry("b" * 32)

    assert locked(LOCKED)["source of the champion"].status == "failed"


def test_an_environment_without_a_lock_is_told_the_command(locked: Around) -> None:
    (found,) = locked(None).values()

    assert (found.status, found.advice) == ("failed", "forecast resolve live")


def test_another_model_than_the_configured_one_fails(locked: Around) -> None:
    (found,) = locked(LOCKED.model_copy(update={"name": "other"})).values()

    assert (found.status, found.expected) == ("failed", "model forecaster, as configured")


@pytest.mark.usefixtures("cached")
def test_a_library_that_the_image_lacks_fails(locked: Around) -> None:
    libraries = {**LOCKED.libraries, "lightgbm": "4.7.0"}
    wanting = LOCKED.model_copy(update={"libraries": libraries})

    found = locked(wanting)["libraries of the champion"]

    assert found.status == "failed"
    assert "lightgbm" in found.found


@pytest.mark.usefixtures("cached")
def test_a_challenger_is_looked_at_as_well(locked: Around) -> None:
    found = locked(LOCKED, LOCKED)

    assert found["source of the challenger"].status == "ok"


def test_the_very_archive_of_the_lock_must_be_here(locked: Around, around: Around) -> None:
    pinned = LOCKED.model_copy(update={"archive_digest": ARCHIVE})
    assert locked(pinned)["archive of the champion"].status == "failed"

    archives = around().root / ".forecast" / "archives"
    archives.mkdir(parents=True)
    (archives / "forecaster-16-abcdef012345.tar.gz").touch()
    assert locked(pinned)["archive of the champion"].status == "ok"


@pytest.mark.usefixtures("cached")
@pytest.mark.parametrize(("free_mib", "status"), [(515, "failed"), (600, "warning"), (2000, "ok")])
def test_a_model_needs_several_times_its_size(
    free_mib: int, status: str, locked: Around, around: Around, monkeypatch: pytest.MonkeyPatch
) -> None:
    locked(LOCKED)
    surroundings = around()
    file = surroundings.root / ".forecast" / "cache" / ("0" * 64) / "model.ubj"
    file.write_bytes(bytes(1024 * 1024))
    monkeypatch.setattr(shutil, "disk_usage", lambda _: _Usage(free_mib * 1024 * 1024))

    found = list(look_at_disk(surroundings))

    assert [each.status for each in found] == [status, status]
    assert found[0].expected == "at least 516 MiB"
