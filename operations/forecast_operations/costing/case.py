"""A case for advice: an endpoint, what it has been doing, and what instances cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from forecast_operations.costing.bill import HOURS_A_MONTH

if TYPE_CHECKING:
    from forecast_config import EnvironmentSettings
    from forecast_config.settings import InstanceEndpoint
    from forecast_operations.costing.measured import Measured
    from forecast_operations.costing.prices import Prices

CPU_ROOM = 0.6
MEMORY_ROOM = 0.75
"""Shares of CPU and memory that the busiest hours may take of what is advised."""

Kind = Literal[
    "not enough data",
    "larger type",
    "cheaper type",
    "fewer instances",
    "serverless",
    "as it should be",
]


@dataclass(frozen=True)
class Advice:
    """What could be otherwise.

    Attributes:
        kind: What kind of advice it is.
        message: What to change, with the numbers that led to it.
        change: What it changes of the least that a month costs, negative when it spares
            something; None when a price is not known, or nothing changes.
    """

    kind: Kind
    message: str
    change: float | None = None


@dataclass(frozen=True)
class Case:
    """An endpoint on instances of which enough was measured.

    Attributes:
        settings: Its environment.
        endpoint: The endpoint as the configuration has it.
        instance_type: What it runs on now, which is what was measured.
        measured: What its production variant has been doing.
        instances: Fewest instances, averaged over the week.
        prices: The price list.
    """

    settings: EnvironmentSettings
    endpoint: InstanceEndpoint
    instance_type: str
    measured: Measured
    instances: float
    prices: Prices

    @property
    def cpu_share(self) -> float:
        """CPU of the busiest instance in the busiest hours."""
        return self.measured.cpu_share or 0.0

    @property
    def memory_share(self) -> float:
        """Memory of the fullest instance in the fullest hours."""
        return self.measured.memory_share or 0.0

    @property
    def hour(self) -> float | None:
        """Price of an hour of what it runs on now."""
        return self.hour_of(self.instance_type)

    def hour_of(self, instance_type: str) -> float | None:
        """Price of an hour of an instance type."""
        return self.prices.instance_hour(self.settings.region, instance_type)

    def monthly(self, hour: float) -> float:
        """What the fewest instances cost in a month at a price an hour."""
        return hour * self.instances * HOURS_A_MONTH

    def numbers(self) -> str:
        """What was measured, as every advice names it."""
        measured = self.measured
        memory = "unknown" if measured.memory_share is None else f"{measured.memory_share:.0%}"
        p99 = measured.latency_p99_ms
        latency = "unknown" if p99 is None else f"{p99:.0f} ms"
        wanted = self.endpoint.instance_type
        other = (
            f" (on {self.instance_type}, which serves now; the configuration says {wanted})"
            if wanted != self.instance_type
            else ""
        )
        return (
            f"in the busiest of {measured.hours} hours CPU {self.cpu_share:.0%}, memory {memory}, "
            f"latency p99 {latency}{other}"
        )
