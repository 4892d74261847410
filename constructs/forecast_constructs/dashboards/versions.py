"""Which version answered when: fleets, champion beside challenger, quality and data."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from forecast_constructs.dashboards.series import (
    Line,
    draw,
    milliseconds,
    per_minute,
    percent,
    ratio_percent,
)
from forecast_constructs.dashboards.serving import VARIANT_COLOURS, quality
from forecast_constructs.dashboards.widgets import (
    BLUE,
    DARK_BLUE,
    GREY,
    graph,
    severity_thresholds,
    text,
)
from forecast_constructs.monitoring.metrics import ENDPOINT_NAMESPACE, INVOCATION_NAMESPACE, Metric

if TYPE_CHECKING:
    from collections.abc import Callable

    from forecast_constructs.dashboards.layout import Row
    from forecast_constructs.dashboards.subject import Subject
    from forecast_constructs.dashboards.widgets import Series, Widget
    from forecast_constructs.monitoring.metrics import EndpointMetrics, Formula


def versions(subject: Subject) -> list[Row]:
    """Rows of which version answered when, and how well."""
    rows: list[Row] = [
        [text("## Versions: each deployed configuration is a fleet of its own", height=1)],
        _fleets(subject),
    ]
    if subject.challenger is not None:
        rows += [
            [text(f"## Champion and challenger{_how(subject)}", height=1)],
            _comparison(subject),
        ]
    loss = quality(subject)
    data = [_out_of_range(subject), _refused_rows(subject)]
    return [
        *rows,
        [text("## Forecasts and data", height=1)],
        data if loss is None else [loss, *data],
    ]


def _how(subject: Subject) -> str:
    if subject.is_shadowed:
        return ": the challenger gets copies, and its answers reach nobody"
    return ": both answer clients"


def _fleets(subject: Subject) -> Row:
    current = f"v{subject.version(subject.champion)}, as deployed"
    requests, errors = subject.champion.requests(), subject.champion.server_errors()
    row = [
        graph(
            "Requests by fleet",
            _by_fleet(subject, requests, current),
            subject.source,
            unit="requests in a period",
            stacked=True,
        ),
        graph(
            "Failed requests (5xx) by fleet",
            _by_fleet(subject, errors, current),
            subject.source,
            unit="requests in a period",
            stacked=True,
        ),
    ]
    if subject.endpoint_config_name is not None:
        row.append(_deployed_latency(subject, current))
    return row


def _by_fleet(subject: Subject, metric: Metric, current: str) -> list[Series]:
    """One line for each endpoint configuration that answered in the last two weeks.

    The deployed one is named; the others are found by a search, which excludes it and knows metrics
    of two weeks (CloudWatch user guide, "CloudWatch search expression syntax").
    """
    deployed = subject.endpoint_config_name
    terms = [f'MetricName="{metric.name}"']
    terms += [f'{name}="{value}"' for name, value in metric.dimensions.items()]
    found: list[Series] = []
    if deployed is not None:
        dimensions = {**metric.dimensions, "EndpointConfigName": deployed}
        found += draw([Line(replace(metric, dimensions=dimensions), current, BLUE)])
        terms.append(f'NOT EndpointConfigName="{deployed}"')
    schema = f"{INVOCATION_NAMESPACE},EndpointConfigName,EndpointName,VariantName"
    search = f"SEARCH('{{{schema}}} {' '.join(terms)}', '{metric.statistic}')"
    return [*found, [{"expression": search, "label": "${PROP('Dim.EndpointConfigName')}"}]]


def _deployed_latency(subject: Subject, current: str) -> Widget:
    champion = subject.champion
    fleet = replace(champion, endpoint_config_name=subject.endpoint_config_name)
    lines = [
        Line(milliseconds(champion.model_latency("p99")), "all fleets", GREY),
        Line(milliseconds(fleet.model_latency("p99")), current, DARK_BLUE),
    ]
    alert = subject.settings.alarms.high_latency
    return graph(
        "p99 of the deployed fleet",
        draw(lines),
        subject.source,
        unit="ms",
        thresholds=[] if alert is None else severity_thresholds(alert.thresholds_ms, "ms"),
    )


def _comparison(subject: Subject) -> Row:
    both = list(zip(subject.variants, VARIANT_COLOURS, strict=False))

    def compare(title: str, unit: str, value: str) -> Widget:
        lines = [
            Line(_VALUES[value](variant), subject.label(variant), colour)
            for variant, colour in both
        ]
        return graph(title, draw(lines), subject.source, unit=unit)

    return [
        compare("Requests", "requests a minute", "requests"),
        compare("p99 of the model", "ms", "p99"),
        compare("Error rate", "% of the requests", "errors"),
    ]


_VALUES: dict[str, Callable[[EndpointMetrics], Formula]] = {
    "requests": lambda variant: per_minute(variant.requests()),
    "p99": lambda variant: milliseconds(variant.model_latency("p99")),
    "errors": lambda variant: variant.error_rate_percent(),
}


def _out_of_range(subject: Subject) -> Widget:
    lines = [
        Line(percent(_told(subject, variant, "OutOfRangeShare", "Maximum")), label, colour)
        for variant, label, colour in _labelled(subject)
    ]
    return graph(
        "Inputs out of the range of training: the worst feature",
        draw(lines),
        subject.source,
        unit="% of the rows",
    )


def _refused_rows(subject: Subject) -> Widget:
    lines = [
        Line(
            ratio_percent(
                _told(subject, variant, "RefusedRows", "Sum"),
                _told(subject, variant, "Rows", "Sum"),
            ),
            label,
            colour,
        )
        for variant, label, colour in _labelled(subject)
    ]
    return graph("Rows refused", draw(lines), subject.source, unit="% of the rows")


def _labelled(subject: Subject) -> list[tuple[EndpointMetrics, str, str]]:
    return [
        (variant, subject.label(variant), colour)
        for variant, colour in zip(subject.variants, VARIANT_COLOURS, strict=False)
    ]


def _told(subject: Subject, variant: EndpointMetrics, name: str, statistic: str) -> Metric:
    """A metric that the container tells in its log, by version of the model."""
    return Metric(
        namespace=ENDPOINT_NAMESPACE,
        name=name,
        dimensions={
            "Endpoint": subject.name,
            "Variant": variant.variant_name,
            "ModelVersion": subject.version(variant),
        },
        statistic=statistic,
        label=name,
    )
