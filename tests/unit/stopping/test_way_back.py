"""A way back that is interrupted or refused goes on where it was, whatever was deployed since."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from operated import BUCKET, NAME, bounds, deploy, interrupted, muted

from forecast_config import ForecastError
from forecast_operations.cloud.cloud import Cloud
from forecast_operations.cloud.refusals import CloudError
from forecast_operations.commands.start import start_command
from forecast_operations.commands.stop import stop_command
from forecast_operations.stopping.rescaling import is_over
from forecast_operations.stopping.stopped import Stopped, StoppedStore
from forecast_operations.watching.reading import read_status

if TYPE_CHECKING:
    from pathlib import Path

    from forecast_local.simulation import Simulation
    from forecast_operations.deployed.place import Place

NOW = datetime(2027, 1, 4, 8, tzinfo=UTC)


def _note(place: Place) -> Stopped | None:
    return StoppedStore(place.cloud, BUCKET, "live").read()


def test_a_way_back_that_has_not_ended_is_no_outdated_note(
    deployed: Simulation, config: Path, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop_command("live", "delete", config=config, yes=True)
    before = _note(place)
    with interrupted(monkeypatch, "enable_alarm_actions"):
        start_command("live", config=config, yes=True)

    troubles = read_status(place).troubles
    assert troubles == ("it is not all back after a stop; go on with: forecast start live",)
    with pytest.raises(ForecastError, match="not all back after its deletion"):
        stop_command("live", "scale", config=config, yes=True)
    stop_command("live", "delete", config=config, yes=True)
    noted = _note(place)
    assert noted is not None
    assert noted.back is not None
    assert noted.model_copy(update={"back": None}) == before
    start_command("live", config=config, yes=True)
    assert bounds(deployed) == (2, 6)


@pytest.mark.parametrize("stopped_again", [True, False])
@pytest.mark.parametrize("at", ["register_scalable_target", "put_scaling_policy"])
def test_a_deployment_before_all_is_back_does_not_lose_the_rest(
    at: str,
    deployed: Simulation,
    config: Path,
    place: Place,
    monkeypatch: pytest.MonkeyPatch,
    *,
    stopped_again: bool,
) -> None:
    stop_command("live", "delete", config=config, yes=True)
    with interrupted(monkeypatch, at):
        start_command("live", config=config, yes=True)
    deploy(deployed, "2")
    served = deployed.endpoint(NAME)["EndpointConfigName"]

    if stopped_again:
        stop_command("live", "delete", config=config, yes=True)
    start_command("live", config=config, yes=True)

    assert _note(place) is None
    assert deployed.endpoint(NAME)["EndpointConfigName"] == served
    client = deployed.client("application-autoscaling")
    policies = client.describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"]
    actions = client.describe_scheduled_actions(ServiceNamespace="sagemaker")["ScheduledActions"]
    assert [each["PolicyName"] for each in policies] == ["steps"]
    assert [each["ScheduledActionName"] for each in actions] == ["morning"]
    assert bounds(deployed) == (2, 6)
    wake_up = deployed.client("cloudwatch").describe_alarms(AlarmNames=[f"{NAME}-wake-up"])
    assert wake_up["MetricAlarms"][0]["AlarmActions"] == [policies[0]["PolicyARN"]]


def test_a_policy_that_was_deployed_meanwhile_stays(
    deployed: Simulation, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop_command("live", "delete", config=config, yes=True)
    with interrupted(monkeypatch, "put_scaling_policy"):
        start_command("live", config=config, yes=True)
    client = deployed.client("application-autoscaling")
    adjustment = {"MetricIntervalLowerBound": 0, "ScalingAdjustment": 3}
    client.put_scaling_policy(
        PolicyName="steps",
        PolicyType="StepScaling",
        ServiceNamespace="sagemaker",
        ResourceId=f"endpoint/{NAME}/variant/AllTraffic",
        ScalableDimension="sagemaker:variant:DesiredInstanceCount",
        StepScalingPolicyConfiguration={
            "AdjustmentType": "ChangeInCapacity",
            "StepAdjustments": [adjustment],
        },
    )

    start_command("live", config=config, yes=True)

    (policy,) = client.describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"]
    assert policy["StepScalingPolicyConfiguration"]["StepAdjustments"] == [adjustment]


def test_alarms_speak_although_the_scaling_is_refused(
    deployed: Simulation, config: Path, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop_command("live", "delete", config=config, yes=True)
    ask = Cloud.ask

    def refusing(cloud: Cloud, service: str, operation: str, **arguments: Any) -> Any:
        if operation == "put_scaling_policy":
            raise CloudError("no such policy type")
        return ask(cloud, service, operation, **arguments)

    with monkeypatch.context() as patched:
        patched.setattr(Cloud, "ask", refusing)
        with pytest.raises(ForecastError, match=r"not all of its scaling .*no such policy type"):
            start_command("live", config=config, yes=True)

    assert muted(deployed) == set()
    # What comes after it is brought back nevertheless.
    actions = deployed.client("application-autoscaling").describe_scheduled_actions(
        ServiceNamespace="sagemaker"
    )["ScheduledActions"]
    assert [each["ScheduledActionName"] for each in actions] == ["morning"]
    assert _note(place) is not None
    start_command("live", config=config, yes=True)
    assert _note(place) is None


def test_a_scheduled_action_that_is_over_is_left_out(
    deployed: Simulation, config: Path, place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    stop_command("live", "delete", config=config, yes=True)
    store = StoppedStore(place.cloud, BUCKET, "live")
    noted = store.read()
    assert noted is not None
    (target,) = noted.targets
    over = {
        **target.actions[0],
        "ScheduledActionName": "once",
        "Schedule": "at(2026-01-01T00:00:00)",
    }
    begun = {**target.actions[0], "StartTime": "2026-01-01T00:00:00Z"}
    later = {**begun, "ScheduledActionName": "later", "StartTime": "2999-01-01T00:00:00Z"}
    changed = target.model_copy(update={"actions": (over, begun, later)})
    store.write(noted.model_copy(update={"targets": (changed,)}))

    start_command("live", config=config, yes=True)

    told = capsys.readouterr().err
    assert f"left out once of endpoint/{NAME}/variant/AllTraffic: it is over" in told
    actions = deployed.client("application-autoscaling").describe_scheduled_actions(
        ServiceNamespace="sagemaker"
    )["ScheduledActions"]
    # A beginning that is past may be refused, and says nothing any more.
    starts = {each["ScheduledActionName"]: "StartTime" in each for each in actions}
    assert starts == {"morning": False, "later": True}


@pytest.mark.parametrize(
    ("action", "over"),
    [
        ({"Schedule": "cron(0 4 * * ? *)"}, False),
        ({"Schedule": "cron(0 4 * * ? *)", "EndTime": "2027-01-04T08:00:00Z"}, True),
        ({"Schedule": "cron(0 4 * * ? *)", "EndTime": "2027-01-04T08:00:01+00:00"}, False),
        ({"Schedule": "rate(1 day)", "EndTime": NOW - timedelta(days=1)}, True),
        ({"Schedule": "at(2027-01-04T08:30:00)"}, False),
        ({"Schedule": "at(2027-01-04T08:30:00)", "Timezone": "Asia/Shanghai"}, True),
        ({"Schedule": "at(2027-01-04T03:30:00)", "Timezone": "America/New_York"}, False),
    ],
)
def test_what_is_over_is_told_by_its_end_or_its_time(action: dict[str, Any], *, over: bool) -> None:
    assert is_over(action, NOW) is over
