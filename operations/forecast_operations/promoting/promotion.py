"""A promotion: what one environment proved becomes what another one is locked to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from forecast_config import ForecastError, load_environments, names, read_lock
from forecast_operations.deployed.live import Live, check_account
from forecast_operations.records.fetching import beside, provide
from forecast_operations.records.store import RecordStore
from forecast_packaging import write_lock
from forecast_packaging.building.environment import sharing
from forecast_packaging.registry.client import Registry
from forecast_packaging.registry.resolve import check_unchanged

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from forecast_config import EnvironmentSettings, ForecastConfig, LockedModel, ModelsLock
    from forecast_operations.changes.versions import Role
    from forecast_operations.cloud.cloud import Cloud
    from forecast_operations.records.record import DeploymentRecord
    from forecast_packaging import Progress


@dataclass(frozen=True, kw_only=True)
class Promotion:
    """What a promotion does.

    Attributes:
        project: The configuration.
        source: The environment that proved the version.
        target: The environment that gets it.
        record: The proof.
        role: What the version was in the source.
        lock: The target's lock entry afterwards.
        before: The lock before.
        alias: Alias of the registry that moves; None: the registry is left alone.
    """

    project: ForecastConfig
    source: EnvironmentSettings
    target: EnvironmentSettings
    record: DeploymentRecord
    role: Role
    lock: LockedModel
    before: ModelsLock
    alias: str | None

    @property
    def locked(self) -> LockedModel | None:
        """The target's lock entry before."""
        return self.before.environments.get(self.target.name)

    @property
    def others(self) -> tuple[str, ...]:
        """The other environments whose alias moves with the target's, as it is the same one."""
        if self.alias is None:
            return ()
        return sharing(self.project, self.target.name, self.alias)

    @property
    def is_locked(self) -> bool:
        """Whether the target is locked to the very archive already."""
        locked = self.locked
        return (
            locked is not None
            and (locked.version, locked.run_id) == (self.lock.version, self.lock.run_id)
            and locked.archive_digest == self.lock.archive_digest
        )


@dataclass(frozen=True)
class Moved:
    """What a promotion has done.

    Attributes:
        alias_before: The version that the alias pointed to; None: it was not there, or is left
            alone.
        lock_changed: Whether the lock became another one.
    """

    alias_before: str | None
    lock_changed: bool


def plan_promotion(
    path: Path,
    version: str | None,
    source_name: str,
    target_name: str,
    *,
    moves_alias: bool,
    progress: Progress,
    warn: Callable[[ForecastError], None],
) -> Promotion:
    """What a promotion does; nothing is changed but for the archive, which is fetched.

    Args:
        path: The configuration file.
        version: The version; None: what the newest record of the source is of.
        source_name: The environment that proved it.
        target_name: The environment that gets it.
        moves_alias: Whether the target's alias moves.
        progress: Told how far the fetching of the archive is.
        warn: Told of records that cannot be read.

    Raises:
        ForecastError: The newest record of the version is not one of a verified deployment, the
            target's image cannot run it, or its archive is not to be had.
    """
    project, environments = load_environments(path, [source_name, target_name])
    source, target = environments[source_name], environments[target_name]
    live = Live.in_region(source.region)
    check_account(live, source.account)
    store = RecordStore.needed(live, source)
    record, role = _newest(store, version, source, target, warn)
    _check_proven(record, version, source)
    if role == "challenger" and source_name != target_name:
        _check_asked(record, source)
    before = read_lock(project.lock_path)
    lock = _entry(record, role, source).model_copy(
        update={"alias": target.model_alias if moves_alias else None}
    )
    if source_name == target_name and role == "champion":
        _check_in_place(lock, before.environments.get(target_name), target)
    promotion = Promotion(
        project=project,
        source=source,
        target=target,
        record=record,
        role=role,
        lock=lock,
        before=before,
        alias=target.model_alias if moves_alias else None,
    )
    _check_suits(promotion, live.cloud, progress)
    return promotion


def promote(promotion: Promotion) -> Moved:
    """Move the alias, and then the lock.

    In this order nothing is half done when it is interrupted: what is deployed follows the lock,
    which is one file and is replaced at once; and a lock that the registry does not confirm would
    be undone by the next `forecast resolve`. It can be run again.

    Raises:
        RegistryError: The registry does not hold the version, has another one under its number, or
            cannot be changed.
        LockChangedError: Somebody else has changed the target's entry meanwhile.
    """
    project, alias_before = promotion.project, None
    name, before, path = promotion.target.name, promotion.before, project.lock_path
    check_unchanged(path, name, read_lock(path), before)
    if promotion.alias is not None:
        registry = Registry(project.model.tracking_uri, project.root)
        lock = promotion.lock
        alias_before = registry.move_alias(
            project.model.name, promotion.alias, lock.version, lock.run_id
        )
    changed = not promotion.is_locked
    if changed:
        challenger = before.challengers.get(name)
        write_lock(path, name, promotion.lock, challenger, planned=before)
    return Moved(alias_before, changed)


def _newest(
    store: RecordStore,
    version: str | None,
    source: EnvironmentSettings,
    target: EnvironmentSettings,
    warn: Callable[[ForecastError], None],
) -> tuple[DeploymentRecord, Role]:
    """The newest record of a version, and what the version was in it.

    A newer one that cannot be read may say that the version has failed since.
    """
    unreadable: list[ForecastError] = []
    for record in store.records(damaged=unreadable.append):
        role = _role(record, version, within=source.name == target.name)
        if role is None:
            continue
        if unreadable:
            raise ForecastError(
                f"record {record.record_id} of {source.name} is of version {record.lock.version}, "
                f"and a newer one cannot be read, which may say that it has failed since: "
                f"{unreadable[0]}; verify it again: forecast verify {source.name}"
            )
        return record, role
    for error in unreadable:
        warn(error)
    what = "anything" if version is None else f"version {version}"
    raise ForecastError(
        f"expected a record that proves {what} in {source.name}, got none; deploy it there, then "
        f"run: forecast verify {source.name}"
    )


def _role(record: DeploymentRecord, version: str | None, *, within: bool) -> Role | None:
    """What a version was in a record; None: nothing."""
    challenger = record.challenger
    if version is None:
        return "challenger" if within and challenger is not None else "champion"
    if record.lock.version == version:
        return "champion"
    return "challenger" if challenger is not None and challenger.version == version else None


def _check_proven(
    record: DeploymentRecord, version: str | None, source: EnvironmentSettings
) -> None:
    if record.outcome == "verified":
        return
    failed = ", ".join(check.name for check in record.checks if not check.passed)
    what = record.lock.version if version is None else version
    raise ForecastError(
        f"expected version {what} to be verified in {source.name}, and its newest record "
        f"{record.record_id} says that it failed ({failed}); see forecast show {source.name} "
        f"{record.record_id}, and verify it again when it is mended"
    )


def _check_asked(record: DeploymentRecord, source: EnvironmentSettings) -> None:
    """Refuse what another environment would run without anybody ever having got its answers."""
    variant, challenger = _challenger_variant(source), record.challenger
    if challenger is None or any(each.variant == variant for each in record.exchanges):
        return
    name, version = source.name, challenger.version
    raise ForecastError(
        f"expected golden requests that version {version} answered in {name}, got none: it is the "
        f"shadow in record {record.record_id}, and nobody gets the answers of a shadow; make it "
        f"the champion there, and verify that: forecast promote {version} --from {name} --to "
        f"{name}, forecast deploy {name}, forecast verify {name}"
    )


def _challenger_variant(settings: EnvironmentSettings) -> str:
    return names.challenger_variant(settings.endpoint.variant_name)


def _entry(record: DeploymentRecord, role: Role, source: EnvironmentSettings) -> LockedModel:
    """The lock entry of what a record proves: the version, and the very archive of it."""
    if role == "champion" or record.challenger is None:
        return record.pinned
    model, variant = record.challenger, _challenger_variant(source)
    for each in record.variants:
        served = each.archive_digest
        if each.name == variant and each.model_version == model.version and served is not None:
            return model.model_copy(update={"archive_digest": served})
    raise ForecastError(
        f"expected the variant {variant} with version {model.version} in record "
        f"{record.record_id}, got none; verify it again: forecast verify {record.environment}"
    )


def _check_in_place(
    lock: LockedModel, locked: LockedModel | None, settings: EnvironmentSettings
) -> None:
    """Refuse to put a version back by a promotion within its own environment."""
    if locked is None or locked.version != lock.version:
        was = "nothing" if locked is None else f"version {locked.version}"
        raise ForecastError(
            f"{settings.name} is locked to {was}, and version {lock.version} is no challenger of "
            f"it: to go back to it, run: forecast rollback {settings.name} --to {lock.version}"
        )


def _check_suits(promotion: Promotion, cloud: Cloud, progress: Progress) -> None:
    """Refuse a version that the target could not run, and see that its archive is here."""
    source, target = promotion.source, promotion.target
    provide(promotion.project, target, promotion.lock, progress, beside(cloud), first=source)
