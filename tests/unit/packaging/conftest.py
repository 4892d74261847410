"""A registry of small models, made once, and projects that package from it."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from forecast_packaging import Alias, Version, resolve
from forecast_packaging.registry.cache import SnapshotCache

if TYPE_CHECKING:
    from collections.abc import Callable

    from forecast_config import LockedModel

HERE = Path(__file__).parent


def make_registry(folder: Path, tracking_uri: str, *names: str) -> str:
    done = subprocess.run(
        [sys.executable, str(HERE / "make_registry.py"), tracking_uri, *names],
        cwd=folder,
        env={
            **os.environ,
            "MLFLOW_ALLOW_FILE_STORE": "true",
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "GIT_PYTHON_REFRESH": "quiet",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


@pytest.fixture(scope="session")
def register_models() -> Callable[..., str]:
    """Registers models by name in the registry of a tracking URI."""
    return make_registry


@pytest.fixture(scope="session")
def registry_folder(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """The folder of a registry that all processes of a run share: the first makes it."""
    own = tmp_path_factory.getbasetemp()
    folder = (own if worker_id == "master" else own.parent) / "registry"
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "complete").exists():
            make_registry(folder, f"sqlite:///{folder}/mlflow.db")
            (folder / "complete").touch()
    return folder


@pytest.fixture(scope="session")
def tracking_uri(registry_folder: Path) -> str:
    """A sqlite registry with every model; tests only read it."""
    return f"sqlite:///{registry_folder}/mlflow.db"


@pytest.fixture(scope="session")
def warm_root(tmp_path_factory: pytest.TempPathFactory, tracking_uri: str) -> Path:
    """A project whose cache holds version 1 of `produce`, and nothing built."""
    root = tmp_path_factory.mktemp("warm")
    resolve(root=root, tracking_uri=tracking_uri, name="produce", selector=Version("1"))
    return root


@pytest.fixture
def project(tmp_path: Path, warm_root: Path) -> Path:
    """A project of one's own with the same warm cache."""
    root = tmp_path / "project"
    shutil.copytree(warm_root, root)
    return root


@pytest.fixture
def produce(project: Path, tracking_uri: str) -> LockedModel:
    """The lock entry of `produce`, version 1, taken from the cache alone."""
    return resolve(
        root=project,
        tracking_uri=tracking_uri,
        name="produce",
        selector=Version("1"),
        refresh=False,
    )


@pytest.fixture
def lock_model(tmp_path: Path, tracking_uri: str) -> Callable[[str], tuple[Path, LockedModel]]:
    """Locks the champion of a model into an empty project."""

    def lock(name: str) -> tuple[Path, LockedModel]:
        return tmp_path, resolve(
            root=tmp_path, tracking_uri=tracking_uri, name=name, selector=Alias("champion")
        )

    return lock


@pytest.fixture
def snapshot_folder(project: Path, produce: LockedModel) -> Path:
    """The files of `produce`, to be changed."""
    found = SnapshotCache(project).find(produce.model_digest)
    folder = project / "snapshot"
    shutil.copytree(found.folder, folder)
    return folder
