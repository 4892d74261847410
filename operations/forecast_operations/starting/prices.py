"""What instances cost, as far as the price list knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forecast_config.instances import is_burstable, memory_gib, vcpus
from forecast_operations.costing.bill import HOURS_A_MONTH
from forecast_operations.costing.prices import read_prices

if TYPE_CHECKING:
    from rich.table import Table

    from forecast_operations.costing.prices import Prices

SENSIBLE = (
    "ml.t2.medium",
    "ml.c5.large",
    "ml.m5.large",
    "ml.r5.large",
    "ml.c5.xlarge",
    "ml.m5.xlarge",
    "ml.m5.2xlarge",
)
"""Types that suit a tabular model, from the smallest; others can be chosen as well."""

UNKNOWN = "unknown"


def offered(*, scaling: bool) -> tuple[str, ...]:
    """Types to choose from, in the order of their rows; without those that cannot scale."""
    return tuple(name for name in SENSIBLE if not (scaling and is_burstable(name)))


def table_of(region: str, *, scaling: bool) -> Table:
    """Types to choose from, each with its row and its price."""
    from rich.table import Column, Table  # noqa: PLC0415  # only who is asked needs it

    prices = read_prices()
    columns = ("vCPU", "GiB", "an hour", "a month")
    table = Table("row", "instance type", *(Column(name, justify="right") for name in columns))
    for row, name in enumerate(offered(scaling=scaling), start=1):
        memory = memory_gib(name)
        shown = UNKNOWN if memory is None else f"{memory:g}"
        table.add_row(str(row), name, str(vcpus(name)), shown, *_amounts(prices, region, name))
    return table


def price_sentence(region: str, instance_type: str) -> str:
    """What an instance costs in a region, and how old that knowledge is."""
    prices = read_prices()
    hour, month = _amounts(prices, region, instance_type)
    dated = prices.priced_at(region)
    if hour == UNKNOWN:
        known = "none is known there" if dated is None else f"prices of {dated}"
        return f"the price of {instance_type} in {region} is unknown here ({known})"
    return f"{instance_type} in {region}: {hour} an hour, {month} a month (prices of {dated})"


def _amounts(prices: Prices, region: str, instance_type: str) -> tuple[str, str]:
    hour = prices.instance_hour(region, instance_type)
    if hour is None:
        return UNKNOWN, UNKNOWN
    sign = "¥" if prices.currency(region) == "CNY" else "$"
    return f"{sign}{hour:.3f}", f"{sign}{hour * HOURS_A_MONTH:,.0f}"
