"""What an environment costs, as a table for people, as JSON and as Markdown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from forecast_operations.documents import as_json as json_of
from forecast_operations.documents import plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.table import Table

    from forecast_operations.costing.bill import CostLine
    from forecast_operations.costing.case import Advice
    from forecast_operations.costing.difference import ChangedLine, Difference
    from forecast_operations.costing.estimate import Estimate
    from forecast_operations.costing.money import Money
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
        money: What it costs, and what changes to what is deployed.
        not_compared: Why nothing is compared with what is deployed; empty when it is.
        advice: What could be otherwise; None when nobody asked.
        sources: Dates and sources of the prices.
    """

    environment: str
    region: str
    money: Money
    not_compared: str = ""
    advice: Sequence[Advice] | None = None
    sources: tuple[str, ...] = ()

    @property
    def is_over_budget(self) -> bool:
        """Whether it costs more than the budget at the least."""
        return self.money.budget is not None and self.money.budget.exceeded


def amount(low: float | None, high: float | None, currency: Currency) -> str:
    """A least and a most amount as text: `$12.34`, `$5.00 to $60.00`, `unknown`."""
    if low is None or high is None:
        return _UNKNOWN
    shown = _money(low, currency), _money(high, currency)
    return shown[0] if shown[0] == shown[1] else f"{shown[0]} to {shown[1]}"


def total(estimate: Estimate) -> str:
    """The total of an estimate: `at least` before it when a price is not known.

    Without what hosts, which is the bulk of it, a total says little: that is named.
    """
    shown = amount(estimate.low, estimate.high, estimate.currency)
    if not estimate.unknown:
        return shown
    missing = ", ".join(estimate.unknown_hosting)
    return f"at least {shown}" + (f" without {missing} (price unknown)" if missing else "")


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
    money, estimate = report.money, report.money.after
    if estimate.unknown:
        yield f"price unknown: {', '.join(estimate.unknown)} (--refresh-prices asks AWS)"
    if report.not_compared:
        yield report.not_compared
    elif money.difference is not None and not money.difference.lines:
        yield "no change to what is deployed"
    if money.rollout is not None:
        rollout = amount(money.rollout.low, money.rollout.high, estimate.currency)
        yield f"one rollout: {rollout} ({money.rollout.detail})"
    if money.budget is not None:
        yield f"{'over' if report.is_over_budget else 'warning:'} budget: {money.budget.message}"
    for each in report.advice or ():
        yield f"advice, {each.kind}: {each.message}{_saving(each, estimate.currency)}"
    if report.advice is not None and len(report.advice) > 1:
        yield "each advice counts by itself: follow one, measure, and ask again"
    for sentence in estimate.assumptions:
        yield f"assumed: {sentence}"


def as_markdown(reports: Sequence[CostReport], sources: str) -> str:
    """All of it as Markdown, such as for a comment."""
    lines: list[str] = []
    for report in reports:
        lines += [f"## {report.environment} in {report.region}: {total(report.money.after)}", ""]
        header = _header(report)
        lines += [_row(header), _row(["---", "---", *["---:"] * (len(header) - 2)])]
        lines += [_row(row) for row in _rows(report)]
        lines += ["", *(f"- {sentence}" for sentence in in_words(report)), ""]
    return "\n".join([*lines, f"Prices: {sources}", ""])


def dated(reports: Sequence[CostReport]) -> str:
    """How old the prices of the regions are, by the oldest of each."""
    found = {
        report.region: "none is known" if (day := report.money.priced_at) is None else f"of {day}"
        for report in reports
    }
    return ", ".join(f"{region} {age}" for region, age in found.items())


def as_json(reports: Sequence[CostReport], source: str) -> str:
    """All of it as JSON; amounts that are not known are null."""
    dates = [day for report in reports if (day := report.money.priced_at) is not None]
    return json_of(
        {
            "prices": {"date": min(dates, default=None), "source": source},
            "environments": [_entry(report) for report in reports],
        }
    )


def _entry(report: CostReport) -> dict[str, Any]:
    money, estimate = report.money, report.money.after
    return {
        "environment": report.environment,
        "region": report.region,
        "currency": estimate.currency,
        "priced_at": money.priced_at,
        "sources": list(report.sources),
        "low": round(estimate.low, 4),
        "high": round(estimate.high, 4),
        "complete": not estimate.unknown,
        "unknown": list(estimate.unknown),
        "lines": [_figures(line) for line in estimate.lines],
        "assumptions": list(estimate.assumptions),
        "rollout": None if money.rollout is None else _figures(money.rollout),
        "difference": _difference(money.difference),
        "not_compared": report.not_compared or None,
        "budget": plain(money.budget),
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
    return [*_COLUMNS, *([_CHANGE] if report.money.difference is not None else [])]


def _rows(report: CostReport) -> Iterator[list[str]]:
    difference, estimate = report.money.difference, report.money.after
    currency = estimate.currency
    changed = {line.item: line for line in difference.lines} if difference is not None else {}
    for line in estimate.lines:
        row = [line.item, line.detail, _one(line.low, currency), _one(line.high, currency)]
        change = _change(changed.pop(line.item, None), currency)
        yield row if difference is None else [*row, change]
    for gone in changed.values():
        yield [gone.item, "no longer", "", "", _change(gone, currency)]
    least = "at least " if estimate.unknown else ""
    amounts = (_money(estimate.low, currency), _money(estimate.high, currency))
    last = ["total", "", *(f"{least}{each}" for each in amounts)]
    yield last if difference is None else [*last, _total_change(difference)]


def _change(changed: ChangedLine | Difference | None, currency: Currency) -> str:
    if changed is None:
        return ""
    if changed.low is None or changed.high is None:
        return _UNKNOWN
    shown = _signed(changed.low, currency), _signed(changed.high, currency)
    return shown[0] if shown[0] == shown[1] else f"{shown[0]} to {shown[1]}"


def _total_change(difference: Difference) -> str:
    """What changes of the total: a part of it, where the price of a changed line is unknown."""
    known = _change(difference, difference.currency)
    if not difference.unknown:
        return known
    is_nothing = max(abs(difference.low), abs(difference.high)) < _CENT
    return _UNKNOWN if is_nothing else f"{known} and what is unknown"


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
