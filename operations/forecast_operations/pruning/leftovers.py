"""What deployments have left behind: models, configurations and archives that nothing needs."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from forecast_config import ForecastError
from forecast_operations.cloud.objects import split
from forecast_operations.deployed.stacks import is_under_way, status_of
from forecast_operations.deployed.statuses import is_in_transition
from forecast_operations.endpoints.listing import models_of
from forecast_operations.pruning.kept import kept_of
from forecast_operations.records.place import (
    MODELS_PREFIX,
    addresses_of,
    archive_keys,
    digest_at,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from forecast_operations.deployed.place import Place
    from forecast_operations.pruning.kept import Kept

YOUNG = timedelta(days=1)
"""What is younger may belong to a deployment that was interrupted and goes on."""

_THREADS = 8
_ARCHIVE = re.compile(rf"{MODELS_PREFIX}(?P<stem>[0-9a-f]{{64}})(?:\.gz|\.tar\.gz|/.*)")


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
        stem: What its keys begin with: its digest, or of an asset the hash of that.
        keys: Keys of its objects.
        size_bytes: Their size.
        changed: When the youngest of them was written.
    """

    stem: str
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
    bucket = _bucket(place)
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
        if models[name]["CreationTime"] < old and not _is_kept(models[name], kept)
    ]
    stays = [models[name] for name in models.keys() - {thing.name for thing in going_models}]
    needed = _needed(stays, bucket, kept)
    archives = [
        archive
        for archive in archives_in(place, bucket)
        if archive.stem not in needed and archive.changed < old
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
        "s3", "list_objects_v2", "Contents", Bucket=bucket, Prefix=MODELS_PREFIX
    ):
        stem = _stem_of(each["Key"])
        if stem is not None:
            found.setdefault(stem, []).append(each)
    return [
        Archive(
            stem=stem,
            keys=tuple(each["Key"] for each in objects),
            size_bytes=sum(each["Size"] for each in objects),
            changed=max(each["LastModified"] for each in objects),
        )
        for stem, objects in sorted(found.items())
    ]


def own_models_and_configs(place: Place, bucket: str) -> tuple[list[str], list[str]]:
    """Names of all models whose data is in a bucket, and of all configurations of only those."""
    models = _described_models(place)
    own = {name for name, model in models.items() if _data_of(model, bucket)}
    configs = _described_configs(place)
    return sorted(own), sorted(name for name, each in configs.items() if _all_in(each, own))


def _needed(stays: Iterable[Mapping[str, Any]], bucket: str, kept: Kept) -> set[str]:
    """Stems of the archives that models which stay serve, and of those that are kept anyway."""
    addresses = [*(each for model in stays for each in addresses_of(model)), *kept.data]
    keys = [key for holder, key in map(split, addresses) if holder == bucket]
    keys += [key for digest in kept.digests for key in archive_keys(digest)]
    return {stem for key in keys if (stem := _stem_of(key)) is not None}


def _stem_of(key: str) -> str | None:
    found = _ARCHIVE.fullmatch(key)
    return None if found is None else found["stem"]


def _bucket(place: Place) -> str:
    bucket = place.bucket()
    if bucket is None:
        raise ForecastError(
            f"the stack {place.artifacts_stack} is not deployed in {place.settings.region}: there "
            "is no bucket to look into; what it left behind: forecast prune "
            f"{place.settings.name} --everything"
        )
    return bucket


def _check_quiet(place: Place) -> None:
    stack = place.live.stack(place.stack)
    if stack is not None and is_under_way(status_of(stack)):
        raise ForecastError(
            f"the stack {place.stack} is {status_of(stack)}: what is published for it must "
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
    return _described([each["ModelName"] for each in listed], place.live.sagemaker_model)


def _described_configs(place: Place) -> dict[str, dict[str, Any]]:
    listed = place.cloud.pages("sagemaker", "list_endpoint_configs", "EndpointConfigs")
    names = [each["EndpointConfigName"] for each in listed]
    return _described(names, place.live.endpoint_config)


def _described(
    names: Sequence[str], describe: Callable[[str], dict[str, Any] | None]
) -> dict[str, dict[str, Any]]:
    """Descriptions by name; what went in between is left out."""
    with ThreadPoolExecutor(max_workers=_THREADS) as pool:
        found = zip(names, pool.map(describe, names), strict=True)
        return {name: each for name, each in found if each is not None}


def _data_of(model: Mapping[str, Any], bucket: str) -> list[str]:
    """Addresses of a model's data that are in a bucket's `models/`."""
    return [
        each for each in addresses_of(model) if each.startswith(f"s3://{bucket}/{MODELS_PREFIX}")
    ]


def _all_in(config: Mapping[str, Any], own: set[str]) -> bool:
    models = models_of(config)
    return bool(models) and models <= own


def _is_kept(model: Mapping[str, Any], kept: Kept) -> bool:
    """Whether a model serves data that is kept, as a rollback needs it."""
    return any(
        address in kept.data or digest_at(address, kept.digests) in kept.digests
        for address in addresses_of(model)
    )
