"""What serves and what it costs: instances and their limits, utilization, hours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forecast_config.instances import vcpus
from forecast_config.regions import partition_of
from forecast_config.settings import ServerlessEndpoint
from forecast_constructs.dashboards.load import load_lines
from forecast_constructs.dashboards.series import (
    Line,
    added_up,
    draw,
    instance_hours,
    memory_seconds,
    per_minute,
)
from forecast_constructs.dashboards.serving import VARIANT_COLOURS
from forecast_constructs.dashboards.widgets import (
    BLUE,
    GREY,
    ORANGE,
    PURPLE,
    RED,
    THIRD,
    YELLOW,
    Source,
    graph,
    merge_thresholds,
    severity_thresholds,
    text,
    threshold,
)
from forecast_constructs.monitoring.metrics import Metric

if TYPE_CHECKING:
    from typing import Any

    from forecast_constructs.dashboards.layout import Row
    from forecast_constructs.dashboards.subject import Subject
    from forecast_constructs.dashboards.widgets import Size, Widget
    from forecast_constructs.monitoring.metrics import EndpointMetrics, Formula

_BILLING_REGION = "us-east-1"
"""Where AWS publishes charges, whatever the region (CloudWatch user guide, "Create a billing alarm
to monitor your estimated AWS charges")."""


def capacity(subject: Subject) -> list[Row]:
    """Rows of what serves, and of what it costs."""
    first: Row = (
        [concurrency(subject), _memory(subject), *_beyond_warm(subject)]
        if subject.is_serverless
        else [instances(subject), _utilization(subject)]
    )
    scaling = load_lines(subject)
    if scaling:
        first.append(_load(subject, scaling))
    return [
        [text("## Capacity", height=1)],
        first,
        [text("## Cost", height=1)],
        _cost(subject),
    ]


def instances(subject: Subject, size: Size = THIRD) -> Widget:
    """Instances in service, with the bounds of scaling."""
    lines = [
        Line(per_minute(variant.instance_count()), subject.label(variant), colour)
        for variant, colour in zip(subject.variants, VARIANT_COLOURS, strict=False)
    ]
    return graph(
        "Instances",
        draw(lines),
        subject.source,
        unit="instances",
        stacked=len(lines) > 1,
        thresholds=_bounds(subject),
        size=size,
    )


def _bounds(subject: Subject) -> list[dict[str, Any]]:
    endpoint, scaling = subject.settings.endpoint, subject.settings.autoscaling
    if isinstance(endpoint, ServerlessEndpoint):
        return []
    if scaling is None:
        label = f"fixed at {endpoint.initial_instance_count}"
        return [threshold(label, endpoint.initial_instance_count, colour=GREY)]
    return [
        threshold(f"{word}imum {value}", value, colour=colour)
        for word, value, colour in (
            ("max", scaling.max_instance_count, RED),
            ("min", scaling.min_instance_count, GREY),
        )
    ]


def _utilization(subject: Subject) -> Widget:
    endpoint, alarms = subject.settings.endpoint, subject.settings.alarms
    champion = subject.champion
    lines = [
        Line(champion.memory_utilization_percent(), "memory", PURPLE),
        Line(champion.disk_utilization_percent(), "disk", YELLOW),
    ]
    if not isinstance(endpoint, ServerlessEndpoint):
        cpu = champion.cpu_utilization_percent(vcpus(endpoint.instance_type))
        lines.insert(0, Line(cpu, "CPU, of all cores", BLUE))
    watched = {
        "CPU": alarms.cpu_utilization,
        "memory": alarms.memory_utilization,
        "disk": alarms.disk_utilization,
    }
    marks = [
        mark
        for what, alert in watched.items()
        if alert is not None
        for mark in severity_thresholds(alert.thresholds_percent, "%", what=what)
    ]
    return graph(
        "Utilization of an instance",
        draw(lines),
        subject.source,
        unit="%",
        maximum=100,
        thresholds=merge_thresholds(marks),
    )


def _load(subject: Subject, lines: list[Line]) -> Widget:
    mark = threshold("above it, scaling adds", 100, colour=ORANGE)
    return graph(
        "Load, as scaling sees it",
        draw(lines),
        subject.source,
        unit="% of the target",
        thresholds=[mark],
    )


def concurrency(subject: Subject, size: Size = THIRD) -> Widget:
    """Requests at once of a serverless endpoint, in percent of what it takes."""
    lines = [Line(subject.champion.concurrency_percent(), "of max_concurrency", BLUE)]
    endpoint = subject.settings.endpoint
    if isinstance(endpoint, ServerlessEndpoint) and endpoint.provisioned_concurrency is not None:
        warm = subject.champion.provisioned_concurrency_percent()
        lines.append(Line(warm, "of what is kept warm", ORANGE))
    alert = subject.settings.alarms.throttling
    return graph(
        "Requests at once",
        draw(lines),
        subject.source,
        unit="%",
        thresholds=[] if alert is None else severity_thresholds(alert.thresholds_percent, "%"),
        size=size,
    )


def _memory(subject: Subject) -> Widget:
    alert = subject.settings.alarms.memory_utilization
    return graph(
        "Memory of a container",
        draw([Line(subject.champion.memory_utilization_percent(), "memory", PURPLE)]),
        subject.source,
        unit="%",
        maximum=100,
        thresholds=[] if alert is None else severity_thresholds(alert.thresholds_percent, "%"),
    )


def _beyond_warm(subject: Subject) -> list[Widget]:
    endpoint = subject.settings.endpoint
    if isinstance(endpoint, ServerlessEndpoint) and endpoint.provisioned_concurrency is None:
        return []
    beyond = per_minute(subject.champion.spillover_requests())
    lines = [Line(beyond, "may start cold", ORANGE)]
    title = "Requests beyond what is kept warm"
    return [graph(title, draw(lines), subject.source, unit="requests a minute")]


def _cost(subject: Subject) -> Row:
    row: Row = [_hours(subject)]
    if subject.settings.alarms.budget is not None and partition_of(subject.source.region) == "aws":
        row.append(_charges(subject))
    width = 24 - sum(widget.width for widget in row)
    return [*row, text(_explain_cost(subject), height=6, width=width)]


def _hours(subject: Subject) -> Widget:
    endpoint = subject.settings.endpoint
    if isinstance(endpoint, ServerlessEndpoint):
        gib = endpoint.memory_mib / 1024
        lines = [
            Line(added_up(memory_seconds(variant.model_latency("Sum"), gib)), "GiB-seconds", BLUE)
            for variant in subject.variants
        ]
        return graph("Computing time, added up", draw(lines), subject.source, unit="GiB-seconds")
    lines = [
        Line(_hours_of(variant), subject.label(variant), colour)
        for variant, colour in zip(subject.variants, VARIANT_COLOURS, strict=False)
    ]
    return graph(
        "Instance-hours, added up over the time shown",
        draw(lines),
        subject.source,
        unit="hours",
        stacked=len(lines) > 1,
    )


def _hours_of(variant: EndpointMetrics) -> Formula:
    return added_up(instance_hours(variant.instance_count()))


def _charges(subject: Subject) -> Widget:
    budget = subject.settings.alarms.budget
    planned = 0.0 if budget is None else budget.monthly_usd
    charges = Metric(
        namespace="AWS/Billing",
        name="EstimatedCharges",
        dimensions={"Currency": "USD", "ServiceName": "AmazonSageMaker"},
        statistic="Maximum",
        label="",
    )
    return graph(
        "SageMaker in the whole account, this month so far",
        draw([Line(charges, "charges", BLUE)]),
        Source(region=_BILLING_REGION, account=subject.source.account),
        unit="US dollars",
        thresholds=[
            threshold(f"plan of {subject.settings.name}: {planned:g} USD", planned, colour=ORANGE)
        ],
    )


def _explain_cost(subject: Subject) -> str:
    endpoint, budget = subject.settings.endpoint, subject.settings.alarms.budget
    plan = (
        "No budget is set (`alarms.budget`)."
        if budget is None
        else f"Planned for a month: **{budget.monthly_usd:g} USD**; AWS Budgets watches it."
    )
    if isinstance(endpoint, ServerlessEndpoint):
        what = "Charged by the computing time of each request and the memory of a container."
    else:
        days = "24 x 30 hours of one instance are 720."
        what = f"Charged by the hour of each **{endpoint.instance_type}**. {days}"
    return (
        f"{plan}\n\n{what} Prices differ by region and contract, so none are kept here: "
        "[prices of Amazon SageMaker AI](https://aws.amazon.com/sagemaker/ai/pricing/).\n\n"
        "Charges by environment: Cost Explorer, by the tag `environment`."
    )
