"""Building: the archive of a locked model, made once and found again."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from forecast_config.settings import ServingSettings
from forecast_packaging.building.archive import write_archive
from forecast_packaging.building.builds import Builds
from forecast_packaging.building.contract import check_archive
from forecast_packaging.building.plan import plan_archive
from forecast_packaging.building.runtime import runtime_digest, runtime_files
from forecast_packaging.building.stage import Stage
from forecast_packaging.errors import ContractError
from forecast_packaging.manifest import file_sha256
from forecast_packaging.progress import no_progress
from forecast_packaging.registry.resolve import check_lock, fetch_locked
from forecast_packaging.workspace import workspace

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from forecast_config import LockedModel, PackagedModel
    from forecast_packaging.progress import Progress

_DEFAULT_SERVING = ServingSettings()
_NOTHING_VENDORED: Mapping[str, Path] = MappingProxyType({})


def package(
    *,
    root: Path,
    tracking_uri: str,
    lock: LockedModel,
    serving: ServingSettings = _DEFAULT_SERVING,
    vendored: Mapping[str, Path] = _NOTHING_VENDORED,
    progress: Progress = no_progress,
) -> PackagedModel:
    """The archive of a locked model, built and checked unless it is there already.

    An archive that is there is used only when its bytes are those that passed the contract check;
    neither the registry nor MLflow is needed for it. Several processes may build at once.

    Args:
        root: The project's root; archives are in `.forecast/archives` below it.
        tracking_uri: MLflow tracking URI, asked when the version is not in the cache.
        lock: The locked model.
        serving: How the model is packed and answers.
        vendored: Files of libraries that travel in the archive, by their path in it.
        progress: Told how far each stage is.

    Raises:
        LockMismatchError: The lock is no longer what the registry or the model says.
        RegistryError: The version is not in the cache, and the registry does not give it.
        ModelError: The model cannot be served as it was logged.
        ContractError: The archive failed its contract check; none is left behind.
    """
    runtime = runtime_files()
    digests = {path: file_sha256(file) for path, file in vendored.items()}
    builds = Builds(root, lock, serving, runtime_digest(runtime), digests)
    found = builds.find(progress)
    if found is not None:
        return found
    snapshot = fetch_locked(root=root, tracking_uri=tracking_uri, lock=lock, progress=progress)
    plan = plan_archive(snapshot)
    check_lock(lock, snapshot, plan)
    with workspace(builds.folder) as scratch:
        folder = scratch / "stage"
        folder.mkdir()
        archive = scratch / "model.tar.gz"
        stage = Stage(folder, scratch, lock=lock, plan=plan)
        try:
            progress("predict", 0, 0)
            members = stage.write(runtime, serving, vendored)
            written = write_archive(folder, archive, progress)
            check_archive(archive, members, scratch, stage.exact_libraries, progress, staged=folder)
        except ContractError as error:
            raise ContractError(
                f"version {lock.version} of model {lock.name!r} failed its contract check: {error}"
            ) from None
        return builds.publish(archive, written, folder, progress)
