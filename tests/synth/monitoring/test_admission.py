"""What publishes to the topics, and writes logs, is admitted by the key of the other stack."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


def test_alarms_and_logs_of_a_whole_environment_are_admitted_by_its_key(
    resources: Callable[..., list[dict[str, Any]]], template: Callable[[str], dict[str, Any]]
) -> None:
    artifacts = json.dumps(template("ForecastProdArtifacts"))
    everything = json.dumps(template("ForecastProd")) + artifacts
    (prefix,) = set(re.findall(r':alarm:([^"]*)\*"', everything))
    alarms = [
        *resources("ForecastProd", "CloudWatch::Alarm"),
        *resources("ForecastProd", "CloudWatch::CompositeAlarm"),
    ]

    assert alarms
    assert all(alarm["Properties"]["AlarmName"].startswith(prefix) for alarm in alarms)
    for group in resources("ForecastProd", "Logs::LogGroup"):
        assert f":log-group:{group['Properties']['LogGroupName']}" in artifacts


def test_the_rollbacks_of_a_whole_environment_see_its_new_fleet(
    resources: Callable[..., list[dict[str, Any]]], template: Callable[[str], dict[str, Any]]
) -> None:
    configs = {
        name
        for name, resource in template("ForecastProd")["Resources"].items()
        if resource["Type"] == "AWS::SageMaker::EndpointConfig"
    }
    rollbacks = [
        alarm["Properties"]
        for alarm in resources("ForecastProd", "CloudWatch::Alarm")
        if "-rollback-" in alarm["Properties"]["AlarmName"]
    ]

    assert len(rollbacks) == 2
    for alarm in rollbacks:
        found = set(
            re.findall(r'"Fn::GetAtt": \["(\w+)", "EndpointConfigName"\]', json.dumps(alarm))
        )
        assert found == configs
