"""Plots of a comparison, as SVG that stands in a page and takes its colours on."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from forecast_operations.comparing.cells import CHALLENGER, CHAMPION, Sum
from forecast_operations.comparing.scores import in_common
from forecast_operations.figures import new_figure, styled, svg_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from forecast_operations.comparing.cells import Table
    from forecast_operations.comparing.comparison import Comparison
    from forecast_operations.comparing.judging import Judgement, OutputDistance
    from forecast_operations.comparing.traffic import Traffic

_OURS, _THEIRS = "#3d7fc9", "#d9722e"
"""Champion and challenger: apart on white and on black, and for the colour-blind."""

_SIDES = (("champion", _OURS), ("challenger", _THEIRS))

_INK = "#010203"
"""Stands for the colour of the page's text, which is not known before it is shown."""

_MOST_POINTS = 1500
_MOST_TICKS = 8
_STYLE = {
    "axes.axisbelow": True,
    "axes.edgecolor": _INK,
    "axes.labelcolor": _INK,
    "axes.linewidth": 0.6,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "font.family": ["sans-serif"],
    "font.sans-serif": ["DejaVu Sans", "Verdana"],
    "date.autoformatter.day": "%d %b",
    "date.autoformatter.hour": "%d %b\n%H:00",
    "date.autoformatter.minute": "%H:%M",
    "font.size": 9,
    "legend.frameon": False,
    "svg.fonttype": "none",
    "text.color": _INK,
    "xtick.color": _INK,
    "ytick.color": _INK,
}


@dataclass(frozen=True)
class Plot:
    """One plot.

    Attributes:
        title: What it shows.
        alt: What there is to see, for who does not see it.
        svg: The picture, an `svg` element.
    """

    title: str
    alt: str
    svg: str


def plots_of(comparison: Comparison) -> list[Plot]:
    """The plots of a comparison, those for which there is something to draw."""
    found = [*_of_traffic(comparison)]
    table = comparison.table
    if table is None:
        return found
    for place, output in enumerate(comparison.contract.outputs if comparison.contract else ()):
        for distance in comparison.distances:
            if distance.output == output.name:
                found += _of_distance(distance, table, place)
        for judgement in comparison.judgements:
            if judgement.output == output.name:
                found += _of_accuracy(judgement)
    return found


def _of_traffic(comparison: Comparison) -> Iterator[Plot]:
    champion, challenger = comparison.traffic
    if not champion.hours and not challenger.hours:
        return
    yield _plot(
        "Requests by hour",
        f"{champion.invocations:,} requests to the champion and {challenger.invocations:,} to the "
        "challenger, by hour",
        lambda axes: _draw_requests(axes, comparison.traffic),
    )
    if champion.p50_ms is not None and challenger.p50_ms is not None:
        yield _plot(
            "Latency of the model by hour",
            f"median {champion.p50_ms:.1f} ms and {challenger.p50_ms:.1f} ms, 99th percentile "
            f"{champion.p99_ms or 0:.1f} ms and {challenger.p99_ms or 0:.1f} ms",
            lambda axes: _draw_latency(axes, comparison.traffic),
        )


def _draw_requests(axes: Any, traffic: tuple[Traffic, Traffic]) -> None:
    for each, (name, colour) in zip(traffic, _SIDES, strict=True):
        times = [hour.start for hour in each.hours]
        counts = [hour.invocations for hour in each.hours]
        axes.plot(times, counts, color=colour, marker=".", label=name)
    _finish(axes, "requests")
    axes.set_ylim(bottom=0)


def _draw_latency(axes: Any, traffic: tuple[Traffic, Traffic]) -> None:
    for each, (name, colour) in zip(traffic, _SIDES, strict=True):
        for percentile, line in (("p50", "-"), ("p99", ":")):
            points = [
                (hour.start, value)
                for hour in each.hours
                if (value := getattr(hour, f"{percentile}_ms")) is not None
            ]
            if points:
                times, values = zip(*points, strict=True)
                label = f"{name}, {percentile}"
                axes.plot(times, values, line, color=colour, marker=".", label=label)
    _finish(axes, "ms")
    axes.set_ylim(bottom=0)


def _of_distance(distance: OutputDistance, table: Table, place: int) -> Iterator[Plot]:
    common = table.rows(in_common(table, place))
    # As many as can be told apart, the same ones every time.
    shown = common.rows(np.arange(0, len(common.items), -(-len(common.items) // _MOST_POINTS)))
    ours = shown.mean(place, CHAMPION, Sum.FORECAST, Sum.COUNT)
    theirs = shown.mean(place, CHALLENGER, Sum.FORECAST, Sum.COUNT)
    unit = f", {distance.unit}" if distance.unit else ""

    def scatter(axes: Any) -> None:
        axes.plot(ours, theirs, ".", color=_THEIRS, alpha=0.5, markersize=4)
        low, high = min(ours.min(), theirs.min()), max(ours.max(), theirs.max())
        axes.plot([low, high], [low, high], color=_INK, linewidth=0.8, label="the same")
        axes.set_xlabel(f"champion{unit}")
        _finish(axes, f"challenger{unit}")

    total = distance.total
    relative = "" if total.relative is None else f", {total.relative:.1%} of the champion's"
    yield _plot(
        f"{distance.output}: forecasts of both",
        f"each dot is an item, date and step; on average the forecasts are {total.distance:.4g} "
        f"apart{relative}",
        scatter,
    )
    if len(distance.by_step) > 1:

        def steps(axes: Any) -> None:
            names = [int(each.group) for each in distance.by_step]
            axes.bar(names, [each.distance for each in distance.by_step], color=_THEIRS)
            axes.set_xlabel("step of the horizon")
            _finish(axes, f"mean distance{unit}")

        first, last = distance.by_step[0], distance.by_step[-1]
        yield _plot(
            f"{distance.output}: distance by step",
            f"mean distance from {first.distance:.4g} at step {first.group} to {last.distance:.4g} "
            f"at step {last.group}",
            steps,
        )


def _of_accuracy(judgement: Judgement) -> Iterator[Plot]:
    if not judgement.dates:
        return
    running = np.cumsum(judgement.differentials)
    unit = f", {judgement.unit}" if judgement.unit else ""

    def gained(axes: Any) -> None:
        places = np.arange(len(running))
        axes.axhline(0, color=_INK, linewidth=0.8)
        axes.plot(places, running, color=_THEIRS, marker=".")
        ticks = places[:: -(-len(places) // _MOST_TICKS)]
        axes.set_xticks(
            ticks, [judgement.dates[tick][:10] for tick in ticks], rotation=30, ha="right"
        )
        _finish(axes, "loss spared, summed")

    way = "rises" if running[-1] > 0 else "falls"
    yield _plot(
        f"{judgement.output}: what the challenger spares",
        f"the loss that the challenger spares, summed over {len(running)} time points, {way} to "
        f"{running[-1]:.4g}",
        gained,
    )
    if len(judgement.by_step) > 1:

        def steps(axes: Any) -> None:
            names = np.array([int(each.group) for each in judgement.by_step])
            ours = [each.champion.mae for each in judgement.by_step]
            theirs = [each.challenger.mae for each in judgement.by_step]
            axes.bar(names - 0.2, ours, width=0.4, color=_OURS, label="champion")
            axes.bar(names + 0.2, theirs, width=0.4, color=_THEIRS, label="challenger")
            axes.set_xlabel("step of the horizon")
            _finish(axes, f"mean absolute error{unit}")

        yield _plot(
            f"{judgement.output}: error by step",
            "mean absolute error of champion and challenger at each step of the horizon",
            steps,
        )


def _finish(axes: Any, label: str) -> None:
    axes.set_ylabel(label)
    axes.grid(visible=True, color=_INK, alpha=0.15, linewidth=0.6)
    _, labels = axes.get_legend_handles_labels()
    if labels:
        # Above the picture, where no data is.
        axes.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=len(labels), fontsize=8)


def _plot(title: str, alt: str, draw: Callable[[Any], None]) -> Plot:
    # Ids are made of the salt: those of two plots on one page must differ.
    with styled(_STYLE, salt=title):
        figure = new_figure(6.2, 3.1, layout="constrained")
        figure.patch.set_alpha(0)
        axes = figure.add_subplot()
        axes.patch.set_alpha(0)
        draw(axes)
        return Plot(title, alt, _inline(svg_of(figure)))


def _inline(svg: str) -> str:
    """The `svg` element alone, in the colour of the text around it."""
    element = svg[svg.index("<svg") :]
    element = element.replace(_INK, "currentColor")
    element = re.sub(r"<metadata>.*?</metadata>", "", element, flags=re.DOTALL)
    # Groups are numbered anew in each picture, and nothing refers to them.
    element = re.sub(r'<g id="[^"]*"', "<g", element)
    element = re.sub(r' (?:width|height)="[^"]*pt"', "", element, count=2)
    return element.replace("<svg ", '<svg aria-hidden="true" focusable="false" ', 1)
