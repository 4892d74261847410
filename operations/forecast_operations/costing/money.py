"""What an environment costs, and what an update would change of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from forecast_operations.costing.budget import check_budget
from forecast_operations.costing.difference import difference
from forecast_operations.costing.estimate import estimate
from forecast_operations.costing.rollout import rollout_cost

if TYPE_CHECKING:
    from forecast_config import EnvironmentSettings
    from forecast_operations.costing.bill import CostLine
    from forecast_operations.costing.budget import BudgetFinding
    from forecast_operations.costing.difference import Difference
    from forecast_operations.costing.estimate import Estimate
    from forecast_operations.costing.prices import Prices
    from forecast_operations.costing.usage import Usage
    from forecast_operations.updates.obstacles import Templates


@dataclass(frozen=True, kw_only=True)
class Money:
    """What an environment costs, and what an update would change of it.

    Attributes:
        before: What is deployed costs in a month; None where nothing is, or nobody knows.
        after: What is wanted costs in a month.
        difference: What changes, line by line; None where nobody knows what is deployed.
        rollout: What one rollout costs besides; None where nothing is rolled out.
        budget: What the budget says to that; None where there is none, or it holds.
        priced_at: Day of the oldest prices of the region; None where none is known.
    """

    before: Estimate | None
    after: Estimate
    difference: Difference | None
    rollout: CostLine | None
    budget: BudgetFinding | None
    priced_at: str | None


def weigh(
    settings: EnvironmentSettings,
    deployed: Templates | None,
    wanted: Templates,
    prices: Prices,
    usage: Usage,
) -> Money:
    """What an environment costs, and what an update would change of it.

    Args:
        settings: The environment.
        deployed: The templates that are deployed, each None where nothing is; None in place of both
            where nobody knows.
        wanted: The templates that are wanted.
        prices: The price list.
        usage: What is done with the endpoint.
    """
    after = estimate(wanted, settings.region, prices=prices, usage=usage)
    before = None
    if deployed is not None and (deployed.artifacts is not None or deployed.endpoint is not None):
        before = estimate(deployed, settings.region, prices=prices, usage=usage)
    return Money(
        before=before,
        after=after,
        difference=None if deployed is None else difference(before, after),
        rollout=rollout_cost(settings, prices),
        budget=check_budget(settings, after),
        priced_at=prices.priced_at(settings.region),
    )
