"""Building: the archive of a locked model, made once and found again."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from forecast_config import PackagedModel
from forecast_packaging.building.archive import write_archive
from forecast_packaging.building.contract import check_archive
from forecast_packaging.building.plan import plan_archive
from forecast_packaging.building.runtime import runtime_digest, runtime_files
from forecast_packaging.building.stage import Stage
from forecast_packaging.documents import canonical, read_json, readable, sha256_of
from forecast_packaging.errors import ContractError, ModelError
from forecast_packaging.manifest import file_sha256
from forecast_packaging.progress import Meter, no_progress
from forecast_packaging.registry.resolve import check_lock, fetch_locked
from forecast_packaging.workspace import publish_file, workspace

if TYPE_CHECKING:
    from pathlib import Path

    from forecast_config import LockedModel
    from forecast_packaging.building.plan import ArchivePlan
    from forecast_packaging.progress import Progress

LAYOUT_VERSION = 1
"""Raised when archives are made differently from the same inputs, so that old ones are not used."""

_SHORT_DIGEST = 12


def package(
    *, root: Path, tracking_uri: str, lock: LockedModel, progress: Progress = no_progress
) -> PackagedModel:
    """The archive of a locked model, built and checked unless it is there already.

    An archive that is there is used only when its bytes are those that passed the contract check;
    neither the registry nor MLflow is needed for it. Several processes may build at once.

    Args:
        root: The project's root; archives are in `.forecast/archives` below it.
        tracking_uri: MLflow tracking URI, asked when the version is not in the cache.
        lock: The locked model.
        progress: Told how far each stage is.

    Raises:
        LockMismatchError: The lock is no longer what the registry or the model says.
        RegistryError: The version is not in the cache, and the registry does not give it.
        ModelError: The model cannot be served as it was logged.
        ContractError: The archive failed its contract check; none is left behind.
    """
    runtime = runtime_files()
    builds = _Builds(root, lock, runtime_digest(runtime))
    found = builds.find(progress)
    if found is not None:
        return found
    snapshot = fetch_locked(root=root, tracking_uri=tracking_uri, lock=lock, progress=progress)
    plan = plan_archive(snapshot)
    check_lock(lock, snapshot, plan)
    with workspace(builds.folder) as scratch:
        archive = scratch / "model.tar.gz"
        try:
            digest = _build(
                scratch, archive, lock=lock, plan=plan, runtime=runtime, progress=progress
            )
        except ContractError as error:
            raise ContractError(
                f"version {lock.version} of model {lock.name!r} failed its contract check: {error}"
            ) from None
        return builds.publish(archive, digest, scratch)


def _build(
    scratch: Path,
    archive: Path,
    *,
    lock: LockedModel,
    plan: ArchivePlan,
    runtime: dict[str, Path],
    progress: Progress,
) -> str:
    folder = scratch / "stage"
    folder.mkdir()
    stage = Stage(folder, scratch, lock=lock, plan=plan)
    progress("predict", 0, 0)
    members = stage.write(runtime)
    digest = write_archive(folder, archive, progress)
    check_archive(archive, members, scratch, stage.exact_libraries, progress)
    return digest


@dataclass(frozen=True)
class _Builds:
    """The archives of a project, and the records of which inputs made which."""

    root: Path
    lock: LockedModel
    runtime: str

    @property
    def folder(self) -> Path:
        return self.root / ".forecast" / "archives"

    @property
    def _record(self) -> Path:
        # The alias is how the version was found; the archive does not depend on it.
        inputs = self.lock.model_dump(mode="json", exclude={"alias"})
        key = sha256_of(canonical([LAYOUT_VERSION, self.runtime, inputs]))
        return self.folder / "builds" / f"{key.removeprefix('sha256:')}.json"

    def find(self, progress: Progress) -> PackagedModel | None:
        """The archive of these inputs; None when there is none or when it was changed."""
        try:
            record = read_json(self._record, self._record.name)
            archive = self.folder / str(record["archive"])
            meter = Meter(progress, "digest", archive.stat().st_size)
            if file_sha256(archive, meter) == record["file_sha256"]:
                return self._packaged(archive, record["archive_digest"])
        except (OSError, ModelError, KeyError, TypeError):
            pass
        return None

    def publish(self, archive: Path, digest: str, scratch: Path) -> PackagedModel:
        """Give an accepted archive its name, and then record it."""
        short = digest.removeprefix("sha256:")[:_SHORT_DIGEST]
        name = re.sub(r"[^A-Za-z0-9._-]+", "-", self.lock.name)
        target = self.folder / f"{name}-{self.lock.version}-{short}.tar.gz"
        record = scratch / "record.json"
        document = {
            "archive": target.name,
            "archive_digest": digest,
            "file_sha256": file_sha256(archive),
        }
        record.write_bytes(readable(document))
        self._record.parent.mkdir(parents=True, exist_ok=True)
        publish_file(archive, target)
        publish_file(record, self._record)
        return self._packaged(target, digest)

    def _packaged(self, archive: Path, digest: str) -> PackagedModel:
        return PackagedModel(archive=archive, archive_digest=digest, model=self.lock)
