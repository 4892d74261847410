"""What was deployed between a stop and its way back stays, and a note that is outdated goes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from operated import BUCKET, NAME, bounds, deploy, instances, interrupted, muted

from forecast_config import ForecastError
from forecast_operations import options
from forecast_operations.cloud.cloud import Cloud
from forecast_operations.commands.start import start_command
from forecast_operations.commands.stop import stop_command
from forecast_operations.stopping.stopped import How, Stopped, StoppedStore
from forecast_operations.watching.reading import read_status

if TYPE_CHECKING:
    from pathlib import Path

    from forecast_local.simulation import Simulation
    from forecast_operations.deployed.place import Place


def _note(place: Place) -> Stopped | None:
    return StoppedStore(place.cloud, BUCKET, "live").read()


def _anew(aws: Simulation, version: str = "2") -> None:
    """The endpoint made anew with its stack, as `forecast deploy --allow-recreate` does."""
    aws.destroy("ForecastLive")
    deploy(aws, version)


@pytest.mark.parametrize("first", ["scale", "delete"])
def test_the_model_that_was_deployed_meanwhile_comes_back(
    first: How, deployed: Simulation, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if first == "scale":
        stop_command("live", "scale", config=config, yes=True)
    else:
        with interrupted(monkeypatch, "delete_endpoint"):
            stop_command("live", "delete", config=config, yes=True)
    steps = {"PolicyName": "more-steps"}
    deploy(deployed, "2", Steps=steps)
    served = deployed.endpoint(NAME)["EndpointConfigName"]

    stop_command("live", "delete", config=config, yes=True)
    start_command("live", config=config, yes=True)

    assert deployed.endpoint(NAME)["EndpointConfigName"] == served
    assert bounds(deployed) == (2, 6)
    assert instances(deployed) == 4
    policies = deployed.client("application-autoscaling").describe_scaling_policies(
        ServiceNamespace="sagemaker"
    )["ScalingPolicies"]
    assert [each["PolicyName"] for each in policies] == ["more-steps"]
    assert muted(deployed) == set()


@pytest.mark.parametrize("how", ["scale", "delete"])
def test_a_note_of_an_endpoint_that_was_made_anew_is_no_obstacle(
    how: How, deployed: Simulation, config: Path, place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    stop_command("live", "delete", config=config, yes=True)
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
    assert (note.how, note.endpoint.config) == (how, served)
    assert note.at > old.at
    # What the old stop had muted is noted as what speaks.
    assert f"{NAME}-incident-high" in note.muted or how == "scale"
    start_command("live", config=config, yes=True)
    assert deployed.endpoint(NAME)["EndpointConfigName"] == served
    assert muted(deployed) == set()


def test_an_endpoint_made_anew_keeps_the_scaling_it_was_deployed_with(
    deployed: Simulation, config: Path, place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    stop_command("live", "delete", config=config, yes=True)
    deployed.destroy("ForecastLive")
    deploy(deployed, "2", Target={"MaxCapacity": 9})
    deployed.client("sagemaker").update_endpoint_weights_and_capacities(
        EndpointName=NAME,
        DesiredWeightsAndCapacities=[{"VariantName": "AllTraffic", "DesiredInstanceCount": 7}],
    )

    start_command("live", config=config, yes=True)

    assert bounds(deployed) == (2, 9)
    assert instances(deployed) == 7
    assert _note(place) is None
    assert "stay as deployed" in capsys.readouterr().err


def test_weights_of_another_configuration_stay(deployed: Simulation, config: Path) -> None:
    stop_command("live", "scale", config=config, yes=True)
    deploy(deployed, "2")
    deployed.client("sagemaker").update_endpoint_weights_and_capacities(
        EndpointName=NAME,
        DesiredWeightsAndCapacities=[{"VariantName": "AllTraffic", "DesiredWeight": 0.5}],
    )

    start_command("live", config=config, yes=True)

    assert deployed.endpoint(NAME)["ProductionVariants"][0]["CurrentWeight"] == 0.5
    assert instances(deployed) == 4


def test_what_was_is_noted_after_the_answer(
    deployed: Simulation, config: Path, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def think(*_: Any, **__: Any) -> bool:
        deploy(deployed, "2")
        return True

    monkeypatch.setattr(options.sys, "stdin", _Terminal())
    monkeypatch.setattr(options.typer, "confirm", think)

    stop_command("live", "delete", config=config)

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


def test_account_region_and_the_edge_of_a_schedule_are_said(
    deployed: Simulation, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stop_command("live", "scale", config=config, yes=True)
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
        stop_command("live", "scale", config=config)

    assert "shadow variants keep their instances: shadow" in capsys.readouterr().err
