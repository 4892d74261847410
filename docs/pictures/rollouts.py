"""Draws docs/pictures/rollout-<kind>.svg: who answers which share of the requests, and when.

The shares are those of `forecast_config.rollouts.traffic_over_time`. The same settings give the
same bytes.

    python docs/pictures/rollouts.py
"""  # noqa: INP001  # a script beside its pictures

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
from matplotlib.figure import Figure

from forecast_config.rollouts import traffic_over_time
from forecast_config.settings import (
    AllAtOnceRollout,
    CanaryRollout,
    Challenger,
    LinearRollout,
    RollingRollout,
    ShadowRollout,
    SplitRollout,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from forecast_config.rollouts import Party, Shares
    from forecast_config.settings import Rollout

FOLDER = Path(__file__).parent
INSTANCES = 4

_CHALLENGER = Challenger(alias="challenger")
ROLLOUTS: tuple[Rollout, ...] = (
    AllAtOnceRollout(kind="all_at_once"),
    CanaryRollout(kind="canary", percent=25),
    LinearRollout(kind="linear", step_percent=25),
    RollingRollout(kind="rolling", batch_percent=25),
    ShadowRollout(kind="shadow", challenger=_CHALLENGER, sampling_percent=50),
    SplitRollout(kind="split", challenger=_CHALLENGER, challenger_percent=10),
)
"""The examples of docs/rollouts.md, in its order."""

_STACKED: tuple[Party, ...] = ("old", "new", "champion", "challenger", "copies")
_COLOURS = {
    "old": "#b9c0c8",
    "new": "#8fbbe6",
    "champion": "#8fbbe6",
    "challenger": "#e08b2d",
    "copies": "#f5d6ab",
}
_LABELS = {
    "old": "old instances",
    "new": "new instances",
    "champion": "champion (new instances)",
    "challenger": "challenger",
    "copies": "copies to the challenger",
}
_BEFORE_MINUTES = 3.0
_AFTER_MINUTES = 3.0
_STYLE: Any = {
    "svg.hashsalt": "rollouts",
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
}


def draw(rollout: Rollout) -> bytes:
    """The picture of a rollout, as SVG."""
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(7.6, 2.7))
        axes = figure.subplots()
        figure.subplots_adjust(left=0.1, right=0.98, bottom=0.18, top=0.76)
        _draw_shares(axes, rollout)
        _draw_moments(axes, rollout)
        axes.set_xlabel("minutes since the first new instances are healthy")
        axes.set_ylabel("share of requests")
        axes.yaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
        axes.legend(loc="upper left", bbox_to_anchor=(-0.02, 1.4), ncols=3, frameon=False)
        picture = io.BytesIO()
        figure.savefig(picture, format="svg", metadata={"Date": None, "Creator": None})
    # Some lines of the writer end with a space.
    lines = picture.getvalue().decode().splitlines()
    return "".join(f"{line.rstrip()}\n" for line in lines).encode()


def _draw_shares(axes: Axes, rollout: Rollout) -> None:
    traffic = traffic_over_time(rollout, INSTANCES)
    end = traffic[-1][0] / 60 + _AFTER_MINUTES
    minutes = [-_BEFORE_MINUTES, *(seconds / 60 for seconds, _ in traffic), end]
    shares: list[Shares] = [{"old": 1.0}, *(each for _, each in traffic), traffic[-1][1]]
    floor = [0.0] * len(minutes)
    for party in _STACKED:
        if not any(party in each for each in shares):
            continue
        top = [low + each.get(party, 0.0) for low, each in zip(floor, shares, strict=True)]
        axes.fill_between(
            minutes,
            floor,
            top,
            step="post",
            color=_COLOURS[party],
            linewidth=0,
            label=_LABELS[party],
        )
        floor = top
    axes.set_xlim(-_BEFORE_MINUTES, end)
    axes.set_ylim(0, max(floor))
    axes.set_yticks([0, 0.25, 0.5, 0.75, 1])


def _draw_moments(axes: Axes, rollout: Rollout) -> None:
    traffic = traffic_over_time(rollout, INSTANCES)
    shifts = [seconds / 60 for seconds, _ in traffic[:-1]]
    wait = rollout.wait_seconds / 60
    for shift in shifts:
        axes.axvline(shift, color="#333333", linewidth=0.8, linestyle=":")
        _say(axes, shift, shift + wait, "alarms watched")
    if not isinstance(rollout, RollingRollout):
        end = traffic[-1][0] / 60
        axes.axvline(shifts[-1] + wait, color="#333333", linewidth=0.8, linestyle=":")
        axes.axvline(end, color="#333333", linewidth=0.8, linestyle=":")
        _say(axes, shifts[-1] + wait, end, "old kept")


def _say(axes: Axes, start: float, end: float, text: str) -> None:
    above = axes.get_xaxis_transform()
    axes.text((start + end) / 2, 1.03, text, transform=above, ha="center", fontsize=8)


def main() -> None:
    """Write every picture."""
    for rollout in ROLLOUTS:
        (FOLDER / f"rollout-{rollout.kind}.svg").write_bytes(draw(rollout))


if __name__ == "__main__":
    main()
