"""What clients see: requests, latency, errors, and whether the endpoint answers at all."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from forecast_config.alerts import has_heartbeat
from forecast_constructs.dashboards.series import (
    Line,
    draw,
    error_rate,
    milliseconds,
    per_minute,
    percent,
    together,
)
from forecast_constructs.dashboards.widgets import (
    BLUE,
    DARK_BLUE,
    GREEN,
    GREY,
    LIGHT_BLUE,
    ORANGE,
    PURPLE,
    RED,
    TEAL,
    THIRD,
    graph,
    severity_thresholds,
    text,
)
from forecast_constructs.monitoring.metrics import (
    backlog,
    heartbeat,
    heartbeat_latency,
    of_endpoint,
    oldest_request_seconds,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from forecast_config.settings import Severity
    from forecast_constructs.dashboards.layout import Row
    from forecast_constructs.dashboards.subject import Subject
    from forecast_constructs.dashboards.widgets import Size, Widget

VARIANT_COLOURS = (BLUE, ORANGE)
"""The champion's colour and the challenger's."""

_PERCENTILES = {"p50": LIGHT_BLUE, "p90": BLUE, "p99": DARK_BLUE}


def serving(subject: Subject) -> list[Row]:
    """Rows of what clients see, what fails first."""
    second: Row = [_errors(subject)]
    second += [queue(subject), _answer_time(subject)] if subject.is_async else [_overhead(subject)]
    if has_heartbeat(subject.settings):
        second.append(_heartbeat(subject))
    return [
        [text("## What clients see", height=1)],
        [traffic(subject), latency(subject), failed(subject)],
        second,
    ]


def traffic(subject: Subject, size: Size = THIRD) -> Widget:
    """Requests a minute, by the variant that answers them."""
    several = len(subject.production) > 1
    lines = [
        Line(
            per_minute(variant.requests()),
            subject.label(variant) if several else "requests",
            colour,
        )
        for variant, colour in zip(subject.production, VARIANT_COLOURS, strict=False)
    ]
    return graph(
        "Requests",
        draw(lines),
        subject.source,
        unit="requests a minute",
        stacked=several,
        size=size,
    )


def latency(subject: Subject, size: Size = THIRD) -> Widget:
    """Time that the container takes.

    The threshold is in the title: a line at 2 s would press what takes 0.1 s to the ground.
    """
    lines = [
        Line(milliseconds(subject.champion.model_latency(percentile)), percentile, colour)
        for percentile, colour in _PERCENTILES.items()
    ]
    alert = subject.settings.alarms.high_latency
    limit = "" if alert is None else _limit(alert.thresholds_ms)
    return graph(f"Latency of the model{limit}", draw(lines), subject.source, unit="ms", size=size)


def failed(subject: Subject, size: Size = THIRD) -> Widget:
    """Share of the requests that the endpoint failed, with the thresholds of its alarms."""
    alert = subject.settings.alarms.error_rate
    return graph(
        "Error rate",
        draw([Line(error_rate(subject.production), "failed by the endpoint", RED)]),
        subject.source,
        unit="% of the requests",
        thresholds=[] if alert is None else severity_thresholds(alert.thresholds_percent, "%"),
        size=size,
    )


def _errors(subject: Subject) -> Widget:
    failures = together([variant.failed_requests() for variant in subject.production])
    refusals = together([per_minute(variant.client_errors()) for variant in subject.production])
    lines = [
        Line(per_minute(failures), "failed by the endpoint", RED),
        Line(refusals, "refused: wrong requests (4xx)", GREY),
    ]
    return graph("Errors, by whose they are", draw(lines), subject.source, unit="requests a minute")


def _overhead(subject: Subject) -> Widget:
    lines = [
        Line(milliseconds(subject.champion.overhead_latency(percentile)), percentile, colour)
        for percentile, colour in _PERCENTILES.items()
    ]
    alert = subject.settings.alarms.overhead_latency
    title = f"Latency that SageMaker adds{'' if alert is None else _limit(alert.thresholds_ms)}"
    if not subject.is_serverless:
        return graph(title, draw(lines), subject.source, unit="ms")
    lines.append(
        Line(
            milliseconds(subject.champion.setup_time("p99")),
            "cold start p99 (right)",
            PURPLE,
            on_right=True,
        )
    )
    return graph(title, draw(lines), subject.source, unit="ms", right_unit="ms, cold start")


def _limit(thresholds_ms: Mapping[Severity, float]) -> str:
    lowest = min(thresholds_ms.values(), default=None)
    return "" if lowest is None else f" (alarm: p99 over {lowest:g} ms)"


def queue(subject: Subject, size: Size = THIRD) -> Widget:
    """What waits for an asynchronous endpoint."""
    lines = [
        Line(backlog(subject.name), "requests waiting", PURPLE),
        Line(oldest_request_seconds(subject.name), "age of the oldest, s", ORANGE),
    ]
    return graph("Queue", draw(lines), subject.source, unit="requests, seconds", size=size)


def _answer_time(subject: Subject) -> Widget:
    lines = [
        Line(
            # Published in milliseconds, other than all latencies of SageMaker.
            replace(subject.champion.model_latency(percentile), name="TotalProcessingTime"),
            percentile,
            colour,
        )
        for percentile, colour in _PERCENTILES.items()
    ]
    title = "From a request's arrival to its answer"
    return graph(title, draw(lines), subject.source, unit="ms")


def _heartbeat(subject: Subject) -> Widget:
    lines = [
        Line(percent(heartbeat(subject.name)), "right answers, %", GREEN),
        Line(
            heartbeat_latency(subject.name), "time to the answer, ms (right)", TEAL, on_right=True
        ),
    ]
    return graph(
        "Heartbeat",
        draw(lines),
        subject.source,
        unit="% right",
        maximum=100,
        right_unit="ms",
    )


def quality(subject: Subject, size: Size = THIRD) -> Widget | None:
    """The loss that a monitoring job publishes, with its thresholds; None without an alert."""
    alert = subject.settings.alarms.model_drift
    if alert is None:
        return None
    loss = of_endpoint(
        subject.name, alert.namespace, alert.metric_name, "Maximum", alert.metric_name
    )
    return graph(
        f"Quality of the forecasts: {alert.metric_name}",
        draw([Line(loss, f"{alert.metric_name}, less is better", PURPLE)]),
        subject.source,
        unit=alert.metric_name,
        thresholds=severity_thresholds(alert.thresholds, ""),
        size=size,
    )
