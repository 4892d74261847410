"""What is known of model versions: from deployment records, local archives, the lock, the cache."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from forecast_config import ForecastError, read_lock
from forecast_operations.changes.models import Knowledge
from forecast_operations.records.card import read_card
from forecast_packaging.building.kept import Archives
from forecast_packaging.registry.cache import SnapshotCache

if TYPE_CHECKING:
    from pathlib import Path

    from forecast_config import LockedModel
    from forecast_operations.changes.versions import TaggedVersion
    from forecast_operations.records.record import DeploymentRecord
    from forecast_operations.records.store import RecordStore

_NEWEST = 50
"""Records that are looked through; each is one request."""


@dataclass(frozen=True)
class Sources:
    """Where to look for what is known of a model version.

    Attributes:
        root: The project's root, below which archives and cache are.
        lock_path: The lock file.
        records: The deployment records of the environment; None where there are none to ask.
    """

    root: Path
    lock_path: Path
    records: RecordStore | None = None

    def wanted(self, version: TaggedVersion) -> Knowledge:
        """What is known of a version that is to be deployed: its archive was just packed."""
        found = self._archived(version)
        if found is not None:
            return found
        return Knowledge(
            "its archive is not on this machine; pack it with: forecast package",
            trained_at=self._trained_at(version),
        )

    def deployed(self, version: TaggedVersion) -> Knowledge:
        """What is known of a version that serves: by its newest record, else by its archive."""
        problem = ""
        if self.records is not None and version.archive_digest is not None:
            try:
                record = _newest(self.records, version.archive_digest)
            except ForecastError as error:
                # It is of use without them, and says what it lacks.
                record, problem = None, f" (the deployment records cannot be read: {error})"
            if record is not None:
                return Knowledge(
                    f"deployment record {record.record_id}", record.card, record.lock.trained_at
                )
        found = self._archived(version)
        if found is not None:
            return replace(found, source=f"{found.source}{problem}")
        return Knowledge(
            f"not known here{problem}: no deployment record is of this archive, and it is not on "
            "this machine; after a deployment, forecast verify writes a record",
            trained_at=self._trained_at(version),
        )

    def _archived(self, version: TaggedVersion) -> Knowledge | None:
        if version.archive_digest is None:
            return None
        archives = Archives(self.root)
        try:
            record = archives.find(version.archive_digest)
            if record is None:
                return None
            card = read_card(archives.folder / record.archive)
        except ForecastError:
            # A damaged archive is as good as none; packing makes it anew.
            return None
        return Knowledge(f"archive {record.archive}", card, self._trained_at(version))

    def _trained_at(self, version: TaggedVersion) -> str | None:
        """The time that the lock says of a version, else that of its snapshot in the cache."""
        locked = next((each for each in self._locked() if _is(each, version)), None)
        if locked is not None and locked.trained_at is not None:
            return locked.trained_at
        if version.model_digest is None:
            return None
        return SnapshotCache(self.root).trained_at(version.model_digest)

    def _locked(self) -> list[LockedModel]:
        lock = read_lock(self.lock_path)
        return [*lock.environments.values(), *lock.challengers.values()]


def _newest(records: RecordStore, archive_digest: str) -> DeploymentRecord | None:
    for record in records.records(_NEWEST):
        if record.archive_digest == archive_digest:
            return record
    return None


def _is(locked: LockedModel, version: TaggedVersion) -> bool:
    return (locked.model_digest, locked.run_id) == (version.model_digest, version.run_id)
