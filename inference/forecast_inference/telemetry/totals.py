"""Sums over requests, as plain numbers in nested dicts.

Those of several workers are added up, and those of a minute are a difference.
"""

from __future__ import annotations

from bisect import bisect_left
from copy import deepcopy
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from forecast_inference.telemetry.observation import Observation

STAGES: Final = ("decode", "validate", "features", "predict", "encode")
"""The stages of a request, in the order of `Observation.stages_ns`."""

STEPS_PER_DOUBLING: Final = 3
BOUNDS_NS: Final = tuple(
    round(1000 * 2 ** (step / STEPS_PER_DOUBLING)) for step in range(26 * STEPS_PER_DOUBLING + 1)
)
"""Upper bounds of a latency's histogram in ns: from 1 µs to 67 s, beyond the 60 s that SageMaker
gives a request, in steps that a quantile is known by to 13 %."""

Totals = dict[str, Any]


def new_totals() -> Totals:
    """Totals of no request."""
    return {
        "requests": {},
        "rows": 0,
        "refused_rows": 0,
        "dropped": 0,
        "latencies": {name: _histogram() for name in ("handler", *STAGES)},
        "out_of_range": {},
        "clipped": {},
        "imputed": {},
        "interval_width": {},
    }


def _histogram() -> Totals:
    return {"sum_ns": 0, "buckets": [0] * (len(BOUNDS_NS) + 1)}


def add(totals: Totals, observation: Observation) -> None:
    """Count one request."""
    status, code, rows, refused_rows, stages_ns, *_ = observation
    requests = totals["requests"]
    outcome = f"{status} {code}"
    requests[outcome] = requests.get(outcome, 0) + 1
    totals["rows"] += rows
    totals["refused_rows"] += refused_rows
    taken = sum(stages_ns)
    if taken:
        for histogram, nanoseconds in zip(
            totals["latencies"].values(), (taken, *stages_ns), strict=True
        ):
            if nanoseconds:
                histogram["sum_ns"] += nanoseconds
                histogram["buckets"][bisect_left(BOUNDS_NS, nanoseconds)] += 1
    _add_values(totals, observation)


def _add_values(totals: Totals, observation: Observation) -> None:
    for name, counts in (
        ("out_of_range", observation.out_of_range),
        ("clipped", observation.clipped),
        ("imputed", observation.imputed),
    ):
        if counts:
            _add_counts(totals[name], counts)
    if observation.interval_width:
        for output, width in observation.interval_width.items():
            mean = totals["interval_width"].setdefault(output, {"rows": 0, "sum": 0.0})
            mean["rows"] += observation.rows
            mean["sum"] += width * observation.rows


def _add_counts(counts: dict[str, int], more: Mapping[str, int]) -> None:
    for name, count in more.items():
        counts[name] = counts.get(name, 0) + count


def plus(one: Any, other: Any) -> Any:
    """The sum of two totals, or of the same part of two."""
    return _combine(one, other, lambda first, second: first + second)


def minus(one: Any, other: Any) -> Any:
    """What has been added to ``other`` until it was ``one``."""
    return _combine(one, other, lambda first, second: first - second)


def _combine(one: Any, other: Any, numbers: Callable[[Any, Any], Any]) -> Any:
    """Two totals combined number by number; what only one of them has stays as it is."""
    if isinstance(one, dict):
        return {
            key: _combine(one[key], other[key], numbers)
            if key in one and key in other
            else deepcopy(one.get(key, other.get(key)))
            for key in {**one, **other}
        }
    if isinstance(one, list):
        return [numbers(first, second) for first, second in zip(one, other, strict=True)]
    return numbers(one, other)
