"""The model: whether the lock names one, and it can be had and packed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forecast_config import ForecastError, locked_challenger, locked_model, names, read_lock
from forecast_config.settings import ShadowRollout, SplitRollout
from forecast_operations.cloud.refusals import CloudError
from forecast_operations.preflight.finding import failed, ok, skipped, warning
from forecast_operations.records.bucket_store import BucketStore
from forecast_operations.records.fetching import beside
from forecast_operations.records.place import MODELS_PREFIX, archive_keys
from forecast_packaging import RegistryError, shown_uri
from forecast_packaging.building.environment import is_at_hand
from forecast_packaging.libraries.provision import Provision
from forecast_packaging.registry.cache import CachedVersion, SnapshotCache
from forecast_packaging.registry.client import Registry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forecast_config import LockedModel
    from forecast_operations.preflight.finding import Finding
    from forecast_operations.preflight.surroundings import Surroundings

_LOCK = "lock"
_SHORT_DIGEST = 12


def look_at_model(around: Surroundings) -> Iterator[Finding]:
    """Whether each model that the environment serves is locked, suits the image and is at hand."""
    locked, problems = _locked(around)
    yield from problems
    for role, model in locked.items():
        version = f"{model.name} {model.version}"
        yield ok(f"{_LOCK} of the {role}", version, f"a version for '{around.settings.name}'")
        yield _check_libraries(around, role, model)
        if model.archive_digest is None:
            yield _check_source(around, role, model)
        else:
            yield _check_archive(around, role, model, model.archive_digest)


def _locked(around: Surroundings) -> tuple[dict[str, LockedModel], list[Finding]]:
    path, name = around.config.lock_path, around.settings.name
    locked: dict[str, LockedModel] = {}
    problems: list[Finding] = []
    readers = {"champion": locked_model}
    if isinstance(around.settings.rollout, ShadowRollout | SplitRollout):
        readers["challenger"] = locked_challenger
    for role, read in readers.items():
        try:
            model = read(read_lock(path), name, path)
        except ForecastError as error:
            expected = f"a version for '{name}'"
            advice = f"forecast resolve {name}"
            problems.append(failed(f"{_LOCK} of the {role}", str(error), expected, advice))
            continue
        if model.name != around.config.model.name:
            expected = f"model {around.config.model.name}, as configured"
            advice = f"forecast resolve {name}"
            problems.append(failed(f"{_LOCK} of the {role}", model.name, expected, advice))
            continue
        locked[role] = model
    return locked, problems


def _check_libraries(around: Surroundings, role: str, model: LockedModel) -> Finding:
    check, expected = f"libraries of the {role}", "what the image has, or brings along"
    try:
        Provision(around.root, around.settings, around.config.serving).check(model)
    except ForecastError as error:
        advice = f"forecast resolve {around.settings.name}, or another image"
        return failed(check, str(error), expected, advice)
    return ok(check, "the image has them, or they travel along", expected)


def _check_archive(around: Surroundings, role: str, model: LockedModel, digest: str) -> Finding:
    """Whether the very archive that the lock names can be had: nothing else may be served."""
    short = digest.removeprefix("sha256:")[:_SHORT_DIGEST]
    check, expected = f"archive of the {role}", f"the archive {short} that the lock names"
    if is_at_hand(around.config, model):
        return ok(check, "in .forecast/archives", expected)
    holder = _bucket_with(around, digest)
    if holder is not None:
        return ok(check, f"in the bucket of {holder}, which it is fetched from", expected)
    nowhere = "neither in .forecast/archives nor in a bucket that can be looked into from here"
    advice = f"forecast package {around.settings.name}, with credentials of where it was verified"
    source = _check_source(around, role, model)
    if source.status == "ok":
        found = f"{nowhere}; the version is packed anew, and must give this very archive"
        return warning(check, found, expected, advice)
    return failed(check, f"{nowhere}; {source.found}", expected, advice)


def _bucket_with(around: Surroundings, digest: str) -> str | None:
    """The environment whose bucket has an archive, its own first; None where none is known to."""
    own = around.settings
    others = [each for each in around.config.environments.values() if each.name != own.name]
    cloud_in = beside(around.cloud)
    paths = [key.removeprefix(MODELS_PREFIX) for key in archive_keys(digest)]
    for each in (own, *others):
        account = each.account or around.account
        if not account:
            continue
        bucket = names.artifact_bucket(each.endpoint.name, account, each.region)
        store = BucketStore(cloud_in(each.region), bucket, account)
        try:
            if any(store.files(path, "") for path in paths):
                return each.name
        except CloudError:
            # Another environment's may be closed to these credentials, and the next one open.
            continue
    return None


def _check_source(around: Surroundings, role: str, model: LockedModel) -> Finding:
    """Whether the version is in the cache; only where it is not, the registry is asked."""
    check, uri = f"source of the {role}", around.config.model.tracking_uri
    shown = shown_uri(uri)
    expected = f"version {model.version} in the cache, or in {shown}"
    cached = SnapshotCache(around.root).look_up(uri, model.name, model.version)
    if cached == CachedVersion(run_id=model.run_id, digest=model.model_digest):
        folder = around.root / ".forecast" / "cache" / model.model_digest.removeprefix("sha256:")
        if folder.is_dir():
            return ok(check, "in the cache: the registry is not needed", expected)
    try:
        version = Registry(uri, around.root).resolve_version(model.name, model.version)
    except RegistryError as error:
        advice = f"see that {shown} can be reached from here (MLFLOW_TRACKING_USERNAME, proxies)"
        return failed(check, str(error), expected, advice)
    except ForecastError as error:
        return skipped(check, str(error))
    if version.run_id != model.run_id:
        found = f"version {model.version} is of run {version.run_id}"
        advice = f"forecast resolve {around.settings.name}, to take what the registry says now"
        return failed(check, found, f"run {model.run_id}, as it was locked", advice)
    return ok(check, f"{shown} has it", expected)
