"""What is said of a plan: the block for the settings, a document for programs, and words."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np

from forecast_operations.capacity.history import MINUTE
from forecast_operations.capacity.pattern import HOURS, WEEKDAYS
from forecast_operations.documents import as_json as json_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from forecast_operations.capacity.plan import CapacityPlan, Replay

_BLOCKS = " ▁▂▃▄▅▆▇█"
_NAMES = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def settings_block(plan: CapacityPlan) -> str:
    """The actions as they stand in the configuration, below an environment's `autoscaling`."""
    if not plan.actions:
        return f"min_instance_count: {int(plan.minimum[0])}"
    entries = [
        f'  {action.name}: {{schedule: "{action.expression}", timezone: {plan.wanted.timezone}, '
        f"min_instance_count: {action.instance_count}}}"
        for action in plan.actions
    ]
    return "\n".join(["scheduled:", *entries])


def as_json(plan: CapacityPlan, environment: str) -> str:
    """The plan as a document: times in UTC, shares from 0 to 1."""
    wanted, history = plan.wanted, plan.history
    document = {
        "environment": environment,
        "history": {
            "source": history.source,
            "start": _utc(history.start),
            "end": _utc(history.start + len(history.requests) * history.step_seconds),
            "step_seconds": history.step_seconds,
            "requests": float(history.requests.sum()),
        },
        "requests_per_minute_and_instance": wanted.per_instance,
        "timezone": wanted.timezone,
        "quantile": wanted.quantile,
        "headroom": wanted.headroom,
        "min_instance_count": wanted.minimum,
        "max_instance_count": wanted.maximum,
        "needed_instance_count": int(plan.needed.max()),
        "scheduled": {
            action.name: {
                "schedule": action.expression,
                "timezone": wanted.timezone,
                "min_instance_count": action.instance_count,
            }
            for action in plan.actions
        },
        "peaks": [
            {
                "first": peak.first.isoformat(),
                "last": peak.last.isoformat(),
                "times_usual": round(peak.times_usual, 2),
                "instance_count": _instances(plan, peak.per_minute),
            }
            for peak in plan.pattern.peaks
        ],
        "replay": _replayed(plan.replay),
        "notes": [*history.notes, *_warnings(plan)],
    }
    return json_of(document)


def _replayed(replay: Replay) -> dict[str, float]:
    return {
        "short_share": replay.short_share,
        "usual_short_share": replay.usual_short_share,
        "requests_over_share": replay.requests_over,
        "instance_hours": replay.instance_hours,
        "fixed_instance_count": replay.fixed_count,
        "fixed_instance_hours": replay.fixed_hours,
        "fixed_short_share": replay.fixed_short_share,
    }


def in_words(plan: CapacityPlan) -> Iterator[str]:
    """What a person should know before taking the plan over, line by line."""
    history, replay = plan.history, plan.replay
    yield (
        f"history: {history.days:.0f} days in steps of {history.step_seconds // MINUTE} min "
        f"from {_utc(history.start)}, {history.requests.sum():,.0f} requests ({history.source})"
    )
    yield from (f"note: {note}" for note in history.notes)
    saved = 1 - replay.instance_hours / replay.fixed_hours
    yield (
        f"replayed: {replay.instance_hours:,.0f} instance-hours, {saved:.0%} less than "
        f"{replay.fixed_count} instances at all hours"
    )
    yield (
        f"replayed: too few instances for {replay.short_share:.2%} of the time, "
        f"{replay.usual_short_share:.2%} of the usual days ({replay.requests_over:.2%} of the "
        f"requests), which target tracking has to catch; with {replay.fixed_count} at all hours "
        f"{replay.fixed_short_share:.2%}"
    )
    for peak in plan.pattern.peaks:
        days = f"{peak.first}" if peak.first == peak.last else f"{peak.first} to {peak.last}"
        most = _instances(plan, peak.per_minute)
        yield (
            f"peak apart: {days}, {peak.times_usual:.1f} times the usual, up to {most} instances; "
            "not in the week's plan, give its next date an action of its own, "
            f"at(yyyy-mm-ddThh:mm:ss) with {_bounds(plan, most)}"
        )
    yield from (f"warning: {warning}" for warning in _warnings(plan))


def week_in_blocks(plan: CapacityPlan) -> Iterator[str]:
    """A line for each weekday: what its hours need, and the plan's minimum above it."""
    planned = hourly_minimum(plan)
    top = max(int(plan.needed.max()), int(planned.max()), 1)
    yield f"instances by hour, needed and planned (full height: {top})"
    for day in range(WEEKDAYS):
        needed, minimum = _blocks(plan.needed[day], top), _blocks(planned[day], top)
        yield f"{_NAMES[day]} {needed}  {minimum}  {_changes(planned[day])}"


def hourly_minimum(plan: CapacityPlan) -> NDArray[np.int64]:
    """The plan's minimum in the middle of each weekday's hours."""
    middle: NDArray[np.int64] = plan.minimum.reshape(WEEKDAYS, HOURS, 60)[:, :, 30]
    return middle


def _warnings(plan: CapacityPlan) -> Iterator[str]:
    if plan.clipped_from is not None:
        yield (
            f"the week needs up to {plan.clipped_from} instances, and max_instance_count is "
            f"{plan.wanted.maximum}; raise it to {plan.clipped_from}"
        )
    if plan.wanted.maximum is None:
        yield (
            "the environment does not scale; give it autoscaling with a max_instance_count of "
            f"at least {int(plan.minimum.max())}"
        )
    if plan.history.days < 4 * WEEKDAYS:
        yield (
            f"{plan.history.days:.0f} days are few: each hour of a weekday was seen "
            f"{math.ceil(plan.history.days / WEEKDAYS)} times, and peaks apart are hard to tell"
        )


def _instances(plan: CapacityPlan, per_minute: float) -> int:
    rate = np.array([per_minute * (1 + plan.wanted.headroom)])
    return int(plan.wanted.instances(rate)[0])


def _bounds(plan: CapacityPlan, most: int) -> str:
    maximum = plan.wanted.maximum
    bound = f"min_instance_count: {most}"
    return bound if maximum is None or most <= maximum else f"{bound}, max_instance_count: {most}"


def _blocks(counts: NDArray[np.int64], top: int) -> str:
    return "".join(
        _BLOCKS[min(math.ceil(int(count) * (len(_BLOCKS) - 1) / top), len(_BLOCKS) - 1)]
        for count in counts
    )


def _changes(counts: NDArray[np.int64]) -> str:
    shown = [
        f"{hour:02}h {count}"
        for hour, count in enumerate(counts)
        if hour == 0 or count != counts[hour - 1]
    ]
    return ", ".join(shown)


def _utc(time: int) -> str:
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
