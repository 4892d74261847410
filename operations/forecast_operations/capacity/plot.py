"""A plan as a picture: the week it is made for, and the history it is made from."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np

from forecast_config import ForecastError
from forecast_operations.capacity.pattern import HOURS, WEEKDAYS
from forecast_operations.capacity.plan import planned_instances
from forecast_operations.figures import new_figure, styled, write_figure

if TYPE_CHECKING:
    from pathlib import Path

    from forecast_operations.capacity.plan import CapacityPlan

SUFFIXES = (".svg", ".png")

_NEEDED, _PLANNED, _PEAK = "#8da9c4", "#d1495b", "#f4d35e"
_NAMES = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MOST_POINTS = 1500


def write_plot(plan: CapacityPlan, path: Path, title: str) -> None:
    """Draw a plan into a file.

    Raises:
        ForecastError: The file cannot be written.
    """
    check_plot(path)
    with styled():
        figure = new_figure(12, 7, layout="constrained")
        week, past = figure.subplots(2, 1)
        _draw_week(week, plan, title)
        _draw_past(past, plan)
        write_figure(figure, path)


def check_plot(path: Path) -> None:
    """Refuse, before any work, a plot that cannot be drawn.

    Raises:
        ForecastError: The file's name is of no known kind.
    """
    if path.suffix not in SUFFIXES:
        raise ForecastError(f"expected a plot file ending in {' or '.join(SUFFIXES)}, got {path}")


def _draw_week(axes: Any, plan: CapacityPlan, title: str) -> None:
    hours = np.arange(WEEKDAYS * HOURS + 1)
    needed = plan.needed.reshape(-1)
    axes.stairs(needed, hours, fill=True, color=_NEEDED, label="needed, with headroom")
    minutes = np.arange(len(plan.minimum) + 1) / 60
    axes.stairs(
        plan.minimum,
        minutes,
        baseline=None,
        color=_PLANNED,
        linewidth=1.8,
        label="planned minimum",
    )
    if plan.wanted.maximum is not None:
        axes.axhline(plan.wanted.maximum, color="black", linestyle=":", label="max_instance_count")
    axes.set_xlim(0, WEEKDAYS * HOURS)
    axes.set_xticks(range(0, WEEKDAYS * HOURS, HOURS), _NAMES, ha="left")
    axes.set_xticks(range(0, WEEKDAYS * HOURS, 6), minor=True)
    axes.grid(visible=True, axis="x", alpha=0.4)
    axes.set_ylim(bottom=0)
    axes.set_ylabel("instances")
    axes.set_title(f"{title}: the week in {plan.wanted.timezone}", loc="left")
    _legend(axes)


def _draw_past(axes: Any, plan: CapacityPlan) -> None:
    zone = ZoneInfo(plan.wanted.timezone)
    needed = plan.wanted.instances(plan.history.per_minute)
    planned = planned_instances(plan)
    # A picture has so many points across: of several stretches the busiest is drawn.
    width = -(-len(needed) // _MOST_POINTS)
    starts = np.arange(0, len(needed), width)
    times = [datetime.fromtimestamp(int(time), zone) for time in plan.history.times[starts]]
    times.append(times[-1] + timedelta(seconds=width * plan.history.step_seconds))
    for peak in plan.pattern.peaks:
        first = datetime(peak.first.year, peak.first.month, peak.first.day, tzinfo=zone)
        last = datetime(peak.last.year, peak.last.month, peak.last.day, tzinfo=zone)
        axes.axvspan(
            first, last + timedelta(days=1), color=_PEAK, alpha=0.6, label="peak apart", zorder=0
        )
    axes.stairs(
        np.maximum.reduceat(needed, starts), times, fill=True, color=_NEEDED, label="needed"
    )
    axes.stairs(
        np.maximum.reduceat(planned, starts),
        times,
        baseline=None,
        color=_PLANNED,
        label="planned minimum",
    )
    axes.xaxis_date(zone)
    axes.set_xlim(times[0], times[-1])
    axes.set_ylim(bottom=0)
    axes.set_ylabel("instances")
    replay = plan.replay
    axes.set_title(
        f"replayed: {replay.instance_hours:,.0f} instance-hours instead of "
        f"{replay.fixed_hours:,.0f}; too few for {replay.short_share:.2%} of the time",
        loc="left",
    )
    _legend(axes)


def _legend(axes: Any) -> None:
    handles, labels = axes.get_legend_handles_labels()
    each_once = dict(zip(labels, handles, strict=True))
    axes.legend(
        each_once.values(),
        each_once.keys(),
        loc="lower right",
        bbox_to_anchor=(1, 1),
        ncols=3,
        fontsize="small",
        frameon=False,
    )
