"""A dashboard as a picture, on the grid that CloudWatch lays it out on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from forecast_config import ForecastError
from forecast_operations.drawing.graphs import draw_graph, draw_numbers
from forecast_operations.drawing.panels import Panel, draw_alarms, draw_log, draw_text
from forecast_operations.figures import new_figure, styled, write_figure

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from forecast_operations.drawing.board import Board
    from forecast_operations.drawing.source import Source

FORMATS = (".svg", ".png", ".pdf")

_COLUMNS = 24
_COLUMN_INCHES = 0.66
_ROW_INCHES = 0.42
_GAP_INCHES = 0.06
_BACKGROUND = "#eef0f2"
_STYLE = {
    "axes.edgecolor": "#aab7b8",
    "axes.linewidth": 0.6,
    "figure.dpi": 110,
    "font.family": ["sans-serif"],
    "font.sans-serif": ["DejaVu Sans", "Verdana"],
    "font.size": 7,
    # Texts stay texts: a smaller file, and a search finds them.
    "svg.fonttype": "none",
    "xtick.major.size": 2,
    "ytick.major.size": 0,
}


def draw_board(board: Board, source: Source, path: Path) -> None:
    """Draw a dashboard into a file; the same values give the same bytes.

    Raises:
        ForecastError: The file's name is of no known kind, or the file cannot be written.
    """
    if path.suffix not in FORMATS:
        raise ForecastError(
            f"{path}: expected a file that ends with {', '.join(FORMATS)}, got '{path.suffix}'"
        )
    with styled(_STYLE):
        figure = new_figure(_COLUMNS * _COLUMN_INCHES, board.rows * _ROW_INCHES)
        for widget in board.widgets:
            _draw_widget(_panel(figure, widget, board.rows), widget, source)
        write_figure(figure, path, facecolor=_BACKGROUND)


def _draw_widget(panel: Panel, widget: dict[str, Any], source: Source) -> None:
    properties = widget["properties"]
    kind = widget["type"]
    if kind == "metric" and properties.get("view") == "singleValue":
        kind = "numbers"
    draw = _DRAWN.get(kind)
    if draw is None:
        panel.frame(properties.get("title", ""))
        panel.note(f"a widget of type {kind} is not drawn")
        return
    draw(panel, properties, source)


_DRAWN: dict[str, Callable[[Panel, dict[str, Any], Source], None]] = {
    "alarm": draw_alarms,
    "log": draw_log,
    "metric": draw_graph,
    "numbers": draw_numbers,
    "text": draw_text,
}


def _panel(figure: Any, widget: dict[str, Any], rows: int) -> Panel:
    width, height = _COLUMNS * _COLUMN_INCHES, rows * _ROW_INCHES
    left = widget["x"] * _COLUMN_INCHES + _GAP_INCHES
    bottom = height - (widget["y"] + widget["height"]) * _ROW_INCHES + _GAP_INCHES
    return Panel(
        figure=figure,
        left=left / width,
        bottom=bottom / height,
        inches=(
            widget["width"] * _COLUMN_INCHES - 2 * _GAP_INCHES,
            widget["height"] * _ROW_INCHES - 2 * _GAP_INCHES,
        ),
        whole=(width, height),
    )
