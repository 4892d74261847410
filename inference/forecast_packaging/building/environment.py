"""The archive that an environment runs: the locked version, or the one asked for instead."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forecast_config import ForecastError, locked_model, read_lock
from forecast_config.images import serving_images
from forecast_config.settings import AwsImage
from forecast_packaging.building.build import package
from forecast_packaging.progress import no_progress
from forecast_packaging.registry.resolve import Alias, Candidate, Version, resolve

if TYPE_CHECKING:
    from forecast_config import EnvironmentSettings, ForecastConfig, LockedModel, PackagedModel
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
    model = config.model
    if selector is None:
        lock = locked_model(read_lock(config.lock_path), settings.name, config.lock_path)
    else:
        lock = resolve(
            root=config.root,
            tracking_uri=model.tracking_uri,
            name=model.name,
            selector=selector,
            refresh=False,
            progress=progress,
        )
    if lock.name != model.name:
        raise ForecastError(
            f"{config.lock_path} pins model '{lock.name}' for '{settings.name}', expected "
            f"'{model.name}' as configured; run: forecast resolve {settings.name}"
        )
    check_image(settings, lock)
    return package(root=config.root, tracking_uri=model.tracking_uri, lock=lock, progress=progress)


def check_image(settings: EnvironmentSettings, lock: LockedModel) -> None:
    """Refuse an AWS image that would have to download what the model was logged with.

    The image installs the archive's requirements when the container starts; without a package
    index a version that it does not hold makes the start fail.

    Raises:
        ForecastError: The image holds other versions, and downloads are not allowed.
    """
    image = settings.image
    if not isinstance(image, AwsImage) or image.allow_downloads:
        return
    inside = serving_images()[image.framework, image.version].libraries
    missing = [
        f"{name} {version} (the image holds {inside.get(name, 'none')})"
        for name, version in sorted(lock.libraries.items())
        if name != "python" and inside.get(name) != version
    ]
    if missing:
        raise ForecastError(
            f"the {image.framework} image {image.version} of '{settings.name}' cannot run version "
            f"{lock.version} of model '{lock.name}' without downloads: it needs "
            f"{', '.join(missing)}; log the model with the image's versions, choose another image, "
            "or set image.allow_downloads"
        )
