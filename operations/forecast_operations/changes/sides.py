"""A plan side by side: rows and lines of models, capacity and money."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forecast_operations.changes.fleet import instances_by_type
from forecast_operations.records.card import ranked

if TYPE_CHECKING:
    from collections.abc import Mapping

    from forecast_operations.changes.fleet import Capacity, Fleet
    from forecast_operations.changes.models import Knowledge, MetricChange, ModelChange
    from forecast_operations.costing.bill import CostLine
    from forecast_operations.costing.difference import ChangedLine
    from forecast_operations.costing.estimate import Estimate
    from forecast_operations.costing.money import Money
    from forecast_operations.costing.prices import Currency

Row = tuple[str, str, str, str]
"""What it is, now, wanted, and the difference."""

NOTHING = "-"
"""What stands for what there is not."""

_SHORT = 12
_MOST_TIMES = 10


def stays(change: ModelChange) -> str:
    """The sentence for a role that keeps its archive."""
    version = NOTHING if change.after is None else change.after.version
    return f"the {change.role} stays version {version}"


def version_rows(change: ModelChange) -> list[Row]:
    """What is known of both versions, side by side."""
    old, new = change.before, change.after

    def row(title: str, name: str) -> Row:
        before = None if old is None else getattr(old, name)
        after = None if new is None else getattr(new, name)
        return title, _cut(before), _cut(after), _same(before, after)

    before, after = _trained(change.known_before), _trained(change.known_after)
    return [
        row("version", "version"),
        row("run", "run_id"),
        row("model digest", "model_digest"),
        row("archive digest", "archive_digest"),
        row("data", "data_version"),
        row("code", "code_reference"),
        ("trained", before or NOTHING, after or NOTHING, _same(before, after)),
    ]


def metric_rows(change: ModelChange, key_metric: str | None) -> list[Row]:
    """The metrics of both versions; those of the loss that is watched first, then by length.

    Args:
        change: The change of the model.
        key_metric: The loss that is watched, such as WAPE, with which a metric's name ends.
    """
    metrics = {each.name: each for each in change.metrics}
    return [metric_row(metrics[name]) for name in ranked(metrics, key_metric)]


def metric_row(metric: MetricChange) -> Row:
    """One metric of both versions, and whether it rises."""
    return (
        metric.name,
        _number(metric.before),
        _number(metric.after),
        _rise(metric.difference, metric.before),
    )


def signature_lines(change: ModelChange) -> list[str]:
    """How the signatures differ, or why that is not known."""
    if change.signature is None:
        return []
    return list(change.signature) or ["the signature is the same"]


def source_lines(change: ModelChange) -> list[str]:
    """Where what is known of the versions is from."""
    known = (
        (change.before, change.known_before),
        (change.after, change.known_after),
    )
    return [
        f"version {version.version}: {knowledge.source}"
        for version, knowledge in known
        if version is not None and knowledge is not None
    ]


def _trained(knowledge: Knowledge | None) -> str | None:
    return None if knowledge is None else knowledge.trained_at


def _cut(text: str | None) -> str:
    if text is None:
        return NOTHING
    return text.removeprefix("sha256:")[:_SHORT] if text.startswith("sha256:") else text


def _same(before: str | None, after: str | None) -> str:
    return "same" if before is not None and before == after else ""


def _number(value: float | None) -> str:
    return NOTHING if value is None else f"{value:.5g}"


def _rise(difference: float | None, before: float | None) -> str:
    if difference is None:
        return ""
    if difference == 0:
        return "same"
    word = "higher" if difference > 0 else "lower"
    percent = ""
    # A percentage of next to nothing says nothing.
    if before and abs(difference / before) <= _MOST_TIMES:
        percent = f" ({100 * abs(difference / before):.1f} %)"
    return f"{word} by {abs(difference):.3g}{percent}"


def capacity_rows(fleet: Fleet) -> list[Row]:
    """The capacity of each variant before and after."""
    before = {each.variant: each for each in fleet.before}
    after = {each.variant: each for each in fleet.after}
    rows = []
    for variant in dict.fromkeys((*before, *after)):
        old, new = _capacity(before.get(variant)), _capacity(after.get(variant))
        rows.append((variant, old, new, "same" if old == new else ""))
    return rows


def peak(fleet: Fleet) -> str | None:
    """Instances at the most while an update runs; None where there are never more than else."""
    if fleet.takeover not in {"second fleet", "batches", "beside"} or not fleet.during:
        return None
    if dict(instances_by_type(fleet.before)) == dict(fleet.during):
        return None
    return f"while it runs, up to {_types(fleet.during)}: the quota must allow as many"


def _capacity(capacity: Capacity | None) -> str:
    if capacity is None:
        return NOTHING
    bounds = ""
    if capacity.minimum is not None:
        bounds = f", scales {capacity.minimum} to {capacity.maximum}"
    if capacity.instance_type is None:
        warm = "" if capacity.warm is None else f", {capacity.warm} warm"
        return f"serverless, {capacity.concurrency} at once{warm}{bounds}"
    return f"{capacity.instances} x {capacity.instance_type}{bounds}"


def _types(counts: Mapping[str, int]) -> str:
    return " and ".join(f"{count} x {kind}" for kind, count in sorted(counts.items()))


def month(money: Money) -> tuple[str, str]:
    """What a month costs now and then, low to high."""
    now = NOTHING if money.before is None else _total(money.before)
    return now, _total(money.after)


def money_lines(money: Money) -> list[str]:
    """What it costs: a month before and after, the rollout itself, and the budget."""
    now, then = month(money)
    lines = [f"a month: {then}" if money.before is None else f"a month: {now} now, {then} then"]
    if money.before is not None and money.difference is not None:
        lines += [_changed_line(each, money.after.currency) for each in money.difference.lines]
    if money.rollout is not None:
        cost = _amount(money.rollout, money.after.currency)
        lines.append(f"the rollout itself: {cost} ({money.rollout.detail})")
    if money.after.unknown:
        lines.append(f"prices not known: {', '.join(money.after.unknown)}")
    if money.budget is not None:
        lines.append(f"budget: {money.budget.message}")
    known = money.priced_at is not None
    dated = f"prices of {money.priced_at}" if known else "no price of the region is known"
    lines.append(f"{dated}; line by line: forecast cost")
    return lines


def _total(estimate: Estimate) -> str:
    from forecast_operations.costing.report import total  # noqa: PLC0415 - not for every help

    return total(estimate)


def _amount(line: CostLine | None, currency: Currency) -> str:
    from forecast_operations.costing.report import amount  # noqa: PLC0415 - not for every help

    return NOTHING if line is None else amount(line.low, line.high, currency)


def _changed_line(line: ChangedLine, currency: Currency) -> str:
    return f"  {line.item}: {_amount(line.before, currency)} -> {_amount(line.after, currency)}"
