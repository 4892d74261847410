"""Widgets that draw metrics: lines over time, and numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from forecast_operations.drawing.lines import DrawnLine, lines_of
from forecast_operations.drawing.panels import FAINT, INK

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forecast_operations.drawing.panels import Panel
    from forecast_operations.drawing.source import Source

_OTHER_COLOURS = ("#8c9baa", "#c7b299", "#b5cf6b", "#9c9ede", "#cedb9c", "#e7969c")
_LEGEND_LINE_INCHES = 0.165
_LEGEND_CHARACTER_INCHES = 0.058
_MILLION, _THOUSAND, _TEN = 1_000_000, 1000, 10


def draw_graph(panel: Panel, properties: dict[str, Any], source: Source) -> None:
    """Lines over time, with their thresholds and a legend."""
    panel.frame(properties.get("title", ""))
    lines = _coloured(lines_of(properties, source))
    legend = _legend_rows(lines, panel.inches[0])
    right = any(line.on_right for line in lines)
    bottom = 0.28 + _LEGEND_LINE_INCHES * len(legend)
    axes = panel.axes((0.5, 0.45, 0.45 if right else 0.15, bottom))
    axis = properties.get("yAxis", {})
    panel.write(0.1, 0.29, axis.get("left", {}).get("label", ""), color=FAINT, size=6.5)
    _plot(axes, [line for line in lines if not line.on_right], properties, source)
    _draw_thresholds(axes, properties)
    _finish(axes, axis.get("left", {}), source)
    if right:
        second = axes.twinx()
        _plot(second, [line for line in lines if line.on_right], {}, source)
        _finish(second, axis.get("right", {}), source)
        label = axis.get("right", {}).get("label", "")
        panel.write(panel.inches[0] - 0.1, 0.29, label, color=FAINT, size=6.5, ha="right")
    _draw_legend(panel, legend)
    if all(np.isnan(line.values).all() for line in lines):
        panel.note("no data")


def draw_numbers(panel: Panel, properties: dict[str, Any], source: Source) -> None:
    """The last value of each line as a number, above its course."""
    panel.frame(properties.get("title", ""))
    lines = _coloured(lines_of(properties, source))
    width = panel.inches[0] / max(len(lines), 1)
    for place, line in enumerate(lines):
        x = place * width
        present = line.values[~np.isnan(line.values)]
        panel.write(x + 0.12, 0.64, line.label, color=FAINT, size=7)
        if not present.size:
            panel.write(x + 0.12, 0.4, "no data", color=FAINT, size=8.5)
            continue
        panel.write(x + 0.12, 0.33, shorten(present[-1]), size=15)
        axes = panel.axes((x + 0.1, 0.82, panel.inches[0] - x - width + 0.15, 0.08))
        axes.plot(source.times.moments, line.values, color=line.colour, linewidth=1)
        axes.fill_between(source.times.moments, line.values, color=line.colour, alpha=0.12, lw=0)
        axes.set_ylim(0, max(float(present.max()) * 1.15, 1e-9))
        axes.margins(x=0)
        axes.axis("off")


def shorten(value: float) -> str:
    """A number with as many digits as a look takes in."""
    if abs(value) >= _MILLION:
        return f"{value / _MILLION:.1f}M"
    if abs(value) >= _TEN * _THOUSAND:
        return f"{value / _THOUSAND:.1f}K"
    return f"{value:,.0f}" if abs(value) >= _TEN else f"{value:.2f}".rstrip("0").rstrip(".")


def _coloured(lines: Sequence[DrawnLine]) -> list[DrawnLine]:
    spare = iter(_OTHER_COLOURS * (len(lines) // len(_OTHER_COLOURS) + 1))
    return [
        line
        if line.colour is not None
        else DrawnLine(line.label, line.values, next(spare), line.on_right)
        for line in lines
    ]


def _plot(
    axes: Any, lines: Sequence[DrawnLine], properties: dict[str, Any], source: Source
) -> None:
    moments = source.times.moments
    if properties.get("stacked") and lines:
        values = [np.nan_to_num(line.values) for line in lines]
        colours = [line.colour for line in lines]
        axes.stackplot(moments, *values, colors=colours, alpha=0.75, linewidth=0)
        return
    for line in lines:
        alone = np.count_nonzero(~np.isnan(line.values)) == 1
        axes.plot(
            moments, line.values, color=line.colour, linewidth=1.1, marker="." if alone else None
        )


def _draw_thresholds(axes: Any, properties: dict[str, Any]) -> None:
    marks = properties.get("annotations", {}).get("horizontal", ())
    for place, mark in enumerate(marks):
        # From side to side, as lines may be close to each other.
        on_left = place % 2 == 0
        axes.axhline(mark["value"], color=mark.get("color", INK), linewidth=0.9, linestyle="--")
        axes.annotate(
            mark.get("label", ""),
            (0.005 if on_left else 0.995, mark["value"]),
            xycoords=("axes fraction", "data"),
            xytext=(0, 1.5 if on_left else -1.5),
            textcoords="offset points",
            fontsize=6,
            color=mark.get("color", INK),
            va="bottom" if on_left else "top",
            ha="left" if on_left else "right",
        )


def _finish(axes: Any, axis: dict[str, Any], source: Source) -> None:
    from matplotlib import dates as untyped  # noqa: PLC0415 - for pictures only
    from matplotlib.ticker import FuncFormatter, MaxNLocator  # noqa: PLC0415

    low, high = axes.get_ylim()
    top = axis.get("max", max(high, 0) * 1.08 or 1)
    axes.set_ylim(axis.get("min", low), top)
    axes.set_xlim(source.times.start, source.times.end)
    dates: Any = untyped
    locator = dates.AutoDateLocator(maxticks=7)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(dates.ConciseDateFormatter(locator, show_offset=False))
    axes.yaxis.set_major_locator(MaxNLocator(5))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: shorten(value)))
    axes.tick_params(labelsize=6.5, labelcolor=FAINT, color="#aab7b8")
    for side in ("top", "left", "right"):
        axes.spines[side].set_visible(False)
    axes.grid(axis="y", color="#eaeded", linewidth=0.6)
    axes.set_axisbelow(True)


def _legend_rows(lines: Sequence[DrawnLine], inches: float) -> list[list[DrawnLine]]:
    """The entries of the legend, in as many rows as the width wants."""
    rows: list[list[DrawnLine]] = [[]]
    used = 0.0
    for line in lines:
        wide = 0.3 + len(line.label) * _LEGEND_CHARACTER_INCHES
        if rows[-1] and used + wide > inches - 0.2:
            rows.append([])
            used = 0.0
        rows[-1].append(line)
        used += wide
    return rows


def _draw_legend(panel: Panel, rows: Sequence[Sequence[DrawnLine]]) -> None:
    y = panel.inches[1] - 0.06 - _LEGEND_LINE_INCHES * len(rows)
    for row in rows:
        x = 0.12
        for line in row:
            panel.write(x, y, "■", color=line.colour, size=7)
            panel.write(x + 0.13, y, line.label, size=6.5)
            x += 0.3 + len(line.label) * _LEGEND_CHARACTER_INCHES
        y += _LEGEND_LINE_INCHES
