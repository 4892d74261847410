"""Fleets: on how many instances of which type each variant of an environment runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from forecast_config.settings.endpoint import ServerlessEndpoint
from forecast_config.settings.rollout import ChallengerRollout

if TYPE_CHECKING:
    from forecast_config.settings.environment import EnvironmentSettings


@dataclass(frozen=True)
class Fleet:
    """The instances of one variant.

    Attributes:
        instance_type: What they are.
        first: How many there are when it is made.
        fewest: How many scaling leaves at the least.
        most: How many scaling and its schedules may make of them.
    """

    instance_type: str
    first: int
    fewest: int
    most: int


def fleets_of(settings: EnvironmentSettings) -> tuple[Fleet, ...]:
    """The fleets of an environment, the champion's first; none where it is serverless."""
    endpoint, rollout = settings.endpoint, settings.rollout
    if isinstance(endpoint, ServerlessEndpoint):
        return ()
    first = endpoint.initial_instance_count
    champion = Fleet(endpoint.instance_type, first, *_bounds(settings, first))
    if not isinstance(rollout, ChallengerRollout):
        return (champion,)
    chosen = endpoint.instance_type if rollout.instance_type is None else rollout.instance_type
    count = rollout.initial_instance_count
    return champion, Fleet(chosen, count, count, count)


def _bounds(settings: EnvironmentSettings, first: int) -> tuple[int, int]:
    scaling = settings.autoscaling
    if scaling is None:
        return first, first
    scheduled = [
        count
        for action in scaling.scheduled.values()
        for count in (action.min_instance_count, action.max_instance_count)
        if count is not None
    ]
    return scaling.min_instance_count, max(scaling.max_instance_count, first, *scheduled)
