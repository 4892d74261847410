"""A minute of requests as one log line in CloudWatch's embedded metric format (EMF).

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
prescribes: the log event is one JSON object with nothing before or after it, at most 100 metrics in
a directive, at most 30 dimensions in a set, dimension values of 1 to 1024 characters, events of at
most 256 KB (1 MB in later editions), and a value is a number or an array of at most 100 numbers. A
value as an object of ``Values`` and ``Counts`` is not in that text; AWS's own exporter in the
OpenTelemetry collector (exporter/awsemfexporter/datapoint.go) sends it, as one does to
PutMetricData, and CloudWatch computes percentiles from it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from forecast_inference.telemetry.totals import BOUNDS_NS, STEPS_PER_DOUBLING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from forecast_inference.telemetry.totals import Totals

NAMESPACE: Final = "ForecastEndpoint"
MAX_METRICS: Final = 100
MAX_DIMENSION_LENGTH: Final = 1024

_MIDDLE: Final = 2 ** (-0.5 / STEPS_PER_DOUBLING)
_MAX_FEATURES: Final = 50

Metrics = dict[str, tuple[str, Any]]
"""Unit and value of each metric."""


def document(
    minute: Totals, dimensions: Mapping[str, str], timestamp_ms: int
) -> dict[str, Any] | None:
    """The line's document, or none when there was no request.

    Args:
        minute: what was added in the minute.
        dimensions: names and values, such as the endpoint's; those without a value are left out.
        timestamp_ms: the minute's end, in ms since 1970.
    """
    if not any(minute["requests"].values()):
        return None
    named = {name: value[:MAX_DIMENSION_LENGTH] for name, value in dimensions.items() if value}
    metrics = {**_counts(minute), **_latencies(minute), **_widths(minute)}
    metrics = dict(list(metrics.items())[:MAX_METRICS])
    directive = {
        "Namespace": NAMESPACE,
        "Dimensions": [list(named)],
        "Metrics": [{"Name": name, "Unit": unit} for name, (unit, _) in metrics.items()],
    }
    return {
        "_aws": {"Timestamp": timestamp_ms, "CloudWatchMetrics": [directive]},
        **named,
        **{name: value for name, (_, value) in metrics.items()},
        # No metrics, as each would be billed: for CloudWatch Logs Insights.
        **{
            f"{name}_share": shares
            for name in ("out_of_range", "clipped", "imputed")
            if (shares := _shares(minute, name))
        },
    }


def _shares(minute: Totals, name: str) -> dict[str, float]:
    """The share of the rows, by feature, of those that have most."""
    counts = sorted(minute[name].items(), key=lambda item: -item[1])[:_MAX_FEATURES]
    return {feature: round(count / max(minute["rows"], 1), 6) for feature, count in counts if count}


def _counts(minute: Totals) -> Metrics:
    by_class: dict[str, int] = {}
    for outcome, count in minute["requests"].items():
        by_class[outcome[0]] = by_class.get(outcome[0], 0) + count
    # The worst feature's share: a mean over all of them would hide the one that drifts.
    worst = max(_shares(minute, "out_of_range").values(), default=0.0)
    return {
        "Requests": ("Count", sum(by_class.values())),
        "RefusedRequests": ("Count", by_class.get("4", 0)),
        "FailedRequests": ("Count", by_class.get("5", 0)),
        "Rows": ("Count", minute["rows"]),
        "RefusedRows": ("Count", minute["refused_rows"]),
        "OutOfRangeShare": ("None", worst),
        "ClippedValues": ("Count", sum(minute["clipped"].values())),
        "ImputedValues": ("Count", sum(minute["imputed"].values())),
    }


def _latencies(minute: Totals) -> Metrics:
    return {
        f"{name.capitalize()}Latency": ("Microseconds", _distribution(histogram))
        for name, histogram in minute["latencies"].items()
        if any(histogram["buckets"])
    }


def _distribution(histogram: Totals) -> dict[str, Any]:
    """Values in µs, each the middle of its bucket, and how often they occurred."""
    bounds = (*BOUNDS_NS, BOUNDS_NS[-1] * 2)
    found = [
        (round(bound * _MIDDLE / 1000, 3), count)
        for bound, count in zip(bounds, histogram["buckets"], strict=True)
        if count
    ]
    return {
        "Values": [value for value, _ in found],
        "Counts": [count for _, count in found],
        "Min": found[0][0],
        "Max": found[-1][0],
        "Count": sum(count for _, count in found),
        "Sum": round(histogram["sum_ns"] / 1000, 3),
    }


def _widths(minute: Totals) -> Metrics:
    return {
        f"IntervalWidth_{output}": ("None", mean["sum"] / mean["rows"])
        for output, mean in minute["interval_width"].items()
        if mean["rows"]
    }
