"""Widgets of a CloudWatch dashboard, as plain properties.

Forms and values: Amazon CloudWatch API reference, "Dashboard Body Structure and Syntax".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Series = list[Any]
"""One entry of a widget's `metrics`: a metric with its dimensions, or an expression."""

RED = "#d62728"
ORANGE = "#ff7f0e"
YELLOW = "#e0a800"
GREEN = "#2ca02c"
GREY = "#7f7f7f"
PURPLE = "#9467bd"
TEAL = "#17becf"
DARK_BLUE = "#08519c"
BLUE = "#3182bd"
LIGHT_BLUE = "#9ecae1"

SEVERITY_COLOURS = {"critical": "#8b0000", "high": RED, "medium": ORANGE}
"""Colour of a threshold, by the severity of its alarm."""

PERIOD_SECONDS = 60
"""Resolution of a graph; CloudWatch widens it with the time range (periodOverride auto)."""


@dataclass(frozen=True, kw_only=True)
class Widget:
    """One widget, not placed yet.

    Attributes:
        kind: Its `type`: text, metric, alarm or log.
        properties: Its `properties`.
        width: Columns of the grid of 24 that it takes.
        height: Rows of the grid that it takes.
    """

    kind: str
    properties: Mapping[str, Any]
    width: int
    height: int

    @property
    def series(self) -> Sequence[Series]:
        """What it draws; nothing for a widget that draws no metrics."""
        found: Sequence[Series] = self.properties.get("metrics", ())
        return found


@dataclass(frozen=True)
class Size:
    """Columns and rows of the grid that a widget takes."""

    width: int
    height: int


THIRD = Size(8, 6)
"""A graph of which three stand side by side."""


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where a widget's metrics come from.

    Attributes:
        region: Region of the metrics.
        account: Account of the metrics; None: the dashboard's own. Another account's are shown
            only when it shares them (CloudWatch user guide, "CloudWatch cross-account
            observability").
    """

    region: str
    account: str | None = None

    def render(self) -> dict[str, str]:
        """The properties of a widget that say so."""
        account = {} if self.account is None else {"accountId": self.account}
        return {"region": self.region, **account}


def text(markdown: str, *, height: int, width: int = 24) -> Widget:
    """A text in Markdown, without a frame."""
    properties = {"markdown": markdown, "background": "transparent"}
    return Widget(kind="text", properties=properties, width=width, height=height)


def graph(
    title: str,
    series: Sequence[Series],
    source: Source,
    *,
    unit: str,
    size: Size = THIRD,
    thresholds: Sequence[Mapping[str, Any]] = (),
    stacked: bool = False,
    maximum: float | None = None,
    right_unit: str | None = None,
) -> Widget:
    """Lines over time.

    Args:
        title: What is drawn.
        series: Metrics and expressions.
        source: Where the metrics come from.
        unit: Unit of the values, the label of the axis.
        size: Its size.
        thresholds: Horizontal lines (`threshold`).
        stacked: Whether the lines are stacked on each other.
        maximum: Upper end of the axis; default: that of the values.
        right_unit: Unit of the series with `yAxis` right, the label of a second axis.
    """
    axis: dict[str, Any] = {"label": unit, "showUnits": False, "min": 0}
    if maximum is not None:
        axis["max"] = maximum
    properties: dict[str, Any] = {
        "title": title,
        "view": "timeSeries",
        "stacked": stacked,
        "metrics": list(series),
        "period": PERIOD_SECONDS,
        "yAxis": {"left": axis, **_right_axis(right_unit)},
        "legend": {"position": "bottom"},
        **source.render(),
    }
    if thresholds:
        properties["annotations"] = {"horizontal": list(thresholds)}
    return Widget(kind="metric", properties=properties, width=size.width, height=size.height)


def _right_axis(unit: str | None) -> dict[str, Any]:
    return {} if unit is None else {"right": {"label": unit, "showUnits": False, "min": 0}}


def numbers(
    title: str,
    series: Sequence[Series],
    source: Source,
    *,
    width: int,
    height: int = 4,
    over_time_range: bool = False,
) -> Widget:
    """The last five minutes of each series as a number, or all of the time that is shown."""
    properties: dict[str, Any] = {
        "title": title,
        "view": "singleValue",
        "metrics": list(series),
        "period": 5 * PERIOD_SECONDS,
        "singleValueFullPrecision": False,
        **source.render(),
    }
    # Of these two CloudWatch shows one only.
    properties["setPeriodToTimeRange" if over_time_range else "sparkline"] = True
    return Widget(kind="metric", properties=properties, width=width, height=height)


def alarm_status(title: str, alarm_arns: Sequence[str], *, width: int, height: int) -> Widget:
    """The state of alarms, those that fire first."""
    properties = {"title": title, "alarms": list(alarm_arns), "sortBy": "stateUpdatedTimestamp"}
    return Widget(kind="alarm", properties=properties, width=width, height=height)


def log_table(
    title: str, log_group: str, query: Sequence[str], source: Source, *, width: int, height: int = 5
) -> Widget:
    """The answer to a query of CloudWatch Logs Insights, as a table."""
    properties = {
        "title": title,
        "query": " | ".join((f"SOURCE '{log_group}'", *query)),
        "view": "table",
        **source.render(),
    }
    return Widget(kind="log", properties=properties, width=width, height=height)


def threshold(label: str, value: float, *, colour: str, fill: str | None = None) -> dict[str, Any]:
    """A horizontal line in a graph; `fill` (above, below) colours what is beyond it."""
    line: dict[str, Any] = {"label": label, "value": value, "color": colour}
    return line if fill is None else {**line, "fill": fill}


def severity_thresholds(
    values: Mapping[Any, float], unit: str, *, what: str = ""
) -> list[dict[str, Any]]:
    """A line for each severity that an alert is raised with, such as `high: over 5 %`."""
    return [
        threshold(
            " ".join(f"{what} {severity}: over {value:g} {unit}".split()),
            value,
            colour=SEVERITY_COLOURS[severity],
        )
        for severity, value in values.items()
    ]


def merge_thresholds(marks: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Lines of which those at the same value are one, with the names of all."""
    merged: dict[float, dict[str, Any]] = {}
    for mark in marks:
        known = merged.setdefault(mark["value"], dict(mark))
        if known["label"] != mark["label"]:
            known["label"] = f"{known['label'].partition(':')[0]}, {mark['label']}"
    return list(merged.values())
