"""The model that the lock names can be had, and there is room for it."""

from __future__ import annotations

import json
import shutil
from collections import namedtuple
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import pytest

from forecast_config.lock import LockedModel, ModelsLock, lock_text
from forecast_operations.preflight import model as model_check
from forecast_operations.preflight.disk import look_at_disk
from forecast_operations.preflight.model import look_at_model
from forecast_operations.records.place import archive_keys
from forecast_packaging import RegistryError
from forecast_packaging.building.kept import BuildRecord
from forecast_packaging.manifest import file_sha256
from forecast_packaging.registry.cache import CachedVersion, SnapshotCache
from forecast_packaging.registry.registered import RegisteredVersion

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

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
PINNED = LOCKED.model_copy(update={"archive_digest": ARCHIVE})
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


@pytest.fixture
def pinned(around: Around) -> Callable[..., Any]:
    """What is found of an archive that the lock pins, by the buckets that have it.

    There is another environment, `proof`; `refused` closes the bucket of `live`.
    """

    def look(
        *held_by: str, refused: Exception | None = None, account: str | None = "111111111111"
    ) -> Any:
        def head_bucket(**given: Any) -> Any:
            closed = refused is not None and given["Bucket"].startswith("forecast-live")
            return refused if closed else {}

        def list_objects_v2(**given: Any) -> Any:
            there = any(given["Bucket"].startswith(name) for name in held_by)
            key, *_ = archive_keys(ARCHIVE)
            named = there and given["Prefix"] == key
            return {"Contents": [{"Key": key, "Size": 1, "ETag": "e"}]} if named else {}

        s3 = {"head_bucket": head_bucket, "list_objects_v2": list_objects_v2}
        surroundings = _with_proof(replace(around(s3=s3), account=account or ""))
        lock = ModelsLock(environments={"live": PINNED})
        surroundings.config.lock_path.write_text(lock_text(lock), encoding="utf-8")
        found = {each.check: each for each in look_at_model(surroundings)}
        return found["archive of the champion"]

    return look


def _with_proof(surroundings: Any) -> Any:
    live = surroundings.settings
    endpoint = live.endpoint.model_copy(update={"name": "forecast-proof"})
    proof = live.model_copy(update={"name": "proof", "endpoint": endpoint})
    environments = {"live": live, "proof": proof}
    config = surroundings.config.model_copy(update={"environments": environments})
    return replace(surroundings, config=config)


def _keep(root: Path) -> Path:
    """An archive of that digest as one that was taken in before."""
    archives = root / ".forecast" / "archives"
    (archives / "adopted").mkdir(parents=True)
    archive = archives / "forecaster-16.tar.gz"
    archive.write_bytes(b"archive")
    record = BuildRecord(
        archive=archive.name,
        archive_digest=ARCHIVE,
        file_sha256=file_sha256(archive),
        files_digest=DIGEST,
        unpacked_bytes=1,
        model_bytes=1,
        runs_code_on_load=False,
    )
    path = archives / "adopted" / f"{ARCHIVE.removeprefix('sha256:')}.json"
    path.write_text(json.dumps(asdict(record)))
    return archive


def test_the_very_archive_of_the_lock_is_whole_and_here(
    pinned: Around, around: Around, registry: Any
) -> None:
    registry(RegistryError("the model registry cannot be reached"))
    archive = _keep(around().root)

    assert (pinned().status, pinned().found) == ("ok", "in .forecast/archives")

    archive.write_bytes(b"arch")
    assert pinned().status == "failed"


def test_an_archive_that_is_in_the_bucket_is_fetched_from_there(
    pinned: Around, registry: Any, refused: Any
) -> None:
    registry(RegistryError("the model registry cannot be reached"))

    found = pinned("forecast-live")

    assert found.status == "ok"
    assert found.found == "in the bucket of live, which it is fetched from"
    closed = refused("403", "Forbidden")
    assert pinned("forecast-live", refused=closed).status == "failed"
    elsewhere = pinned("forecast-proof", refused=closed)
    assert elsewhere.found == "in the bucket of proof, which it is fetched from"


@pytest.mark.parametrize("account", ["111111111111", None])
def test_an_archive_that_can_only_be_packed_anew_is_a_warning_and_no_reason_to_go_back(
    account: str | None, pinned: Around, registry: Any
) -> None:
    registry(LOCKED.run_id)

    found = pinned(account=account)

    assert found.status == "warning"
    assert found.advice.startswith("forecast package live")
    assert "packed anew" in found.found


def test_an_archive_that_is_nowhere_and_cannot_be_packed_fails(
    pinned: Around, registry: Any
) -> None:
    registry(RegistryError("the model registry cannot be reached"))

    found = pinned("forecast-other")

    assert found.status == "failed"
    assert found.found.endswith("; the model registry cannot be reached")
    assert found.advice.startswith("forecast package live")


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
