"""What was deployed between a stop and its way back stays, and a note that is outdated goes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from operated import BUCKET, NAME, deploy

from forecast_config import ForecastError
from forecast_operations import options
from forecast_operations.cloud.cloud import Cloud
from forecast_operations.cloud.refusals import CloudError
from forecast_operations.commands.start import start_command
from forecast_operations.commands.stop import Way, stop_command
from forecast_operations.stopping.rescaling import is_over
from forecast_operations.stopping.stopped import Stopped, StoppedStore
from forecast_operations.watching.status import read_status

if TYPE_CHECKING:
    from pathlib import Path

    from forecast_local.simulation import Simulation
    from forecast_operations.deployed.place import Place

NOW = datetime(2027, 1, 4, 8, tzinfo=UTC)


def _target(aws: Simulation) -> dict[str, Any]:
    client = aws.client("application-autoscaling")
    found = client.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
    return dict(found[0])


def _count(aws: Simulation) -> int:
    return int(aws.endpoint(NAME)["ProductionVariants"][0]["DesiredInstanceCount"])


def _muted(aws: Simulation) -> set[str]:
    found = aws.client("cloudwatch").describe_alarms()
    alarms = [*found["MetricAlarms"], *found["CompositeAlarms"]]
    return {alarm["AlarmName"] for alarm in alarms if not alarm["ActionsEnabled"]}


def _note(place: Place) -> Stopped | None:
    return StoppedStore(place.cloud, BUCKET, "live").read()


def _anew(aws: Simulation, version: str = "2") -> None:
    """The endpoint made anew with its stack, as `forecast deploy --allow-recreate` does."""
    aws.destroy("ForecastLive")
    deploy(aws, version)


@pytest.mark.parametrize("first", [Way.SCALE, Way.DELETE])
def test_the_model_that_was_deployed_meanwhile_comes_back(
    first: Way, deployed: Simulation, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if first is Way.SCALE:
        stop_command("live", Way.SCALE, config=config, yes=True)
    else:
        with monkeypatch.context() as patched:
            _interrupt(patched, "delete_endpoint")
            with pytest.raises(KeyboardInterrupt):
                stop_command("live", Way.DELETE, config=config, yes=True)
    steps = {"PolicyName": "more-steps"}
    deploy(deployed, "2", Steps=steps)
    served = deployed.endpoint(NAME)["EndpointConfigName"]

    stop_command("live", Way.DELETE, config=config, yes=True)
    start_command("live", config=config, yes=True)

    assert deployed.endpoint(NAME)["EndpointConfigName"] == served
    target = _target(deployed)
    assert (target["MinCapacity"], target["MaxCapacity"]) == (2, 6)
    assert _count(deployed) == 4
    policies = deployed.client("application-autoscaling").describe_scaling_policies(
        ServiceNamespace="sagemaker"
    )["ScalingPolicies"]
    assert [each["PolicyName"] for each in policies] == ["more-steps"]
    assert _muted(deployed) == set()


def _interrupt(monkeypatch: pytest.MonkeyPatch, at: str) -> None:
    ask = Cloud.ask

    def interrupted(cloud: Cloud, service: str, operation: str, **arguments: Any) -> Any:
        if operation == at:
            raise KeyboardInterrupt
        return ask(cloud, service, operation, **arguments)

    monkeypatch.setattr(Cloud, "ask", interrupted)


@pytest.mark.parametrize("how", [Way.SCALE, Way.DELETE])
def test_a_note_of_an_endpoint_that_was_made_anew_is_no_obstacle(
    how: Way, deployed: Simulation, config: Path, place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    stop_command("live", Way.DELETE, config=config, yes=True)
    _anew(deployed)
    old = read_status(place).stopped
    assert isinstance(old, Stopped)
    (trouble,) = read_status(place).troubles
    assert "is outdated; end it with: forecast start live" in trouble
    deployed.client("cloudwatch").disable_alarm_actions(AlarmNames=[f"{NAME}-incident-high"])
    assert any(each.startswith("1 muted; ") for each in read_status(place).troubles)
    served = deployed.endpoint(NAME)["EndpointConfigName"]

    stop_command("live", how, config=config, yes=True)

    told = capsys.readouterr().err
    assert "the note of it is outdated" in told
    note = _note(place)
    assert note is not None
    assert note.endpoint is not None
    assert (note.how, note.endpoint.config) == (how.value, served)
    assert note.at > old.at
    # What the old stop had muted is noted as what speaks.
    assert f"{NAME}-incident-high" in note.muted or how is Way.SCALE
    start_command("live", config=config, yes=True)
    assert deployed.endpoint(NAME)["EndpointConfigName"] == served
    assert _muted(deployed) == set()


def test_an_endpoint_made_anew_keeps_the_scaling_it_was_deployed_with(
    deployed: Simulation, config: Path, place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    stop_command("live", Way.DELETE, config=config, yes=True)
    deployed.destroy("ForecastLive")
    deploy(deployed, "2", Target={"MaxCapacity": 9})
    deployed.client("sagemaker").update_endpoint_weights_and_capacities(
        EndpointName=NAME,
        DesiredWeightsAndCapacities=[{"VariantName": "AllTraffic", "DesiredInstanceCount": 7}],
    )

    start_command("live", config=config, yes=True)

    assert _target(deployed)["MaxCapacity"] == 9
    assert _count(deployed) == 7
    assert _note(place) is None
    assert "stay as deployed" in capsys.readouterr().err


def test_weights_of_another_configuration_stay(deployed: Simulation, config: Path) -> None:
    stop_command("live", Way.SCALE, config=config, yes=True)
    deploy(deployed, "2")
    deployed.client("sagemaker").update_endpoint_weights_and_capacities(
        EndpointName=NAME,
        DesiredWeightsAndCapacities=[{"VariantName": "AllTraffic", "DesiredWeight": 0.5}],
    )

    start_command("live", config=config, yes=True)

    assert deployed.endpoint(NAME)["ProductionVariants"][0]["CurrentWeight"] == 0.5
    assert _count(deployed) == 4


def test_a_way_back_that_has_not_ended_is_no_outdated_note(
    deployed: Simulation, config: Path, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop_command("live", Way.DELETE, config=config, yes=True)
    before = _note(place)
    with monkeypatch.context() as patched:
        _interrupt(patched, "enable_alarm_actions")
        with pytest.raises(KeyboardInterrupt):
            start_command("live", config=config, yes=True)

    troubles = read_status(place).troubles
    assert troubles == ("it is not all back after a stop; go on with: forecast start live",)
    with pytest.raises(ForecastError, match="not all back after its deletion"):
        stop_command("live", Way.SCALE, config=config, yes=True)
    stop_command("live", Way.DELETE, config=config, yes=True)
    assert _note(place) == before
    start_command("live", config=config, yes=True)
    assert _target(deployed)["MaxCapacity"] == 6


def test_what_was_is_noted_after_the_answer(
    deployed: Simulation, config: Path, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def think(*_: Any, **__: Any) -> bool:
        deploy(deployed, "2")
        return True

    monkeypatch.setattr(options.sys, "stdin", _Terminal())
    monkeypatch.setattr(options.typer, "confirm", think)

    stop_command("live", Way.DELETE, config=config)

    noted = _note(place)
    assert noted is not None
    assert noted.endpoint is not None
    found = place.live.endpoint_config(noted.endpoint.config)
    assert found is not None
    model = deployed.client("sagemaker").describe_model(
        ModelName=found["ProductionVariants"][0]["ModelName"]
    )
    assert "2" * 64 in model["PrimaryContainer"]["ModelDataUrl"]


class _Terminal:
    @staticmethod
    def isatty() -> bool:
        return True


def test_alarms_speak_although_the_scaling_is_refused(
    deployed: Simulation, config: Path, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop_command("live", Way.DELETE, config=config, yes=True)
    ask = Cloud.ask

    def refusing(cloud: Cloud, service: str, operation: str, **arguments: Any) -> Any:
        if operation == "put_scaling_policy":
            raise CloudError("no such policy type")
        return ask(cloud, service, operation, **arguments)

    with monkeypatch.context() as patched:
        patched.setattr(Cloud, "ask", refusing)
        with pytest.raises(ForecastError, match=r"not all of its scaling .*no such policy type"):
            start_command("live", config=config, yes=True)

    assert _muted(deployed) == set()
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
    stop_command("live", Way.DELETE, config=config, yes=True)
    store = StoppedStore(place.cloud, BUCKET, "live")
    noted = store.read()
    assert noted is not None
    (target,) = noted.targets
    over = {
        **target.actions[0],
        "ScheduledActionName": "once",
        "Schedule": "at(2026-01-01T00:00:00)",
    }
    changed = target.model_copy(update={"actions": (over, *target.actions)})
    store.write(noted.model_copy(update={"targets": (changed,)}))

    start_command("live", config=config, yes=True)

    told = capsys.readouterr().err
    assert f"left out once of endpoint/{NAME}/variant/AllTraffic: it is over" in told
    actions = deployed.client("application-autoscaling").describe_scheduled_actions(
        ServiceNamespace="sagemaker"
    )["ScheduledActions"]
    assert [each["ScheduledActionName"] for each in actions] == ["morning"]


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


def test_account_region_and_the_edge_of_a_schedule_are_said(
    deployed: Simulation, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stop_command("live", Way.SCALE, config=config, yes=True)
    stopping = capsys.readouterr().err.splitlines()
    start_command("live", config=config, yes=True)
    starting = capsys.readouterr().err.splitlines()

    first = f"  - account {deployed.account}, region {deployed.region}"
    assert stopping[1] == starting[1] == first
    assert any("brings back the bounds of now" in line for line in stopping)
    assert any("as of the stop, until the next scheduled action" in line for line in starting)


def test_shadows_are_said_to_stay(
    deployed: Simulation,
    config: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    del deployed
    ask = Cloud.ask

    def shadowed(cloud: Cloud, service: str, operation: str, **arguments: Any) -> Any:
        answer = ask(cloud, service, operation, **arguments)
        if operation == "describe_endpoint":
            shadow = {"VariantName": "shadow", "DesiredInstanceCount": 3, "CurrentWeight": 1}
            return {**answer, "ShadowProductionVariants": [shadow]}
        return answer

    monkeypatch.setattr(Cloud, "ask", shadowed)
    with pytest.raises(ForecastError, match="nothing was changed"):
        stop_command("live", Way.SCALE, config=config)

    assert "shadow variants keep their instances: shadow" in capsys.readouterr().err
