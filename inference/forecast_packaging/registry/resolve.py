"""Resolving: a model version found once in the registry and pinned in the lock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from forecast_config import LockedModel, ModelsLock, lock_text, read_lock
from forecast_packaging.building.plan import lock_of, plan_archive
from forecast_packaging.errors import LockChangedError, LockMismatchError
from forecast_packaging.progress import no_progress
from forecast_packaging.registry.cache import CachedVersion, SnapshotCache
from forecast_packaging.registry.client import CANDIDATE_TAG, Registry
from forecast_packaging.registry.registered import RegisteredVersion
from forecast_packaging.workspace import alone_with, write_atomic

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from forecast_packaging.building.plan import ArchivePlan
    from forecast_packaging.progress import Progress
    from forecast_packaging.registry.snapshot import Snapshot

_DERIVED = (
    "signature_digest",
    "libraries",
    "runs_code_on_load",
    "cloudpickled",
    "formats",
    "data_version",
    "code_reference",
    "trained_at",
)
"""Keys of a lock entry that follow from the snapshot."""


@dataclass(frozen=True)
class Alias:
    """The version that an alias points to."""

    name: str


@dataclass(frozen=True)
class Version:
    """The version of a number."""

    number: str


@dataclass(frozen=True)
class Candidate:
    """The newest version of a run.

    Attributes:
        run_id: The run id asked for.
        run_id_tag: Tag of the version that holds the candidate's run id.
        approved_tag: Tag and value that the version must carry; None asks for no approval.
    """

    run_id: str
    run_id_tag: str = CANDIDATE_TAG
    approved_tag: tuple[str, str] | None = None


Selector = Alias | Version | Candidate
"""Which version of a model is meant."""


def resolve(
    *,
    root: Path,
    tracking_uri: str,
    name: str,
    selector: Selector,
    refresh: bool = True,
    progress: Progress = no_progress,
) -> LockedModel:
    """The lock entry of a model version; its snapshot is in the cache afterwards.

    Args:
        root: The project's root; relative tracking URIs start there, the cache is below it.
        tracking_uri: MLflow tracking URI.
        name: The registered model.
        selector: Which version is meant.
        refresh: Whether the registry is asked in any case. Without it a version asked for by
            number that is in the cache needs no registry; aliases and candidates can move, and
            are always asked for.
        progress: Told how far each stage is.

    Raises:
        RegistryError: The registry cannot be reached, or does not hold the version.
        ModelError: The version cannot be served as it was logged.
    """
    cache = SnapshotCache(root)
    if isinstance(selector, Version) and not refresh:
        known = cache.look_up(tracking_uri, name, selector.number)
        snapshot = cache.find(known.digest, progress) if known else None
        if known and snapshot:
            version = RegisteredVersion(name, selector.number, known.run_id)
            return _lock(snapshot, version)
    registry = Registry(tracking_uri, root)
    version = _ask(registry, name, selector)
    return _lock(_download(registry, cache, tracking_uri, version, progress), version)


def fetch_locked(
    *, root: Path, tracking_uri: str, lock: LockedModel, progress: Progress = no_progress
) -> Snapshot:
    """The snapshot of a locked version, from the cache or else from the registry.

    The digest alone is not enough: the version and the run of the lock must be those that the
    registry gave, now or when the version was put into the cache.

    Raises:
        LockMismatchError: The registry gives other files, or another run, than were locked.
        RegistryError: The cache does not hold the version as it is locked, and the registry cannot
            be reached or does not hold it either.
    """
    cache = SnapshotCache(root)
    locked = CachedVersion(run_id=lock.run_id, digest=lock.model_digest)
    if cache.look_up(tracking_uri, lock.name, lock.version) == locked:
        snapshot = cache.find(lock.model_digest, progress)
        if snapshot is not None:
            return snapshot
    registry = Registry(tracking_uri, root)
    version = registry.resolve_version(lock.name, lock.version)
    if version.run_id != lock.run_id:
        raise LockMismatchError(
            f"version {lock.version} of model {lock.name!r} was locked as made by run "
            f"{lock.run_id}, and the registry says run {version.run_id}: to take what it says, "
            "run: forecast resolve"
        )
    snapshot = _download(registry, cache, tracking_uri, version, progress)
    if snapshot.digest != lock.model_digest:
        raise LockMismatchError(
            f"version {lock.version} of model {lock.name!r} was locked as {lock.model_digest}, and "
            f"the registry now gives {snapshot.digest}: to take what it gives now, run: "
            "forecast resolve"
        )
    return snapshot


def check_lock(lock: LockedModel, snapshot: Snapshot, plan: ArchivePlan) -> None:
    """Refuse a lock entry that says of its own snapshot what is not so.

    Raises:
        LockMismatchError: The entry was edited, or written by another version of this project.
    """
    version = RegisteredVersion(lock.name, lock.version, lock.run_id, lock.alias)
    actual = _lock(snapshot, version, plan)
    for key in _DERIVED:
        locked, found = getattr(lock, key), getattr(actual, key)
        if locked != found:
            raise LockMismatchError(
                f"the lock of version {lock.version} of model {lock.name!r} has the {key} "
                f"{locked}, expected {found}: run: forecast resolve"
            )


def write_lock(
    path: Path,
    environment: str,
    model: LockedModel | None,
    challenger: LockedModel | None = None,
    *,
    planned: ModelsLock | None = None,
) -> ModelsLock:
    """Write one environment's entries into the lock file; the others stay as they are.

    Args:
        path: The lock file.
        environment: The environment.
        model: What it runs; None removes the entry.
        challenger: What the model is compared with; None removes the entry of an earlier one.
        planned: The lock that this was planned from; None: whatever is there is replaced.

    Returns:
        The whole lock as written.

    Raises:
        ConfigError: The file that is there is not a lock file.
        LockChangedError: The environment's entries are no longer those that it was planned from.
    """
    with alone_with(path):
        before = read_lock(path)
        if planned is not None:
            check_unchanged(path, environment, before, planned)
        lock = ModelsLock(
            environments=_with(before.environments, environment, model),
            challengers=_with(before.challengers, environment, challenger),
        )
        write_atomic(path, lock_text(lock).encode())
    return lock


def check_unchanged(path: Path, environment: str, now: ModelsLock, planned: ModelsLock) -> None:
    """Refuse to go on with what was planned from other entries than there are.

    Args:
        path: The lock file, for the message.
        environment: The environment.
        now: The lock.
        planned: The lock that it was planned from.

    Raises:
        LockChangedError: The environment's entries are others.
    """
    if _entries(now, environment) == _entries(planned, environment):
        return
    was, found = planned.environments.get(environment), now.environments.get(environment)
    raise LockChangedError(
        f"{path.name} was changed meanwhile: {environment} is locked to {_shown(found)}, expected "
        f"{_shown(was)} as when this was planned; look who changed it, and run this again"
    )


def _entries(lock: ModelsLock, environment: str) -> tuple[LockedModel | None, LockedModel | None]:
    return lock.environments.get(environment), lock.challengers.get(environment)


def _shown(entry: LockedModel | None) -> str:
    if entry is None:
        return "nothing"
    archive = entry.archive_digest or "whatever it packs to"
    return f"version {entry.version} ({archive})"


def _with(
    entries: Mapping[str, LockedModel], environment: str, entry: LockedModel | None
) -> dict[str, LockedModel]:
    left = {name: each for name, each in entries.items() if name != environment}
    return left if entry is None else {**left, environment: entry}


def _ask(registry: Registry, name: str, selector: Selector) -> RegisteredVersion:
    if isinstance(selector, Alias):
        return registry.resolve_alias(name, selector.name)
    if isinstance(selector, Version):
        return registry.resolve_version(name, selector.number)
    return registry.resolve_candidate(
        name,
        selector.run_id,
        run_id_tag=selector.run_id_tag,
        approved_tag=selector.approved_tag,
    )


def _download(
    registry: Registry,
    cache: SnapshotCache,
    tracking_uri: str,
    version: RegisteredVersion,
    progress: Progress,
) -> Snapshot:
    where = (tracking_uri, version.name, version.version)
    before = cache.look_up(*where)
    with cache.parts(*where) as parts, cache.new() as folder:
        known = cache.look_up(*where)
        if known != before and known is not None and known.run_id == version.run_id:
            # Another process has downloaded it meanwhile.
            found = cache.find(known.digest, progress)
            if found is not None:
                return found
        registry.download(version, folder, parts, progress)
        snapshot = cache.store(folder, progress)
        cache.remember(*where, CachedVersion(run_id=version.run_id, digest=snapshot.digest))
    return snapshot


def _lock(
    snapshot: Snapshot, version: RegisteredVersion, plan: ArchivePlan | None = None
) -> LockedModel:
    return lock_of(
        snapshot,
        plan_archive(snapshot) if plan is None else plan,
        name=version.name,
        version=version.version,
        run_id=version.run_id,
        alias=version.alias,
    )
