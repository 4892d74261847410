"""Pictures by matplotlib: what is drawn the same gives the same bytes."""

from __future__ import annotations

import re
from contextlib import contextmanager
from io import BytesIO
from typing import TYPE_CHECKING, Any

from forecast_operations.console import write_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_DATES = {".svg": "Date", ".pdf": "CreationDate"}
"""What says in a file of a kind when it was made."""


@contextmanager
def styled(style: Mapping[str, Any] | None = None, *, salt: str = "forecast") -> Iterator[None]:
    """What is drawn and saved meanwhile has a style of its own.

    Args:
        style: Settings of matplotlib that differ from its own.
        salt: What the ids in an SVG are made of; those of two on one page must differ.
    """
    import matplotlib as mpl  # noqa: PLC0415 - half a second, for pictures only

    settings: Any = {**(style or {}), "svg.hashsalt": salt}
    with mpl.rc_context(settings):
        yield


def new_figure(width: float, height: float, **options: Any) -> Any:
    """An empty figure, its size in inches; unlike one of pyplot it needs no display and no end."""
    from matplotlib.figure import Figure  # noqa: PLC0415 - half a second, for pictures only

    return Figure(figsize=(width, height), **options)


def svg_of(figure: Any, **options: Any) -> str:
    """A figure as SVG, as fine as a hundredth of a point: finer than any screen."""
    return re.sub(r"(\.\d\d)\d+", r"\1", _saved(figure, ".svg", **options).decode())


def write_figure(figure: Any, path: Path, **options: Any) -> None:
    """Write a figure as what the file's name ends with; the file is there whole, or not at all.

    Raises:
        ForecastError: It cannot be written.
    """
    if path.suffix == ".svg":
        write_bytes(path, svg_of(figure, **options).encode())
    else:
        write_bytes(path, _saved(figure, path.suffix, **options))


def _saved(figure: Any, suffix: str, **options: Any) -> bytes:
    drawn = BytesIO()
    undated = {_DATES[suffix]: None} if suffix in _DATES else {}
    figure.savefig(drawn, format=suffix[1:], metadata=undated, **options)
    return drawn.getvalue()
