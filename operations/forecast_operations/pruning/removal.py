"""The removal of what deployments left behind, and of everything of a bucket."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from forecast_config import ForecastError, names
from forecast_operations.cloud.cloud import in_calls
from forecast_operations.deployed.live import GONE
from forecast_operations.endpoints.listing import configs_in, models_of
from forecast_operations.pruning.leftovers import own_models_and_configs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from forecast_operations.cloud.cloud import Cloud
    from forecast_operations.deployed.place import Place
    from forecast_operations.pruning.leftovers import Leftovers

_OBJECTS_IN_A_CALL = 1000
"""Keys that DeleteObjects takes (Amazon S3 API reference)."""

_NO_BUCKET = "NoSuchBucket"
_SHOWN = 3


@dataclass(frozen=True)
class Everything:
    """All that is left of an environment whose endpoint is gone.

    Attributes:
        buckets: The buckets, the artifacts' first.
        models: Names of its models.
        configs: Names of its configurations.
        objects: How many versions and delete markers the buckets hold.
        size_bytes: Size of the versions.
    """

    buckets: tuple[str, ...]
    models: tuple[str, ...]
    configs: tuple[str, ...]
    objects: int
    size_bytes: int


def remove_leftovers(place: Place, leftovers: Leftovers, say: Callable[[str], None]) -> None:
    """Remove what can go: configurations, then models, then archives.

    Raises:
        ForecastError: AWS refuses; the same command goes on from there.
    """
    _remove_hosting(
        place.cloud,
        [each.name for each in leftovers.configs],
        [each.name for each in leftovers.models],
        say,
    )
    keys = [{"Key": key} for archive in leftovers.archives for key in archive.keys]
    _delete_objects(place.cloud, leftovers.bucket, keys)
    if keys:
        say(f"deleted {len(leftovers.archives)} archives")


def find_everything(place: Place) -> Everything:
    """All that is left of an environment whose endpoint is gone; nothing is changed.

    Raises:
        ForecastError: Its endpoint or the stack of it is there still, another endpoint uses what
            would go, or there is nothing left.
    """
    environment = place.settings.name
    if place.live.stack(place.stack) is not None:
        raise ForecastError(
            f"the stack {place.stack} is deployed: its archives are in use; delete it first: "
            f"forecast endpoints delete {environment}"
        )
    if place.live.endpoint(place.endpoint_name) is not None:
        raise ForecastError(
            f"there is an endpoint {place.endpoint_name} still; delete it first: forecast "
            f"endpoints delete {environment}"
        )
    buckets = [each for each in _buckets(place) if _is_there(place.cloud, each)]
    if not buckets:
        raise ForecastError(
            f"there is no bucket of {environment} left in {place.settings.region}: nothing to empty"
        )
    models, configs = own_models_and_configs(place, buckets[0])
    _check_unused(place, set(models))
    sizes = [size for bucket in buckets for _, size in _versions(place.cloud, bucket)]
    return Everything(tuple(buckets), tuple(models), tuple(configs), len(sizes), sum(sizes))


def in_both(agreed: Everything, now: Everything) -> Everything:
    """What was agreed to and is still to go; buckets are emptied whatever is in them."""
    return replace(
        now,
        models=tuple(each for each in now.models if each in agreed.models),
        configs=tuple(each for each in now.configs if each in agreed.configs),
    )


def remove_everything(place: Place, everything: Everything, say: Callable[[str], None]) -> None:
    """Remove all that is left: every version and delete marker of every object.

    The logs of access to a bucket are written to another, later, and so that one is emptied last.

    Raises:
        ForecastError: AWS refuses; the same command goes on from there.
    """
    _remove_hosting(place.cloud, everything.configs, everything.models, say)
    for bucket in everything.buckets:
        found = [entry for entry, _ in _versions(place.cloud, bucket)]
        _delete_objects(place.cloud, bucket, found)
        say(f"emptied {bucket}: {len(found)} versions and delete markers")


def _check_unused(place: Place, models: set[str]) -> None:
    """Refuse while an endpoint of the region serves one of the models, or gets it."""
    users = [
        f"{name} {does} {config}"
        for name, config, does in configs_in(place.live)
        if models & models_of(place.live.endpoint_config(config))
    ]
    if users:
        raise ForecastError(
            f"endpoints of {place.settings.region} use models of {place.settings.name}: "
            f"{'; '.join(users)}; delete them first with: forecast endpoints delete NAME"
        )


def _remove_hosting(
    cloud: Cloud, configs: Sequence[str], models: Sequence[str], say: Callable[[str], None]
) -> None:
    for name in configs:
        cloud.ask("sagemaker", "delete_endpoint_config", missing=GONE, EndpointConfigName=name)
        say(f"deleted the configuration {name}")
    for name in models:
        cloud.ask("sagemaker", "delete_model", missing=GONE, ModelName=name)
        say(f"deleted the model {name}")


def _buckets(place: Place) -> list[str]:
    """Names of an environment's buckets: by its stack, or by the name that outlives it."""
    if place.live.stack(place.artifacts_stack) is None:
        account = place.live.account()
        region = place.settings.region
        return [names.artifact_bucket(place.endpoint_name, account, region)]
    found = [
        each["PhysicalResourceId"]
        for each in place.live.stack_resources(place.artifacts_stack)
        if each["ResourceType"] == "AWS::S3::Bucket"
    ]
    first = place.bucket()
    return sorted(found, key=lambda bucket: bucket != first)


def _is_there(cloud: Cloud, bucket: str) -> bool:
    return cloud.ask("s3", "get_bucket_location", missing=_NO_BUCKET, Bucket=bucket) is not None


def _versions(cloud: Cloud, bucket: str) -> Iterator[tuple[dict[str, Any], int]]:
    """Every version and delete marker of a bucket, as DeleteObjects takes it, and its size."""
    for key in ("Versions", "DeleteMarkers"):
        for each in cloud.pages("s3", "list_object_versions", key, Bucket=bucket):
            yield {"Key": each["Key"], "VersionId": each["VersionId"]}, each.get("Size", 0)


def _delete_objects(cloud: Cloud, bucket: str, entries: Sequence[dict[str, Any]]) -> None:
    for some in in_calls(entries, _OBJECTS_IN_A_CALL):
        answer = cloud.ask(
            "s3", "delete_objects", Bucket=bucket, Delete={"Objects": some, "Quiet": True}
        )
        refused = answer.get("Errors") or ()
        if refused:
            told = "; ".join(f"{each['Key']}: {each.get('Message')}" for each in refused[:_SHOWN])
            raise ForecastError(
                f"{len(refused)} objects of {bucket} could not be deleted ({told}); allow "
                "s3:DeleteObject and s3:DeleteObjectVersion and run the same command again"
            )
