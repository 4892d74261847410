"""What a plan costs: a month before and after, the rollout itself, and what the budget says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from forecast_config import EnvironmentSettings
    from forecast_operations.costing.bill import CostLine
    from forecast_operations.costing.budget import BudgetFinding
    from forecast_operations.costing.difference import Difference
    from forecast_operations.costing.estimate import Estimate
    from forecast_operations.updates.obstacles import Templates


@dataclass(frozen=True)
class Money:
    """What a plan costs.

    Attributes:
        before: What is deployed costs in a month; None where nothing is.
        after: What is wanted costs in a month.
        difference: What changes, line by line.
        rollout: What the rollout costs besides; None where nothing is rolled out.
        budget: What the budget says to that; None where there is none, or it holds.
        priced_at: Day of the oldest prices of the region; None where none is known.
    """

    before: Estimate | None
    after: Estimate
    difference: Difference
    rollout: CostLine | None
    budget: BudgetFinding | None
    priced_at: str | None


def estimate_money(
    settings: EnvironmentSettings, deployed: Templates, wanted: Templates, config: Path
) -> Money:
    """What a plan costs, by the price list.

    Args:
        settings: The environment.
        deployed: The templates that are deployed.
        wanted: The templates that are wanted.
        config: The configuration file; a price list beside it goes before the packaged one.
    """
    from forecast_operations.costing.budget import check_budget  # noqa: PLC0415
    from forecast_operations.costing.difference import difference  # noqa: PLC0415
    from forecast_operations.costing.estimate import estimate  # noqa: PLC0415
    from forecast_operations.costing.prices import read_prices  # noqa: PLC0415
    from forecast_operations.costing.rollout import rollout_cost  # noqa: PLC0415

    prices = read_prices(config)
    after = estimate(wanted, settings.region, prices=prices)
    before = None
    if deployed.artifacts is not None or deployed.endpoint is not None:
        before = estimate(deployed, settings.region, prices=prices)
    return Money(
        before,
        after,
        difference(before, after),
        rollout_cost(settings, prices),
        check_budget(settings, after),
        prices.priced_at(settings.region),
    )
