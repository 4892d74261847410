"""Rules between the endpoint and what scales it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forecast_config.instances import is_burstable
from forecast_config.settings.rules.hosting import INSTANCE_TYPE
from forecast_config.settings.ruling import rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forecast_config.settings.ruling import Broken

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


@rule("autoscaling.min_instance_count", "autoscaling.max_instance_count")
def _bounds_are_in_order(low: int, high: int) -> Iterator[Broken]:
    if low > high:
        yield (
            ("autoscaling", "max_instance_count"),
            f"expected at least min_instance_count ({low}), got {high}",
        )


SCALING_RULES = (
    _bounds_are_in_order,
    _burstable_types_do_not_scale,
    _initial_count_is_not_below,
    _initial_count_is_not_above,
)
