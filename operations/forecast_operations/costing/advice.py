"""Advice on the size of an endpoint, from what it has been doing; each with its numbers.

The rules are careful: they go by the busiest hours, leave room above them, and say nothing about an
endpoint that has not been watched for a week or has hardly been asked.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from forecast_config.instances import (
    general_types,
    is_graviton,
    memory_gib,
    vcpus,
)
from forecast_config.settings.endpoint import ServerlessEndpoint
from forecast_config.settings.platform import NoNetwork
from forecast_config.settings.rollout import RollingRollout, ShadowRollout, SplitRollout
from forecast_config.sizing import SERVERLESS_MEMORY_MIB
from forecast_operations.costing.bill import HOURS_A_MONTH

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forecast_config import EnvironmentSettings
    from forecast_config.settings import InstanceEndpoint
    from forecast_operations.costing.measured import Measured
    from forecast_operations.costing.prices import Prices

LEAST_HOURS = 150
"""Hours that must have been measured: nine in ten of a week."""

LEAST_REQUESTS = 1000
"""Requests that must have been answered in them."""

CPU_ROOM = 0.6
MEMORY_ROOM = 0.75
"""Shares of CPU and memory that the busiest hours may take of what is advised."""

CPU_FULL = 0.85
MEMORY_FULL = 0.9
"""Shares from which more is advised."""

WORTH = 0.1
"""Share of the price that another type must spare to be worth an update."""

SERVERLESS_SHARE = 0.5
"""Share of the instances' price below which serverless is advised."""

_BURST = 10
"""Requests at once in a busy hour, to those on average."""

_MOST_AT_ONCE = 200
"""Largest MaxConcurrency (SageMaker API reference, ProductionVariantServerlessConfig)."""

_TWO_ZONES = 2

Kind = Literal[
    "not enough data",
    "larger type",
    "cheaper type",
    "fewer instances",
    "serverless",
    "as it should be",
]


@dataclass(frozen=True)
class Advice:
    """What could be otherwise.

    Attributes:
        kind: What kind of advice it is.
        message: What to change, with the numbers that led to it.
        change: What it changes of the least that a month costs, negative when it spares
            something; None when a price is not known, or nothing changes.
    """

    kind: Kind
    message: str
    change: float | None = None


def advise(
    settings: EnvironmentSettings, measured: Measured, instances: float, prices: Prices
) -> tuple[Advice, ...]:
    """Advice for an environment's production variant.

    Args:
        settings: The environment.
        measured: What the variant has been doing.
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
    missing = _missing(measured)
    if missing is not None:
        return (Advice("not enough data", missing),)
    found = tuple(_found(settings, endpoint, measured, instances, prices))
    return found or (Advice("as it should be", f"nothing to change: {_numbers(measured)}"),)


def _missing(measured: Measured) -> str | None:
    if measured.cpu_share is None or measured.hours < LEAST_HOURS:
        return (
            f"{measured.hours} hours of CPU utilization in {measured.days} days, and advice needs "
            f"{LEAST_HOURS}; ask again when it has served for a week"
        )
    if measured.requests < LEAST_REQUESTS:
        return (
            f"{measured.requests:.0f} requests in {measured.days} days, and advice needs "
            f"{LEAST_REQUESTS}"
        )
    return None


def _found(
    settings: EnvironmentSettings,
    endpoint: InstanceEndpoint,
    measured: Measured,
    instances: float,
    prices: Prices,
) -> Iterator[Advice]:
    cpu, memory = measured.cpu_share or 0.0, measured.memory_share or 0.0
    if cpu >= CPU_FULL or memory >= MEMORY_FULL:
        yield _another_type(settings, endpoint, measured, instances, prices, larger=True)
        return
    other = _another_type(settings, endpoint, measured, instances, prices, larger=False)
    if other.change is not None and not _is_slow(settings, measured):
        yield other
    yield from _fewer(settings, endpoint, measured, prices)
    yield from _serverless(settings, endpoint, measured, instances, prices)


def _another_type(
    settings: EnvironmentSettings,
    endpoint: InstanceEndpoint,
    measured: Measured,
    instances: float,
    prices: Prices,
    *,
    larger: bool,
) -> Advice:
    kind: Kind = "larger type" if larger else "cheaper type"
    hour = prices.instance_hour(settings.region, endpoint.instance_type)
    fitting = sorted(_fitting(settings, endpoint, measured, prices))
    if not larger and hour is not None:
        fitting = [each for each in fitting if each[0] <= hour * (1 - WORTH)]
    if not fitting:
        return Advice(
            kind,
            f"{_numbers(measured)}; no type with a known price here has more room: add instances",
        )
    price, chosen = fitting[0]
    change = None if hour is None else (price - hour) * instances * HOURS_A_MONTH
    built = ", in an image for Arm" if is_graviton(chosen) else ""
    return Advice(
        kind,
        f"{chosen}{built} in place of {endpoint.instance_type}: {_numbers(measured)}; "
        f"{_expected(endpoint, measured, chosen)}",
        change,
    )


def _fitting(
    settings: EnvironmentSettings, endpoint: InstanceEndpoint, measured: Measured, prices: Prices
) -> Iterator[tuple[float, str]]:
    """Types on which the busiest hours leave room, with their prices."""
    now = endpoint.instance_type
    for name in general_types():
        price, gib = prices.instance_hour(settings.region, name), memory_gib(name)
        if name == now or price is None or gib is None:
            continue
        if is_graviton(name) and not is_graviton(now) and settings.image.kind == "aws":
            continue
        if is_graviton(now) and not is_graviton(name):
            continue
        cpu, memory = _shares_on(now, name, measured)
        threads = settings.container.threads_per_worker
        if cpu <= CPU_ROOM and memory <= MEMORY_ROOM and threads <= vcpus(name):
            yield price, name


def _shares_on(now: str, then: str, measured: Measured) -> tuple[float, float]:
    """CPU and memory that the same work would take on another type."""
    cpu = (measured.cpu_share or 0.0) * vcpus(now) / vcpus(then)
    before, after = memory_gib(now), memory_gib(then)
    if before is None or after is None:
        # Nothing is said of a type whose memory is not known.
        return cpu, math.inf
    return cpu, (measured.memory_share or 0.0) * before / after


def _fewer(
    settings: EnvironmentSettings, endpoint: InstanceEndpoint, measured: Measured, prices: Prices
) -> Iterator[Advice]:
    scaling = settings.autoscaling
    count = endpoint.initial_instance_count if scaling is None else scaling.min_instance_count
    kept = min(count, _TWO_ZONES)
    needed = max(kept, math.ceil(count * (measured.cpu_share or 0.0) / CPU_ROOM))
    if needed >= count:
        return
    hour = prices.instance_hour(settings.region, endpoint.instance_type)
    change = None if hour is None else (needed - count) * hour * HOURS_A_MONTH
    setting = (
        "endpoint.initial_instance_count" if scaling is None else "autoscaling.min_instance_count"
    )
    yield Advice(
        "fewer instances",
        f"{setting}: {needed} in place of {count}: {_numbers(measured)}; with {needed} the same "
        f"work takes {(measured.cpu_share or 0.0) * count / needed:.0%} of the CPU "
        f"(forecast capacity {settings.name} plans the hours of the week)",
        change,
    )


def _serverless(
    settings: EnvironmentSettings,
    endpoint: InstanceEndpoint,
    measured: Measured,
    instances: float,
    prices: Prices,
) -> Iterator[Advice]:
    memory = _serverless_memory(endpoint, measured)
    hour = prices.instance_hour(settings.region, endpoint.instance_type)
    if not _may_be_serverless(settings) or memory is None or hour is None:
        return
    seconds, at_once = measured.mean_seconds, _at_once(measured)
    second = prices.serverless_second(settings.region, memory)
    if seconds is None or second is None or at_once > _MOST_AT_ONCE:
        return
    now, then = hour * instances * HOURS_A_MONTH, measured.requests_per_month * seconds * second
    if then < now * SERVERLESS_SHARE:
        yield Advice(
            "serverless",
            f"endpoint.kind serverless with memory_mib {memory} and max_concurrency {at_once}: "
            f"{measured.requests_per_month:,.0f} requests a month of {seconds * 1000:.0f} ms, "
            f"{measured.busiest_hour:.0f} in the busiest hour; the first request after a quiet "
            "spell waits for a container",
            then - now,
        )


def _may_be_serverless(settings: EnvironmentSettings) -> bool:
    """Whether nothing is set that serverless endpoints cannot do."""
    return (
        settings.endpoint.kind == "realtime"
        and isinstance(settings.network, NoNetwork)
        and settings.data_capture is None
        and not isinstance(settings.rollout, RollingRollout | ShadowRollout | SplitRollout)
    )


def _serverless_memory(endpoint: InstanceEndpoint, measured: Measured) -> int | None:
    gib = memory_gib(endpoint.instance_type)
    if gib is None or measured.memory_share is None:
        return None
    needed = gib * 1024 * measured.memory_share / MEMORY_ROOM
    return next((size for size in SERVERLESS_MEMORY_MIB if size >= needed), None)


def _at_once(measured: Measured) -> int:
    busy = measured.busiest_hour * (measured.mean_seconds or 0.0) / 3600
    return max(1, math.ceil(busy * _BURST))


def _is_slow(settings: EnvironmentSettings, measured: Measured) -> bool:
    """Whether latency is near what alarms: then nothing smaller is advised."""
    alert = settings.alarms.high_latency
    if alert is None or measured.latency_p99_ms is None:
        return False
    return measured.latency_p99_ms > min(alert.thresholds_ms.values()) * CPU_ROOM


def _numbers(measured: Measured) -> str:
    memory = "unknown" if measured.memory_share is None else f"{measured.memory_share:.0%}"
    latency = "unknown" if measured.latency_p99_ms is None else f"{measured.latency_p99_ms:.0f} ms"
    return (
        f"in the busiest hours of {measured.days} days CPU {measured.cpu_share or 0.0:.0%}, memory "
        f"{memory}, latency p99 {latency}"
    )


def _expected(endpoint: InstanceEndpoint, measured: Measured, chosen: str) -> str:
    cpu, memory = _shares_on(endpoint.instance_type, chosen, measured)
    return f"there CPU {cpu:.0%}, memory {memory:.0%}; measure the latency after the change"
