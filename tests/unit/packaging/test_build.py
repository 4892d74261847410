from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tarfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from forecast_packaging import Alias, ModelError, Version, package, resolve
from forecast_packaging.building import build
from forecast_packaging.registry.cache import SnapshotCache

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forecast_config import LockedModel

GONE = "http://127.0.0.1:9"
PROGRAM = """
import os
import signal
import sys
from pathlib import Path
from forecast_config import LockedModel
from forecast_packaging import package
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored if started in the background
root, uri, lock = sys.argv[1:]
lock = LockedModel.model_validate_json(lock)
packaged = package(root=Path(root), tracking_uri=uri, lock=lock)
print(packaged.archive_digest, packaged.archive)
print("mlflow" in sys.modules, os.getuid())
"""

CUSTOMIZE = """
import os, time
real_time, real_listdir, real_scandir = time.time, os.listdir, os.scandir
time.time = lambda: real_time() + 400 * 86400
time.time_ns = lambda: int(time.time() * 1e9)
os.listdir = lambda *args: sorted(real_listdir(*args), reverse=True)
class Reversed:
    def __init__(self, *args):
        with real_scandir(*args) as listing:
            self.entries = iter(sorted(listing, key=lambda e: str(e.name), reverse=True))
    def __iter__(self):
        return self.entries
    def __next__(self):
        return next(self.entries)
    def __enter__(self):
        return self
    def __exit__(self, *args):
        pass
    def close(self):
        pass
os.scandir = Reversed
"""


def run(
    root: Path,
    lock: LockedModel,
    tracking_uri: str,
    *,
    cwd: Path | None = None,
    env: dict[str, str] | None = None,
    umask: int = -1,
    before: Sequence[str] = (),
) -> list[str]:
    done = subprocess.run(
        [*before, sys.executable, "-c", PROGRAM, str(root), tracking_uri, lock.model_dump_json()],
        cwd=cwd,
        env={**os.environ, **(env or {})},
        umask=umask,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    digest, archive, mlflow, user = done.stdout.split()
    assert mlflow == "False", "the registry was asked"
    return [digest, archive, user]


def copy_project(root: Path, target: Path) -> Path:
    """A copy whose files have other times and were made in another order."""
    files = sorted((p for p in root.rglob("*") if p.is_file()), reverse=True)
    for file in files:
        copy = target / file.relative_to(root)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, copy)
        os.utime(copy, (86400, 86400))
    return target


@pytest.fixture
def shifted(tmp_path: Path) -> dict[str, str]:
    """An environment in which clock and listings of folders are not what they are."""
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(CUSTOMIZE)
    return {
        "PYTHONPATH": str(folder),
        "PYTHONHASHSEED": "12345",
        "TZ": "Asia/Shanghai",
        "LC_ALL": "C",
        "LANG": "C",
        "SOURCE_DATE_EPOCH": "1",
        "OMP_NUM_THREADS": "2",
        "USER": "somebody",
        "HOME": str(tmp_path),
    }


@pytest.mark.parametrize(
    "name",
    [
        "produce",
        pytest.param("sklearn_skops", marks=pytest.mark.slow),
        pytest.param("gradient_boosting", marks=pytest.mark.slow),
        pytest.param("lightgbm_wrapper", marks=pytest.mark.slow),
    ],
)
def test_the_bytes_depend_on_nothing_but_the_model(
    tmp_path: Path, tracking_uri: str, shifted: dict[str, str], name: str
) -> None:
    root = tmp_path / "project"
    lock = resolve(root=root, tracking_uri=tracking_uri, name=name, selector=Version("1"))
    other = copy_project(root, tmp_path / "elsewhere" / "deeper")
    elsewhere = tmp_path / "cwd"
    elsewhere.mkdir()

    digest, archive, _ = run(root, lock, tracking_uri, env={"PYTHONHASHSEED": "1"}, umask=0o022)
    time.sleep(1.1)
    again, other_archive, _ = run(
        other, lock, tracking_uri, cwd=elsewhere, env=shifted, umask=0o077
    )

    assert again == digest
    assert Path(other_archive).read_bytes() == Path(archive).read_bytes()
    assert Path(other_archive).name == Path(archive).name


def can_become_another_user() -> bool:
    command = ["unshare", "--user", "--map-user=12345", "--map-group=12345", "true"]
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


@pytest.mark.skipif(not can_become_another_user(), reason="this machine has no user namespaces")
def test_the_bytes_do_not_depend_on_the_user(
    project: Path, produce: LockedModel, tracking_uri: str, tmp_path: Path
) -> None:
    other = copy_project(project, tmp_path / "other")
    digest, archive, user = run(project, produce, tracking_uri)
    again, other_archive, other_user = run(
        other,
        produce,
        tracking_uri,
        before=["unshare", "--user", "--map-user=12345", "--map-group=12345"],
    )
    assert (user, other_user) == (str(os.getuid()), "12345")
    assert again == digest
    assert Path(other_archive).read_bytes() == Path(archive).read_bytes()


def test_an_archive_that_is_there_is_used_without_mlflow_and_without_a_build(
    project: Path, produce: LockedModel, tracking_uri: str
) -> None:
    first = run(project, produce, tracking_uri)
    before = Path(first[1]).stat().st_mtime_ns
    start = time.monotonic()
    assert run(project, produce, tracking_uri) == first
    assert Path(first[1]).stat().st_mtime_ns == before
    assert time.monotonic() - start < 20


def test_an_archive_needs_no_cache_once_it_is_built(
    project: Path, produce: LockedModel, tracking_uri: str
) -> None:
    first = package(root=project, tracking_uri=tracking_uri, lock=produce)
    shutil.rmtree(project / ".forecast/cache")
    assert package(root=project, tracking_uri=GONE, lock=produce) == first


def test_an_alias_is_no_part_of_the_archive(
    project: Path, produce: LockedModel, tracking_uri: str
) -> None:
    first = package(root=project, tracking_uri=tracking_uri, lock=produce)
    renamed = produce.model_copy(update={"alias": "champion"})
    second = package(root=project, tracking_uri=tracking_uri, lock=renamed)
    assert second.archive == first.archive
    assert second.model.alias == "champion"


@pytest.mark.parametrize("damage", ["change", "truncate", "remove", "record"])
def test_a_damaged_archive_is_built_again(
    project: Path, produce: LockedModel, tracking_uri: str, damage: str
) -> None:
    first = package(root=project, tracking_uri=tracking_uri, lock=produce)
    good = first.archive.read_bytes()
    if damage == "change":
        first.archive.write_bytes(good[:-1] + b"x")
    elif damage == "truncate":
        first.archive.write_bytes(b"")
    elif damage == "remove":
        first.archive.unlink()
    else:
        (record,) = (project / ".forecast/archives/builds").iterdir()
        record.write_text("{")
    assert package(root=project, tracking_uri=tracking_uri, lock=produce) == first
    assert first.archive.read_bytes() == good


def test_the_golden_requests_lie_beside_the_archive_and_are_those_inside(
    project: Path, produce: LockedModel, tracking_uri: str
) -> None:
    first = package(root=project, tracking_uri=tracking_uri, lock=produce)
    assert first.golden is not None
    golden = first.golden.read_bytes()
    with tarfile.open(first.archive) as archive:
        inside = archive.extractfile("artifacts/golden_requests.json")
        assert inside is not None
        assert golden == inside.read()
    first.golden.write_bytes(b"{}")
    assert package(root=project, tracking_uri=tracking_uri, lock=produce) == first
    assert first.golden.read_bytes() == golden


def test_a_changed_runtime_makes_a_new_archive(
    project: Path, produce: LockedModel, tracking_uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = package(root=project, tracking_uri=tracking_uri, lock=produce)
    changed = project / "entrypoint.py"
    files = build.runtime_files()
    changed.write_text(files["code/inference.py"].read_text() + "\n# changed\n")
    monkeypatch.setattr(build, "runtime_files", lambda: {**files, "code/inference.py": changed})
    second = package(root=project, tracking_uri=tracking_uri, lock=produce)
    assert second.archive_digest != first.archive_digest
    assert first.archive.is_file()


def test_a_damaged_cache_is_fetched_again(
    project: Path, produce: LockedModel, tracking_uri: str
) -> None:
    folder = project / ".forecast/cache" / produce.model_digest.removeprefix("sha256:")
    (folder / "model/model.ubj").write_bytes(b"{L damaged")
    cache = SnapshotCache(project)
    packaged = package(root=project, tracking_uri=tracking_uri, lock=produce)
    assert packaged.archive.is_file()
    assert cache.find(produce.model_digest) is not None


def test_a_snapshot_stored_by_many_at_once_is_there_once_and_whole(
    tmp_path: Path, snapshot_folder: Path
) -> None:
    cache = SnapshotCache(tmp_path / "many")

    def store(_: int) -> str:
        with cache.new() as folder:
            shutil.copytree(snapshot_folder, folder, dirs_exist_ok=True)
            return cache.store(folder).digest

    with ThreadPoolExecutor(8) as pool:
        digests = set(pool.map(store, range(24)))
    (digest,) = digests
    assert cache.find(digest) is not None
    names = {path.name for path in cache.folder.iterdir()}
    assert names == {".gate", digest.removeprefix("sha256:")}


@pytest.mark.parametrize("hostile", ["link", "folder", "pipe"])
def test_links_in_a_registrys_model_folder_are_refused(
    tmp_path: Path, registry_folder: Path, hostile: str
) -> None:
    store = tmp_path / "registry"
    shutil.copytree(registry_folder, store)
    _move_artifacts(store / "mlflow.db", registry_folder, store)
    (model,) = [
        path.parent
        for path in store.rglob("artifacts/MLmodel")
        if "loader_module: mlflow.catboost" in path.read_text()
    ]
    if hostile == "link":
        (model / "secrets").symlink_to("/etc/passwd")
    elif hostile == "folder":
        (model / "etc").symlink_to("/etc", target_is_directory=True)
    else:
        os.mkfifo(model / "pipe")
    with pytest.raises(ModelError, match="expected files only"):
        resolve(
            root=tmp_path,
            tracking_uri=f"sqlite:///{store}/mlflow.db",
            name="catboost",
            selector=Alias("champion"),
        )
    cache = tmp_path / ".forecast/cache"
    assert {path.name for path in cache.iterdir()} <= {".gate", "downloads", "index"}
    assert all(path.is_dir() or path.is_file() for path in cache.rglob("*"))
    assert not any(path.is_symlink() for path in cache.rglob("*"))


def _move_artifacts(database: Path, old: str, new: str) -> None:
    connection = sqlite3.connect(database)
    for table, column in [
        ("model_versions", "storage_location"),
        ("logged_models", "artifact_location"),
        ("runs", "artifact_uri"),
    ]:
        connection.execute(
            f"UPDATE {table} SET {column} = replace({column}, ?, ?)",  # noqa: S608  # two constants
            (str(old), str(new)),
        )
    connection.commit()
    connection.close()


def test_two_builds_at_once_give_one_archive(
    project: Path, produce: LockedModel, tracking_uri: str
) -> None:
    argv = [sys.executable, "-c", PROGRAM, str(project), tracking_uri]
    builds = [
        subprocess.Popen(
            [*argv, produce.model_dump_json()],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    answers = [build.communicate(timeout=300) for build in builds]
    assert [build.returncode for build in builds] == [0, 0, 0], answers
    assert len({out for out, _ in answers}) == 1
    names = sorted(path.name for path in (project / ".forecast/archives").iterdir())
    assert len([name for name in names if name.endswith(".tar.gz")]) == 1
    assert [name for name in names if not name.endswith(".gz")] == [".gate", "builds", "golden"]


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_killed_build_leaves_nothing_that_the_next_one_does_not_remove(
    project: Path, produce: LockedModel, tracking_uri: str, how: signal.Signals
) -> None:
    archives = project / ".forecast/archives"
    argv = [sys.executable, "-c", PROGRAM, str(project), tracking_uri]
    build = subprocess.Popen(
        [*argv, produce.model_dump_json()], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    deadline = time.monotonic() + 60
    while not list(archives.glob(".tmp-*/stage/model/*")):
        assert time.monotonic() < deadline
        assert build.poll() is None
        time.sleep(0.005)
    build.send_signal(how)
    build.communicate()
    assert build.returncode != 0
    assert not list(archives.glob("*.tar.gz"))
    assert not list(archives.glob("builds/*"))
    run(project, produce, tracking_uri)
    names = sorted(path.name for path in archives.iterdir())
    assert len([name for name in names if name.endswith(".tar.gz")]) == 1
    assert [name for name in names if not name.endswith(".gz")] == [".gate", "builds", "golden"]
