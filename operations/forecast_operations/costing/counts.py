"""Fewer instances: where those that are there at all hours would not be missed."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from forecast_operations.costing.case import CPU_ROOM, Advice
from forecast_operations.costing.measured import busy

if TYPE_CHECKING:
    from forecast_operations.costing.case import Case

LEAST_QUIET_HOURS = 24
"""Hours at the minimum that must have been seen before another minimum is advised."""

_TWO_ZONES = 2
_HALF_AN_INSTANCE = 0.5


def fewer_instances(case: Case) -> Advice | None:
    """A smaller number of instances at which the same work leaves room; None where there is none.

    Never below two where there are two: a zone may fail. Where minima come by a schedule, which of
    them is too high is a question for `forecast capacity`.
    """
    scaling = case.settings.autoscaling
    if scaling is None:
        return _fewer_fixed(case, case.endpoint.initial_instance_count)
    return None if scaling.scheduled else _lower_minimum(case, scaling.min_instance_count)


def _fewer_fixed(case: Case, count: int) -> Advice | None:
    needed = _needed(count, case.cpu_share)
    if needed >= count:
        return None
    return Advice(
        "fewer instances",
        f"endpoint.initial_instance_count: {needed} in place of {count}: {case.numbers()}; with "
        f"{needed} the same work takes {case.cpu_share * count / needed:.0%} of the CPU "
        f"(forecast capacity {case.settings.name} plans the hours of the week)",
        _saved(case, needed / count),
    )


def _lower_minimum(case: Case, count: int) -> Advice | None:
    """A lower minimum, by the hours in which there were no more instances than that.

    What the busiest hours need, scaling adds above the minimum.
    """
    hours = case.measured.by_hour
    quiet = [each for each in hours if each.instances < count + _HALF_AN_INSTANCE]
    cpu = busy(each.cpu_share for each in quiet)
    if cpu is None or len(quiet) < LEAST_QUIET_HOURS:
        return None
    needed = _needed(count, cpu)
    if needed >= count:
        return None
    return Advice(
        "fewer instances",
        f"autoscaling.min_instance_count: {needed} in place of {count}: {len(quiet)} of "
        f"{len(hours)} hours ran on no more, at CPU {cpu:.0%} at the most; with {needed} the same "
        f"work takes {cpu * count / needed:.0%} of it (forecast capacity {case.settings.name} "
        "plans the hours of the week)",
        _saved(case, needed / count, len(quiet) / len(hours)),
    )


def _needed(count: int, cpu: float) -> int:
    """The fewest instances on which the work of so many leaves room."""
    return max(min(count, _TWO_ZONES), math.ceil(count * cpu / CPU_ROOM))


def _saved(case: Case, left: float, of_the_time: float = 1) -> float | None:
    """What a month costs less when so much of the fewest instances is left, so much of the time."""
    return None if case.hour is None else case.monthly(case.hour) * (left - 1) * of_the_time
