"""The endpoints of a list as lines: as much of each as a terminal has room for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forecast_operations.moments import ago
from forecast_operations.watching.screen import in_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from forecast_operations.endpoints.listing import Listed

WIDE = 140
"""Columns of a terminal from which on there is room for variants and their instances."""

_GAP = "  "
_DETAILS = ("mode", "variants", "config")
_HEADINGS = (
    "environment",
    "endpoint",
    "region",
    "status",
    "mode",
    "version",
    "variants",
    "config",
    "remark",
)


def lines_of(listed: Sequence[Listed], now: datetime, width: int) -> Iterator[str]:
    """A heading, and one line for each endpoint; names are never cut.

    Args:
        listed: The endpoints.
        now: The time.
        width: Columns of the terminal; a narrow one is shown less of each.
    """
    rows = [{name: name for name in _HEADINGS}, *(_row(each, now) for each in listed)]
    shown = [name for name in _HEADINGS if width >= WIDE or name not in _DETAILS]
    widths = {name: max(len(row[name]) for row in rows) for name in shown}
    for row in rows:
        yield _GAP.join(row[name].ljust(widths[name]) for name in shown).rstrip()


def versions(each: Listed) -> str:
    """The version that was deployed, and the one it is compared with."""
    if each.challenger_version is None:
        return each.model_version or ""
    return f"{each.model_version} against {each.challenger_version}"


def _row(each: Listed, now: datetime) -> dict[str, str]:
    state = each.state
    made = None if state is None else state.config_created
    variants = () if state is None else state.variants
    return {
        "environment": each.environment or "-",
        "endpoint": each.name,
        "region": each.region,
        "status": "-" if state is None else state.status,
        "mode": "" if state is None else state.mode or "unknown",
        "version": versions(each),
        "variants": "; ".join(in_words(variant) for variant in variants),
        "config": "" if made is None else ago(made, now),
        # Last: whatever is too long for the line goes on below it.
        "remark": each.remark,
    }
