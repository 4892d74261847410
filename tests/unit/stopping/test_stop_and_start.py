"""A stop does what it says, can be interrupted, and the way back brings back exactly what was."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, get_args

import pytest
from operated import BUCKET, NAME, deploy, instances, muted, place_of

from forecast_config import ConfigError, ForecastError
from forecast_local.applicationautoscaling.models import scaling_of
from forecast_local.cloudwatch.models import alarms_of
from forecast_operations.cloud.cloud import Cloud
from forecast_operations.commands.start import start_command
from forecast_operations.commands.stop import stop_command
from forecast_operations.deployed import endpoint as state
from forecast_operations.stopping.stop import floor_of
from forecast_operations.stopping.stopped import How

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from forecast_local.simulation import Simulation

VARIANT = f"endpoint/{NAME}/variant/AllTraffic"
KEY = {"Bucket": BUCKET, "Key": "operations/live/stopped.json"}
SERVERLESS = {"name": NAME, "kind": "serverless", "memory_mib": 2048}


def _scaling(aws: Simulation) -> dict[str, Any]:
    """Everything of Application Auto Scaling, but for what a new policy is given."""
    client = aws.client("application-autoscaling")
    of_all = {"ServiceNamespace": "sagemaker"}
    policies = client.describe_scaling_policies(**of_all)["ScalingPolicies"]
    actions = client.describe_scheduled_actions(**of_all)["ScheduledActions"]
    targets = client.describe_scalable_targets(**of_all)["ScalableTargets"]
    left_out = ("CreationTime", "PolicyARN", "ScalableTargetARN", "ScheduledActionARN", "Alarms")
    found = {"policies": policies, "actions": actions, "targets": targets}
    return {
        kind: [
            {
                key: value
                for key, value in each.items()
                # Nothing suspended is told as nothing at all, or as three times no.
                if key not in left_out and (key != "SuspendedState" or any(value.values()))
            }
            for each in several
        ]
        for kind, several in found.items()
    }


def _there(aws: Simulation) -> bool:
    return bool(aws.client("sagemaker").list_endpoints()["Endpoints"])


def _noted(aws: Simulation) -> bool:
    listed = aws.client("s3").list_objects_v2(Bucket=BUCKET, Prefix=KEY["Key"])
    return bool(listed["KeyCount"])


def test_scaling_to_the_minimum_and_back_leaves_no_trace(
    deployed: Simulation, config: Path
) -> None:
    before = _scaling(deployed)

    stop_command("live", "scale", config=config, yes=True)

    (target,) = _scaling(deployed)["targets"]
    assert (target["MinCapacity"], target["MaxCapacity"]) == (2, 2)
    assert all(target["SuspendedState"].values())
    assert instances(deployed) == 2
    assert muted(deployed) == set()

    start_command("live", config=config, yes=True)

    assert _scaling(deployed) == before
    assert instances(deployed) == 4
    assert not _noted(deployed)


def test_nothing_scales_while_an_environment_is_stopped(deployed: Simulation, config: Path) -> None:
    stop_command("live", "scale", config=config, yes=True)
    scaling = scaling_of(deployed.account, deployed.region)
    alarm = alarms_of(deployed.account, deployed.region).alarms[f"{NAME}-wake-up"]
    alarm.state_value = "ALARM"
    scaling.apply_scheduled(scaling.scheduled_actions[0])
    scaling.step(alarm.alarm_actions[0], alarm)
    assert instances(deployed) == 2
    assert scaling.activities == []

    start_command("live", config=config, yes=True)
    scaling.step(alarm.alarm_actions[0], alarm)
    assert instances(deployed) == 5
    (activity,) = deployed.client("application-autoscaling").describe_scaling_activities(
        ServiceNamespace="sagemaker", ResourceId=VARIANT
    )["ScalingActivities"]
    assert "wake-up in state ALARM triggered policy steps" in activity["Cause"]


def test_a_deleted_endpoint_comes_back_as_it_was(deployed: Simulation, config: Path) -> None:
    cloudwatch = deployed.client("cloudwatch")
    cloudwatch.disable_alarm_actions(AlarmNames=[f"{NAME}-errors-high"])
    deployed.client("sagemaker").update_endpoint_weights_and_capacities(
        EndpointName=NAME,
        DesiredWeightsAndCapacities=[{"VariantName": "AllTraffic", "DesiredInstanceCount": 5}],
    )
    before, served = _scaling(deployed), deployed.endpoint(NAME)["EndpointConfigName"]

    stop_command("live", "delete", config=config, yes=True)

    assert not _there(deployed)
    # What scales is not muted: it tells nobody.
    assert muted(deployed) == {f"{NAME}-errors-high", f"{NAME}-incident-high"}
    assert _scaling(deployed)["targets"] == []

    start_command("live", config=config, yes=True)

    endpoint = deployed.endpoint(NAME)
    assert endpoint["EndpointConfigName"] == served
    assert instances(deployed) == 5
    assert _scaling(deployed) == before
    # What somebody had muted before stays so.
    assert muted(deployed) == {f"{NAME}-errors-high"}
    tags = deployed.client("sagemaker").list_tags(ResourceArn=endpoint["EndpointArn"])["Tags"]
    assert tags == [{"Key": "team", "Value": "forecasting"}]
    policies = deployed.client("application-autoscaling").describe_scaling_policies(
        ServiceNamespace="sagemaker"
    )["ScalingPolicies"]
    wake_up = cloudwatch.describe_alarms(AlarmNames=[f"{NAME}-wake-up"])["MetricAlarms"][0]
    assert wake_up["AlarmActions"] == [policies[0]["PolicyARN"]]
    assert wake_up["Threshold"] == 5
    assert not _noted(deployed)


@pytest.mark.parametrize("how", ["scale", "delete"])
@pytest.mark.parametrize("calls", [1, 2])
def test_what_is_interrupted_is_run_again(
    how: How, calls: int, deployed: Simulation, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = _scaling(deployed), instances(deployed), muted(deployed)

    def interrupted(command: Callable[[], None]) -> None:
        """Let so many calls through that change something, and interrupt the next one."""
        ask, left = Cloud.ask, [calls]

        def counting(cloud: Cloud, service: str, operation: str, **arguments: Any) -> Any:
            if not operation.startswith(("describe", "get", "list")):
                left[0] -= 1
                if left[0] < 0:
                    raise KeyboardInterrupt
            return ask(cloud, service, operation, **arguments)

        with monkeypatch.context() as patched:
            patched.setattr(Cloud, "ask", counting)
            with pytest.raises(KeyboardInterrupt):
                command()

    def stop() -> None:
        stop_command("live", how, config=config, yes=True)

    def start() -> None:
        start_command("live", config=config, yes=True)

    interrupted(stop)
    stop()
    interrupted(start)
    start()

    after = _scaling(deployed), instances(deployed), muted(deployed)
    assert after == before
    assert not _noted(deployed)


def test_an_environment_at_its_minimum_can_be_taken_away_and_still_comes_back(
    deployed: Simulation, config: Path
) -> None:
    before = _scaling(deployed)
    stop_command("live", "scale", config=config, yes=True)

    stop_command("live", "delete", config=config, yes=True)
    with pytest.raises(ForecastError, match="deleted already; bring it back with"):
        stop_command("live", "scale", config=config, yes=True)
    start_command("live", config=config, yes=True)

    assert _scaling(deployed) == before
    assert instances(deployed) == 4
    assert muted(deployed) == set()


def test_it_is_asked_before_anything_is_changed(
    deployed: Simulation, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for way in get_args(How):
        with pytest.raises(ForecastError, match=r"nothing was changed: .* add --yes"):
            stop_command("live", way, config=config)

    told = capsys.readouterr().err
    assert "AllTraffic goes from 4 to 2" in told
    assert "2 alarms are muted" in told
    assert told.count("the way back: forecast start live") == 2
    assert _there(deployed)
    assert not _noted(deployed)


def test_nobody_is_turned_away_at_a_door_that_is_not_there(config: Path) -> None:
    with pytest.raises(ForecastError, match=r"no front door .*\(sagemaker:InvokeEndpoint\)"):
        stop_command("live", "reject", config=config, yes=True)


def test_what_is_not_deployed_cannot_be_stopped_or_started(aws: Simulation, config: Path) -> None:
    del aws
    with pytest.raises(ForecastError, match="ForecastLiveArtifacts is not deployed in eu-central"):
        stop_command("live", "delete", config=config, yes=True)
    with pytest.raises(ForecastError, match="ForecastLiveArtifacts is not deployed"):
        start_command("live", config=config, yes=True)
    with pytest.raises(ConfigError, match="expected one of: live, got 'lvie'"):
        start_command("lvie", config=config, yes=True)


def test_what_is_away_cannot_be_stopped_again(deployed: Simulation, config: Path) -> None:
    deployed.client("sagemaker").delete_endpoint(EndpointName=NAME)

    with pytest.raises(ForecastError, match="is away already"):
        stop_command("live", "delete", config=config, yes=True)
    with pytest.raises(ForecastError, match=r"InService, got away: .*--how delete"):
        stop_command("live", "scale", config=config, yes=True)
    with pytest.raises(ForecastError, match=r"live is not stopped: there is no s3://"):
        start_command("live", config=config, yes=True)


def test_an_endpoint_whose_configuration_is_gone_needs_a_deployment(
    deployed: Simulation, config: Path
) -> None:
    served = deployed.endpoint(NAME)["EndpointConfigName"]
    stop_command("live", "delete", config=config, yes=True)
    deployed.client("sagemaker").delete_endpoint_config(EndpointConfigName=served)

    with pytest.raises(ForecastError, match=rf"{served}, .* is gone; make it anew"):
        start_command("live", config=config, yes=True)


def test_what_was_deployed_meanwhile_is_kept(
    deployed: Simulation, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stop_command("live", "scale", config=config, yes=True)
    deploy(deployed, "2")
    served = deployed.endpoint(NAME)["EndpointConfigName"]

    start_command("live", config=config, yes=True)

    assert f"serves {served} by now, and keeps it" in capsys.readouterr().err
    assert deployed.endpoint(NAME)["EndpointConfigName"] == served
    assert _scaling(deployed)["targets"][0]["MaxCapacity"] == 6


def test_a_note_that_cannot_be_read_is_named(deployed: Simulation, config: Path) -> None:
    deployed.client("s3").put_object(**KEY, Body=b'{"how": "scale"}')

    with pytest.raises(ForecastError, match=r"stopped\.json to say what was before .*\d errors"):
        start_command("live", config=config, yes=True)


def test_other_credentials_stop_nothing(
    deployed: Simulation, write_config: Callable[..., Path]
) -> None:
    endpoint = {"kind": "realtime", "name": NAME, "instance_type": "ml.m5.large"}
    config = write_config(live={"account": "999999999999", "endpoint": endpoint})

    with pytest.raises(ForecastError, match="expected credentials of account 999999999999"):
        stop_command("live", "delete", config=config, yes=True)
    assert _there(deployed)


def test_json_tells_what_was(
    deployed: Simulation, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    served = deployed.endpoint(NAME)["EndpointConfigName"]

    stop_command("live", "scale", config=config, yes=True, as_json=True)

    found = json.loads(capsys.readouterr().out)
    assert found["endpoint"]["config"] == served
    assert found["endpoint"]["counts"] == {"AllTraffic": 4}
    assert found["targets"][0]["actions"][0]["ScheduledActionName"] == "morning"


def test_a_serverless_endpoint_has_nothing_to_scale(
    deployed: Simulation, write_config: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    config = write_config(live={"endpoint": SERVERLESS})
    del deployed
    monkeypatch.setattr(state, "mode_of", lambda _: "serverless")

    assert floor_of(place_of(config).settings) == 1
    with pytest.raises(ForecastError, match=r"serverless and keeps nothing warm.*--how delete"):
        stop_command("live", "scale", config=config, yes=True)
