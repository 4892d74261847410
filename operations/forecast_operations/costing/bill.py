"""A bill in the making: its lines, what they are read from, and what they assume."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from forecast_operations.costing.usage import Usage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forecast_operations.costing.prices import Prices, Rate
    from forecast_operations.updates.obstacles import Templates

HOURS_A_MONTH = 730.0
"""Hours of a month, as AWS's own calculator counts them (365 x 24 / 12)."""

SECONDS_A_MONTH = HOURS_A_MONTH * 3600
DAYS_A_MONTH = HOURS_A_MONTH / 24
_MINUTES_A_MONTH = HOURS_A_MONTH * 60

_RATE = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")
_MINUTES = {"minute": 1, "hour": 60, "day": 1440}


@dataclass(frozen=True)
class CostLine:
    """One thing that costs money.

    Attributes:
        item: What it is, such as `instances of AllTraffic`.
        detail: What the figures are made of.
        low: The least that it costs in a month, in the currency of the estimate; None when a price
            is not known.
        high: The most, within the bounds of the configuration; None when it is not known.
    """

    item: str
    detail: str
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Bill:
    """What the lines of an estimate are made from.

    Attributes:
        templates: What is deployed, or will be.
        region: The region.
        prices: The price list.
        usage: What is done with the endpoint.
        assumptions: What the lines assume, as keys in the order in which it came up.
    """

    templates: Templates
    region: str
    prices: Prices
    usage: Usage = field(default_factory=Usage)
    assumptions: dict[str, None] = field(default_factory=dict)

    def resources(self, resource_type: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """Logical ids and properties of the resources of a type, in both templates."""
        for template in (self.templates.artifacts, self.templates.endpoint):
            for logical_id, body in (template or {}).get("Resources", {}).items():
                if body["Type"] == resource_type:
                    yield logical_id, body.get("Properties", {})

    def count(self, resource_type: str) -> int:
        """How many resources of a type there are."""
        return sum(1 for _ in self.resources(resource_type))

    def types(self) -> list[str]:
        """The types of the resources."""
        templates = (self.templates.artifacts, self.templates.endpoint)
        return sorted(
            {
                str(body["Type"])
                for template in templates
                for body in (template or {}).get("Resources", {}).values()
            }
        )

    def rate(self, name: Rate) -> float | None:
        """A price in this region."""
        return self.prices.rate(self.region, name)

    def assume(self, sentence: str) -> None:
        """Note what a line assumes; the same sentence stands once."""
        self.assumptions.setdefault(sentence)

    def line(
        self, item: str, detail: str, amounts: tuple[float, float], price: float | None
    ) -> CostLine:
        """A line of so many units, least and most, at a price."""
        return CostLine(item, detail, *(_times(amount, price) for amount in amounts))

    def heartbeats(self) -> float:
        """Runs a month of the functions that a rule invokes at a fixed rate."""
        found = [
            _RATE.fullmatch(str(rule.get("ScheduleExpression", "")))
            for _, rule in self.resources("AWS::Events::Rule")
        ]
        return sum(_MINUTES_A_MONTH / (int(rate[1]) * _MINUTES[rate[2]]) for rate in found if rate)

    def requests(self) -> float:
        """Requests a month that are known of: the heartbeat's, and the clients' if given."""
        clients = self.usage.requests
        if clients is None:
            self.assume(
                "requests of clients, and what they cost in captures, logs and data, are not "
                "counted: nobody said how many there are (--requests-per-month, or --advise)"
            )
            return self.heartbeats()
        return clients if self.usage.with_heartbeats else clients + self.heartbeats()


def _times(amount: float, price: float | None) -> float | None:
    if amount == 0:
        return 0.0
    return None if price is None else amount * price
