"""How time passes here: rollouts wait faster than on AWS, and in a simulation not at all."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol

DEFAULT_SPEED = 300.0
"""How many seconds of a rollout's waiting times pass in one second, unless told otherwise."""

_WATCH_SECONDS = 0.2


class Clock(Protocol):
    """What passes the waiting times of a deployment."""

    @property
    def speed(self) -> float:
        """How many seconds of a waiting time pass in one second of this machine."""

    @property
    def watch_interval_seconds(self) -> float:
        """How often a rollout looks at its alarms, in seconds of its own waiting times."""

    def now(self) -> datetime:
        """Return the time, in UTC and without a time zone, as moto keeps it."""

    def wait(self, seconds: float) -> None:
        """Let a waiting time of AWS pass."""


class WallClock:
    """This machine's clock; waiting times are divided by a speed.

    Args:
        speed: How many seconds of a waiting time pass in one second; positive.
    """

    def __init__(self, speed: float = DEFAULT_SPEED) -> None:
        self.speed = speed

    @property
    def watch_interval_seconds(self) -> float:
        """A fifth of a second of this machine."""
        return _WATCH_SECONDS * self.speed

    def now(self) -> datetime:
        """Return this machine's time."""
        return datetime.now(UTC).replace(tzinfo=None)

    def wait(self, seconds: float) -> None:
        """Sleep for the waiting time divided by the speed."""
        time.sleep(max(seconds, 0.0) / self.speed)


class SimulatedClock:
    """A clock that only moves when something waits.

    Args:
        start: Its first time.
        on_wait: Called after each wait with the seconds that have passed since the start.
    """

    speed = float("inf")
    watch_interval_seconds = 60.0

    def __init__(self, start: datetime, on_wait: Callable[[float], None]) -> None:
        self._start = start
        self._on_wait = on_wait
        self.elapsed_seconds = 0.0

    def now(self) -> datetime:
        """Return the simulated time."""
        return self._start + timedelta(seconds=self.elapsed_seconds)

    def wait(self, seconds: float) -> None:
        """Move on at once."""
        self.elapsed_seconds += seconds
        self._on_wait(self.elapsed_seconds)
