"""The frame of a widget, and the widgets that hold no graph: texts, alarms, tables of logs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from forecast_operations.drawing.markdown import blocks_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forecast_operations.drawing.source import Source

INK = "#16191f"
FAINT = "#687078"
_BORDER = "#d5dbdb"
_LINE_INCHES = 0.175
_CHARACTER_INCHES = 0.066
_STATES = {
    "OK": ("#2ca02c", "OK"),
    "ALARM": ("#d62728", "in alarm"),
    "INSUFFICIENT_DATA": ("#7f7f7f", "no data"),
}
_HEADINGS = {1: 13, 2: 9.5}


@dataclass(frozen=True)
class Panel:
    """The place of one widget.

    Attributes:
        figure: The picture.
        left: Its left edge, as a share of the picture.
        bottom: Its lower edge, as a share of the picture.
        inches: Its width and height.
        whole: Width and height of the picture, in inches.
    """

    figure: Any
    left: float
    bottom: float
    inches: tuple[float, float]
    whole: tuple[float, float]

    def frame(self, title: str) -> None:
        """Draw the frame and the title."""
        from matplotlib.patches import Rectangle  # noqa: PLC0415 - for pictures only

        width, height = self.inches[0] / self.whole[0], self.inches[1] / self.whole[1]
        box = Rectangle(
            (self.left, self.bottom),
            width,
            height,
            facecolor="white",
            edgecolor=_BORDER,
            linewidth=0.8,
            # Below the axes, whose order is 0.
            zorder=-1,
        )
        self.figure.add_artist(box)
        if title:
            self.write(0.1, 0.1, title, size=8.5, weight="bold")

    def axes(self, margins: tuple[float, float, float, float]) -> Any:
        """Axes inside the margins (left, top, right, bottom), in inches."""
        left, top, right, bottom = margins
        return self.figure.add_axes(
            (
                self.left + left / self.whole[0],
                self.bottom + bottom / self.whole[1],
                (self.inches[0] - left - right) / self.whole[0],
                (self.inches[1] - top - bottom) / self.whole[1],
            )
        )

    def write(self, x: float, y: float, text: str, **style: Any) -> None:
        """Write a text whose upper left corner is so many inches from the panel's."""
        place = (
            self.left + x / self.whole[0],
            self.bottom + (self.inches[1] - y) / self.whole[1],
        )
        size = {"fontsize": style.pop("size", 7.5), "va": "top", "color": INK}
        # A dollar sign is no mathematics here.
        self.figure.text(*place, text, **{**size, **style}, parse_math=False)

    def note(self, text: str) -> None:
        """Say in the middle why there is nothing."""
        self.write(self.inches[0] / 2, self.inches[1] / 2, text, ha="center", color=FAINT)


def draw_text(panel: Panel, properties: dict[str, Any], source: Source) -> None:
    """A text widget."""
    del source
    y = 0.08
    for block in blocks_of(properties["markdown"]):
        if block.rows:
            y = _draw_rows(panel, block.rows, y + 0.05)
            continue
        size = _HEADINGS.get(block.level, 7.5)
        weight = "bold" if block.level else "normal"
        for line in _wrapped(block.text, panel.inches[0], size):
            panel.write(0.1, y, line, size=size, weight=weight)
            y += _LINE_INCHES * size / 7.5
        y += 0.04


def draw_alarms(panel: Panel, properties: dict[str, Any], source: Source) -> None:
    """The state of alarms, in columns."""
    arns = properties["alarms"]
    states = source.alarm_states(arns)
    panel.frame(properties.get("title", ""))
    columns = max(int(panel.inches[0] // 2.6), 1)
    width = panel.inches[0] / columns
    prefix = _shared_prefix([arn.rpartition(":")[2] for arn in arns])
    for index, arn in enumerate(arns):
        row, column = divmod(index, columns)
        colour, word = _STATES.get(states.get(arn, ""), ("#aab7b8", "not deployed"))
        x, y = 0.12 + column * width, 0.36 + row * (_LINE_INCHES + 0.04)
        panel.write(x, y, "■", color=colour, size=8)
        name = arn.rpartition(":")[2].removeprefix(prefix)
        panel.write(x + 0.16, y, name, size=7)
        if word != "OK":
            panel.write(x + 0.16 + len(name) * 0.062 + 0.06, y, word, color=colour, size=7)


def draw_log(panel: Panel, properties: dict[str, Any], source: Source) -> None:
    """A table of the logs, or the query that would make it."""
    panel.frame(properties.get("title", ""))
    table = source.log_table(properties["query"])
    if table is not None:
        _draw_rows(panel, [list(table[0]), *(list(row) for row in table[1])], 0.4)
        return
    panel.write(0.1, 0.38, "asked in the console only:", color=FAINT)
    y = 0.6
    for part in properties["query"].split(" | "):
        for line in _wrapped(part, panel.inches[0], 7):
            panel.write(0.1, y, line, size=7)
            y += _LINE_INCHES


def _draw_rows(panel: Panel, rows: Sequence[Sequence[str]], y: float) -> float:
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    for number, row in enumerate(rows):
        x = 0.1
        for cell, width in zip(row, widths, strict=True):
            if width:
                style = {"color": FAINT} if number == 0 else {}
                panel.write(x, y, cell, size=7.5, **style)
                x += width * _CHARACTER_INCHES + 0.2
        y += _LINE_INCHES + 0.02
    return y


def _wrapped(text: str, inches: float, size: float) -> list[str]:
    room = int((inches - 0.2) / (_CHARACTER_INCHES * size / 7.5))
    lines = [""]
    for word in text.split(" "):
        if lines[-1] and len(lines[-1]) + 1 + len(word) > room:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines


def _shared_prefix(names: Sequence[str]) -> str:
    shared = names[0] if len(names) > 1 else ""
    for name in names:
        while not name.startswith(shared):
            shared = shared[:-1]
    return shared[: shared.rfind("-") + 1]
