"""A dashboard to draw: from a template, or as CloudWatch keeps it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from forecast_config import ForecastError
from forecast_operations.synthesis.templates import flatten, read_template

if TYPE_CHECKING:
    from pathlib import Path

_TYPE = "AWS::CloudWatch::Dashboard"


@dataclass(frozen=True)
class Board:
    """One dashboard.

    Attributes:
        name: Its name.
        widgets: Its widgets, placed on a grid of 24 columns.
    """

    name: str
    widgets: list[dict[str, Any]]

    @property
    def rows(self) -> int:
        """Rows of the grid that it takes."""
        return max((widget["y"] + widget["height"] for widget in self.widgets), default=1)


def board_from_template(path: Path, name: str | None) -> Board:
    """The dashboard in a synthesized template; what is known at deployment only is in brackets.

    Raises:
        ForecastError: The template has no such dashboard, or several and no name was given.
    """
    found = [
        parse(
            flatten(properties.get("DashboardName", logical_id)),
            flatten(properties["DashboardBody"]),
        )
        for logical_id, resource in read_template(path)["Resources"].items()
        if resource["Type"] == _TYPE and (properties := resource.get("Properties", {}))
    ]
    wanted = [board for board in found if name in {None, board.name}]
    if len(wanted) == 1:
        return wanted[0]
    wish = "a dashboard" if name is None else f"a dashboard called {name}"
    known = ", ".join(board.name for board in found)
    raise ForecastError(
        f"{path}: expected {wish}, got none"
        if not found
        else f"{path}: expected {wish}, got {known}; choose one with: --name"
    )


def parse(name: str, body: str) -> Board:
    """A dashboard by its `DashboardBody`.

    Raises:
        ForecastError: It is not one that can be drawn.
    """
    try:
        widgets = json.loads(body)["widgets"]
        for widget in widgets:
            _ = widget["type"], widget["properties"]
            widget.setdefault("x", 0)
            widget.setdefault("y", 0)
            widget.setdefault("width", 6)
            widget.setdefault("height", 6)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ForecastError(
            f"{name}: expected the body of a CloudWatch dashboard, got something else"
        ) from None
    return Board(name, widgets)
