"""The archives that an environment runs: the locked versions, or the one asked for instead."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forecast_config import ForecastError, locked_challenger, locked_model, read_lock
from forecast_config.settings import OwnImage, ServerlessEndpoint, ShadowRollout, SplitRollout
from forecast_packaging.building.build import package
from forecast_packaging.container.context import write_context
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
    provision = Provision(config.root, settings, config.serving)
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
        lock = provision.pin(found)
    return _package(config, settings, provision, lock, progress)


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
    provision = Provision(config.root, settings, config.serving)
    return _package(config, settings, provision, lock, progress)


def _package(
    config: ForecastConfig,
    settings: EnvironmentSettings,
    provision: Provision,
    lock: LockedModel,
    progress: Progress,
) -> PackagedModel:
    model = config.model
    if lock.name != model.name:
        raise ForecastError(
            f"{config.lock_path} pins model '{lock.name}' for '{settings.name}', expected "
            f"'{model.name}' as configured; run: forecast resolve {settings.name}"
        )
    provision.check(lock)
    packaged = package(
        root=config.root,
        tracking_uri=model.tracking_uri,
        # Wheels that stay out of the archive must not make it another one.
        lock=lock if provision.vendors else lock.model_copy(update={"wheels": {}}),
        serving=_serving(config, settings),
        vendored=provision.vendored(lock),
        progress=progress,
    )
    if config.serving.compile == "onnx":
        # What is loaded may be the compiled file, which takes more memory than the original.
        formats = sorted({*packaged.model.formats, "onnx"})
        served = packaged.model.model_copy(update={"formats": formats})
        packaged = packaged.model_copy(update={"model": served})
    if not isinstance(settings.image, OwnImage):
        return packaged
    context = write_context(config.root, settings.image, lock.wheels)
    return packaged.model_copy(update={"image_context": context})


def _serving(config: ForecastConfig, settings: EnvironmentSettings) -> ServingSettings:
    """How the model is packed; a serverless container can fetch an archive only.

    SageMaker API reference, ContainerDefinition: no ModelDataSource for serverless endpoints.
    """
    if isinstance(settings.endpoint, ServerlessEndpoint):
        return config.serving.model_copy(update={"model_data": "archive"})
    return config.serving
