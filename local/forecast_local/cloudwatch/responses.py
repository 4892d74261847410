"""The actions of CloudWatch that moto lacks."""

from typing import Any

from moto.cloudwatch.exceptions import ValidationError
from moto.cloudwatch.responses import CloudWatchResponse
from moto.core.responses import ActionResult

from forecast_local.cloudwatch.alarm_limits import alarm_error
from forecast_local.cloudwatch.composites import RuleError, alarm_name, named_alarms
from forecast_local.cloudwatch.models import LocalCloudWatchBackend


class LocalCloudWatchResponse(CloudWatchResponse):
    """moto's answers, with composite alarms and the history of alarms."""

    @property
    def _local(self) -> LocalCloudWatchBackend:
        backend = self.cloudwatch_backend
        assert isinstance(backend, LocalCloudWatchBackend)  # noqa: S101 - see extensions.py
        return backend

    def put_metric_alarm(self) -> ActionResult:
        """PutMetricAlarm, after a look at its expressions and its statistic.

        Raises:
            ValidationError: If the request is not one that CloudWatch evaluates.
        """
        refused = alarm_error(self._get_params())
        if refused is not None:
            raise ValidationError(refused)
        return super().put_metric_alarm()

    def put_composite_alarm(self) -> ActionResult:
        """PutCompositeAlarm; the alarms of its rule and its suppressor must exist.

        Raises:
            ValidationError: If the rule is not valid, or names an alarm that does not exist.
        """
        request: dict[str, Any] = self._get_params()
        suppressor = request.get("ActionsSuppressor")
        try:
            named = named_alarms(request["AlarmRule"])
        except RuleError as error:
            raise ValidationError(str(error)) from error
        wanted = [*named, *([alarm_name(suppressor)] if suppressor else [])]
        missing = [name for name in wanted if name not in self._local.alarms]
        if missing:
            raise ValidationError(
                f"Could not save the composite alarm as alarms {missing} in the alarm rule do not "
                "exist"
            )
        answer = super().put_metric_alarm()
        self._local.gate.suppress(request["AlarmName"], request)
        return answer

    def describe_alarm_history(self) -> ActionResult:
        """DescribeAlarmHistory: the changes of state, newest first."""
        name = self._get_param("AlarmName")
        found = [item for item in self._local.history if name in {None, item["AlarmName"]}]
        return ActionResult({"AlarmHistoryItems": list(reversed(found))})
