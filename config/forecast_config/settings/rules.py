"""Rules between an environment's blocks that AWS would report only during a deployment.

A rule reads the blocks it names and is left out when one of them is itself invalid, so that all
that can be said about a configuration is said at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from forecast_config.images import registry_accounts
from forecast_config.instances import is_burstable, is_graviton
from forecast_config.settings.container import AwsImage, EcrImage
from forecast_config.settings.endpoint import CANARY_MAX_SHARE, CanaryRollout
from forecast_config.settings.platform import ExistingKey, NewNetwork

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

Broken = tuple[str, str]
"""Dotted key within the environment, and what was found and expected there."""


def _burstable_types_do_not_scale(endpoint: Any, autoscaling: Any) -> Iterator[Broken]:
    # Amazon SageMaker developer guide, "Automatic scaling of Amazon SageMaker AI models".
    if autoscaling is not None and is_burstable(endpoint.instance_type):
        yield (
            "endpoint.instance_type",
            (
                f"burstable instance types cannot scale, got {endpoint.instance_type}; choose "
                "another type such as ml.m5.large, or set autoscaling to null"
            ),
        )


def _initial_count_is_within_bounds(endpoint: Any, autoscaling: Any) -> Iterator[Broken]:
    if autoscaling is None:
        return
    low, high = autoscaling.min_instance_count, autoscaling.max_instance_count
    if not low <= endpoint.initial_instance_count <= high:
        yield (
            "endpoint.initial_instance_count",
            (
                f"expected {low} to {high}, the bounds of autoscaling, "
                f"got {endpoint.initial_instance_count}"
            ),
        )


def _canary_fits_the_fleet(endpoint: Any, autoscaling: Any, rollout: Any) -> Iterator[Broken]:
    # SageMaker API reference, CapacitySize: at most 50 % of the variant's instances.
    if not isinstance(rollout, CanaryRollout):
        return
    low = autoscaling.min_instance_count if autoscaling else endpoint.initial_instance_count
    high = autoscaling.max_instance_count if autoscaling else endpoint.initial_instance_count
    for count in range(low, high + 1):
        share = rollout.share_of(count)
        if share > CANARY_MAX_SHARE:
            yield (
                "rollout.percent",
                (
                    f"{rollout.percent} % of {count} instances is {share:.0%}, as instances are "
                    "whole; a canary may hold at most 50 %: use more instances or all_at_once"
                ),
            )
            return


def _aws_image_exists_in_region(region: str, image: Any) -> Iterator[Broken]:
    if isinstance(image, AwsImage) and region not in registry_accounts():
        yield (
            "region",
            (
                f"AWS publishes no {image.framework} image in {region}; "
                "choose another region, or an image of kind ecr"
            ),
        )


def _aws_image_runs_on_instance(endpoint: Any, image: Any) -> Iterator[Broken]:
    if isinstance(image, AwsImage) and is_graviton(endpoint.instance_type):
        yield (
            "endpoint.instance_type",
            (
                f"AWS's {image.framework} image is made for x86 and cannot start on "
                f"{endpoint.instance_type}, an Arm type"
            ),
        )


def _downloads_need_a_network(image: Any, network: Any) -> Iterator[Broken]:
    if isinstance(image, AwsImage) and image.allow_downloads and network.isolated:
        yield "image.allow_downloads", "expected false, as network.isolated cuts off every index"
    elif isinstance(image, AwsImage) and image.allow_downloads and isinstance(network, NewNetwork):
        yield "image.allow_downloads", "expected false, as a new network has no way to an index"


def _image_is_in_region(region: str, image: Any) -> Iterator[Broken]:
    # Amazon SageMaker developer guide: the image must be in the same region as the model.
    if isinstance(image, EcrImage) and f".ecr.{region}." not in image.uri:
        yield "image.uri", f"expected an image in {region}, got one in {image.uri.split('.')[3]}"


def _key_is_in_region(region: str, encryption: Any) -> Iterator[Broken]:
    if isinstance(encryption, ExistingKey):
        found = encryption.arn.split(":")[3]
        if found != region:
            yield "encryption.arn", f"expected a key in {region}, got one in {found}"


_RULES: tuple[tuple[Callable[..., Iterator[Broken]], tuple[str, ...]], ...] = (
    (_burstable_types_do_not_scale, ("endpoint", "autoscaling")),
    (_initial_count_is_within_bounds, ("endpoint", "autoscaling")),
    (_canary_fits_the_fleet, ("endpoint", "autoscaling", "rollout")),
    (_aws_image_exists_in_region, ("region", "image")),
    (_aws_image_runs_on_instance, ("endpoint", "image")),
    (_downloads_need_a_network, ("image", "network")),
    (_image_is_in_region, ("region", "image")),
    (_key_is_in_region, ("region", "encryption")),
)


def broken_rules(blocks: Mapping[str, Any]) -> Iterator[Broken]:
    """Every rule that the given valid blocks of one environment break."""
    for rule, needed in _RULES:
        if all(name in blocks for name in needed):
            yield from rule(*(blocks[name] for name in needed))
