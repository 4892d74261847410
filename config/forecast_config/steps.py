"""Steps: how many instances and shifts of traffic a share of a fleet makes."""

from __future__ import annotations

import math

MAX_SHARE = 0.5
"""Largest share of a variant's instances in a canary, a linear step or a batch (SageMaker API
reference, TrafficRoutingConfig and RollingUpdatePolicy)."""

_ALL_PERCENT = 100


def instances_of(percent: int, instance_count: int) -> int:
    """Whole instances that so many percent of a fleet are; a part of one counts as one."""
    return math.ceil(instance_count * percent / _ALL_PERCENT)


def share_of(percent: int, instance_count: int) -> float:
    """Share of a fleet, from 0 to 1, that so many percent really take, as instances are whole."""
    return instances_of(percent, instance_count) / instance_count


def steps_of(percent: int, instance_count: int) -> int:
    """Equal steps in which a fleet is gone through when each takes so many percent of it."""
    return math.ceil(instance_count / instances_of(percent, instance_count))


def most_steps(percent: int, low: int, high: int) -> int:
    """Most steps that any fleet of `low` to `high` instances takes.

    A hundred instances take as many as the percentage says, and no other fleet takes more.
    """
    if high >= _ALL_PERCENT:
        return math.ceil(_ALL_PERCENT / percent)
    return max(steps_of(percent, count) for count in range(low, high + 1))


def too_large_in(percent: int, low: int, high: int) -> int | None:
    """The smallest fleet of `low` to `high` instances that a step takes more than half of.

    As the percentage is at most 50, only an odd fleet rounds up past its half, and the smallest
    odd one by most.
    """
    count = low if low % 2 else low + 1
    return count if count <= high and share_of(percent, count) > MAX_SHARE else None


def largest_percent(low: int, high: int) -> int | None:
    """Largest percentage that takes at most half of every fleet of `low` to `high` instances.

    None when there is none, as with one instance.
    """
    count = low if low % 2 else low + 1
    if count > high:
        return round(_ALL_PERCENT * MAX_SHARE)
    return _ALL_PERCENT * (count // 2) // count or None
