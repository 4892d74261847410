"""Advice on the size of an endpoint, from what it has been doing; each with its numbers.

The rules are careful: they go by the busiest hours, leave room above them, and say nothing about an
endpoint that has not been watched for a week or has hardly been asked.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from forecast_config.instances import known_instance_types, memory_gib
from forecast_config.settings.endpoint import ServerlessEndpoint
from forecast_config.settings.platform import NoNetwork
from forecast_config.settings.rollout import ChallengerRollout, RollingRollout
from forecast_config.sizing import SERVERLESS_MEMORY_MIB
from forecast_operations.costing.case import CPU_ROOM, MEMORY_ROOM, Advice, Case
from forecast_operations.costing.counts import fewer_instances
from forecast_operations.costing.sizes import cheaper_type, larger_type

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forecast_config import EnvironmentSettings
    from forecast_operations.costing.measured import Measured
    from forecast_operations.costing.prices import Prices

LEAST_HOURS = 150
"""Hours that must have been measured: nine in ten of a week."""

LEAST_REQUESTS = 1000
"""Requests that must have been answered in them."""

CPU_FULL = 0.85
MEMORY_FULL = 0.9
"""Shares from which more is advised."""

SERVERLESS_SHARE = 0.5
"""Share of the instances' price below which serverless is advised."""

_BURST = 10
"""Requests at once in a busy hour, to those on average."""

_MOST_AT_ONCE = 200
"""Largest MaxConcurrency (SageMaker API reference, ProductionVariantServerlessConfig)."""


def advise(
    settings: EnvironmentSettings, measured: Measured | None, instances: float, prices: Prices
) -> tuple[Advice, ...]:
    """Advice for an environment's production variant.

    Args:
        settings: The environment.
        measured: What the variant has been doing; None where nothing is deployed.
        instances: Fewest instances, averaged over the week.
        prices: The price list.
    """
    endpoint = settings.endpoint
    if isinstance(endpoint, ServerlessEndpoint):
        return (
            Advice(
                "as it should be",
                "a serverless endpoint has no instances to choose; compare what it costs with "
                "instances by a configuration of kind realtime",
            ),
        )
    if measured is None or measured.instance_type is None:
        found = "nothing of it is deployed" if measured is None else "it is serverless"
        return (
            Advice(
                "not enough data",
                f"{endpoint.name} runs on no instances now ({found}); ask again when it has "
                "served on instances for a week",
            ),
        )
    missing = _missing(measured)
    if missing is not None:
        return (Advice("not enough data", missing),)
    case = Case(settings, endpoint, measured.instance_type, measured, instances, prices)
    return tuple(_found(case)) or (
        Advice("as it should be", f"nothing to change: {case.numbers()}"),
    )


def _missing(measured: Measured) -> str | None:
    if measured.instance_type not in known_instance_types():
        return (
            f"it runs on {measured.instance_type}, whose cores are not known here: its CPU "
            "utilization, a sum over the cores, says nothing"
        )
    if measured.cpu_share is None or measured.hours < LEAST_HOURS:
        return (
            f"{measured.hours} hours of CPU utilization on {measured.instance_type} in "
            f"{measured.days} days (known to serve since {measured.since:%Y-%m-%d %H:%M}), and "
            f"advice needs {LEAST_HOURS}; ask again when it has served for a week"
        )
    if measured.requests < LEAST_REQUESTS:
        return (
            f"{measured.requests:.0f} requests in {measured.days} days, and advice needs "
            f"{LEAST_REQUESTS}"
        )
    return None


def _found(case: Case) -> Iterator[Advice]:
    if case.cpu_share >= CPU_FULL or case.memory_share >= MEMORY_FULL:
        yield larger_type(case)
        return
    found = (
        None if _is_slow(case) else cheaper_type(case),
        fewer_instances(case),
        _serverless(case),
    )
    yield from (each for each in found if each is not None)


def _is_slow(case: Case) -> bool:
    """Whether latency is near what alarms: then nothing smaller is advised."""
    alert, latency = case.settings.alarms.high_latency, case.measured.latency_p99_ms
    if alert is None or latency is None:
        return False
    return latency > min(alert.thresholds_ms.values()) * CPU_ROOM


def _serverless(case: Case) -> Advice | None:
    measured, memory = case.measured, _serverless_memory(case)
    if not _may_be_serverless(case.settings) or memory is None or case.hour is None:
        return None
    seconds, at_once = measured.mean_seconds, _at_once(measured)
    second = case.prices.serverless_second(case.settings.region, memory)
    if seconds is None or second is None or at_once > _MOST_AT_ONCE:
        return None
    now, then = case.monthly(case.hour), measured.requests_per_month * seconds * second
    if then >= now * SERVERLESS_SHARE:
        return None
    return Advice(
        "serverless",
        f"endpoint.kind serverless with memory_mib {memory} and max_concurrency {at_once}: "
        f"{measured.requests_per_month:,.0f} requests a month of {seconds * 1000:.0f} ms, "
        f"{measured.busiest_hour:.0f} in the busiest hour; the first request after a quiet spell "
        "waits for a container",
        then - now,
    )


def _may_be_serverless(settings: EnvironmentSettings) -> bool:
    """Whether nothing is set that serverless endpoints cannot do."""
    return (
        settings.endpoint.kind == "realtime"
        and isinstance(settings.network, NoNetwork)
        and settings.data_capture is None
        and not isinstance(settings.rollout, RollingRollout | ChallengerRollout)
    )


def _serverless_memory(case: Case) -> int | None:
    gib = memory_gib(case.instance_type)
    if gib is None or case.measured.memory_share is None:
        return None
    needed = gib * 1024 * case.memory_share / MEMORY_ROOM
    return next((size for size in SERVERLESS_MEMORY_MIB if size >= needed), None)


def _at_once(measured: Measured) -> int:
    busy = measured.busiest_hour * (measured.mean_seconds or 0.0) / 3600
    return max(1, math.ceil(busy * _BURST))
