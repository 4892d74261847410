"""Rules between a rollout and the fleet that it replaces."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from forecast_config.settings.ruling import rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forecast_config.settings.ruling import Broken

CANARY_MAX_SHARE = 0.5
"""Largest share of a variant's instances that a canary may hold (SageMaker API, CapacitySize)."""


def canary_share(percent: int, instance_count: int) -> float:
    """Share of a fleet that a canary of so many percent really takes, as instances are whole."""
    return math.ceil(instance_count * percent / 100) / instance_count


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


ROLLOUT_RULES = (_canary_fits_the_fixed_fleet, _canary_fits_the_scaled_fleet)
