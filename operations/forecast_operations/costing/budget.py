"""Whether an estimate keeps to the budget that the configuration gives an environment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from forecast_config import EnvironmentSettings
    from forecast_operations.costing.estimate import Estimate


@dataclass(frozen=True)
class BudgetFinding:
    """An estimate over its budget, or one that cannot be held against it.

    Attributes:
        message: What it comes to, the budget, and what to do.
        exceeded: Whether even the least is over it; else it warns, as only the most is, or nobody
            knows.
    """

    message: str
    exceeded: bool


def check_budget(settings: EnvironmentSettings, estimate: Estimate) -> BudgetFinding | None:
    """What is over the environment's budget; None for nothing, or for no budget.

    Without a price of what hosts, which is the bulk of it, an estimate says nothing of a budget.
    Budgets are in US dollars: an estimate in another currency is not measured by one.
    """
    budget = settings.alarms.budget
    if budget is None or estimate.currency != "USD":
        return None
    planned = budget.monthly_usd
    if estimate.low > planned:
        return BudgetFinding(
            f"{settings.name} costs at least ${estimate.low:,.2f} a month, more than the "
            f"${planned:,.2f} of alarms.budget.monthly_usd; choose fewer or smaller instances "
            f"(forecast cost {settings.name} --advise), or raise the budget",
            exceeded=True,
        )
    if estimate.unknown_hosting:
        return BudgetFinding(
            f"{settings.name} cannot be held against the ${planned:,.2f} of "
            f"alarms.budget.monthly_usd: price of {', '.join(estimate.unknown_hosting)} unknown; "
            f"ask AWS for it (forecast cost {settings.name} --refresh-prices)",
            exceeded=False,
        )
    if estimate.high > planned:
        return BudgetFinding(
            f"{settings.name} can cost up to ${estimate.high:,.2f} a month when it scales out, "
            f"more than the ${planned:,.2f} of alarms.budget.monthly_usd; lower the most "
            "instances, or raise the budget",
            exceeded=False,
        )
    return None
