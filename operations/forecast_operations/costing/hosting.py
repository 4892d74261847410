"""What hosting costs: instances by the week, volumes, serverless containers, data.

Sources: Amazon SageMaker AI pricing (instances by the second, volumes by the GB and month,
serverless by the time that a container works, provisioned concurrency by the time that it is warm,
data by the GB in and out).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from forecast_operations.costing.bill import HOURS_A_MONTH, SECONDS_A_MONTH
from forecast_operations.costing.week import Bounds, Week, usual_week
from forecast_operations.deployed.live import variants_in
from forecast_operations.synthesis.templates import flatten

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from forecast_operations.costing.bill import Bill, CostLine

_KIB_A_GB = 1024 * 1024
_INSTANCES = "sagemaker:variant:DesiredInstanceCount"
_WARM = "sagemaker:variant:DesiredProvisionedConcurrency"
_NEVER_ONE = 1e-9


def hosting_lines(bill: Bill) -> Iterator[CostLine]:
    """The lines of the endpoint itself."""
    for _, config in bill.resources("AWS::SageMaker::EndpointConfig"):
        for variant, is_shadow in variants_in(config):
            yield from _variant_lines(bill, variant, "shadow " if is_shadow else "")
        if bill.usage.requests is not None:
            yield _data_line(bill)


def variant_week(bill: Bill, variant: Mapping[str, Any]) -> Week:
    """The week of a variant on instances, by its scalable target and the endpoint's off hours."""
    count = float(variant.get("InitialInstanceCount", 1))
    target = _target(bill, variant, _INSTANCES)
    if target is None:
        return usual_week(Bounds(count, count), absences=_absences(bill))
    fixed = Bounds(target.get("MinCapacity", 0), target.get("MaxCapacity", count))
    return usual_week(fixed, target.get("ScheduledActions", ()), _absences(bill))


def _variant_lines(bill: Bill, variant: dict[str, Any], kind: str) -> Iterator[CostLine]:
    name = f"{kind}{variant.get('VariantName', 'variant')}"
    if "ServerlessConfig" in variant:
        yield from _serverless_lines(bill, variant, name)
        return
    instance_type = str(variant.get("InstanceType", "an unknown type"))
    week = variant_week(bill, variant)
    if week.left_out:
        bill.assume(
            f"scheduled actions that belong to no usual week are not in the least: "
            f"{', '.join(week.left_out)}"
        )
    hours = week.mean.low * HOURS_A_MONTH, week.mean.high * HOURS_A_MONTH
    price = bill.prices.instance_hour(bill.region, instance_type)
    away = "" if week.present_share == 1 else f", there {week.present_share:.0%} of the time"
    counted = _span(week.mean.low, week.mean.high)
    yield bill.line(
        f"instances of {name}", f"{counted} x {instance_type} on average{away}", hours, price
    )
    size = variant.get("VolumeSizeInGB")
    if size is not None:
        amounts = week.mean.low * size, week.mean.high * size
        yield bill.line(
            f"volumes of {name}",
            f"{size} GB for each instance",
            amounts,
            bill.rate("hosting_volume_gb_month"),
        )


def _serverless_lines(bill: Bill, variant: dict[str, Any], name: str) -> Iterator[CostLine]:
    serverless = variant["ServerlessConfig"]
    memory, at_once = int(serverless["MemorySizeInMB"]), float(serverless.get("MaxConcurrency", 1))
    price = bill.prices.serverless_second(bill.region, memory)
    warm = serverless.get("ProvisionedConcurrency")
    if warm is not None:
        yield from _warm_lines(bill, variant, name, float(warm))
    least, most = _working_seconds(bill)
    if bill.usage.requests is None:
        most = at_once * SECONDS_A_MONTH
        bill.assume(
            f"nobody said how many requests there are: at the most, all {at_once:g} containers of "
            f"{name} work day and night"
        )
    if warm is not None:
        # Warm capacity takes what it can; how much of it is not known beforehand.
        least = 0.0
    yield bill.line(
        f"serverless {name}", f"{memory} MiB, {at_once:g} requests at once", (least, most), price
    )


def _warm_lines(
    bill: Bill, variant: dict[str, Any], name: str, initial: float
) -> Iterator[CostLine]:
    memory = int(variant["ServerlessConfig"]["MemorySizeInMB"])
    target = _target(bill, variant, _WARM)
    bounds = (
        (initial, initial)
        if target is None
        else (float(target.get("MinCapacity", 0)), float(target.get("MaxCapacity", initial)))
    )
    yield bill.line(
        f"warm capacity of {name}",
        f"{_span(*bounds)} x {memory} MiB",
        (bounds[0] * SECONDS_A_MONTH, bounds[1] * SECONDS_A_MONTH),
        bill.prices.warm_second(bill.region, memory),
    )
    _, most = _working_seconds(bill)
    busy = bounds[1] * SECONDS_A_MONTH if bill.usage.requests is None else most
    yield bill.line(
        f"work of the warm capacity of {name}",
        f"{memory} MiB",
        (0.0, busy),
        bill.prices.warm_work_second(bill.region, memory),
    )


def _working_seconds(bill: Bill) -> tuple[float, float]:
    requests = bill.requests()
    if bill.usage.seconds_from is None and requests:
        low, high = bill.usage.seconds
        bill.assume(f"a request keeps a container busy for {low:g} to {high:g} s (--seconds)")
    return requests * bill.usage.seconds[0], requests * bill.usage.seconds[1]


def _data_line(bill: Bill) -> CostLine:
    requests = bill.requests()
    assume_size(bill)
    gigabytes = requests * bill.usage.kib / _KIB_A_GB
    return bill.line(
        "requests and answers",
        f"{gigabytes:.1f} GB in and out",
        (gigabytes, gigabytes),
        bill.rate("hosting_data_gb"),
    )


def assume_size(bill: Bill) -> None:
    """Note the size of a request where nobody gave it."""
    if bill.usage.kib_from is None:
        bill.assume(f"a request with its answer has {bill.usage.kib:g} KiB (--kib-per-request)")


def _target(bill: Bill, variant: Mapping[str, Any], dimension: str) -> dict[str, Any] | None:
    ending = f"/variant/{variant.get('VariantName')}"
    for _, target in bill.resources("AWS::ApplicationAutoScaling::ScalableTarget"):
        if target.get("ScalableDimension") == dimension and flatten(
            target.get("ResourceId", "")
        ).endswith(ending):
            return target
    return None


def _absences(bill: Bill) -> list[tuple[str, str, str]]:
    """What starts and stops the endpoint by the clock: schedules with such an input."""
    found = []
    for _, schedule in bill.resources("AWS::Scheduler::Schedule"):
        try:
            action = json.loads(schedule.get("Target", {}).get("Input", "{}")).get("action")
        except (TypeError, ValueError, AttributeError):
            continue
        if action in {"start", "stop"} and schedule.get("State", "ENABLED") == "ENABLED":
            zone = schedule.get("ScheduleExpressionTimezone", "Etc/UTC")
            found.append((action, str(schedule.get("ScheduleExpression", "")), str(zone)))
    return found


def _span(low: float, high: float) -> str:
    return f"{low:.3g}" if abs(high - low) < _NEVER_ONE else f"{low:.3g} to {high:.3g}"
