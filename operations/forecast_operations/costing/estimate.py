"""Estimates: what an environment costs in a month, line by line, from its templates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from forecast_operations.costing.bill import Bill, CostLine
from forecast_operations.costing.hosting import hosting_lines
from forecast_operations.costing.prices import read_prices
from forecast_operations.costing.surroundings import surrounding_lines
from forecast_operations.costing.totals import Totals
from forecast_operations.costing.usage import Usage

if TYPE_CHECKING:
    from forecast_operations.costing.prices import Currency, Prices
    from forecast_operations.updates.obstacles import Templates


@dataclass(frozen=True)
class Estimate(Totals[CostLine]):
    """What an environment costs in a month.

    Attributes:
        lines: Its lines, those of what hosts first.
        currency: Currency of every figure.
        assumptions: What was assumed where neither the templates nor a measurement say.
        hosting: The lines of what hosts.
    """

    currency: Currency = "USD"
    assumptions: tuple[str, ...] = ()
    hosting: tuple[CostLine, ...] = ()

    @property
    def unknown_hosting(self) -> tuple[str, ...]:
        """Items of what hosts whose price is not known: without them a total says little."""
        return Totals(self.hosting).unknown


def estimate(
    templates: Templates,
    region: str,
    *,
    prices: Prices | None = None,
    usage: Usage | None = None,
) -> Estimate:
    """What the resources of two templates cost in a month.

    Only the templates are read, so that what is deployed and what is wanted are measured alike, and
    what an escape hatch changed counts.

    Args:
        templates: Those of an environment.
        region: Its region.
        prices: The price list; None for the packaged one.
        usage: What is done with the endpoint; None for nothing that is known.
    """
    known = read_prices() if prices is None else prices
    bill = Bill(templates, region, known, Usage() if usage is None else usage)
    hosting = tuple(hosting_lines(bill))
    lines = (*hosting, *surrounding_lines(bill))
    return Estimate(lines, known.currency(region), tuple(bill.assumptions), hosting)
