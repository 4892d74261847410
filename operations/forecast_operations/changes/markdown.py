"""A plan as Markdown: the comment of a pull request, with the details folded away."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from forecast_operations.changes import sides, words

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from forecast_operations.changes.plan import Plan

_LONGEST = 60_000
"""Characters of a document: GitHub takes comments of up to 65536 ("body is too long")."""

_MOST_METRICS = 4
_MOST_PROPERTIES = 10
_LEFT_OFF = (
    "_The rest is left off, as it is too long for a comment: `forecast plan {environment}`_\n"
)
_SPECIAL = re.compile(r"([\\`*_\[\]|~])")


def mark(environment: str) -> str:
    """The hidden first line, by which a comment is found again and written anew."""
    return f"<!-- forecast plan {environment} -->"


def as_markdown(plan: Plan) -> str:
    """The plan as a document; what would make it too long is left off at its end."""
    blocks = [
        mark(plan.environment),
        f"### forecast plan {plan.environment}: {_escape(words.headline(plan))}",
        *_head(plan),
        *([] if plan.is_empty else _details(plan)),
    ]
    text = ""
    for block in blocks:
        if len(text) + len(block) > _LONGEST:
            return text + _LEFT_OFF.format(environment=plan.environment)
        text += f"{block}\n\n"
    return text.rstrip() + "\n"


def _head(plan: Plan) -> Iterator[str]:
    if plan.against is not None:
        yield f"Compared with `{plan.against}`, not with what is deployed."
    yield from (f"> {_escape(note)}" for note in plan.notes)
    for obstacle in plan.obstacles:
        lines = [f"**In the way:** {_escape(obstacle.reason)}", ""]
        lines += [f"- {_escape(line)}" for line in obstacle.way_out]
        yield "\n".join(lines)
    for obstacle in plan.permitted:
        yield f"**Led around, as permitted ({words.option(obstacle)}):** {_escape(obstacle.reason)}"
    rows = list(_summary(plan))
    if rows:
        yield _table(("", "now", "wanted"), rows)


def _summary(plan: Plan) -> Iterator[tuple[str, str, str]]:
    """The table that a reviewer reads when nothing else."""
    if plan.is_empty and not plan.has_finding:
        return
    for change in plan.models:
        old = sides.NOTHING if change.before is None else f"version {change.before.version}"
        new = sides.NOTHING if change.after is None else f"version {change.after.version}"
        yield change.role, old, new
        for name, before, after, rise in sides.metric_rows(change, plan.key_metric)[:_MOST_METRICS]:
            yield name, before, f"{after}, {rise}" if rise else after
    for variant, before, after, _ in sides.capacity_rows(plan.fleet):
        yield variant, before, after
    if plan.money is not None:
        before, after = sides.month(plan.money)
        yield "a month", before, after
    if plan.money is not None and plan.money.budget is not None:
        yield "budget", "", plan.money.budget.message


def _details(plan: Plan) -> Iterator[str]:
    for change in plan.models:
        if change.is_same:
            continue
        rows = [*sides.version_rows(change), *sides.metric_rows(change, plan.key_metric)]
        lines = [_table((change.role, "now", "wanted", "difference"), rows)]
        lines += _list([*sides.signature_lines(change), *sides.source_lines(change)])
        yield _folded(f"{change.role}: versions, metrics, signature", lines)
    if plan.resources:
        counts = [f"{plan.counts[each]} {each}" for each in words.ORDER if plan.counts.get(each)]
        rows = [
            (f"**{verdict}**", _code(resource), kind, "<br>".join(map(_escape, why)))
            for verdict, resource, kind, why in words.resource_rows(plan, _MOST_PROPERTIES)
        ]
        table = _raw_table(("change", "resource", "type", "why"), rows)
        yield _folded(f"resources: {', '.join(counts)}", [table])
    yield _folded("rollout", _list(_rollout(plan)))
    peak = sides.peak(plan.fleet)
    money = [] if plan.money is None else sides.money_lines(plan.money)
    lines = [*([] if peak is None else [peak]), *money]
    if lines:
        yield _folded("capacity and money", _list(lines))
    if len(plan.steps) > 1:
        yield _folded("steps", _list(plan.steps))


def _rollout(plan: Plan) -> list[str]:
    timeline = plan.timeline
    moments = [f"{words.moment_text(each.seconds)}: {each.text}" for each in timeline.moments]
    undoing = words.undoing(timeline)
    return [timeline.summary, *moments, *([] if undoing is None else [undoing])]


def _folded(title: str, blocks: Sequence[str]) -> str:
    body = "\n\n".join(blocks)
    return f"<details><summary>{_escape(title)}</summary>\n\n{body}\n\n</details>"


def _list(lines: Sequence[str]) -> list[str]:
    return ["\n".join(f"- {_escape(line)}" for line in lines)] if lines else []


def _table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return _raw_table(titles, [[_escape(cell) for cell in row] for row in rows])


def _raw_table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [titles, ["---"] * len(titles), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _escape(text: str) -> str:
    """A text as it is: nothing of it is markup, a mention or the end of a cell."""
    plain = text.replace("&", "&amp;").replace("<", "&lt;").replace("@", "&#64;")
    return _SPECIAL.sub(r"\\\1", plain).replace("\n", " ")


def _code(text: str) -> str:
    return f"`{text}`"
