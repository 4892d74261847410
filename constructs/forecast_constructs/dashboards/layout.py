"""Rows of widgets, placed on the grid of a CloudWatch dashboard."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forecast_constructs.dashboards.widgets import Widget

COLUMNS = 24
"""Columns of the grid (CloudWatch API reference, Dashboard Body Structure and Syntax)."""

MAX_WIDGETS = 500
"""Widgets of a dashboard (same page)."""

MAX_METRICS_PER_WIDGET = 500
"""Metrics of a widget (CloudWatch user guide, CloudWatch service quotas)."""

MAX_METRICS = 2500
"""Metrics of a dashboard (same page)."""

Row = list["Widget"]


def render_body(rows: Sequence[Row], *, start: str = "-PT12H") -> str:
    """The `DashboardBody` of rows of widgets.

    Characters beyond ASCII are escaped, as they might not survive CloudFormation; tokens are kept.

    Args:
        rows: Rows from top to bottom, each from left to right.
        start: Time that is shown at first, from now back, as an ISO 8601 duration.

    Raises:
        ValueError: A row is too wide, or there is more than CloudWatch takes.
    """
    widgets = [widget for row in rows for widget in row]
    _check_limits(widgets)
    return json.dumps(
        {"start": start, "widgets": _place(rows)}, separators=(",", ":"), ensure_ascii=True
    )


def _place(rows: Sequence[Row]) -> list[dict[str, Any]]:
    placed = []
    y = 0
    for row in rows:
        x = 0
        for widget in row:
            if x + widget.width > COLUMNS:
                raise ValueError(
                    f"expected a row of at most {COLUMNS} columns, got {x + widget.width}"
                )
            placed.append(
                {
                    "type": widget.kind,
                    "x": x,
                    "y": y,
                    "width": widget.width,
                    "height": widget.height,
                    "properties": widget.properties,
                }
            )
            x += widget.width
        y += max(widget.height for widget in row)
    return placed


def _check_limits(widgets: Sequence[Widget]) -> None:
    counts = [len(widget.series) for widget in widgets]
    for what, limit, count in (
        ("widgets", MAX_WIDGETS, len(widgets)),
        ("metrics in a widget", MAX_METRICS_PER_WIDGET, max(counts, default=0)),
        ("metrics", MAX_METRICS, sum(counts)),
    ):
        if count > limit:
            raise ValueError(f"expected a dashboard of at most {limit} {what}, got {count}")
