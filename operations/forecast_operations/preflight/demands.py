"""What an environment asks of its account's quotas, second fleets included."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from forecast_config.fleets import fleets_of
from forecast_config.settings import RollingRollout
from forecast_config.steps import instances_of

if TYPE_CHECKING:
    from collections import Counter

    from forecast_config import EnvironmentSettings
    from forecast_config.settings import ServerlessEndpoint

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

    A blue/green rollout starts a second fleet of the size that serves, which scaling keeps, while
    the first one still runs; a rolling one starts a batch (SageMaker developer guide, "Deployment
    guardrails"). A type that does not serve yet is asked for once: what runs beside it is of
    another type. A first deployment is asked for twice, though it starts one fleet: the update
    after it would fail otherwise.

    Args:
        settings: The environment; not a serverless one.
        own: Instances by type that the endpoint holds now.
        others: Those of all other endpoints of the region.
    """
    fleets = fleets_of(settings)
    demands = []
    for instance_type in dict.fromkeys(each.instance_type for each in fleets):
        same = [each for each in fleets if each.instance_type == instance_type]
        first = max(sum(each.first for each in same), own[instance_type])
        most = max(sum(each.most for each in same), first)
        is_new = bool(own) and not own[instance_type]
        beside = 0 if is_new else _extra(settings, first, own[instance_type] or first)
        later = _extra(settings, most, most)
        demands.append(
            Demand(
                instance_quota(instance_type),
                others[instance_type],
                first + beside,
                most + later,
                _why(settings, (first, beside), (most, later), is_new=is_new, is_first=not own),
            )
        )
    return demands


def _why(
    settings: EnvironmentSettings,
    now: tuple[int, int],
    most: tuple[int, int],
    *,
    is_new: bool,
    is_first: bool,
) -> str:
    """How a demand comes about.

    Args:
        settings: The environment.
        now: Instances, and those beside them.
        most: The same when it is scaled out.
        is_new: Whether what serves is of other types.
        is_first: Whether nothing serves.
    """
    kind = "a batch" if isinstance(settings.rollout, RollingRollout) else "a second fleet"
    what = f"{now[0]} and {kind} of {now[1]}"
    if is_new:
        what = f"{now[0]}, as what serves is of another type"
    elif is_first:
        what += " for the update after this first deployment"
    later = f"in a later rollout {most[0]} and {most[1]}"
    return f"{what}; scaled out {later if is_new else f'{most[0]} and {most[1]}'}"


def concurrency_demand(endpoint: ServerlessEndpoint, others: int) -> Demand:
    """What a serverless endpoint asks for.

    Args:
        endpoint: The endpoint.
        others: Concurrency of all other endpoints of the region.
    """
    wanted = endpoint.max_concurrency
    return Demand(CONCURRENCY_QUOTA, others, wanted, wanted, "max_concurrency")


def _extra(settings: EnvironmentSettings, count: int, serving: int) -> int:
    """Instances beside those of the new fleet: those that serve, or those of a batch."""
    rollout = settings.rollout
    if isinstance(rollout, RollingRollout):
        return instances_of(rollout.batch_percent, count)
    return serving
