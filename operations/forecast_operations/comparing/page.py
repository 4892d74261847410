"""A comparison as one HTML file that needs no other and asks nobody for anything."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from forecast_config import ForecastError
from forecast_operations.comparing.advice import reason_of, warnings_of
from forecast_operations.comparing.finishing import next_steps
from forecast_operations.comparing.plots import plots_of
from forecast_operations.comparing.report import distance_table, score_table, traffic_table
from forecast_operations.comparing.significance import ALPHA, SAMPLES_PER_STEP
from forecast_operations.console import write_text

if TYPE_CHECKING:
    from pathlib import Path

    from forecast_operations.comparing.comparison import Comparison

_TEMPLATE = "page.html"


def write_page(comparison: Comparison, path: Path) -> None:
    """Write a comparison as an HTML file.

    Raises:
        ForecastError: The file cannot be written.
    """
    check_page(path)
    write_text(path, page(comparison))


def check_page(path: Path) -> None:
    """Refuse, before any work, a file that cannot be a page.

    Raises:
        ForecastError: Its name does not end as that of a page, or its folder is not there.
    """
    if path.suffix not in {".html", ".htm"}:
        raise ForecastError(f"--report: expected a file that ends with .html, got {path}")
    if not path.parent.is_dir():
        raise ForecastError(f"--report: expected the folder {path.parent} to be there; make it")


def page(comparison: Comparison) -> str:
    """A comparison as HTML. Whatever came from requests, such as item codes, is escaped."""
    text = files("forecast_operations.comparing").joinpath(_TEMPLATE).read_text(encoding="utf-8")
    template = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    ).from_string(text)
    plots = [
        # Drawn here: matplotlib escapes what stands in it.
        {"title": plot.title, "alt": plot.alt, "svg": Markup(plot.svg)}  # noqa: S704
        for plot in plots_of(comparison)
    ]
    return template.render(
        comparison=comparison,
        contest=comparison.contest,
        reason=reason_of(comparison),
        warnings=warnings_of(comparison),
        steps=next_steps(comparison),
        traffic=traffic_table(comparison),
        distances=[_section(each.output, distance_table(each)) for each in comparison.distances],
        scores=[
            _section(each.output, score_table(each), each)
            for each in comparison.judgements
            if each.total is not None
        ],
        plots=plots,
        alpha=ALPHA,
        samples_per_step=SAMPLES_PER_STEP,
    )


def _section(output: str, rows: list[list[str]], judgement: Any = None) -> dict[str, Any]:
    return {"output": output, "rows": rows, "judgement": judgement}
