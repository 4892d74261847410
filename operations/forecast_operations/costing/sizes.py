"""Another instance type: the cheapest on which the same work leaves room."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from forecast_config.instances import general_types, is_graviton, memory_gib, vcpus
from forecast_operations.costing.case import CPU_ROOM, MEMORY_ROOM, Advice

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forecast_operations.costing.case import Case

WORTH = 0.1
"""Share of the price that another type must spare to be worth an update."""


def larger_type(case: Case) -> Advice:
    """The cheapest type with room for what is full now; where there is none, more instances."""
    fitting = sorted(_fitting(case))
    if not fitting:
        numbers = case.numbers()
        return Advice(
            "larger type",
            f"{numbers}; no type with a known price here has more room: add instances",
        )
    price, chosen = fitting[0]
    change = None if case.hour is None else case.monthly(price - case.hour)
    return Advice("larger type", _words(case, chosen), change)


def cheaper_type(case: Case) -> Advice | None:
    """The cheapest type on which the busiest hours leave room; None when it spares too little."""
    fitting = sorted(_fitting(case))
    if case.hour is None or not fitting or fitting[0][0] > case.hour * (1 - WORTH):
        return None
    price, chosen = fitting[0]
    return Advice("cheaper type", _words(case, chosen), case.monthly(price - case.hour))


def _words(case: Case, chosen: str) -> str:
    built = ", in an image for Arm" if is_graviton(chosen) else ""
    cpu, memory = _shares_on(chosen, case)
    return (
        f"{chosen}{built} in place of {case.instance_type}: {case.numbers()}; there CPU {cpu:.0%}, "
        f"memory {memory:.0%}; measure the latency after the change"
    )


def _fitting(case: Case) -> Iterator[tuple[float, str]]:
    """Types on which the busiest hours leave room, with their prices."""
    now = case.instance_type
    for name in general_types():
        price, gib = case.hour_of(name), memory_gib(name)
        if name == now or price is None or gib is None:
            continue
        if is_graviton(name) and not is_graviton(now) and case.settings.image.kind == "aws":
            continue
        if is_graviton(now) and not is_graviton(name):
            continue
        cpu, memory = _shares_on(name, case)
        threads = case.settings.container.threads_per_worker
        if cpu <= CPU_ROOM and memory <= MEMORY_ROOM and threads <= vcpus(name):
            yield price, name


def _shares_on(then: str, case: Case) -> tuple[float, float]:
    """CPU and memory that the same work would take on another type."""
    now = case.instance_type
    cpu = case.cpu_share * vcpus(now) / vcpus(then)
    before, after = memory_gib(now), memory_gib(then)
    if before is None or after is None:
        # Nothing is said of a type whose memory is not known.
        return cpu, math.inf
    return cpu, case.memory_share * before / after
