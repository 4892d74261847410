"""Fetching: an archive brought back from the bucket that it was published into."""

from __future__ import annotations

import fcntl
import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from forecast_config import ForecastError, names
from forecast_operations.cloud.cloud import Cloud
from forecast_operations.cloud.refusals import CloudError
from forecast_operations.records.bucket_store import BucketStore
from forecast_operations.records.place import MODELS_PREFIX, archive_keys
from forecast_packaging import ContractError
from forecast_packaging.building.archive import write_archive
from forecast_packaging.building.environment import is_at_hand, package_locked
from forecast_packaging.building.kept import Archives
from forecast_packaging.errors import ArchiveMissingError
from forecast_packaging.registry.transfer import transfer
from forecast_packaging.workspace import workspace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from forecast_config import EnvironmentSettings, ForecastConfig, LockedModel, PackagedModel
    from forecast_packaging import Progress

_SHOWN = "the kept archive"


@dataclass(frozen=True)
class Search:
    """Where an archive was looked for.

    Attributes:
        found: Whether it is here now.
        places: Where it was not, and why, one sentence each.
    """

    found: bool
    places: tuple[str, ...] = ()


def provide(
    config: ForecastConfig,
    settings: EnvironmentSettings,
    lock: LockedModel,
    progress: Progress,
    cloud_in: Callable[[str], Cloud] = Cloud,
    *,
    first: EnvironmentSettings | None = None,
) -> PackagedModel:
    """The archive of a lock entry; one that it pins, and that is not here, is fetched.

    Where no bucket has it, the version is packed anew, which is as good where it gives the same
    archive.

    Args:
        config: The configuration that the environment is in.
        settings: The environment.
        lock: The entry, which need not stand in the lock file.
        progress: Told how far each stage is.
        cloud_in: AWS in a region.
        first: The environment in whose bucket it is looked for first; None: the same one.

    Raises:
        ForecastError: It is neither here nor in a bucket, and packing anew does not give it.
    """
    search = Search(found=True)
    if lock.archive_digest is not None and not is_at_hand(config, lock):
        where = settings if first is None else first
        search = bring(config, where, lock.archive_digest, progress, cloud_in)
    try:
        return package_locked(config, settings, lock, progress)
    except ArchiveMissingError as error:
        looked = "".join(f"\n  {place}" for place in search.places)
        raise ForecastError(
            f"{error.what}; bring it back into a bucket that had it (a bucket keeps earlier "
            f"versions of its objects); it was looked for in:{looked}"
        ) from None


def bring(
    config: ForecastConfig,
    settings: EnvironmentSettings,
    digest: str,
    progress: Progress,
    cloud_in: Callable[[str], Cloud] = Cloud,
) -> Search:
    """Fetch an archive from the bucket of its environment, else from those of the others.

    Args:
        config: The configuration, whose other environments may have it too.
        settings: The environment.
        digest: Digest of the archive.
        progress: Told the bytes that have arrived.
        cloud_in: AWS in a region.

    Raises:
        ContractError: A bucket holds something else under the archive's name.
    """
    others = [each for name, each in config.environments.items() if name != settings.name]
    places: list[str] = []
    for each in (settings, *others):
        cloud = cloud_in(each.region)
        try:
            account = each.account or cloud.account()
            bucket = names.artifact_bucket(each.endpoint.name, account, each.region)
            store = BucketStore(cloud, bucket, account)
            if fetch(config.root, store, digest, progress):
                return Search(found=True)
        except CloudError as error:
            places.append(f"the bucket of {each.name}: {error}")
        else:
            places.append(f"{store.root} of {each.name}: not there")
    return Search(found=False, places=tuple(places))


def fetch(root: Path, store: BucketStore, digest: str, progress: Progress) -> bool:
    """Fetch an archive from one bucket and take it in; False when it is not there.

    A bucket has it as a file, as a file called `model.tar.gz` (serverless), or as its files one by
    one, of which the same archive is made. What has arrived is kept when it is interrupted.

    Raises:
        CloudError: AWS refuses, or the line broke.
        ContractError: Something else is there under its name.
    """
    name = digest.removeprefix("sha256:")
    *files, info = (key.removeprefix(MODELS_PREFIX) for key in archive_keys(digest))
    there = [path for path in (*files, info) if store.files(path, _SHOWN)]
    if not there:
        return False
    by_files = there[0] == info
    path = f"{name}/" if by_files else there[0]
    archives = Archives(root)
    with workspace(archives.folder) as scratch, _parts(archives.folder, name) as parts:
        transfer(store, path, scratch, parts, shown=_SHOWN, progress=progress)
        archive = scratch / ("model.tar.gz" if by_files else path)
        if by_files:
            write_archive(scratch / name, archive, progress)
        try:
            archives.adopt(archive, digest, progress)
        except ContractError as error:
            # Fetched again the next time, when somebody has put the right object back.
            shutil.rmtree(parts)
            raise ContractError(
                f"{store.root}{path} is not what was published there: {error}; the bucket keeps "
                "earlier versions of its objects"
            ) from None
        shutil.rmtree(parts)
    return True


def beside(cloud: Cloud) -> Callable[[str], Cloud]:
    """AWS in a region, which is the one that is there already for its own region."""
    return lambda region: cloud if region == cloud.region else Cloud(region)


@contextmanager
def _parts(folder: Path, name: str) -> Iterator[Path]:
    """The folder of what has arrived of an archive; one process has it at a time."""
    parts = folder / "fetching" / name
    parts.parent.mkdir(parents=True, exist_ok=True)
    with parts.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield parts
