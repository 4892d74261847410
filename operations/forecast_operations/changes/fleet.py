"""What capacity an endpoint has: before an update, while it runs, and after it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from forecast_config.steps import instances_of
from forecast_operations.deployed.live import variants_in
from forecast_operations.synthesis.hosted import (
    SCALABLE_TARGET,
    hosted_in,
    resources_of,
    scaled_variant,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from forecast_operations.synthesis.hosted import Hosted, Retained, Template

_COUNTS: Retained = "DesiredInstanceCount"

Takeover = Literal["none", "start", "second fleet", "batches", "anew", "beside"]
"""How new capacity comes: not at all, with no old one there, as a second fleet, in batches, after
the old one has gone, or under another name beside the old one."""


@dataclass(frozen=True)
class Capacity:
    """The capacity of one variant.

    Attributes:
        variant: Name of the variant.
        instance_type: Its instance type; None for serverless.
        instances: How many there are; None for serverless.
        minimum: The fewest that scaling leaves, instances or warm copies; None where none scales.
        maximum: The most that scaling makes; None where none scales.
        concurrency: Requests at once of a serverless variant; None for instances.
        warm: Copies of a serverless variant that are kept warm; None for instances and for none.
    """

    variant: str
    instance_type: str | None
    instances: int | None
    minimum: int | None = None
    maximum: int | None = None
    concurrency: int | None = None
    warm: int | None = None


@dataclass(frozen=True)
class Fleet:
    """The capacity of an endpoint through an update.

    Attributes:
        before: What there is.
        after: What there will be.
        during: Instances by type at the most, while the update runs.
        takeover: How the new capacity comes.
        measured: Whether `before` was asked of SageMaker, and not of a template.
    """

    before: tuple[Capacity, ...]
    after: tuple[Capacity, ...]
    during: Mapping[str, int]
    takeover: Takeover
    measured: bool = False


def plan_fleet(
    deployed: Template | None,
    wanted: Template | None,
    takeover: Takeover,
    running: Mapping[str, int] | None = None,
) -> Fleet:
    """The capacity before, while and after an update.

    Args:
        deployed: The deployed template of the endpoint's stack.
        wanted: The wanted one.
        takeover: How the new capacity comes.
        running: Instances in service now by variant; None: as the deployed template says.
    """
    before = tuple(_counted(each, running or {}) for each in _capacities(deployed))
    hosted = hosted_in(wanted)
    if takeover == "none":
        after = tuple(_like(each, before) for each in _capacities(wanted))
    elif takeover in {"second fleet", "batches"} and hosted and hosted.keeps(_COUNTS):
        kept = {each.variant: each.instances for each in before}
        after = tuple(_counted(each, kept) for each in _capacities(wanted))
    else:
        after = _capacities(wanted)
    during = _during(before, after, takeover, None if hosted is None else _batch_percent(hosted))
    return Fleet(before, after, during, takeover, measured=running is not None)


def instances_by_type(capacities: tuple[Capacity, ...]) -> Counter[str]:
    """How many instances there are of each type."""
    found: Counter[str] = Counter()
    for each in capacities:
        if each.instance_type is not None and each.instances is not None:
            found[each.instance_type] += each.instances
    return found


def _during(
    before: tuple[Capacity, ...],
    after: tuple[Capacity, ...],
    takeover: Takeover,
    batch_percent: int | None,
) -> dict[str, int]:
    old, new = instances_by_type(before), instances_by_type(after)
    if takeover in {"second fleet", "beside"}:
        return dict(old + new)
    if takeover == "batches":
        # A batch of new instances is there before as many old ones go.
        extra = {kind: instances_of(batch_percent or 100, count) for kind, count in new.items()}
        return dict((old | new) + Counter(extra))
    return dict(old | new)


def _capacities(template: Template | None) -> tuple[Capacity, ...]:
    hosted = hosted_in(template)
    if template is None or hosted is None:
        return ()
    bounds = dict(_bounds(template, hosted.name))
    return tuple(
        _capacity(variant, bounds.get(variant["VariantName"], (None, None)))
        for variant, _ in variants_in(hosted.config)
    )


def _bounds(template: Template, endpoint: str) -> Iterator[tuple[str, tuple[int, int]]]:
    for _, target in resources_of(template, SCALABLE_TARGET):
        variant = scaled_variant(target, endpoint)
        if variant is not None:
            properties = target["Properties"]
            yield variant, (int(properties["MinCapacity"]), int(properties["MaxCapacity"]))


def _capacity(variant: Mapping[str, Any], bounds: tuple[int | None, int | None]) -> Capacity:
    serverless = variant.get("ServerlessConfig", {})
    count = variant.get("InitialInstanceCount")
    return Capacity(
        variant["VariantName"],
        variant.get("InstanceType"),
        None if count is None else int(count),
        *bounds,
        concurrency=serverless.get("MaxConcurrency"),
        warm=serverless.get("ProvisionedConcurrency"),
    )


def _counted(capacity: Capacity, counts: Mapping[str, int | None]) -> Capacity:
    count = counts.get(capacity.variant)
    if count is None or capacity.instances is None:
        return capacity
    return Capacity(**{**vars(capacity), "instances": count})


def _like(capacity: Capacity, others: tuple[Capacity, ...]) -> Capacity:
    return _counted(capacity, {each.variant: each.instances for each in others})


def _batch_percent(hosted: Hosted) -> int | None:
    policy = hosted.deployment_config.get("RollingUpdatePolicy", {})
    size = policy.get("MaximumBatchSize", {})
    return int(size["Value"]) if size.get("Type") == "CAPACITY_PERCENT" else None
