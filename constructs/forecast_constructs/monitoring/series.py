"""A metric and a formula over metrics, as plain data for alarms and for dashboards."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, kw_only=True)
class Metric:
    """One metric with a statistic.

    Attributes:
        namespace: Its namespace.
        name: Its name.
        dimensions: All of its dimensions.
        statistic: Such as Sum, Average or p99.
        label: What a graph calls it, with the unit.
    """

    namespace: str
    name: str
    dimensions: Mapping[str, str]
    statistic: str
    label: str

    def render_query(self, query_id: str, period_seconds: int) -> dict[str, Any]:
        """The metric as an input of an alarm's formula (MetricDataQuery)."""
        return {
            "id": query_id,
            "metricStat": {
                "metric": {
                    "namespace": self.namespace,
                    "metricName": self.name,
                    "dimensions": self.render_dimensions(),
                },
                "period": period_seconds,
                "stat": self.statistic,
            },
            "returnData": False,
        }

    def render_dimensions(self) -> list[dict[str, str]]:
        """The dimensions as a property of an alarm."""
        return [{"name": name, "value": value} for name, value in self.dimensions.items()]

    def render_entry(self, **options: Any) -> list[Any]:
        """The metric as an entry of a dashboard's graph; options such as id, visible, color."""
        dimensions = [text for pair in self.dimensions.items() for text in pair]
        return [
            self.namespace,
            self.name,
            *dimensions,
            {"stat": self.statistic, "label": self.label, **options},
        ]


@dataclass(frozen=True, kw_only=True)
class Formula:
    """Metric math over metrics.

    Attributes:
        expression: The formula.
        metrics: Its inputs, by the ids that the formula uses.
        label: What a graph calls it, with the unit.
    """

    expression: str
    metrics: Mapping[str, Metric]
    label: str

    def render_queries(self, period_seconds: int) -> list[dict[str, Any]]:
        """The formula and its inputs as the metrics of an alarm."""
        return [
            {
                "id": "result",
                "expression": self.expression,
                "label": self.label,
                "returnData": True,
            },
            *(metric.render_query(name, period_seconds) for name, metric in self.metrics.items()),
        ]

    def render_entries(self, prefix: str = "", **options: Any) -> list[list[Any]]:
        """The formula and its hidden inputs as entries of a dashboard's graph.

        Args:
            prefix: Put before each id, so that several formulas fit into one graph; it starts with
                a small letter.
            **options: Further options of the visible entry, such as color or yAxis.
        """
        expression = self.expression
        for name in self.metrics:
            expression = _renamed(expression, name, f"{prefix}{name}")
        shown = {"expression": expression, "label": self.label, "id": f"{prefix}result", **options}
        return [
            [shown],
            *(
                metric.render_entry(id=f"{prefix}{name}", visible=False)
                for name, metric in self.metrics.items()
            ),
        ]


def _renamed(expression: str, old: str, new: str) -> str:
    # Ids are words of small letters, and the functions of metric math are capitals.
    return re.sub(rf"\b{old}\b", new, expression)
