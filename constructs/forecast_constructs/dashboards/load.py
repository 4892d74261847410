"""The load that scaling follows: each target's metric, in percent of its target."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from forecast_config.instances import vcpus
from forecast_config.settings import (
    BacklogTarget,
    ConcurrentRequestsTarget,
    CpuUtilizationTarget,
    CustomMetricTarget,
    InvocationsTarget,
    LatencyTarget,
    ServerlessEndpoint,
)
from forecast_constructs.dashboards.series import Line, milliseconds, per_minute
from forecast_constructs.dashboards.widgets import BLUE, GREEN, ORANGE, PURPLE, TEAL, YELLOW
from forecast_constructs.monitoring.metrics import (
    INVOCATION_NAMESPACE,
    Formula,
    Metric,
    of_endpoint,
)

if TYPE_CHECKING:
    from forecast_config.settings import ScalingTarget
    from forecast_constructs.dashboards.subject import Subject

_COLOURS = (BLUE, ORANGE, GREEN, PURPLE, TEAL, YELLOW)


def load_lines(subject: Subject) -> list[Line]:
    """One line for each scaling target; none without scaling."""
    endpoint, scaling = subject.settings.endpoint, subject.settings.autoscaling
    if isinstance(endpoint, ServerlessEndpoint) or scaling is None:
        return []
    lines = []
    for index, (name, target) in enumerate(scaling.targets.items()):
        value, aim = _tracked(subject, target, vcpus(endpoint.instance_type))
        share = replace(value, expression=f"100 * ({value.expression}) / {aim:g}")
        label = f"{name}: {target.kind.replace('_', ' ')}, target {aim:g}"
        lines.append(Line(share, label, _COLOURS[index % len(_COLOURS)]))
    return lines


def _tracked(subject: Subject, target: ScalingTarget, cores: int) -> tuple[Formula, float]:
    """What a target holds constant, and the value that it is held at."""
    champion = subject.champion
    if isinstance(target, CpuUtilizationTarget):
        return champion.cpu_utilization_percent(cores), target.percent
    if isinstance(target, InvocationsTarget):
        return per_minute(_of_variant(subject, "InvocationsPerInstance", "Sum")), target.per_minute
    if isinstance(target, ConcurrentRequestsTarget):
        busy = _of_variant(subject, "ConcurrentRequestsPerModel", "Maximum")
        return _formula(busy), target.per_instance
    if isinstance(target, LatencyTarget):
        return milliseconds(champion.model_latency("p90")), target.milliseconds
    if isinstance(target, BacklogTarget):
        name = "ApproximateBacklogSizePerInstance"
        waiting = of_endpoint(subject.name, INVOCATION_NAMESPACE, name, "Average", name)
        return _formula(waiting), target.requests
    return _formula(_custom(target)), target.value


def _custom(target: CustomMetricTarget) -> Metric:
    return Metric(
        namespace=target.namespace,
        name=target.metric_name,
        dimensions=target.dimensions,
        statistic=target.statistic,
        label=target.metric_name,
    )


def _of_variant(subject: Subject, name: str, statistic: str) -> Metric:
    requests = subject.champion.requests()
    return replace(requests, name=name, statistic=statistic, label=name)


def _formula(metric: Metric) -> Formula:
    return Formula(expression="value", metrics={"value": metric}, label=metric.label)
