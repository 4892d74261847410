"""A plan for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.markup import escape
from rich.table import Column, Table
from rich.text import Text

from forecast_operations.changes import sides, words

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import RenderableType

    from forecast_operations.changes.plan import Plan

_MOST_METRICS = 12
_MOST_PROPERTIES = 3
_STYLES = {
    "blocked": "bold red",
    "replaced": "yellow",
    "perhaps replaced": "yellow",
    "removed": "yellow",
    "new": "green",
}


def as_text(plan: Plan) -> Iterator[RenderableType]:
    """The pieces of a plan, from top to bottom."""
    where = f"{plan.environment} ({plan.endpoint}, {plan.region})"
    against = "" if plan.against is None else f", compared with {plan.against}"
    yield Text(f"{where}{against}: {words.headline(plan)}", style=_headline_style(plan))
    for note in plan.notes:
        yield Text(f"note: {note}", style="yellow")
    if plan.is_empty:
        yield from _section("Money", _money(plan)) if plan.has_finding else ()
        return
    yield from _obstacles(plan)
    yield from _models(plan)
    if plan.resources:
        yield from _heading("Resources")
        yield _resources(plan)
    yield from _section("Rollout", _rollout(plan))
    yield from _capacity(plan)
    yield from _section("Money", _money(plan))
    if len(plan.steps) > 1:
        numbered = [f"{number}. {step}" for number, step in enumerate(plan.steps, 1)]
        yield from _section("Steps", numbered)


def _headline_style(plan: Plan) -> str:
    return "bold" if plan.can_be_deployed else "bold red"


def _heading(title: str) -> Iterator[Text]:
    yield Text(f"\n{title}", style="bold")


def _section(title: str, lines: Sequence[str]) -> Iterator[Text]:
    if lines:
        yield from _heading(title)
        yield from (Text(f"  {line}") for line in lines)


def _obstacles(plan: Plan) -> Iterator[Text]:
    if plan.obstacles:
        yield from _heading("In the way")
    for obstacle in plan.obstacles:
        yield Text(f"  {obstacle.reason}", style="red")
        yield from (Text(f"    {line}") for line in obstacle.way_out)
    if plan.permitted:
        yield from _heading("Led around, as permitted")
    for obstacle in plan.permitted:
        yield Text(f"  {obstacle.reason} ({words.option(obstacle)})", style="yellow")


def _models(plan: Plan) -> Iterator[RenderableType]:
    if plan.models:
        yield from _heading("Model")
    for change in plan.models:
        if change.is_same:
            yield Text(f"  {sides.stays(change)}")
            continue
        table = Table(change.role, "now", "wanted", "difference")
        metrics = sides.metric_rows(change, plan.key_metric)
        for row in (*sides.version_rows(change), *metrics[:_MOST_METRICS]):
            table.add_row(*map(escape, row))
        yield table
        if len(metrics) > _MOST_METRICS:
            more = len(metrics) - _MOST_METRICS
            yield Text(f"  and {more} more metrics: forecast plan {plan.environment} --markdown")
        for line in (*sides.signature_lines(change), *sides.source_lines(change)):
            yield Text(f"  {line}")


def _resources(plan: Plan) -> Table:
    table = Table(
        Column("change", no_wrap=True),
        Column("resource", overflow="fold"),
        Column("type", overflow="fold"),
        Column("why", overflow="fold"),
    )
    for verdict, resource, kind, why in words.resource_rows(plan, _MOST_PROPERTIES):
        cells = (verdict, escape(resource), kind, escape("\n".join(why)))
        table.add_row(*cells, style=_STYLES.get(verdict))
    return table


def _rollout(plan: Plan) -> list[str]:
    timeline = plan.timeline
    lines = [timeline.summary]
    lines += [f"{words.moment_text(each.seconds):>8}  {each.text}" for each in timeline.moments]
    undoing = words.undoing(timeline)
    return lines if undoing is None else [*lines, undoing]


def _capacity(plan: Plan) -> Iterator[RenderableType]:
    variants = sides.capacity_rows(plan.fleet)
    if not variants:
        return
    yield from _heading("Capacity")
    table = Table("variant", "now", "then", "difference")
    for row in variants:
        table.add_row(*map(escape, row))
    yield table
    peak = sides.peak(plan.fleet)
    if peak is not None:
        yield Text(f"  {peak}")


def _money(plan: Plan) -> list[str]:
    return [] if plan.money is None else sides.money_lines(plan.money)
