"""Alarms of an endpoint: what people are told of, and what undoes a rollout."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from aws_cdk import Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from constructs import Construct

from forecast_config import names
from forecast_constructs.monitoring.metrics import MICROSECONDS_PER_MILLISECOND, EndpointMetrics

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from aws_cdk import aws_sns as sns

    from forecast_config.settings import AlarmSettings, Severity

LONGEST_DATAPOINT_MINUTES = 5
"""Longest stretch of time that one datapoint of the latency and the error rate covers."""


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


class EndpointAlarms(Construct):
    """Alarms on what an endpoint's clients see: its latency and its failed requests.

    Attributes:
        latency_p99: Fires when the slowest hundredth of the requests takes too long (medium).
        error_rate: Fires when too large a share of the requests fails (high).
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        metrics: EndpointMetrics,
        settings: AlarmSettings,
        topics: Mapping[Severity, sns.ITopic],
    ) -> None:
        super().__init__(scope, construct_id)
        self.latency_p99 = self._build_latency_alarm(metrics, settings)
        self.error_rate = self._build_error_rate_alarm(metrics, settings)
        self.latency_p99.add_alarm_action(actions.SnsAction(topics["medium"]))
        self.error_rate.add_alarm_action(actions.SnsAction(topics["high"]))

    def _build_latency_alarm(
        self, metrics: EndpointMetrics, settings: AlarmSettings
    ) -> cloudwatch.Alarm:
        return cloudwatch.Alarm(
            self,
            "LatencyP99",
            alarm_name=names.alarm(metrics.endpoint_name, "latency-p99"),
            alarm_description=(
                f"The p99 of the model's latency is over {settings.high_latency.thresholds_ms["medium"]:g} ms"
            ),
            metric=metrics.model_latency(period=Duration.minutes(LONGEST_DATAPOINT_MINUTES)),
            threshold=settings.high_latency.thresholds_ms["medium"] * MICROSECONDS_PER_MILLISECOND,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            evaluation_periods=1,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )

    def _build_error_rate_alarm(
        self, metrics: EndpointMetrics, settings: AlarmSettings
    ) -> cloudwatch.Alarm:
        minutes = settings.error_rate.minutes
        # Datapoints as long as the time allows: with few requests, most single minutes have none.
        datapoint = math.gcd(minutes, LONGEST_DATAPOINT_MINUTES)
        return cloudwatch.Alarm(
            self,
            "ErrorRate",
            alarm_name=names.alarm(metrics.endpoint_name, "error-rate"),
            alarm_description=(
                f"Over {settings.error_rate.thresholds_percent["high"]:g} % of the requests failed "
                f"for {minutes} minutes"
            ),
            metric=metrics.error_rate_percent(Duration.minutes(datapoint)),
            threshold=settings.error_rate.thresholds_percent["high"],
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            evaluation_periods=minutes // datapoint,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )


class RollbackAlarm(Construct):
    """An alarm on the failed requests of a new fleet, which undoes its rollout (critical).

    It is bound to the fleet by the dimension EndpointConfigName: an alarm on both fleets would let
    a sick old fleet undo the very rollout that heals it. What clients get wrong does not count.

    Attributes:
        alarm_name: Name of the alarm, as a literal.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        fleet_metrics: EndpointMetrics,
        error_count: int,
        topic: sns.ITopic,
    ) -> None:
        """Define the alarm.

        Args:
            scope: The parent.
            construct_id: Id of the construct.
            fleet_metrics: Metrics of the new fleet only.
            error_count: Failed requests within a minute that make it fire.
            topic: Where it is reported to.

        Raises:
            ValueError: The metrics are those of all fleets.
        """
        super().__init__(scope, construct_id)
        if fleet_metrics.endpoint_config_name is None:
            raise ValueError("expected the metrics of one fleet, got those of all fleets")
        self.alarm_name = names.alarm(fleet_metrics.endpoint_name, "rollback-errors")
        alarm = cloudwatch.Alarm(
            self,
            "Alarm",
            alarm_name=self.alarm_name,
            alarm_description=(
                f"The fleet of the last rollout failed {error_count} or more requests in a minute; "
                "a rollout that is under way is undone"
            ),
            metric=fleet_metrics.failed_requests(),
            threshold=error_count,
            comparison_operator=(cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD),
            evaluation_periods=1,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        alarm.add_alarm_action(actions.SnsAction(topic))
