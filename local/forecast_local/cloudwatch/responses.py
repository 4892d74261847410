"""The actions of CloudWatch that moto lacks."""

import re

from moto.cloudwatch.exceptions import ValidationError
from moto.cloudwatch.responses import CloudWatchResponse
from moto.core.responses import ActionResult

_NAMED = re.compile(r"(?:ALARM|OK|INSUFFICIENT_DATA)\(\s*[\"']?([^\"')]+?)[\"']?\s*\)")


class LocalCloudWatchResponse(CloudWatchResponse):
    """moto's answers, with composite alarms."""

    def put_composite_alarm(self) -> ActionResult:
        """PutCompositeAlarm; the alarms of its rule must exist."""
        rule = self._get_param("AlarmRule")
        known = self.cloudwatch_backend.alarms
        named = [name.rpartition(":alarm:")[2] for name in _NAMED.findall(rule)]
        missing = [name for name in named if name not in known]
        if missing:
            raise ValidationError(
                f"Could not save the composite alarm as alarms {missing} in the alarm rule do not "
                "exist"
            )
        return self.put_metric_alarm()
