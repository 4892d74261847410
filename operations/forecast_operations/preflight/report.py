"""What the checks found, as a table for people and in a line."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.table import Column, Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forecast_operations.preflight.finding import Finding, Status

_STYLES: dict[Status, str] = {
    "ok": "green",
    "warning": "yellow",
    "failed": "bold red",
    "skipped": "dim",
}


def as_table(findings: Sequence[Finding]) -> Table:
    """The findings as a table for a terminal."""
    table = Table(
        Column("check", overflow="fold"),
        Column("status", no_wrap=True),
        Column("found", overflow="fold"),
        Column("expected", overflow="fold"),
        Column("what to do", overflow="fold"),
    )
    for each in findings:
        status = f"[{_STYLES[each.status]}]{each.status}[/]"
        cells = (escape(cell) for cell in (each.found, each.expected, each.advice))
        table.add_row(escape(each.check), status, *cells)
    return table


def summary(findings: Sequence[Finding]) -> str:
    """How many findings there are of each kind, in a line."""
    counts = Counter(finding.status for finding in findings)
    return ", ".join(f"{counts[status]} {status}" for status in _STYLES if counts[status])
