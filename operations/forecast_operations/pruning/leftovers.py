"""What deployments have left behind: models, configurations and archives that nothing needs."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from forecast_config import ForecastError
from forecast_operations.deployed.live import GONE
from forecast_operations.deployed.stacks import is_under_way
from forecast_operations.deployed.statuses import is_in_transition
from forecast_operations.pruning.kept import kept_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from forecast_operations.deployed.place import Place
    from forecast_operations.pruning.kept import Kept

MODELS = "models/"
"""Where archives lie in a bucket (`storage.artifact_storage`)."""

YOUNG = timedelta(days=1)
"""What is younger may belong to a deployment that was interrupted and goes on."""

_THREADS = 8
_ARCHIVE = re.compile(r"(?P<digest>[0-9a-f]{64})(?:\.gz|\.tar\.gz|/.+)")


@dataclass(frozen=True)
class Thing:
    """A model or a configuration.

    Attributes:
        name: Its name.
        created: When it was made.
    """

    name: str
    created: datetime


@dataclass(frozen=True)
class Archive:
    """An archive, or the files that one was published as.

    Attributes:
        digest: Its digest, as a hexadecimal number.
        keys: Keys of its objects.
        size_bytes: Their size.
        changed: When the youngest of them was written.
    """

    digest: str
    keys: tuple[str, ...]
    size_bytes: int
    changed: datetime


@dataclass(frozen=True)
class Leftovers:
    """What can go.

    Attributes:
        bucket: The artifact bucket.
        configs: Endpoint configurations.
        models: Models.
        archives: Archives.
        kept: What is kept, and why.
    """

    bucket: str
    configs: tuple[Thing, ...]
    models: tuple[Thing, ...]
    archives: tuple[Archive, ...]
    kept: Kept

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing."""
        return not (self.configs or self.models or self.archives)

    @property
    def size_bytes(self) -> int:
        """Size of the archives."""
        return sum(archive.size_bytes for archive in self.archives)


def find_leftovers(place: Place, *, keep: int, now: datetime) -> Leftovers:
    """What can go of an environment; nothing is changed.

    Whose a model is, its data says: every environment has a bucket of its own.

    Args:
        place: The environment.
        keep: How many of the last verified versions stay.
        now: The time.

    Raises:
        ForecastError: Something is under way, or it is not known what must stay.
    """
    bucket = place.bucket()
    if bucket is None:
        raise ForecastError(
            f"the stack {place.artifacts_stack} is not deployed in {place.settings.region}: there "
            "is no bucket to look into; what it left behind: forecast prune "
            f"{place.settings.name} --everything"
        )
    _check_quiet(place)
    kept = kept_of(place, bucket, keep)
    old = now - YOUNG
    models = _described_models(place)
    configs = _described_configs(place)
    own = {name for name, model in models.items() if _data_of(model, bucket)}
    going_configs = [
        Thing(name, config["CreationTime"])
        for name, config in configs.items()
        if name not in kept.configs and config["CreationTime"] < old and _all_in(config, own)
    ]
    going = {thing.name for thing in going_configs}
    used = {m for name, config in configs.items() if name not in going for m in models_of(config)}
    going_models = [
        Thing(name, models[name]["CreationTime"])
        for name in sorted(own - used)
        if models[name]["CreationTime"] < old and not _is_kept(models[name], bucket, kept)
    ]
    stays = [models[name] for name in models.keys() - {thing.name for thing in going_models}]
    needed = _needed(stays, bucket, kept)
    archives = [
        archive
        for archive in archives_in(place, bucket)
        if archive.digest not in needed and archive.changed < old
    ]
    return Leftovers(bucket, tuple(going_configs), tuple(going_models), tuple(archives), kept)


def in_both(agreed: Leftovers, now: Leftovers) -> Leftovers:
    """What was agreed to and can still go: what was used or written again meanwhile stays."""
    return replace(
        now,
        configs=tuple(each for each in now.configs if each in agreed.configs),
        models=tuple(each for each in now.models if each in agreed.models),
        archives=tuple(each for each in now.archives if each in agreed.archives),
    )


def archives_in(place: Place, bucket: str) -> list[Archive]:
    """The archives of a bucket, each with all of its objects; other files are none."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for each in place.cloud.pages(
        "s3", "list_objects_v2", "Contents", Bucket=bucket, Prefix=MODELS
    ):
        match = _ARCHIVE.fullmatch(each["Key"].removeprefix(MODELS))
        if match is not None:
            found.setdefault(match["digest"], []).append(each)
    return [
        Archive(
            digest=digest,
            keys=tuple(each["Key"] for each in objects),
            size_bytes=sum(each["Size"] for each in objects),
            changed=max(each["LastModified"] for each in objects),
        )
        for digest, objects in sorted(found.items())
    ]


def models_of(config: Mapping[str, Any]) -> Iterator[str]:
    """Names of the models that a configuration serves."""
    for kind in ("ProductionVariants", "ShadowProductionVariants"):
        for variant in config.get(kind) or ():
            if "ModelName" in variant:
                yield variant["ModelName"]


def own_models_and_configs(place: Place, bucket: str) -> tuple[list[str], list[str]]:
    """Names of all models whose data is in a bucket, and of all configurations of only those."""
    models = _described_models(place)
    own = {name for name, model in models.items() if _data_of(model, bucket)}
    configs = _described_configs(place)
    return sorted(own), sorted(name for name, each in configs.items() if _all_in(each, own))


def _needed(stays: Iterable[Mapping[str, Any]], bucket: str, kept: Kept) -> set[str]:
    """Digests of the archives that models which stay serve, and of those that are kept anyway."""
    needed = {digest for model in stays for digest in _digests(model, bucket)}
    return needed | set(kept.digests) | {d for uri in kept.data for d in _digest_of(uri, bucket)}


def _check_quiet(place: Place) -> None:
    stack = place.live.stack(place.stack)
    if stack is not None and is_under_way(stack["StackStatus"]):
        raise ForecastError(
            f"the stack {place.stack} is {stack['StackStatus']}: what is published for it must "
            "stay; prune when it is done"
        )
    endpoint = place.live.endpoint(place.endpoint_name)
    if endpoint is not None and is_in_transition(endpoint["EndpointStatus"]):
        raise ForecastError(
            f"the endpoint {place.endpoint_name} is {endpoint['EndpointStatus']}: what it goes "
            "back to must stay; prune when it is InService"
        )


def _described_models(place: Place) -> dict[str, dict[str, Any]]:
    listed = place.cloud.pages("sagemaker", "list_models", "Models")
    return _described([each["ModelName"] for each in listed], lambda name: _model(place, name))


def _described_configs(place: Place) -> dict[str, dict[str, Any]]:
    listed = place.cloud.pages("sagemaker", "list_endpoint_configs", "EndpointConfigs")
    names = [each["EndpointConfigName"] for each in listed]
    return _described(names, place.live.endpoint_config)


def _described(names: Sequence[str], describe: Any) -> dict[str, dict[str, Any]]:
    """Descriptions by name; what went in between is left out."""
    with ThreadPoolExecutor(max_workers=_THREADS) as pool:
        found = zip(names, pool.map(describe, names), strict=True)
        return {name: each for name, each in found if each is not None}


def _model(place: Place, name: str) -> dict[str, Any] | None:
    found: dict[str, Any] | None = place.cloud.ask(
        "sagemaker", "describe_model", missing=GONE, ModelName=name
    )
    return found


def _data_of(model: Mapping[str, Any], bucket: str) -> list[str]:
    """Addresses of a model's data that are in a bucket's `models/`."""
    first = model.get("PrimaryContainer")
    containers = [*([first] if first else []), *(model.get("Containers") or ())]
    addresses = []
    for container in containers:
        source = (container.get("ModelDataSource") or {}).get("S3DataSource") or {}
        addresses += [container.get("ModelDataUrl"), source.get("S3Uri")]
    return [each for each in addresses if each and each.startswith(f"s3://{bucket}/{MODELS}")]


def _digests(model: Mapping[str, Any], bucket: str) -> Iterator[str]:
    for address in _data_of(model, bucket):
        yield from _digest_of(address, bucket)


def _digest_of(address: str, bucket: str) -> list[str]:
    name = address.removeprefix(f"s3://{bucket}/{MODELS}")
    return re.findall(r"^[0-9a-f]{64}", name)


def _all_in(config: Mapping[str, Any], own: set[str]) -> bool:
    models = set(models_of(config))
    return bool(models) and models <= own


def _is_kept(model: Mapping[str, Any], bucket: str, kept: Kept) -> bool:
    """Whether a model serves data that is kept, as a rollback needs it."""
    return any(digest in kept.digests for digest in _digests(model, bucket))
