"""From the metrics of a widget to the lines that are drawn."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from forecast_operations.drawing.metric_math import evaluate
from forecast_operations.drawing.source import MetricKey, Search

if TYPE_CHECKING:
    from forecast_operations.drawing.metric_math import Values
    from forecast_operations.drawing.source import Source


@dataclass(frozen=True)
class DrawnLine:
    """One line.

    Attributes:
        label: Its name in the legend.
        values: Its values, NaN where there is no data.
        colour: Its colour; None: any.
        on_right: Whether it belongs to the axis on the right.
    """

    label: str
    values: Values
    colour: str | None
    on_right: bool


def lines_of(properties: dict[str, Any], source: Source) -> list[DrawnLine]:
    """The visible lines of a metric widget, in its order.

    Raises:
        ForecastError: It uses metric math that cannot be drawn.
    """
    rows = [_Row.of(row, properties) for row in properties["metrics"]]
    keys = [row.key for row in rows if row.key is not None]
    by_key = dict(zip(keys, source.values(keys), strict=True))
    known = {
        row.options["id"]: by_key[row.key]
        for row in rows
        if row.key is not None and "id" in row.options
    }
    found: list[DrawnLine] = []
    for row in rows:
        if row.options.get("visible", True):
            found += _lines_of_row(row, properties, source, by_key, known)
    return found


@dataclass(frozen=True)
class _Row:
    key: MetricKey | None
    options: dict[str, Any]

    @classmethod
    def of(cls, row: list[Any], properties: dict[str, Any]) -> _Row:
        options = row[-1] if isinstance(row[-1], dict) else {}
        if "expression" in options:
            return cls(None, options)
        texts = row[:-1] if options else row
        namespace, name, *rest = texts
        key = MetricKey(
            namespace=namespace,
            name=name,
            dimensions=tuple(zip(rest[::2], rest[1::2], strict=True)),
            statistic=options.get("stat", properties.get("stat", "Average")),
            region=options.get("region", properties["region"]),
            account=options.get("accountId", properties.get("accountId")),
        )
        return cls(key, options)


def _lines_of_row(
    row: _Row,
    properties: dict[str, Any],
    source: Source,
    by_key: dict[MetricKey, Values],
    known: dict[str, Values],
) -> list[DrawnLine]:
    label = row.options.get("label", "")
    on_right = row.options.get("yAxis") == "right"
    colour = row.options.get("color")
    if row.key is not None:
        return [DrawnLine(label or row.key.name, by_key[row.key], colour, on_right)]
    expression = row.options["expression"]
    search = Search.parse(expression)
    if search is None:
        values = evaluate(expression, known, source.times.period_seconds)
        return [DrawnLine(label, values, colour, on_right)]
    keys = source.find(search, properties["region"], properties.get("accountId"))
    return [
        DrawnLine(_dynamic(label, key), values, colour, on_right)
        for key, values in zip(keys, source.values(keys), strict=True)
    ]


def _dynamic(label: str, key: MetricKey) -> str:
    """A label with the names of the dimensions filled in, as CloudWatch does."""
    known = dict(key.dimensions)
    return re.sub(r"\$\{PROP\('Dim\.(\w+)'\)\}", lambda found: known.get(found[1], found[0]), label)
