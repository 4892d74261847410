"""Alarms are muted and speak again, but what scales goes on."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import typer
from operated import NAME

from forecast_config import ForecastError
from forecast_operations.cloud.cloud import Cloud
from forecast_operations.commands import monitoring
from forecast_operations.deployed.alarms import mute

if TYPE_CHECKING:
    from pathlib import Path

    from forecast_local.simulation import Simulation


def _muted(capsys: pytest.CaptureFixture[str]) -> set[str]:
    alarms = json.loads(capsys.readouterr().out)["alarms"]
    return {alarm["name"] for alarm in alarms if alarm["muted"]}


def test_alarms_are_muted_and_speak_again(
    deployed: Simulation, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    del deployed
    monitoring.stop_command("live", config=config, yes=True, as_json=True)
    assert _muted(capsys) == {f"{NAME}-errors-high", f"{NAME}-incident-high"}

    with pytest.raises(typer.Exit):
        monitoring.status_command("live", config=config)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["OK", "muted", "incident", f"{NAME}-incident-high"]
    assert [line.split()[1] for line in lines if "wake-up" in line] == ["scales"]

    monitoring.start_command("live", config=config, as_json=True)
    assert _muted(capsys) == set()
    monitoring.status_command("live", config=config)


def test_muting_is_asked_for(deployed: Simulation, config: Path) -> None:
    with pytest.raises(ForecastError, match="nothing was changed"):
        monitoring.stop_command("live", config=config)

    found = deployed.client("cloudwatch").describe_alarms()["CompositeAlarms"]
    assert all(alarm["ActionsEnabled"] for alarm in found)


def test_without_alarms_it_says_what_to_do(aws: Simulation, config: Path) -> None:
    del aws
    with pytest.raises(ForecastError, match="has no alarms in eu-central-1; deploy it first"):
        monitoring.status_command("live", config=config)


def test_more_alarms_than_a_call_takes_are_muted_in_several() -> None:
    calls: list[int] = []

    class Client:
        def disable_alarm_actions(self, *, AlarmNames: list[str]) -> None:  # noqa: N803
            calls.append(len(AlarmNames))

    mute(Cloud("x", clients={"cloudwatch": Client()}), [str(number) for number in range(150)])

    assert calls == [100, 50]
