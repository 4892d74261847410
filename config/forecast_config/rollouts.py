"""Rollouts over time: their steps, how long they take, and who answers when.

Sources: Amazon SageMaker developer guide, "Blue/Green Deployments" (all at once, canary, linear)
and "Use rolling deployments"; SageMaker API reference, BlueGreenUpdatePolicy, RollingUpdatePolicy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from forecast_config.settings.fields import MAX_INSTANCES
from forecast_config.settings.rollout import (
    BATCH_START_SECONDS,
    FLEET_START_SECONDS,
    MAX_EXECUTION_SECONDS,
    MIN_EXECUTION_SECONDS,
    AllAtOnceRollout,
    CanaryRollout,
    LinearRollout,
    RollingRollout,
    ShadowRollout,
    SplitRollout,
)
from forecast_config.steps import instances_of, most_steps, share_of, steps_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forecast_config.settings.environment import EnvironmentSettings
    from forecast_config.settings.rollout import Rollout

Party = Literal["old", "new", "champion", "challenger", "copies"]
"""Who gets requests: the fleets of a takeover, or the variants of a comparison."""

Shares = dict[Party, float]

_PROVISION_SECONDS = 600
"""Room for instances to be there before their containers start."""


def step_count(rollout: Rollout, instance_count: int | None = None) -> int:
    """Shifts of traffic that a rollout takes, after each of which the alarms are watched.

    Args:
        rollout: The rollout.
        instance_count: Instances of the fleet; None for the most steps that any fleet takes.
    """
    if isinstance(rollout, CanaryRollout):
        return 2
    if isinstance(rollout, LinearRollout):
        return _equal_steps(rollout.step_percent, instance_count)
    if isinstance(rollout, RollingRollout):
        return _equal_steps(rollout.batch_percent, instance_count)
    return 1


def waiting_seconds(rollout: Rollout, instance_count: int | None = None) -> int:
    """Seconds that a rollout waits in all, while nothing starts.

    Args:
        rollout: The rollout.
        instance_count: Instances of the fleet; None for the longest that any fleet takes.
    """
    waits = step_count(rollout, instance_count) * rollout.wait_seconds
    if isinstance(rollout, RollingRollout):
        return waits
    return waits + rollout.termination_wait_seconds


def execution_timeout_seconds(rollout: Rollout, *, start_seconds: int = 0) -> int:
    """Seconds after which an unfinished rollout is undone (MaximumExecutionTimeoutInSeconds).

    It is what the settings say, or else the rollout's own waits and room for what must start, from
    600 to 28800 (SageMaker API reference, BlueGreenUpdatePolicy).

    Args:
        rollout: The rollout.
        start_seconds: Longest time that a container may take to fetch its model and to answer its
            first ping: more than the usual room is left where that is more.
    """
    if rollout.maximum_execution_timeout_seconds is not None:
        return rollout.maximum_execution_timeout_seconds
    seconds = waiting_seconds(rollout) + _starting_seconds(rollout, start_seconds)
    return min(MAX_EXECUTION_SECONDS, max(MIN_EXECUTION_SECONDS, seconds))


def traffic_over_time(rollout: Rollout, instance_count: int) -> list[tuple[int, Shares]]:
    """Who gets which share of the requests, from each moment on.

    Time counts from the moment that the new instances are healthy, when the first traffic is
    shifted; the time that later batches take to start is left out, as it is not known. The last
    moment is the end of the waits: it repeats the shares that stay.

    Args:
        rollout: The rollout.
        instance_count: Instances of the fleet.

    Returns:
        Seconds, and shares from 0 to 1. `old` and `new` are the fleets, and add up to 1; with a
        challenger, `champion` and `challenger` are the new fleet's variants, and `copies` is the
        share of the requests that a shadow gets besides.
    """
    moments = list(_shifts(rollout, instance_count))
    return [*moments, (waiting_seconds(rollout, instance_count), moments[-1][1])]


def without_challenger(settings: EnvironmentSettings) -> EnvironmentSettings:
    """An environment that compares with nobody: its champion takes over alone, all at once.

    That is how champion and challenger take over together, with the waits and alarms of theirs.
    """
    rollout = settings.rollout
    if not isinstance(rollout, ShadowRollout | SplitRollout):
        return settings
    shared = rollout.model_dump(include=set(AllAtOnceRollout.model_fields) - {"kind"})
    return settings.model_copy(update={"rollout": AllAtOnceRollout(kind="all_at_once", **shared)})


def _shifts(rollout: Rollout, instance_count: int) -> Iterator[tuple[int, Shares]]:
    match rollout:
        case ShadowRollout():
            yield 0, {"old": 0.0, "champion": 1.0, "copies": rollout.sampling_percent / 100}
        case SplitRollout():
            share = rollout.challenger_percent / 100
            yield 0, {"old": 0.0, "champion": 1 - share, "challenger": share}
        case AllAtOnceRollout():
            yield 0, {"old": 0.0, "new": 1.0}
        case CanaryRollout():
            share = share_of(rollout.percent, instance_count)
            yield 0, {"old": 1 - share, "new": share}
            yield rollout.wait_seconds, {"old": 0.0, "new": 1.0}
        case LinearRollout(step_percent=percent) | RollingRollout(batch_percent=percent):
            step = instances_of(percent, instance_count)
            for number in range(step_count(rollout, instance_count)):
                share = min(1.0, (number + 1) * step / instance_count)
                yield number * rollout.wait_seconds, {"old": 1 - share, "new": share}


def _equal_steps(percent: int, instance_count: int | None) -> int:
    if instance_count is None:
        return most_steps(percent, 1, MAX_INSTANCES)
    return steps_of(percent, instance_count)


def _starting_seconds(rollout: Rollout, start_seconds: int) -> int:
    needed = start_seconds + _PROVISION_SECONDS
    if isinstance(rollout, RollingRollout):
        return step_count(rollout) * max(BATCH_START_SECONDS, needed)
    return max(FLEET_START_SECONDS, needed)
