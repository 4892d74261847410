"""Rules between an environment's blocks that AWS would report only during a deployment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from forecast_config import names
from forecast_config.images import registry_accounts
from forecast_config.instances import has_local_storage, is_burstable, is_graviton, vcpus
from forecast_config.regions import dns_suffix_of, partition_of
from forecast_config.settings.endpoint import CANARY_MAX_SHARE, canary_share
from forecast_config.settings.ruling import rule

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from forecast_config.settings.ruling import Broken

INSTANCE_TYPE = ("endpoint", "instance_type")
INITIAL_COUNT = ("endpoint", "initial_instance_count")


@rule("endpoint.instance_type", "autoscaling")
def _burstable_types_do_not_scale(instance_type: str, autoscaling: object) -> Iterator[Broken]:
    # Amazon SageMaker developer guide, "Automatic scaling of Amazon SageMaker AI models".
    if autoscaling and is_burstable(instance_type):
        yield (
            INSTANCE_TYPE,
            (
                f"burstable instance types cannot scale, got {instance_type}; choose "
                "another type such as ml.m5.large, or set autoscaling to null"
            ),
        )


@rule("endpoint.initial_instance_count", "autoscaling.min_instance_count")
def _initial_count_is_not_below(count: int, low: int) -> Iterator[Broken]:
    if count < low:
        yield (
            INITIAL_COUNT,
            f"expected at least autoscaling.min_instance_count ({low}), got {count}",
        )


@rule("endpoint.initial_instance_count", "autoscaling.max_instance_count")
def _initial_count_is_not_above(count: int, high: int) -> Iterator[Broken]:
    if count > high:
        yield (
            INITIAL_COUNT,
            f"expected at most autoscaling.max_instance_count ({high}), got {count}",
        )


@rule("rollout.percent", "endpoint.initial_instance_count", "autoscaling")
def _canary_fits_the_fixed_fleet(percent: int, count: int, autoscaling: object) -> Iterator[Broken]:
    if not autoscaling:
        yield from _check_canary(percent, count, count)


@rule("rollout.percent", "autoscaling.min_instance_count", "autoscaling.max_instance_count")
def _canary_fits_the_scaled_fleet(percent: int, low: int, high: int) -> Iterator[Broken]:
    yield from _check_canary(percent, low, high)


def _check_canary(percent: int, low: int, high: int) -> Iterator[Broken]:
    # SageMaker API reference, CapacitySize: at most 50 % of the variant's instances. As the
    # percentage is at most 50, only an odd count rounds up past the half, the least one the most.
    count = low if low % 2 else low + 1
    share = canary_share(percent, count)
    if count <= high and share > CANARY_MAX_SHARE:
        yield (
            ("rollout", "percent"),
            (
                f"{percent} % of {count} instances is {share:.0%}, as instances are "
                "whole; a canary may hold at most 50 %: use more instances or all_at_once"
            ),
        )


@rule("region", "image.kind")
def _aws_image_exists_in_region(region: str, kind: str) -> Iterator[Broken]:
    if kind == "aws" and region not in registry_accounts():
        yield (
            ("region",),
            (
                f"AWS publishes no framework images in {region}; "
                "choose another region, or an image of kind own or ecr"
            ),
        )


@rule("endpoint.instance_type", "image.kind")
def _aws_image_runs_on_instance(instance_type: str, kind: str) -> Iterator[Broken]:
    if kind == "aws" and is_graviton(instance_type):
        yield (
            INSTANCE_TYPE,
            (
                "AWS's framework images are made for x86 and cannot start on "
                f"{instance_type}, an Arm type; choose another type, or an image of kind own"
            ),
        )


@rule("endpoint.instance_type", "image.architecture")
def _image_is_made_for_the_cpu(instance_type: str, architecture: str | None) -> Iterator[Broken]:
    expected = "arm64" if is_graviton(instance_type) else "x86_64"
    if architecture is not None and architecture != expected:
        yield (
            ("image", "architecture"),
            f"expected {expected}, the CPU of {instance_type}, got {architecture}",
        )


@rule("image.missing_libraries", "network.isolated")
def _downloads_need_a_network(missing: str, isolated: object) -> Iterator[Broken]:
    if missing == "download" and isolated:
        yield (
            ("image", "missing_libraries"),
            "expected refuse or vendor, as network.isolated cuts off every index, got download",
        )


@rule("image.missing_libraries", "network.kind")
def _downloads_need_a_way_out(missing: str, kind: str) -> Iterator[Broken]:
    if missing == "download" and kind == "new":
        yield (
            ("image", "missing_libraries"),
            "expected refuse or vendor, as a new network has no way to an index, got download",
        )


@rule("endpoint.instance_type", "endpoint.volume_size_gb")
def _volume_is_attached(instance_type: str, volume: int | None) -> Iterator[Broken]:
    if volume is not None and has_local_storage(instance_type):
        yield (
            ("endpoint", "volume_size_gb"),
            f"expected null, as {instance_type} has disks of its own and gets no volume",
        )


@rule("endpoint.instance_type", "container.threads_per_worker")
def _threads_have_cpus(instance_type: str, threads: int) -> Iterator[Broken]:
    if threads > vcpus(instance_type):
        yield (
            ("container", "threads_per_worker"),
            f"expected at most the {vcpus(instance_type)} vCPUs of {instance_type}, got {threads}",
        )


@rule("region", "image.uri")
def _image_is_in_region(region: str, uri: str) -> Iterator[Broken]:
    # Amazon SageMaker developer guide: the image must be in the same region as the model.
    expected = f"{region}.{dns_suffix_of(region)}"
    found = uri.partition("/")[0].partition(".dkr.ecr.")[2]
    if found != expected:
        yield ("image", "uri"), f"expected an image in {expected}, got one in {found}"


@rule("region", "encryption.arn")
def _key_is_in_region(region: str, arn: str) -> Iterator[Broken]:
    expected = f"arn:{partition_of(region)}:kms:{region}"
    found = ":".join(arn.split(":")[:4])
    if found != expected:
        yield ("encryption", "arn"), f"expected a key in {expected}, got one in {found}"


@rule("account", "encryption.arn")
def _key_is_in_account(account: str | None, arn: str) -> Iterator[Broken]:
    found = arn.split(":")[4]
    if account is not None and found != account:
        yield ("encryption", "arn"), f"expected a key of the account {account}, got one of {found}"


ENVIRONMENT_RULES = (
    _burstable_types_do_not_scale,
    _initial_count_is_not_below,
    _initial_count_is_not_above,
    _canary_fits_the_fixed_fleet,
    _canary_fits_the_scaled_fleet,
    _aws_image_exists_in_region,
    _aws_image_runs_on_instance,
    _image_is_made_for_the_cpu,
    _downloads_need_a_network,
    _downloads_need_a_way_out,
    _volume_is_attached,
    _threads_have_cpus,
    _image_is_in_region,
    _key_is_in_region,
    _key_is_in_account,
)


@rule("environments")
def _there_is_an_environment(environments: Mapping[str, Any]) -> Iterator[Broken]:
    if not environments:
        yield ("environments",), "expected at least one environment, got none"


@rule("allowed_regions", "environments")
def _regions_are_allowed(
    allowed: tuple[str, ...], environments: Mapping[str, Mapping[str, Any]]
) -> Iterator[Broken]:
    for name, values in environments.items():
        region = values.get("region", allowed[0])
        if region not in allowed:
            yield (
                ("environments", name, "region"),
                f"expected one of allowed_regions ({', '.join(allowed)}), got '{region}'",
            )


@rule("environments")
def _endpoint_names_differ(environments: Mapping[str, Mapping[str, Any]]) -> Iterator[Broken]:
    owners: dict[str, str] = {}
    for name, values in environments.items():
        endpoint = values.get("endpoint.name")
        owner = name if endpoint is None else owners.setdefault(endpoint.lower(), name)
        if owner != name:
            yield (
                ("environments", name, "endpoint", "name"),
                f"expected a name of its own, got '{endpoint}' as in {owner}",
            )


@rule("environments")
def _stack_names_differ(environments: Mapping[str, Mapping[str, Any]]) -> Iterator[Broken]:
    # Without case, as the templates' files are named after the stacks.
    owners: dict[str, str] = {}
    for name in (name for name, values in environments.items() if "name" in values):
        stacks = (names.stack(name), names.stack(name, "Artifacts"))
        taken = [stack for stack in stacks if owners.setdefault(stack.lower(), name) != name]
        if taken:
            yield (
                ("environments", name),
                (
                    f"expected a name whose stacks are its own, got {taken[0]} "
                    f"as for '{owners[taken[0].lower()]}'"
                ),
            )


PROJECT_RULES = (
    _there_is_an_environment,
    _regions_are_allowed,
    _endpoint_names_differ,
    _stack_names_differ,
)
