"""Lines of a graph: metrics and metric math in the units that people think in.

Rates are divided by the period, so that they keep their unit when CloudWatch widens the period with
the time range that is shown.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from forecast_constructs.monitoring.metrics import MICROSECONDS_PER_MILLISECOND, Formula, Metric

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forecast_constructs.dashboards.widgets import Series
    from forecast_constructs.monitoring.metrics import EndpointMetrics

_PREFIXES = "abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True)
class Line:
    """One line, or one number.

    Attributes:
        value: What is drawn.
        label: What the legend calls it.
        colour: Its colour, as `#rrggbb`.
        on_right: Whether it has the axis on the right.
    """

    value: Metric | Formula
    label: str
    colour: str
    on_right: bool = False


def draw(lines: Sequence[Line]) -> list[Series]:
    """The lines as the `metrics` of a widget, each formula with ids of its own."""
    found: list[Series] = []
    for prefix, line in zip(_PREFIXES, lines, strict=False):
        value = replace(line.value, label=line.label)
        options = {"color": line.colour, **({"yAxis": "right"} if line.on_right else {})}
        if isinstance(value, Metric):
            found.append(value.render_entry(**options))
        else:
            found += value.render_entries(prefix, **options)
    return found


def per_minute(value: Metric | Formula) -> Formula:
    """A number of events as a rate, in events a minute."""
    formula = _formula(value)
    period = f"PERIOD({next(iter(formula.metrics))})"
    return replace(formula, expression=f"({formula.expression}) / {period} * 60")


def milliseconds(latency: Metric) -> Formula:
    """A latency that AWS publishes in microseconds."""
    formula = _formula(latency)
    return replace(formula, expression=f"{formula.expression} / {MICROSECONDS_PER_MILLISECOND}")


def percent(share: Metric) -> Formula:
    """A share between 0 and 1, in percent."""
    formula = _formula(share)
    return replace(formula, expression=f"100 * {formula.expression}")


def instance_hours(count: Metric) -> Formula:
    """Hours of instances: one for each instance that serves for an hour.

    Args:
        count: A metric with one sample a minute and instance.
    """
    formula = _formula(count)
    return replace(formula, expression=f"{formula.expression} / 60")


def memory_seconds(latency: Metric, gib: float) -> Formula:
    """GiB-seconds: the sum of a latency in microseconds, times the memory of a container."""
    formula = _formula(latency)
    return replace(formula, expression=f"{formula.expression} / 1000000 * {gib:g}")


def added_up(formula: Formula) -> Formula:
    """The sum of all values since the beginning of the time that is shown."""
    return replace(formula, expression=f"RUNNING_SUM({formula.expression})")


def ratio_percent(part: Metric, whole: Metric) -> Formula:
    """A part of a whole, in percent; 0 of nothing."""
    return Formula(
        expression="IF(whole > 0, 100 * FILL(part, 0) / whole, 0)",
        metrics={"part": part, "whole": whole},
        label=part.label,
    )


def error_rate(variants: Sequence[EndpointMetrics]) -> Formula:
    """Share of the requests that several variants failed together, in percent."""
    if len(variants) == 1:
        return variants[0].error_rate_percent()
    failed = together([variant.failed_requests() for variant in variants])
    requests = together([variant.requests() for variant in variants])
    return Formula(
        expression=(
            f"IF(({requests.expression}) > 0, "
            f"100 * ({failed.expression}) / ({requests.expression}), 0)"
        ),
        metrics={**failed.metrics, **requests.metrics},
        label=failed.label,
    )


def together(values: Sequence[Metric | Formula]) -> Formula:
    """The sum of several values, which counts as nothing what has no data."""
    if len(values) == 1:
        return _formula(values[0])
    renamed = [
        _renamed(_filled(value), prefix) for prefix, value in zip(_PREFIXES, values, strict=False)
    ]
    return Formula(
        expression=" + ".join(formula.expression for formula in renamed),
        metrics={name: value for formula in renamed for name, value in formula.metrics.items()},
        label=values[0].label,
    )


def _filled(value: Metric | Formula) -> Formula:
    if isinstance(value, Formula):
        return value
    return Formula(expression="FILL(count, 0)", metrics={"count": value}, label=value.label)


def _renamed(formula: Formula, prefix: str) -> Formula:
    # Ids are words of small letters, and the functions of metric math are capitals.
    pattern = rf"\b({'|'.join(formula.metrics)})\b"
    return Formula(
        expression=re.sub(pattern, lambda found: prefix + found[1], formula.expression),
        metrics={prefix + name: value for name, value in formula.metrics.items()},
        label=formula.label,
    )


def _formula(value: Metric | Formula) -> Formula:
    if isinstance(value, Formula):
        return value
    return Formula(expression="value", metrics={"value": value}, label=value.label)
