"""Rules between the endpoint, its image and its container."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forecast_config.images import registry_accounts
from forecast_config.instances import has_local_storage, is_graviton, vcpus
from forecast_config.settings.ruling import rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forecast_config.settings.ruling import Broken

INSTANCE_TYPE = ("endpoint", "instance_type")
CHALLENGER_TYPE = ("rollout", "instance_type")


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


@rule("rollout.instance_type", "image.kind", "endpoint.instance_type")
def _image_runs_on_the_challenger(
    challenger: str | None, kind: str, instance_type: str
) -> Iterator[Broken]:
    if challenger is None or is_graviton(challenger) == is_graviton(instance_type):
        return
    if kind == "aws" and is_graviton(challenger):
        yield (
            CHALLENGER_TYPE,
            (
                "AWS's framework images are made for x86 and cannot start on "
                f"{challenger}, an Arm type; choose another type, or null for {instance_type}"
            ),
        )
    if kind == "own":
        expected = "Arm" if is_graviton(instance_type) else "x86"
        yield (
            CHALLENGER_TYPE,
            (
                f"expected a type with the {expected} CPU of {instance_type}, as one image is "
                f"built for both, got {challenger}"
            ),
        )


@rule("rollout.instance_type", "image.architecture")
def _image_is_made_for_the_challenger(
    challenger: str | None, architecture: str | None
) -> Iterator[Broken]:
    if challenger is None or architecture is None:
        return
    expected = "arm64" if is_graviton(challenger) else "x86_64"
    if architecture != expected:
        yield (
            CHALLENGER_TYPE,
            f"expected a type with the {architecture} CPU of the image, got {challenger}",
        )


@rule("rollout.instance_type", "container.threads_per_worker")
def _threads_have_cpus_of_the_challenger(challenger: str | None, threads: int) -> Iterator[Broken]:
    if challenger is not None and threads > vcpus(challenger):
        yield (
            CHALLENGER_TYPE,
            (
                f"expected a type with the {threads} vCPUs of container.threads_per_worker, "
                f"got {challenger} with {vcpus(challenger)}"
            ),
        )


@rule("rollout.instance_type", "endpoint.instance_type")
def _storage_is_encrypted_alike(challenger: str | None, instance_type: str) -> Iterator[Broken]:
    # One KmsKeyId holds for all variants of an endpoint configuration, and does not apply to disks
    # of the instances' own (SageMaker API reference, CreateEndpointConfig).
    if challenger is None or has_local_storage(challenger) == has_local_storage(instance_type):
        return
    expected = "with disks of its own" if has_local_storage(instance_type) else "without own disks"
    yield (
        CHALLENGER_TYPE,
        (
            f"expected a type {expected} like {instance_type}, as one key encrypts the volumes of "
            f"both or of neither, got {challenger}"
        ),
    )


HOSTING_RULES = (
    _aws_image_exists_in_region,
    _aws_image_runs_on_instance,
    _image_is_made_for_the_cpu,
    _downloads_need_a_network,
    _downloads_need_a_way_out,
    _volume_is_attached,
    _threads_have_cpus,
    _image_runs_on_the_challenger,
    _image_is_made_for_the_challenger,
    _threads_have_cpus_of_the_challenger,
    _storage_is_encrypted_alike,
)
