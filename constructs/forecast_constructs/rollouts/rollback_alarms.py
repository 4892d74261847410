"""Alarms that undo a rollout: failures and slowness of the new fleet only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from forecast_config import alerts as table
from forecast_config.alert_words import minutes_text
from forecast_config.settings.rollout import MAX_ROLLBACK_ALARMS
from forecast_constructs.acknowledgements import acknowledge
from forecast_constructs.monitoring.alarms import NO_ACTION_REASON, render_series
from forecast_constructs.monitoring.metrics import (
    MICROSECONDS_PER_MILLISECOND,
    ONE_MINUTE,
    EndpointMetrics,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forecast_config.settings import EnvironmentSettings
    from forecast_constructs.monitoring.metrics import Formula, Metric

LATENCY_MINUTES = 2
"""Slow minutes in a row that undo a rollout; the first requests of a fresh container are slow."""


class RollbackAlarms(Construct):
    """For each production variant an alarm on failed requests and one on latency.

    They see the new fleet only, by the dimension EndpointConfigName: an alarm on both fleets would
    let a sick old fleet undo the very rollout that heals it (developer guide, "Auto-Rollback
    Configuration and Monitoring"). What clients get wrong (4xx) does not count, as bad clients
    would undo a good model; and without requests nothing is wrong.

    A shadow variant has none: no client sees its answers, and undoing the rollout would take back
    the champion too.

    Their names are the same for every version, and an alarm keeps its state when it is changed
    (Amazon CloudWatch API reference, PutMetricAlarm). One that the last fleet left in ALARM is
    evaluated anew within a minute, on the new fleet, which has no data yet and so no alarm;
    SageMaker looks at the alarms minutes later, when that fleet is up and gets traffic. A name of
    its own for each version would change the role, the composite alarms and the dashboards too.

    Attributes:
        alarm_names: Names of these alarms and of the additional ones of the settings, as literals.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: EnvironmentSettings,
        variant_names: Sequence[str],
        endpoint_config_name: str,
    ) -> None:
        """Define the alarms.

        Args:
            scope: The parent.
            construct_id: Id of the construct.
            settings: The environment.
            variant_names: The production variants.
            endpoint_config_name: What the new fleet runs.

        Raises:
            ValueError: With the additional ones they are more than a rollout can have.
        """
        super().__init__(scope, construct_id)
        self._settings = settings
        self.alarm_names: list[str] = []
        for variant in variant_names:
            self._build_alarms(
                EndpointMetrics(
                    endpoint_name=settings.endpoint.name,
                    variant_name=variant,
                    endpoint_config_name=endpoint_config_name,
                    mode=settings.endpoint.kind,
                )
            )
        acknowledge(self, "CloudWatchAlarmAction", NO_ACTION_REASON)
        self.alarm_names.extend(settings.rollout.additional_alarms)
        if len(self.alarm_names) > MAX_ROLLBACK_ALARMS:
            own = len(self.alarm_names) - len(settings.rollout.additional_alarms)
            raise ValueError(
                f"expected at most {MAX_ROLLBACK_ALARMS} rollback alarms, got "
                f"{len(self.alarm_names)}: {own} are made for the variants, leave out some of "
                "rollout.additional_alarms"
            )

    def _build_alarms(self, metrics: EndpointMetrics) -> None:
        rollback = self._settings.alarms.rollback
        self._build_alarm(
            metrics.variant_name,
            "failed-requests",
            metrics.failed_requests(),
            threshold=rollback.error_count,
            minutes=1,
            condition=f"fails {rollback.error_count} or more requests in a minute",
        )
        limit = table.rollback_latency_ms(self._settings)
        if limit is not None:
            self._build_alarm(
                metrics.variant_name,
                "latency",
                metrics.model_latency(),
                threshold=limit * MICROSECONDS_PER_MILLISECOND,
                minutes=LATENCY_MINUTES,
                condition=f"has a p99 of ModelLatency of {limit:g} ms or more for "
                f"{minutes_text(LATENCY_MINUTES)}",
            )

    def _build_alarm(
        self,
        variant_name: str,
        kind: str,
        series: Metric | Formula,
        *,
        threshold: float,
        minutes: int,
        condition: str,
    ) -> None:
        settings = self._settings
        name = table.rollback_alarm_name(settings, variant_name, kind)
        champion = variant_name == settings.endpoint.variant_name
        cloudwatch.CfnAlarm(
            self,
            f"{'' if champion else 'Challenger'}{kind.title().replace('-', '')}",
            alarm_name=name,
            alarm_description=(
                f"Rollback ({settings.alarms.rollback.severity}): the fleet of the last rollout "
                f"{condition}, variant {variant_name}. Action: a rollout that is under way is "
                f"undone, and {table.incident_names(settings)[settings.alarms.rollback.severity]} "
                f"notifies. Response: notify at once. Runbook: {table.rollback_runbook(settings)}"
            ),
            threshold=threshold,
            comparison_operator="GreaterThanOrEqualToThreshold",
            evaluation_periods=minutes,
            treat_missing_data="notBreaching",
            **render_series(series, ONE_MINUTE),
        )
        self.alarm_names.append(name)
