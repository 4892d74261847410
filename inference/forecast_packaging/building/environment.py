"""The archives that an environment runs: the locked versions, or the one asked for instead."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forecast_config import ForecastError, locked_challenger, locked_model, read_lock
from forecast_config.settings import OwnImage, ServerlessEndpoint, ShadowRollout, SplitRollout
from forecast_packaging.building.build import package
from forecast_packaging.building.kept import Archives
from forecast_packaging.container.context import write_context
from forecast_packaging.errors import ArchiveMissingError, PackagingError
from forecast_packaging.libraries.provision import Provision
from forecast_packaging.progress import no_progress
from forecast_packaging.registry.resolve import Alias, Candidate, Version, resolve

if TYPE_CHECKING:
    from forecast_config import (
        EnvironmentSettings,
        ForecastConfig,
        LockedModel,
        PackagedModel,
    )
    from forecast_config.settings import ServingSettings
    from forecast_packaging.progress import Progress
    from forecast_packaging.registry.resolve import Selector


def select(
    config: ForecastConfig,
    *,
    model_version: str | None = None,
    model_alias: str | None = None,
    candidate_run_id: str | None = None,
) -> Selector | None:
    """The version asked for on a command line; None when none is, which leaves it to the lock.

    Raises:
        ForecastError: More than one of them is given.
    """
    given = {
        "model_version": model_version,
        "model_alias": model_alias,
        "candidate_run_id": candidate_run_id,
    }
    names = [name for name, value in given.items() if value is not None]
    if len(names) > 1:
        raise ForecastError(f"expected one of {', '.join(given)}, got {' and '.join(names)}")
    if model_version is not None:
        return Version(model_version)
    if model_alias is not None:
        return Alias(model_alias)
    if candidate_run_id is not None:
        wanted = config.model.candidate
        tag = wanted.approval
        approval = None if tag is None else (tag.name, tag.value)
        return Candidate(candidate_run_id, run_id_tag=wanted.run_id_tag, approved_tag=approval)
    return None


def select_challenger(settings: EnvironmentSettings) -> Selector | None:
    """The version that an environment's rollout compares with; None when it compares with none."""
    if not isinstance(settings.rollout, ShadowRollout | SplitRollout):
        return None
    challenger = settings.rollout.challenger
    if challenger.version is not None:
        return Version(challenger.version)
    # Settings hold one of the two.
    return Alias(str(challenger.alias))


def sharing(config: ForecastConfig, environment: str, alias: str) -> tuple[str, ...]:
    """The other environments that are resolved by the same alias of the registry.

    Args:
        config: The configuration.
        environment: The environment.
        alias: Its alias.
    """
    return tuple(
        name
        for name, settings in config.environments.items()
        if name != environment and settings.model_alias == alias
    )


def package_for(
    config: ForecastConfig,
    settings: EnvironmentSettings,
    selector: Selector | None = None,
    progress: Progress = no_progress,
) -> PackagedModel:
    """The checked archive for an environment; built when it is not there yet.

    Args:
        config: The configuration that the environment is in.
        settings: The environment.
        selector: The version to take instead of the locked one.
        progress: Told how far each stage is.

    Raises:
        ForecastError: The lock has no entry, the version cannot be had or packed, or the
            environment's image lacks what the model needs.
    """
    if selector is None:
        lock = locked_model(read_lock(config.lock_path), settings.name, config.lock_path)
    else:
        found = resolve(
            root=config.root,
            tracking_uri=config.model.tracking_uri,
            name=config.model.name,
            selector=selector,
            refresh=False,
            progress=progress,
        )
        lock = Provision(config.root, settings, config.serving).pin(found)
    return package_locked(config, settings, lock, progress)


def package_challenger_for(
    config: ForecastConfig, settings: EnvironmentSettings, progress: Progress = no_progress
) -> PackagedModel | None:
    """The checked archive of an environment's locked challenger; None when it has none.

    Raises:
        ForecastError: As for `package_for`, or the lock pins another version than was asked for.
    """
    if not isinstance(settings.rollout, ShadowRollout | SplitRollout):
        return None
    asked = settings.rollout.challenger
    lock = locked_challenger(read_lock(config.lock_path), settings.name, config.lock_path)
    what = "alias" if asked.version is None else "version"
    wanted, locked = getattr(asked, what), getattr(lock, what)
    if locked != wanted:
        raise ForecastError(
            f"{config.lock_path} pins the challenger of '{settings.name}' by {what} {locked}, "
            f"expected {wanted} as configured; run: forecast resolve {settings.name}"
        )
    return package_locked(config, settings, lock, progress)


def package_locked(
    config: ForecastConfig,
    settings: EnvironmentSettings,
    lock: LockedModel,
    progress: Progress = no_progress,
) -> PackagedModel:
    """The checked archive of a lock entry: the one that it pins, else what is packed from it.

    Args:
        config: The configuration that the environment is in.
        settings: The environment.
        lock: The entry, which need not stand in the lock file.
        progress: Told how far each stage is.

    Raises:
        ArchiveMissingError: The entry pins an archive that is not here, and packing the version
            anew does not give it.
        ForecastError: The version cannot be had or packed, or the environment's image lacks what
            the model needs.
    """
    provision = Provision(config.root, settings, config.serving)
    model = config.model
    if lock.name != model.name:
        raise ForecastError(
            f"{config.lock_path} pins model '{lock.name}' for '{settings.name}', expected "
            f"'{model.name}' as configured; run: forecast resolve {settings.name}"
        )
    provision.check(lock)
    packaged = _find_pinned(config, settings, provision, lock, progress)
    if packaged is None:
        packaged = _build(config, settings, provision, lock, progress)
    if config.serving.compile == "onnx":
        # What is loaded may be the compiled file, which takes more memory than the original.
        formats = sorted({*packaged.model.formats, "onnx"})
        served = packaged.model.model_copy(update={"formats": formats})
        packaged = packaged.model_copy(update={"model": served})
    if not isinstance(settings.image, OwnImage):
        return packaged
    context = write_context(config.root, settings.image, lock.wheels)
    return packaged.model_copy(update={"image_context": context})


def is_at_hand(config: ForecastConfig, lock: LockedModel) -> bool:
    """Whether the archive that a lock entry pins is here; also when it pins none."""
    digest = lock.archive_digest
    return digest is None or Archives(config.root).find(digest) is not None


def _find_pinned(
    config: ForecastConfig,
    settings: EnvironmentSettings,
    provision: Provision,
    lock: LockedModel,
    progress: Progress,
) -> PackagedModel | None:
    """The very archive that a lock entry pins; None when it pins none, or it is not here."""
    if lock.archive_digest is None:
        return None
    archives = Archives(config.root)
    record = archives.find(lock.archive_digest, progress)
    if record is None:
        return None
    info = archives.read_info(record, lock, settings.name)
    provision.check_archive(lock, info["vendored"])
    return archives.packaged(record, lock, _serving(config, settings), progress)


def _build(
    config: ForecastConfig,
    settings: EnvironmentSettings,
    provision: Provision,
    lock: LockedModel,
    progress: Progress,
) -> PackagedModel:
    """The archive that is packed from a version, which is the one that its lock entry pins."""
    try:
        packaged = package(
            root=config.root,
            tracking_uri=config.model.tracking_uri,
            # Wheels that stay out of the archive must not make it another one.
            lock=lock if provision.vendors else lock.model_copy(update={"wheels": {}}),
            serving=_serving(config, settings),
            vendored=provision.vendored(lock),
            progress=progress,
        )
    except PackagingError as error:
        if lock.archive_digest is None:
            raise
        raise _missing(settings, lock, f"cannot be packed anew ({error})") from None
    if lock.archive_digest not in {None, packaged.archive_digest}:
        raise _missing(settings, lock, f"is packed as {packaged.archive_digest} now")
    return packaged


def _missing(settings: EnvironmentSettings, lock: LockedModel, instead: str) -> ArchiveMissingError:
    return ArchiveMissingError(
        f"the lock pins the archive {lock.archive_digest} of version {lock.version} for "
        f"'{settings.name}', which is not in .forecast/archives, and the version {instead}",
        f"fetch the archive from where it was deployed: forecast package {settings.name}",
    )


def _serving(config: ForecastConfig, settings: EnvironmentSettings) -> ServingSettings:
    """How the model is packed; a serverless container can fetch an archive only.

    SageMaker API reference, ContainerDefinition: no ModelDataSource for serverless endpoints.
    """
    if isinstance(settings.endpoint, ServerlessEndpoint):
        return config.serving.model_copy(update={"model_data": "archive"})
    return config.serving
