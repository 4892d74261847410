"""What an environment costs, as a table for people, as JSON and as Markdown."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.table import Table

    from forecast_operations.costing.advice import Advice
    from forecast_operations.costing.bill import CostLine
    from forecast_operations.costing.budget import BudgetFinding
    from forecast_operations.costing.difference import Difference
    from forecast_operations.costing.estimate import Estimate
    from forecast_operations.costing.prices import Currency

_SIGNS = {"USD": "$", "CNY": "¥"}
_UNKNOWN = "unknown"
_CENT = 0.005
_COLUMNS = ("a month", "of", "at least", "at most")
_CHANGE = "change to what is deployed"


@dataclass(frozen=True, kw_only=True)
class CostReport:
    """What there is to say of one environment.

    Attributes:
        environment: Its name.
        region: Its region.
        estimate: What it costs in a month.
        rollout: What one rollout costs.
        difference: What changes to what is deployed; None when that is not known.
        not_compared: Why there is no difference; empty when there is one.
        budget: What is over the budget.
        advice: What could be otherwise; None when nobody asked.
        priced_at: Day of the oldest prices that count in the region; None where none is known.
        sources: Dates and sources of those prices.
    """

    environment: str
    region: str
    estimate: Estimate
    rollout: CostLine
    difference: Difference | None = None
    not_compared: str = ""
    budget: BudgetFinding | None = None
    advice: Sequence[Advice] | None = None
    priced_at: str | None = None
    sources: tuple[str, ...] = ()


def amount(low: float | None, high: float | None, currency: Currency) -> str:
    """A least and a most amount as text: `$12.34`, `$5.00 to $60.00`, `unknown`."""
    if low is None or high is None:
        return _UNKNOWN
    shown = _money(low, currency), _money(high, currency)
    return shown[0] if shown[0] == shown[1] else f"{shown[0]} to {shown[1]}"


def total(estimate: Estimate) -> str:
    """The total of an estimate; `at least` before it when a price is not known."""
    shown = amount(estimate.low, estimate.high, estimate.currency)
    return f"at least {shown}" if estimate.unknown else shown


def as_table(report: CostReport) -> Table:
    """A table for a terminal."""
    from rich.markup import escape  # noqa: PLC0415 - not for every help
    from rich.table import Table  # noqa: PLC0415

    table = Table(title=f"{report.environment} in {report.region}", title_justify="left")
    for number, name in enumerate(_header(report)):
        table.add_column(name, justify="right" if number > 1 else "left", overflow="fold")
    *rows, last = _rows(report)
    for row in rows:
        table.add_row(*(escape(cell) for cell in row))
    table.add_section()
    table.add_row(*(escape(cell) for cell in last), style="bold")
    return table


def in_words(report: CostReport) -> Iterator[str]:
    """What stands below the table, one sentence each."""
    estimate, currency = report.estimate, report.estimate.currency
    if estimate.unknown:
        yield f"price unknown: {', '.join(estimate.unknown)} (--refresh-prices asks AWS)"
    if report.not_compared:
        yield report.not_compared
    elif report.difference is not None and not report.difference.lines:
        yield "no change to what is deployed"
    rollout = amount(report.rollout.low, report.rollout.high, currency)
    yield f"one rollout: {rollout} ({report.rollout.detail})"
    if report.budget is not None:
        yield f"{'over' if report.budget.exceeded else 'warning:'} budget: {report.budget.message}"
    for each in report.advice or ():
        yield f"advice, {each.kind}: {each.message}{_saving(each, currency)}"
    if report.advice is not None and len(report.advice) > 1:
        yield "each advice counts by itself: follow one, measure, and ask again"
    for sentence in estimate.assumptions:
        yield f"assumed: {sentence}"


def as_markdown(reports: Sequence[CostReport], sources: str) -> str:
    """All of it as Markdown, such as for a comment."""
    lines: list[str] = []
    for report in reports:
        lines += [f"## {report.environment} in {report.region}: {total(report.estimate)}", ""]
        header = _header(report)
        lines += [_row(header), _row(["---", "---", *["---:"] * (len(header) - 2)])]
        lines += [_row(row) for row in _rows(report)]
        lines += ["", *(f"- {sentence}" for sentence in in_words(report)), ""]
    return "\n".join([*lines, f"Prices: {sources}", ""])


def dated(reports: Sequence[CostReport]) -> str:
    """How old the prices of the regions are, by the oldest of each."""
    found = {
        report.region: "none is known" if report.priced_at is None else f"of {report.priced_at}"
        for report in reports
    }
    return ", ".join(f"{region} {age}" for region, age in found.items())


def as_json(reports: Sequence[CostReport], source: str) -> str:
    """All of it as JSON; amounts that are not known are null."""
    dates = [report.priced_at for report in reports if report.priced_at is not None]
    document = {
        "prices": {"date": min(dates, default=None), "source": source},
        "environments": [_entry(report) for report in reports],
    }
    return json.dumps(document, indent=2, ensure_ascii=False)


def _entry(report: CostReport) -> dict[str, Any]:
    estimate = report.estimate
    return {
        "environment": report.environment,
        "region": report.region,
        "currency": estimate.currency,
        "priced_at": report.priced_at,
        "sources": list(report.sources),
        "low": round(estimate.low, 4),
        "high": round(estimate.high, 4),
        "complete": not estimate.unknown,
        "unknown": list(estimate.unknown),
        "lines": [_figures(line) for line in estimate.lines],
        "assumptions": list(estimate.assumptions),
        "rollout": _figures(report.rollout),
        "difference": _difference(report.difference),
        "not_compared": report.not_compared or None,
        "budget": None if report.budget is None else asdict(report.budget),
        "advice": None if report.advice is None else [_advice(each) for each in report.advice],
    }


def _difference(difference: Difference | None) -> dict[str, Any] | None:
    if difference is None:
        return None
    return {
        "low": round(difference.low, 4),
        "high": round(difference.high, 4),
        "unknown": list(difference.unknown),
        "lines": [
            {"item": line.item, "low": _rounded(line.low), "high": _rounded(line.high)}
            for line in difference.lines
        ],
    }


def _figures(line: CostLine) -> dict[str, Any]:
    low, high = _rounded(line.low), _rounded(line.high)
    return {"item": line.item, "detail": line.detail, "low": low, "high": high}


def _advice(advice: Advice) -> dict[str, Any]:
    return {
        "kind": advice.kind,
        "message": advice.message,
        "change": _rounded(advice.change),
    }


def _header(report: CostReport) -> list[str]:
    return [*_COLUMNS, *([_CHANGE] if report.difference is not None else [])]


def _rows(report: CostReport) -> Iterator[list[str]]:
    estimate, currency = report.estimate, report.estimate.currency
    changed = {line.item: line for line in report.difference.lines} if report.difference else {}
    for line in estimate.lines:
        change = changed.pop(line.item, None)
        row = [line.item, line.detail, _one(line.low, currency), _one(line.high, currency)]
        yield row + _changes(report, change, currency)
    for gone in changed.values():
        yield [gone.item, "no longer", "", "", *_changes(report, gone, currency)]
    least = "at least " if estimate.unknown else ""
    last = ["total", "", f"{least}{_money(estimate.low, currency)}"]
    last.append(f"{least}{_money(estimate.high, currency)}")
    yield last + _changes(report, report.difference, currency)


def _changes(report: CostReport, changed: Any, currency: Currency) -> list[str]:
    if report.difference is None:
        return []
    if changed is None:
        return [""]
    low, high = changed.low, changed.high
    if low is None or high is None:
        return [_UNKNOWN]
    shown = _signed(low, currency), _signed(high, currency)
    return [shown[0] if shown[0] == shown[1] else f"{shown[0]} to {shown[1]}"]


def _one(value: float | None, currency: Currency) -> str:
    return _UNKNOWN if value is None else _money(value, currency)


def _money(value: float, currency: Currency) -> str:
    if 0 < value < _CENT:
        return f"<{_SIGNS[currency]}0.01"
    return f"{_SIGNS[currency]}{value:,.2f}"


def _signed(value: float, currency: Currency) -> str:
    if abs(value) < _CENT:
        return f"{_SIGNS[currency]}0.00"
    return f"{'-' if value < 0 else '+'}{_SIGNS[currency]}{abs(value):,.2f}"


def _saving(advice: Advice, currency: Currency) -> str:
    if advice.change is None:
        return ""
    return f" ({_signed(advice.change, currency)} a month)"


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
