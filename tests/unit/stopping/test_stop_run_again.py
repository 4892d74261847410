"""A stop that is interrupted, refused or run again adds nothing, and says what is left to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from operated import BUCKET, NAME, bounds, document, instances, interrupted, muted

from forecast_config import ForecastError
from forecast_operations.cloud.cloud import Cloud
from forecast_operations.cloud.refusals import NotAllowedError
from forecast_operations.commands.start import start_command
from forecast_operations.commands.stop import stop_command
from forecast_operations.stopping import waiting
from forecast_operations.stopping.stopped import StoppedStore

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from forecast_local.simulation import Simulation
    from forecast_operations.deployed.place import Place


def _scaled(aws: Simulation) -> list[str]:
    """What Application Auto Scaling itself has changed."""
    client = aws.client("application-autoscaling")
    found = client.describe_scaling_activities(ServiceNamespace="sagemaker")["ScalingActivities"]
    return [each["Description"] for each in found]


def test_a_stop_that_is_run_again_adds_no_instance(
    deployed: Simulation, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As a scheduled action for market days does.
    deployed.client("application-autoscaling").register_scalable_target(
        ServiceNamespace="sagemaker",
        ResourceId=f"endpoint/{NAME}/variant/AllTraffic",
        ScalableDimension="sagemaker:variant:DesiredInstanceCount",
        MinCapacity=4,
    )
    with interrupted(monkeypatch, "MaxCapacity"):
        stop_command("live", "scale", config=config, yes=True)
    assert instances(deployed) == 2
    stop_command("live", "scale", config=config, yes=True)

    assert instances(deployed) == 2
    assert _scaled(deployed) == []
    assert bounds(deployed) == (2, 2)
    start_command("live", config=config, yes=True)
    assert bounds(deployed) == (4, 6)
    assert instances(deployed) == 4


def test_a_minimum_that_is_not_deployed_adds_no_instance(
    deployed: Simulation, write_config: Callable[..., Path]
) -> None:
    known = document()["environments"]["live"]
    scaling = {**known["autoscaling"], "min_instance_count": 3}
    config = write_config(live={**known, "autoscaling": scaling})
    deployed.client("sagemaker").update_endpoint_weights_and_capacities(
        EndpointName=NAME,
        DesiredWeightsAndCapacities=[{"VariantName": "AllTraffic", "DesiredInstanceCount": 2}],
    )

    stop_command("live", "scale", config=config, yes=True)

    assert instances(deployed) == 2
    assert _scaled(deployed) == []


class _Slow:
    """An endpoint whose counts take two looks to change."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: list[str] = []
        self.updating = 0
        ask = Cloud.ask

        def slowly(cloud: Cloud, service: str, operation: str, **arguments: Any) -> Any:
            answer = ask(cloud, service, operation, **arguments)
            self.asked += [operation, *(key for key in arguments if key.endswith("Capacity"))]
            if operation == "update_endpoint_weights_and_capacities":
                self.updating = 2
            if operation == "describe_endpoint" and self.updating > 0:
                self.updating -= 1
                return {**answer, "EndpointStatus": "Updating"}
            return answer

        monkeypatch.setattr(Cloud, "ask", slowly)


def test_bounds_are_set_when_the_counts_are_there(
    deployed: Simulation, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    del deployed
    slow = _Slow(monkeypatch)
    monkeypatch.setattr(waiting.time, "sleep", lambda _: slow.asked.append("wait"))

    stop_command("live", "scale", config=config, yes=True)

    changed = slow.asked[slow.asked.index("update_endpoint_weights_and_capacities") :]
    assert changed.index("MaxCapacity") > changed.index("wait")
    assert changed.count("wait") == 2


def test_a_stop_that_was_interrupted_goes_on_while_the_counts_change(
    deployed: Simulation, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = _Slow(monkeypatch)

    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(waiting.time, "sleep", interrupt)
        with pytest.raises(KeyboardInterrupt):
            stop_command("live", "scale", config=config, yes=True)
    slow.updating = 5
    monkeypatch.setattr(waiting.time, "sleep", lambda _: None)
    stop_command("live", "scale", config=config, yes=True)

    assert bounds(deployed) == (2, 2)


def test_a_stop_that_is_refused_says_what_is_muted_until_then(
    deployed: Simulation,
    config: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    ask = Cloud.ask
    said = f"2 alarms of {NAME} may be muted although it serves: run the same command again, or "

    def refusing(cloud: Cloud, service: str, operation: str, **arguments: Any) -> Any:
        if operation == "delete_endpoint":
            raise NotAllowedError("no DeleteEndpoint", "AccessDenied", "sagemaker:DeleteEndpoint")
        return ask(cloud, service, operation, **arguments)

    with monkeypatch.context() as patched:
        patched.setattr(Cloud, "ask", refusing)
        with pytest.raises(ForecastError, match=f"no DeleteEndpoint; until then {said}") as refused:
            stop_command("live", "delete", config=config, yes=True)
    assert str(refused.value).endswith("undo it with: forecast start live")
    assert said not in capsys.readouterr().err
    with interrupted(monkeypatch, "delete_endpoint"):
        stop_command("live", "delete", config=config, yes=True)
    assert said in capsys.readouterr().err
    start_command("live", config=config, yes=True)
    assert muted(deployed) == set()


def _in_transition(monkeypatch: pytest.MonkeyPatch, status: str) -> None:
    ask = Cloud.ask

    def changing(cloud: Cloud, service: str, operation: str, **arguments: Any) -> Any:
        answer = ask(cloud, service, operation, **arguments)
        return {**answer, "EndpointStatus": status} if operation == "describe_endpoint" else answer

    monkeypatch.setattr(Cloud, "ask", changing)


@pytest.mark.usefixtures("deployed")
def test_an_endpoint_in_a_transition_is_left_alone(
    config: Path, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    _in_transition(monkeypatch, "Updating")

    with pytest.raises(ForecastError, match=f"{NAME} is Updating"):
        stop_command("live", "delete", config=config, yes=True)
    assert StoppedStore(place.cloud, BUCKET, "live").read() is None


@pytest.mark.usefixtures("deployed")
def test_an_endpoint_that_failed_does_not_start(
    config: Path, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop_command("live", "scale", config=config, yes=True)
    _in_transition(monkeypatch, "Failed")

    with pytest.raises(ForecastError, match=r"is Failed .*forecast deploy live --allow-recreate"):
        start_command("live", config=config, yes=True)
    assert StoppedStore(place.cloud, BUCKET, "live").read() is not None
