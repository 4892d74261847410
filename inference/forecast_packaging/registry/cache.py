"""The cache of snapshots: a version found here needs no registry."""

from __future__ import annotations

import fcntl
import shutil
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from forecast_packaging.documents import canonical, read_json, readable, sha256_of
from forecast_packaging.errors import ModelError
from forecast_packaging.progress import no_progress
from forecast_packaging.registry.snapshot import Snapshot
from forecast_packaging.workspace import publish_folder, workspace, write_atomic

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from forecast_packaging.progress import Progress


@dataclass(frozen=True)
class CachedVersion:
    """What the index knows of a version: which run made it, and which snapshot it is.

    Attributes:
        run_id: The run that made the version.
        digest: The snapshot's `model_digest`.
    """

    run_id: str
    digest: str


class SnapshotCache:
    """Snapshots by content, and an index from registered versions to them.

    Any number of processes may read and write at once.

    Args:
        root: The project's root; the cache is in `.forecast/cache` below it.
    """

    def __init__(self, root: Path) -> None:
        self.folder = root / ".forecast" / "cache"

    def find(self, digest: str, progress: Progress = no_progress) -> Snapshot | None:
        """The snapshot of a digest; None when it is not here.

        Every file is read again: a snapshot that is damaged is removed, and is not here.
        """
        folder = self._entry(digest)
        if not folder.is_dir():
            return None
        try:
            snapshot = Snapshot.read(folder, progress)
        except (ModelError, OSError):
            snapshot = None
        if snapshot is None or snapshot.digest != digest:
            self._discard(folder)
            return None
        return snapshot

    def trained_at(self, digest: str) -> str | None:
        """When the run of a snapshot began, in UTC; None when it is not here or did not note it.

        The record alone is read, and not digested.
        """
        try:
            run = read_json(self._entry(digest) / "run.json", "run.json")
        except (OSError, ModelError):
            return None
        found = run.get("trained_at") if isinstance(run, dict) else None
        return found if isinstance(found, str) else None

    @contextmanager
    def new(self) -> Iterator[Path]:
        """An empty folder for a snapshot about to be stored; removed afterwards."""
        with workspace(self.folder) as folder:
            content = folder / "content"
            content.mkdir()
            yield content

    @contextmanager
    def parts(self, tracking_uri: str, name: str, version: str) -> Iterator[Path]:
        """The folder for what has arrived of a version, kept until a download is complete.

        One process has it at a time; others wait.
        """
        folder = self.folder / "downloads" / _key(tracking_uri, name, version)
        folder.parent.mkdir(parents=True, exist_ok=True)
        with folder.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            folder.mkdir(exist_ok=True)
            yield folder
            shutil.rmtree(folder)

    def store(self, folder: Path, progress: Progress = no_progress) -> Snapshot:
        """Move the folder of `new` to its place.

        Returns:
            The stored snapshot.

        Raises:
            ModelError: The folder holds links or unsafe names.
        """
        fresh = Snapshot.read(folder, progress)
        target = self._entry(fresh.digest)
        publish_folder(folder, target)
        return Snapshot(target, fresh.entries)

    def look_up(self, tracking_uri: str, name: str, version: str) -> CachedVersion | None:
        """What the index knows of a version; None when it was never downloaded here."""
        path = self._index(tracking_uri, name, version)
        try:
            known = read_json(path, path.name)
            return CachedVersion(run_id=known["run_id"], digest=known["digest"])
        except (OSError, ModelError, KeyError, TypeError):
            return None

    def remember(self, tracking_uri: str, name: str, version: str, known: CachedVersion) -> None:
        """Write what is known of a version into the index."""
        document = {"name": name, "version": version, **asdict(known)}
        write_atomic(self._index(tracking_uri, name, version), readable(document))

    def _discard(self, folder: Path) -> None:
        # Moved away first: a folder half removed must not be taken for a whole one.
        with workspace(self.folder) as trash, suppress(OSError):
            folder.rename(trash / "damaged")

    def _entry(self, digest: str) -> Path:
        return self.folder / digest.removeprefix("sha256:")

    def _index(self, tracking_uri: str, name: str, version: str) -> Path:
        return self.folder / "index" / f"{_key(tracking_uri, name, version)}.json"


def _key(tracking_uri: str, name: str, version: str) -> str:
    # A digest because a tracking URI may hold a password.
    return sha256_of(canonical([tracking_uri, name, version])).removeprefix("sha256:")
