"""Alarms of an endpoint, made from the table of its alerts."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from forecast_config import alerts as table
from forecast_config import names
from forecast_config.alert_words import minutes_text
from forecast_config.instances import vcpus
from forecast_config.settings import (
    AsyncEndpoint,
    ServerlessEndpoint,
    SplitRollout,
)
from forecast_constructs.acknowledgements import acknowledge
from forecast_constructs.monitoring.metrics import (
    MICROSECONDS_PER_MILLISECOND,
    ONE_MINUTE,
    EndpointMetrics,
    Formula,
    Metric,
    backlog_without_capacity,
    heartbeat,
    of_endpoint,
)

if TYPE_CHECKING:
    from aws_cdk import Stack

    from forecast_config.alerts import Alert
    from forecast_config.settings import (
        EnvironmentSettings,
        InstanceEndpoint,
        Rollout,
        Severity,
    )
    from forecast_constructs.monitoring.heartbeat import Heartbeat

LONGEST_DATAPOINT_MINUTES = 5
"""Longest stretch of time that one datapoint covers where several make up an alarm's time.

With few requests most single minutes have none, and a percentile of a few says little.
"""

DESCRIPTION_LIMIT = 1024
"""Characters of an alarm's description (Amazon CloudWatch API reference, PutMetricAlarm)."""

NO_ACTION_REASON = "its composite alarm notifies, once for the whole incident"

_WHOLE_TIME = frozenset({"model_drift", "no_traffic"})
"""Alerts whose time is one datapoint: a drift is published once a day, and traffic is counted
over all of it, lest a beat that falls over the edge of a short period look like a request."""


def alarms_of_endpoint(stack: Stack, endpoint_name: str) -> dict[str, Any]:
    """Conditions of a policy that lets CloudWatch act for the alarms of one endpoint only."""
    name = names.alarm(endpoint_name, "*")
    return {
        "StringEquals": {"aws:SourceAccount": stack.account},
        "ArnLike": {
            "aws:SourceArn": (
                f"arn:{stack.partition}:cloudwatch:{stack.region}:{stack.account}:alarm:{name}"
            )
        },
    }


@dataclass(frozen=True, kw_only=True)
class Watch:
    """What an alarm compares with what.

    Attributes:
        series: The metric or formula.
        threshold: The value in the series' own unit.
        operator: ComparisonOperator of the alarm.
        missing: TreatMissingData of the alarm.
    """

    series: Metric | Formula
    threshold: float
    operator: str = "GreaterThanThreshold"
    missing: str = "notBreaching"


class EndpointAlarms(Construct):
    """An alarm for each alert, severity and production variant; none of them notifies by itself."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: EnvironmentSettings,
        heartbeat: Heartbeat | None,
    ) -> None:
        super().__init__(scope, construct_id)
        self._heartbeat = heartbeat
        watched = [alert for alert in table.alerts(settings) if alert.name != "budget"]
        for alert in watched:
            self._build_alarms(settings, alert)
        if watched:
            acknowledge(self, "CloudWatchAlarmAction", NO_ACTION_REASON)

    def _build_alarms(self, settings: EnvironmentSettings, alert: Alert) -> None:
        for severity, variant in table.alarms_of(settings, alert):
            watch = watch_of(settings, alert, severity, variant)
            period, periods = evaluation(alert.minutes, whole=alert.name in _WHOLE_TIME)
            alarm = cloudwatch.CfnAlarm(
                self,
                _alarm_id(settings, alert, severity, variant),
                alarm_name=table.alarm_name(settings, alert, severity, variant),
                alarm_description=describe(settings, alert, severity, variant),
                threshold=watch.threshold,
                comparison_operator=watch.operator,
                evaluation_periods=periods,
                treat_missing_data=watch.missing,
                **render_series(watch.series, period),
            )
            if alert.name == "endpoint_down" and self._heartbeat is not None:
                # Without a beat the endpoint counts as down.
                alarm.add_resource_dependency(self._heartbeat.schedule)


def watch_of(
    settings: EnvironmentSettings, alert: Alert, severity: Severity, variant_name: str
) -> Watch:
    """What the alarm of an alert compares with what."""
    threshold = alert.thresholds[severity]
    if threshold is None:
        return _watch_presence(settings, alert)
    metrics = EndpointMetrics(
        endpoint_name=settings.endpoint.name,
        variant_name=variant_name,
        mode=settings.endpoint.kind,
    )
    if alert.name in {"high_latency", "overhead_latency"}:
        slow = alert.name == "high_latency"
        latency = metrics.model_latency() if slow else metrics.overhead_latency()
        return Watch(series=latency, threshold=threshold * MICROSECONDS_PER_MILLISECOND)
    endpoint = settings.endpoint
    if alert.name == "cpu_utilization" and not isinstance(endpoint, ServerlessEndpoint):
        cores = vcpus(_instance_type(endpoint, settings.rollout, variant_name))
        return Watch(series=metrics.cpu_utilization_percent(cores), threshold=threshold)
    return Watch(series=_series_of(settings, alert, metrics), threshold=threshold)


def evaluation(minutes: int, *, whole: bool = False) -> tuple[int, int]:
    """Period in seconds and number of periods that make up so many minutes.

    Periods shorter than an hour may add up to a day, longer ones to a week (Amazon CloudWatch API
    reference, PutMetricAlarm, EvaluationPeriods); a day is the most that the settings allow.

    Args:
        minutes: From 1 to 1440.
        whole: Whether one datapoint covers all of the time.
    """
    datapoint = minutes if whole else math.gcd(minutes, LONGEST_DATAPOINT_MINUTES)
    return datapoint * ONE_MINUTE, minutes // datapoint


def render_series(series: Metric | Formula, period_seconds: int) -> dict[str, Any]:
    """A metric or a formula as properties of an alarm."""
    if isinstance(series, Formula):
        return {"metrics": series.render_queries(period_seconds)}
    simple = series.statistic in {"Average", "Maximum", "Minimum", "SampleCount", "Sum"}
    return {
        "namespace": series.namespace,
        "metric_name": series.name,
        "dimensions": series.render_dimensions(),
        "period": period_seconds,
        "statistic" if simple else "extended_statistic": series.statistic,
    }


def describe(
    settings: EnvironmentSettings, alert: Alert, severity: Severity, variant_name: str
) -> str:
    """An alarm in words: condition, severity, what notifies, the response and its runbook."""
    of_variant = f", variant {variant_name}" if alert.per_variant else ""
    notifier = table.incident_names(settings)[severity]
    text = (
        f"{alert.title} ({severity}): {alert.condition_at(severity)} "
        f"for {minutes_text(alert.minutes)}{of_variant}. Action: {notifier} notifies. "
        f"Response: {alert.response_text}. Runbook: {alert.runbook_url}"
    )
    return text[:DESCRIPTION_LIMIT]


def traffic(settings: EnvironmentSettings) -> Formula:
    """Requests of all variants but those of the heartbeat, which count as invocations too."""
    parts: dict[str, Metric] = {}
    for number, variant in enumerate(table.production_variant_names(settings)):
        parts[f"requests{number}"] = EndpointMetrics(
            endpoint_name=settings.endpoint.name,
            variant_name=variant,
            mode=settings.endpoint.kind,
        ).requests()
    expression = " + ".join(f"FILL({name}, 0)" for name in parts)
    if table.has_heartbeat(settings):
        parts["beats"] = heartbeat(settings.endpoint.name, "SampleCount")
        expression = f"{expression} - FILL(beats, 0)"
    return Formula(expression=expression, metrics=parts, label="Requests of clients")


def tolerated_requests(settings: EnvironmentSettings, minutes: int) -> int:
    """Requests in so many minutes that may be the heartbeat's own, and count as no traffic.

    A beat may be counted on the other side of the period's edge, and one whose function failed
    after it had asked is an invocation without a beat: of each variant a hundredth of its beats,
    and at least one. 0 without a heartbeat.
    """
    if not table.has_heartbeat(settings):
        return 0
    return len(table.production_variant_names(settings)) * max(1, math.ceil(minutes / 100))


def _watch_presence(settings: EnvironmentSettings, alert: Alert) -> Watch:
    endpoint_name = settings.endpoint.name
    if alert.name == "no_traffic":
        return Watch(
            series=traffic(settings),
            threshold=tolerated_requests(settings, alert.minutes),
            operator="LessThanOrEqualToThreshold",
            missing="breaching",
        )
    if isinstance(settings.endpoint, AsyncEndpoint):
        return Watch(
            series=backlog_without_capacity(endpoint_name),
            threshold=1,
            operator="GreaterThanOrEqualToThreshold",
        )
    return Watch(
        series=heartbeat(endpoint_name),
        threshold=1,
        operator="LessThanThreshold",
        missing="breaching",
    )


def _series_of(
    settings: EnvironmentSettings, alert: Alert, metrics: EndpointMetrics
) -> Metric | Formula:
    drift = settings.alarms.model_drift
    if alert.name == "model_drift" and drift is not None:
        return of_endpoint(
            settings.endpoint.name, drift.namespace, drift.metric_name, "Average", drift.metric_name
        )
    if alert.name == "error_rate":
        return metrics.error_rate_percent()
    if alert.name == "throttling":
        return metrics.concurrency_percent()
    if alert.name == "memory_utilization":
        return metrics.memory_utilization_percent()
    return metrics.disk_utilization_percent()


def _instance_type(endpoint: InstanceEndpoint, rollout: Rollout, variant_name: str) -> str:
    is_challenger = variant_name != endpoint.variant_name
    if is_challenger and isinstance(rollout, SplitRollout) and rollout.instance_type is not None:
        return rollout.instance_type
    return endpoint.instance_type


def _alarm_id(
    settings: EnvironmentSettings, alert: Alert, severity: Severity, variant_name: str
) -> str:
    champion = variant_name == settings.endpoint.variant_name
    return (
        f"{'' if champion else 'Challenger'}{alert.name.title().replace('_', '')}{severity.title()}"
    )
