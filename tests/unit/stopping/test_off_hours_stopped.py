"""Off hours do not bring back what was stopped, and go on as before afterwards."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from operated import NAME, REGION, endpoint_template

from forecast_config import ForecastError
from forecast_operations.commands.start import start_command
from forecast_operations.commands.stop import stop_command
from forecast_operations.stopping.schedules import switch

if TYPE_CHECKING:
    from pathlib import Path

    from forecast_local.simulation import Simulation
    from forecast_operations.deployed.place import Place
    from forecast_operations.stopping.stopped import How

DEFINITION = {"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 9, "End": True}}}
ROLE = "arn:aws:iam::123456789012:role/scheduler"


@pytest.fixture
def machine(deployed: Simulation) -> str:
    """The state machine of the off hours, as an output of the stack, with its schedules."""
    machine = deployed.client("stepfunctions").create_state_machine(
        name=f"{NAME}-off-hours",
        definition=json.dumps(DEFINITION),
        roleArn=ROLE,
    )["stateMachineArn"]
    template = endpoint_template()
    template["Outputs"]["OffHoursStateMachineArn"] = {"Value": machine}
    assert deployed.deploy("ForecastLive", template).succeeded
    scheduler = deployed.client("scheduler")
    scheduler.create_schedule_group(Name="off-hours")
    for action, target in (("stop", machine), ("start", machine), ("else", f"{machine}-2")):
        scheduler.create_schedule(
            GroupName="off-hours",
            Name=action,
            Description=f"{action} it",
            ScheduleExpression="cron(0 20 * * ? *)",
            ScheduleExpressionTimezone="Asia/Shanghai",
            FlexibleTimeWindow={"Mode": "OFF"},
            State="ENABLED",
            Target={"Arn": target, "RoleArn": ROLE, "Input": "{}"},
        )
    return str(machine)


def _schedules(aws: Simulation) -> dict[str, dict[str, Any]]:
    scheduler = aws.client("scheduler")
    return {
        name: {
            key: value
            for key, value in scheduler.get_schedule(GroupName="off-hours", Name=name).items()
            if key not in {"ResponseMetadata", "LastModificationDate", "CreationDate"}
        }
        for name in ("stop", "start", "else")
    }


@pytest.mark.parametrize("how", ["scale", "delete"])
@pytest.mark.usefixtures("machine")
def test_the_schedules_rest_until_it_is_started_again(
    how: How, deployed: Simulation, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = _schedules(deployed)

    stop_command("live", how, config=config, yes=True)
    assert "off hours are switched off until it is started again" in capsys.readouterr().err
    states = {name: each["State"] for name, each in _schedules(deployed).items()}
    assert states == {"stop": "DISABLED", "start": "DISABLED", "else": "ENABLED"}

    start_command("live", config=config, yes=True)
    assert _schedules(deployed) == before


@pytest.mark.usefixtures("machine")
def test_an_endpoint_that_is_away_for_the_night_can_be_kept_away(
    deployed: Simulation, config: Path
) -> None:
    deployed.client("sagemaker").delete_endpoint(EndpointName=NAME)

    stop_command("live", "delete", config=config, yes=True)
    assert _schedules(deployed)["start"]["State"] == "DISABLED"

    # It was away, and so it stays: the schedule brings it back when its time comes.
    start_command("live", config=config, yes=True)
    assert _schedules(deployed)["start"]["State"] == "ENABLED"
    assert deployed.client("sagemaker").list_endpoints()["Endpoints"] == []


@pytest.mark.parametrize("how", ["scale", "delete"])
def test_an_execution_under_way_would_undo_it(
    how: How, deployed: Simulation, config: Path, machine: str
) -> None:
    deployed.client("stepfunctions").start_execution(stateMachineArn=machine)

    with pytest.raises(ForecastError, match=rf"off hours of {NAME} are at work.*{machine}"):
        stop_command("live", how, config=config, yes=True)


@pytest.mark.usefixtures("machine")
def test_a_schedule_that_is_gone_is_left_out(place: Place) -> None:
    switch(place.cloud, [("off-hours", "gone"), ("off-hours", "stop")], "DISABLED")

    assert place.cloud.region == REGION
    found = place.cloud.ask("scheduler", "get_schedule", GroupName="off-hours", Name="stop")
    assert found["State"] == "DISABLED"
