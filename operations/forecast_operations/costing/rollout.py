"""What one rollout costs: the instances that serve beside those that are there already.

Blue/green rollouts start a second fleet, of as many instances as the first has; a rolling one
starts a batch at a time (Amazon SageMaker developer guide, "Deployment guardrails").
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from forecast_config.rollouts import execution_timeout_seconds, waiting_seconds
from forecast_config.settings.endpoint import ServerlessEndpoint
from forecast_config.settings.rollout import RollingRollout, ShadowRollout, SplitRollout
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
    endpoint, rollout = settings.endpoint, settings.rollout
    if isinstance(endpoint, ServerlessEndpoint):
        return CostLine(_ITEM, "serverless: no instances of its own", 0.0, 0.0)
    low, high = _fleet(settings)
    if isinstance(rollout, RollingRollout):
        low, high = (instances_of(rollout.batch_percent, count) for count in (max(low, 1), high))
    seconds = (
        waiting_seconds(rollout, max(low, 1)) + _LEAST_START_SECONDS,
        execution_timeout_seconds(rollout),
    )
    least = _cost(settings, prices, low, seconds[0])
    most = _cost(settings, prices, high, seconds[1])
    counted = f"{low}" if low == high else f"{low} to {high}"
    minutes = f"{seconds[0] / 60:.0f} to {seconds[1] / 60:.0f} min"
    return CostLine(_ITEM, f"{counted} more x {endpoint.instance_type} for {minutes}", least, most)


def _fleet(settings: EnvironmentSettings) -> tuple[int, int]:
    endpoint, scaling = settings.endpoint, settings.autoscaling
    if isinstance(endpoint, ServerlessEndpoint):
        return 0, 0
    if scaling is None:
        return endpoint.initial_instance_count, endpoint.initial_instance_count
    planned = [
        count
        for action in scaling.scheduled.values()
        for count in (action.min_instance_count, action.max_instance_count)
        if count is not None
    ]
    return scaling.min_instance_count, max(scaling.max_instance_count, *planned, 0)


def _cost(
    settings: EnvironmentSettings, prices: Prices, count: int, seconds: float
) -> float | None:
    endpoint, rollout = settings.endpoint, settings.rollout
    if isinstance(endpoint, ServerlessEndpoint):
        return 0.0
    fleets = [(count, endpoint.instance_type)]
    if isinstance(rollout, ShadowRollout | SplitRollout):
        kind = rollout.instance_type
        kind = endpoint.instance_type if kind is None else kind
        fleets.append((rollout.initial_instance_count, kind))
    total = 0.0
    for instances, instance_type in fleets:
        hour = prices.instance_hour(settings.region, instance_type)
        if hour is None:
            return None
        total += instances * hour * seconds / 3600
    return total
