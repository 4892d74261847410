"""What one rollout costs: the instances that serve beside those that are there already.

Blue/green rollouts start a second fleet, of as many instances as the first has; a rolling one
starts a batch at a time (Amazon SageMaker developer guide, "Deployment guardrails").
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from forecast_config.fleets import fleets_of
from forecast_config.rollouts import execution_timeout_seconds, waiting_seconds
from forecast_config.settings.rollout import RollingRollout
from forecast_config.steps import instances_of
from forecast_operations.costing.bill import CostLine

if TYPE_CHECKING:
    from forecast_config import EnvironmentSettings
    from forecast_operations.costing.prices import Prices

_LEAST_START_SECONDS = 300
"""The least until a new instance serves: it is started, fetches image and model, answers a ping."""

_ITEM = "one rollout"


def rollout_cost(settings: EnvironmentSettings, prices: Prices) -> CostLine:
    """What one rollout of an environment costs, by itself; nothing of it comes each month.

    The least is its waits and the quickest start with the fewest instances, the most its time limit
    with the most.
    """
    fleets = fleets_of(settings)
    if not fleets:
        return CostLine(_ITEM, "serverless: no instances of its own", 0.0, 0.0)
    champion, rollout = fleets[0], settings.rollout
    low, high = champion.fewest, champion.most
    if isinstance(rollout, RollingRollout):
        low, high = (instances_of(rollout.batch_percent, count) for count in (max(low, 1), high))
    seconds = (
        waiting_seconds(rollout, max(low, 1)) + _LEAST_START_SECONDS,
        execution_timeout_seconds(rollout),
    )
    hours = [prices.instance_hour(settings.region, each.instance_type) for each in fleets]
    challengers = [each.first for each in fleets[1:]]
    counted = f"{low}" if low == high else f"{low} to {high}"
    minutes = f"{seconds[0] / 60:.0f} to {seconds[1] / 60:.0f} min"
    return CostLine(
        _ITEM,
        f"{counted} more x {champion.instance_type} for {minutes}",
        _cost([low, *challengers], hours, seconds[0]),
        _cost([high, *challengers], hours, seconds[1]),
    )


def _cost(counts: list[int], hours: list[float | None], seconds: float) -> float | None:
    """What so many instances cost, by the price of an hour of each; None when one is not known."""
    known = [hour for hour in hours if hour is not None]
    if len(known) < len(hours):
        return None
    paid = zip(counts, known, strict=True)
    return sum(count * hour * seconds / 3600 for count, hour in paid)
