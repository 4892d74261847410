"""CloudWatch: exact dimensions, metric math, and alarms that change their state."""

import json
import threading
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from moto.cloudwatch.exceptions import ValidationError
from moto.cloudwatch.models import (
    Alarm,
    CloudWatchBackend,
    MetricDatumBase,
    Statistics,
    cloudwatch_backends,
)
from moto.core.utils import utcnow

from forecast_local import context
from forecast_local.cloudwatch.actions import actions_of, perform, scaling_actions_of
from forecast_local.cloudwatch.calculation import ExpressionError
from forecast_local.cloudwatch.composites import rule_holds
from forecast_local.cloudwatch.evaluation import judge
from forecast_local.cloudwatch.queries import (
    aligned_windows,
    evaluate_queries,
    queries_of_request,
    shared_period_seconds,
)
from forecast_local.cloudwatch.statistics import StatisticError
from forecast_local.cloudwatch.store import MetricStore, seconds_of
from forecast_local.cloudwatch.suppression import ActionGate

HELD_SECONDS = 10.0
"""How long a state that was set by hand holds; on AWS, until the next evaluation."""

_COMPOSITE_LEVELS = 4


@dataclass(frozen=True)
class _Selection:
    """The data of one metric, in the shape that moto's statistics read."""

    data: list[MetricDatumBase]

    def get_all_metrics(self) -> list[MetricDatumBase]:
        return self.data


class LocalCloudWatchBackend(CloudWatchBackend):
    """The metrics and alarms of one account and region."""

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.store = MetricStore()
        self.gate = ActionGate()
        self.history: list[dict[str, Any]] = []
        self._held: dict[str, float] = {}
        self._lock = threading.RLock()

    def get_metric_statistics(  # noqa: PLR0917 - moto's signature
        self,
        namespace: str,
        metric_name: str,
        start_time: datetime,
        end_time: datetime,
        period: int,
        stats: list[str],
        dimensions: list[dict[str, str]],
        unit: str | None = None,
    ) -> list[Statistics]:
        """Return statistics of exactly one metric; moto's adds all that share the dimensions."""
        wanted = {(item["Name"], item.get("Value")) for item in dimensions}
        data = [
            datum
            for datum in self.get_all_metrics()
            if {(item.name, item.value) for item in datum.dimensions} == wanted
        ]
        return CloudWatchBackend.get_metric_statistics(
            _Selection(data),  # type: ignore[arg-type] # the method reads get_all_metrics only
            namespace,
            metric_name,
            start_time,
            end_time,
            period,
            stats,
            dimensions,
            unit,
        )

    def put_metric_data(self, namespace: str, metric_data: list[dict[str, Any]]) -> None:
        """Keep data, and find them again by their exact dimensions."""
        before = len(self.metric_data)
        super().put_metric_data(namespace, metric_data)
        self.store.add(self.metric_data[before:])

    def get_metric_data(
        self,
        queries: list[dict[str, Any]],
        start_time: datetime,
        end_time: datetime,
        scan_by: str = "TimestampAscending",
    ) -> list[dict[str, Any]]:
        """Return metric data: any statistic, and metric math.

        Raises:
            ValidationError: If the range is empty or an expression is not valid.
        """
        start, end = seconds_of(start_time), seconds_of(end_time)
        if start >= end:
            raise ValidationError("The parameter EndTime must be greater than StartTime.")
        found = queries_of_request(queries)
        windows = aligned_windows(start, end, shared_period_seconds(found))
        try:
            series = evaluate_queries(found, windows, self.store)
        except (ExpressionError, StatisticError) as error:
            raise ValidationError(f"Error in expression: {error}") from error
        newest_first = scan_by != "TimestampAscending"
        return [
            {
                "id": query.id,
                "label": query.label,
                "values": [series[query.id][time] for time in times],
                "timestamps": [datetime.fromtimestamp(time, UTC) for time in times],
                "status_code": "Complete",
            }
            for query in found
            if query.returns
            for times in [sorted(series[query.id], reverse=newest_first)]
        ]

    def get_filtered_metrics(
        self, metric_name: str, namespace: str, dimensions: list[dict[str, str]]
    ) -> list[MetricDatumBase]:
        """List each metric once; moto's repeats those with more than one dimension."""
        found: dict[Any, MetricDatumBase] = {}
        for datum in self.get_all_metrics():
            if datum.filter(namespace=namespace, name=metric_name, dimensions=dimensions):
                key = sorted((item.name or "", item.value or "") for item in datum.dimensions)
                found.setdefault((datum.namespace, datum.name, tuple(key)), datum)
        return list(found.values())

    def put_metric_alarm(self, **arguments: Any) -> Alarm:  # type: ignore[override] # passed on as it is
        """Put an alarm; a new one has insufficient data, a known one keeps its state."""
        old = self.alarms.get(arguments["name"])
        self._held.pop(arguments["name"], None)
        alarm = super().put_metric_alarm(**arguments)
        if old is None:
            alarm.state_value = "INSUFFICIENT_DATA"
        else:
            alarm.state_value, alarm.state_reason = old.state_value, old.state_reason
        return alarm

    def set_alarm_state(
        self, alarm_name: str, reason: str, reason_data: str, state_value: str
    ) -> None:
        """Set a state by hand; it has its actions, and holds for HELD_SECONDS."""
        old = self.alarms[alarm_name].state_value if alarm_name in self.alarms else None
        super().set_alarm_state(alarm_name, reason, reason_data, state_value)
        self._held[alarm_name] = seconds_of(utcnow()) + HELD_SECONDS
        self._note(self.alarms[alarm_name], str(old))

    def delete_alarms(self, alarm_names: list[str]) -> None:
        """Delete alarms; one that a composite alarm names goes nevertheless, as on AWS."""
        super().delete_alarms(alarm_names)
        for name in alarm_names:
            self.gate.suppressors.pop(name, None)

    def tag_resource(self, arn: str, tags: dict[str, str]) -> None:
        """Tag an alarm or, as moto does not, a dashboard."""
        if arn.rpartition(":dashboard/")[2] in self.dashboards:
            self.tagger.tag_resource(arn, self.tagger.convert_dict_to_tags_input(tags))
            return
        super().tag_resource(arn, tags)

    def state_of(self, name: str) -> str | None:
        """Return the state of an alarm, or None when there is none."""
        alarm = self.alarms.get(name)
        return None if alarm is None else str(alarm.state_value)

    def evaluate(self, names: Collection[str] | None = None, *, speed: float | None = None) -> None:
        """Give alarms the state that they should have.

        Args:
            names: Metric alarms to evaluate; None for all of them.
            speed: See evaluation.judge.
        """
        now = seconds_of(utcnow())
        with self._lock:
            for alarm in list(self.alarms.values()):
                wanted = alarm.rule is None and (names is None or alarm.name in names)
                if wanted and now >= self._held.get(alarm.name, 0.0):
                    verdict = judge(alarm, self.store, now, speed=speed)
                    self._enter(alarm, verdict.state, verdict.reason)
                    points = [] if verdict.value is None else [verdict.value]
                    alarm.state_reason_data = json.dumps({"recentDatapoints": points})
            # A composite alarm may name others: as many rounds as there are levels.
            for _ in range(_COMPOSITE_LEVELS):
                for alarm in list(self.alarms.values()):
                    if alarm.rule is not None:
                        holds = rule_holds(alarm.rule, self.state_of)
                        self._enter(alarm, "ALARM" if holds else "OK", f"rule: {alarm.rule}")

    def perform_actions(self) -> None:
        """Perform the actions that are due."""
        now = seconds_of(utcnow())
        with self._lock:
            due = list(self.gate.due(self.alarms, self.state_of, now))
            lasting = [
                (alarm, arn)
                for alarm in self.alarms.values()
                if alarm.actions_enabled and alarm not in [item for item, _ in due]
                for arn in scaling_actions_of(alarm)
            ]
        for alarm, old_state in due:
            for arn in actions_of(alarm):
                perform(arn, alarm, old_state, account=self.account_id, region=self.region_name)
        for alarm, arn in lasting:
            state = str(alarm.state_value)
            perform(arn, alarm, state, account=self.account_id, region=self.region_name)

    def tripped(self, names: Sequence[str]) -> list[str]:
        """Return which of some alarms are in ALARM; one that is gone watches nothing.

        Args:
            names: Names of the alarms that a rollout watches; they are evaluated at once, unless
                nothing runs.
        """
        if names and not context.current().is_simulated:
            self.evaluate(set(names), speed=context.current().clock.speed)
        return [name for name in names if self.state_of(name) == "ALARM"]

    def _enter(self, alarm: Alarm, state: str, reason: str) -> None:
        if alarm.state_value == state:
            return
        old = str(alarm.state_value)
        alarm.update_state(reason, "{}", state)
        self._note(alarm, old)

    def _note(self, alarm: Alarm, old: str) -> None:
        if alarm.state_value == old:
            return
        self.history.append(
            {
                "AlarmName": alarm.name,
                "AlarmType": "MetricAlarm" if alarm.rule is None else "CompositeAlarm",
                "Timestamp": alarm.state_updated_timestamp,
                "HistoryItemType": "StateUpdate",
                "HistorySummary": f"Alarm updated from {old} to {alarm.state_value}",
                "HistoryData": alarm.state_reason,
            }
        )
        self.gate.changed(alarm.name, old, seconds_of(utcnow()))


def alarms_of(account: str, region: str) -> LocalCloudWatchBackend:
    """Return CloudWatch of an account and region."""
    backend = cloudwatch_backends[account][region]
    assert isinstance(backend, LocalCloudWatchBackend)  # noqa: S101 - see extensions.py
    return backend
