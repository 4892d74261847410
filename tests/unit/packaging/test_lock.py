"""The lock says which version is packed, and nothing else that it says is taken on trust."""

from __future__ import annotations

import json
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from forecast_config import ConfigError, read_lock
from forecast_packaging import (
    LockMismatchError,
    RegistryError,
    Version,
    package,
    resolve,
    write_lock,
)
from forecast_packaging.errors import LockChangedError
from forecast_packaging.registry import resolve as resolve_module

if TYPE_CHECKING:
    from pathlib import Path

    from forecast_config import LockedModel

DIGESTS = (
    "model_digest",
    "signature_digest",
    "libraries",
    "data_version",
    "code_reference",
    "trained_at",
)


def forged(edit: str, produce: LockedModel, other: LockedModel) -> LockedModel:
    """The lock of version 1, edited to say something that is so of version 2 alone, or of none."""
    changes: dict[str, Any] = {
        "version": {"version": "2"},
        "run_id": {"run_id": other.run_id},
        "an unknown run_id": {"run_id": "0" * 32},
        "version and run_id": {"version": "2", "run_id": other.run_id},
        "digests": {key: getattr(other, key) for key in DIGESTS},
        "run_id and digests": {key: getattr(other, key) for key in ("run_id", *DIGESTS)},
    }
    return produce.model_copy(update=changes[edit])


@pytest.mark.parametrize("where", ["built", "cached", "nowhere"])
@pytest.mark.parametrize(
    "edit",
    [
        "version",
        "run_id",
        "an unknown run_id",
        "version and run_id",
        "digests",
        "run_id and digests",
    ],
)
def test_a_version_is_never_packed_as_another(
    project: Path, produce: LockedModel, tracking_uri: str, edit: str, where: str
) -> None:
    of: dict[str, Any] = {"root": project, "tracking_uri": tracking_uri}
    other = resolve(**of, name="produce", selector=Version("2"))
    if where == "built":
        package(**of, lock=produce)
        package(**of, lock=other)
    elif where == "nowhere":
        shutil.rmtree(project / ".forecast")
    with pytest.raises(LockMismatchError, match="run: forecast resolve"):
        package(**of, lock=forged(edit, produce, other))


def test_a_version_that_the_registry_does_not_hold_is_not_packed(
    project: Path, produce: LockedModel, tracking_uri: str
) -> None:
    lock = produce.model_copy(update={"version": "7"})
    with pytest.raises(RegistryError, match="has no version 7"):
        package(root=project, tracking_uri=tracking_uri, lock=lock)


def test_another_run_is_named_beside_the_right_one(
    tmp_path: Path, produce: LockedModel, tracking_uri: str
) -> None:
    lock = produce.model_copy(update={"run_id": "f" * 32})
    with pytest.raises(LockMismatchError) as caught:
        package(root=tmp_path, tracking_uri=tracking_uri, lock=lock)
    assert str(caught.value) == (
        f"version 1 of model 'produce' was locked as made by run {'f' * 32}, and the registry says "
        f"run {produce.run_id}: to take what it says, run: forecast resolve"
    )


def test_a_version_in_the_cache_needs_no_registry(tmp_path: Path, registry_folder: Path) -> None:
    shutil.copy(registry_folder / "mlflow.db", tmp_path)
    of: dict[str, Any] = {"root": tmp_path, "tracking_uri": "sqlite:///mlflow.db"}
    lock = resolve(**of, name="produce", selector=Version("1"))
    (tmp_path / "mlflow.db").unlink()
    assert resolve(**of, name="produce", selector=Version("1"), refresh=False) == lock
    assert package(**of, lock=lock).archive.is_file()


@pytest.mark.parametrize("edit", [{"version": "2"}, {"run_id": "0" * 32}])
def test_an_edited_lock_is_refused_without_a_registry_too(
    tmp_path: Path, registry_folder: Path, edit: dict[str, str]
) -> None:
    shutil.copy(registry_folder / "mlflow.db", tmp_path)
    of: dict[str, Any] = {"root": tmp_path, "tracking_uri": "sqlite:///mlflow.db"}
    lock = resolve(**of, name="produce", selector=Version("1"))
    (tmp_path / "mlflow.db").unlink()
    with pytest.raises(RegistryError, match="cannot be reached"):
        package(**of, lock=lock.model_copy(update=edit))


def test_a_snapshot_from_another_registry_is_asked_for(
    project: Path, produce: LockedModel, tmp_path: Path
) -> None:
    elsewhere = f"sqlite:///{tmp_path}/elsewhere.db"
    with pytest.raises(RegistryError, match=r"elsewhere\.db"):
        package(root=project, tracking_uri=elsewhere, lock=produce)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("signature_digest", "sha256:" + "0" * 64),
        ("libraries", {"python": "3.11.7", "xgboost": "1.0.0"}),
        ("data_version", "tomorrow"),
        ("code_reference", None),
    ],
)
def test_an_edited_lock_is_refused(
    project: Path, produce: LockedModel, tracking_uri: str, key: str, value: Any
) -> None:
    lock = produce.model_copy(update={key: value})
    with pytest.raises(LockMismatchError) as caught:
        package(root=project, tracking_uri=tracking_uri, lock=lock)
    assert f"has the {key} {value}, expected" in str(caught.value)
    assert str(caught.value).endswith("run: forecast resolve")


def test_a_time_of_training_that_the_run_does_not_have_is_refused(
    tmp_path: Path, produce: LockedModel, tracking_uri: str
) -> None:
    lock = produce.model_copy(update={"trained_at": "2020-01-01T00:00:00Z"})
    with pytest.raises(
        LockMismatchError, match="has the trained_at 2020-01-01T00:00:00Z, expected"
    ):
        package(root=tmp_path, tracking_uri=tracking_uri, lock=lock)


def test_an_archive_is_found_again_by_a_lock_of_before_times_of_training(
    project: Path, produce: LockedModel, tracking_uri: str
) -> None:
    of: dict[str, Any] = {"root": project, "tracking_uri": tracking_uri}
    first = package(**of, lock=produce)
    again = package(**of, lock=produce.model_copy(update={"trained_at": None}))
    assert again.archive == first.archive


def test_files_that_changed_in_the_registry_are_refused(
    tmp_path: Path, produce: LockedModel, tracking_uri: str
) -> None:
    lock = produce.model_copy(update={"model_digest": "sha256:" + "0" * 64})
    with pytest.raises(LockMismatchError) as caught:
        package(root=tmp_path, tracking_uri=tracking_uri, lock=lock)
    assert str(caught.value) == (
        f"version 1 of model 'produce' was locked as sha256:{'0' * 64}, and the registry now "
        f"gives {produce.model_digest}: to take what it gives now, run: forecast resolve"
    )


def test_the_lock_keeps_other_environments_and_is_written_sorted(
    tmp_path: Path, produce: LockedModel
) -> None:
    path = tmp_path / "config" / "models.lock.json"
    write_lock(path, "prod", produce)
    write_lock(path, "dev", produce.model_copy(update={"version": "2"}))
    text = path.read_text()
    assert text.endswith("}\n")
    assert list(json.loads(text)["environments"]) == ["dev", "prod"]
    lock = read_lock(path)
    assert lock.environments["prod"] == produce
    assert lock.environments["dev"].version == "2"
    assert [item.name for item in path.parent.iterdir()] == ["models.lock.json"]


def test_a_file_that_is_no_lock_is_not_overwritten(tmp_path: Path, produce: LockedModel) -> None:
    path = tmp_path / "models.lock.json"
    path.write_text('{"environments": []}')
    with pytest.raises(ConfigError):
        write_lock(path, "prod", produce)
    assert path.read_text() == '{"environments": []}'


def test_what_somebody_else_has_changed_is_not_written_over(
    tmp_path: Path, produce: LockedModel
) -> None:
    path = tmp_path / "models.lock.json"
    planned = write_lock(path, "prod", produce)
    write_lock(path, "dev", produce)
    write_lock(path, "prod", produce.model_copy(update={"version": "7"}))

    with pytest.raises(LockChangedError, match=r"prod is locked to version 7 .*, expected version"):
        write_lock(path, "prod", produce, planned=planned)
    assert read_lock(path).environments["prod"].version == "7"
    # Another environment's entry is no reason.
    write_lock(path, "qa", produce, planned=planned)
    assert set(read_lock(path).environments) == {"dev", "prod", "qa"}


def test_a_challenger_that_somebody_else_has_locked_is_not_written_over(
    tmp_path: Path, produce: LockedModel
) -> None:
    path = tmp_path / "models.lock.json"
    planned = write_lock(path, "prod", produce)
    write_lock(path, "prod", produce, produce)

    with pytest.raises(LockChangedError):
        write_lock(path, "prod", produce, planned=planned)


def test_writers_at_the_same_time_lose_nothing_of_each_other(
    tmp_path: Path, produce: LockedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "models.lock.json"
    write = resolve_module.write_atomic

    def slowly(*arguments: Any) -> None:
        time.sleep(0.02)
        write(*arguments)

    monkeypatch.setattr(resolve_module, "write_atomic", slowly)
    names = [f"env{number}" for number in range(6)]
    with ThreadPoolExecutor(len(names)) as pool:
        list(pool.map(lambda name: write_lock(path, name, produce), names))

    assert sorted(read_lock(path).environments) == names


def test_an_entry_is_removed_by_writing_none(tmp_path: Path, produce: LockedModel) -> None:
    path = tmp_path / "models.lock.json"
    write_lock(path, "prod", produce, produce)
    write_lock(path, "dev", produce)
    write_lock(path, "prod", None)
    lock = read_lock(path)
    assert list(lock.environments) == ["dev"]
    assert lock.challengers == {}


def test_the_archive_does_not_depend_on_its_being_pinned(
    project: Path, produce: LockedModel, tracking_uri: str
) -> None:
    of: dict[str, Any] = {"root": project, "tracking_uri": tracking_uri}
    packaged = package(**of, lock=produce)
    shutil.rmtree(project / ".forecast" / "cache")
    pinned = produce.model_copy(update={"archive_digest": packaged.archive_digest})
    # Found by its inputs, as packing it would need the version.
    again = package(root=project, tracking_uri="sqlite:///gone.db", lock=pinned)
    assert again.archive == packaged.archive
