"""What an environment asks of its account's quotas, second fleets included."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from forecast_config.settings import (
    RollingRollout,
    ServerlessEndpoint,
    ShadowRollout,
    SplitRollout,
)
from forecast_config.steps import instances_of

if TYPE_CHECKING:
    from collections import Counter

    from forecast_config import EnvironmentSettings
    from forecast_config.settings import InstanceEndpoint

CONCURRENCY_QUOTA = (
    "Maximum total concurrency that can be allocated across all serverless endpoints"
)
"""Name of the quota in Service Quotas; new accounts have been given 10 (AWS re:Post)."""


@dataclass(frozen=True)
class Demand:
    """What one quota must allow.

    Attributes:
        quota: Name in Service Quotas.
        used_by_others: What other endpoints hold.
        now: What a deployment holds at its peak.
        most: What it holds at its peak when the endpoint has been scaled out as far as it may be.
        why: How both come about.
    """

    quota: str
    used_by_others: int
    now: int
    most: int
    why: str


def instance_quota(instance_type: str) -> str:
    """Name of the quota for instances of a type."""
    return f"{instance_type} for endpoint usage"


def instance_demands(
    settings: EnvironmentSettings, own: Counter[str], others: Counter[str]
) -> list[Demand]:
    """What an endpoint on instances asks for, by instance type.

    A blue/green rollout starts a second fleet of the size that serves, which scaling keeps; a
    rolling one starts a batch (SageMaker developer guide, "Deployment guardrails").

    Args:
        settings: The environment; not a serverless one.
        own: Instances by type that the endpoint holds now.
        others: Those of all other endpoints of the region.
    """
    fleets = list(_fleets(settings))
    demands = []
    for instance_type in dict.fromkeys(each[0] for each in fleets):
        counts = [(count, most) for each, count, most in fleets if each == instance_type]
        first = max(sum(count for count, _ in counts), own[instance_type])
        most = max(sum(most for _, most in counts), first)
        now_more, most_more = _extra(settings, first), _extra(settings, most)
        second = "a batch" if isinstance(settings.rollout, RollingRollout) else "a second fleet"
        demands.append(
            Demand(
                instance_quota(instance_type),
                others[instance_type],
                first + now_more,
                most + most_more,
                f"{first} and {second} of {now_more}; scaled out {most} and {most_more}",
            )
        )
    return demands


def concurrency_demand(endpoint: ServerlessEndpoint, others: int) -> Demand:
    """What a serverless endpoint asks for.

    Args:
        endpoint: The endpoint.
        others: Concurrency of all other endpoints of the region.
    """
    wanted = endpoint.max_concurrency
    return Demand(CONCURRENCY_QUOTA, others, wanted, wanted, "max_concurrency")


def _fleets(settings: EnvironmentSettings) -> list[tuple[str, int, int]]:
    """Instance type, first and largest count of each variant."""
    endpoint = settings.endpoint
    if isinstance(endpoint, ServerlessEndpoint):
        return []
    fleets = [(endpoint.instance_type, endpoint.initial_instance_count, _most(settings, endpoint))]
    rollout = settings.rollout
    if isinstance(rollout, ShadowRollout | SplitRollout):
        chosen = endpoint.instance_type if rollout.instance_type is None else rollout.instance_type
        fleets.append((chosen, rollout.initial_instance_count, rollout.initial_instance_count))
    return fleets


def _most(settings: EnvironmentSettings, endpoint: InstanceEndpoint) -> int:
    scaling = settings.autoscaling
    if scaling is None:
        return endpoint.initial_instance_count
    scheduled = [each.max_instance_count for each in scaling.scheduled.values()]
    known = [count for count in scheduled if count is not None]
    return max(scaling.max_instance_count, endpoint.initial_instance_count, *known)


def _extra(settings: EnvironmentSettings, count: int) -> int:
    rollout = settings.rollout
    if isinstance(rollout, RollingRollout):
        return instances_of(rollout.batch_percent, count)
    return count
