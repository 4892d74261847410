"""One request to an endpoint, and which endpoint is meant by a name and a region."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from operated import NAME, REGION

from forecast_config import ForecastError
from forecast_operations.cloud.cloud import Cloud
from forecast_operations.commands import endpoints as command
from forecast_operations.commands import invoke

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from forecast_local.simulation import Simulation

STRAY = "somebody-elses"


class _Runtime:
    """A stand-in for SageMaker Runtime, which in this process has no model to ask."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.refused: Exception | None = None
        self.body: Any = None

    def invoke_endpoint(self, **asked: Any) -> dict[str, Any]:
        self.asked.append(asked)
        if self.refused is not None:
            raise self.refused
        body = self.body or io.BytesIO(b'{"predictions": []}')
        return {"Body": body, "ContentType": "application/json"}


@pytest.fixture
def runtime(aws: Simulation, monkeypatch: pytest.MonkeyPatch) -> _Runtime:
    del aws
    runtime, client = _Runtime(), Cloud.client
    monkeypatch.setattr(
        Cloud,
        "client",
        lambda cloud, service: (
            runtime if service == "sagemaker-runtime" else client(cloud, service)
        ),
    )
    return runtime


@pytest.fixture
def rows(config: Path) -> Path:
    path = config.parent / "rows.csv"
    path.write_text("price\n4.5\n")
    return path


def test_one_request_goes_to_the_endpoint_of_either_name(
    deployed: Simulation, config: Path, runtime: _Runtime, rows: Path, capfdbinary: Any
) -> None:
    served = deployed.endpoint(NAME)["EndpointConfigName"]
    deployed.client("sagemaker").create_endpoint(EndpointName=STRAY, EndpointConfigName=served)

    for name in ("live", NAME, STRAY):
        command.invoke_command(name, file=rows, config=config)

    assert [each["EndpointName"] for each in runtime.asked] == [NAME, NAME, STRAY]
    assert {each["ContentType"] for each in runtime.asked} == {"text/csv"}
    assert capfdbinary.readouterr().out == b'{"predictions": []}\n' * 3


@pytest.mark.usefixtures("deployed")
def test_what_to_do_is_what_this_command_can(config: Path, runtime: _Runtime, rows: Path) -> None:
    for reason, advice in (
        (f"Endpoint {NAME} of account 1 not found.", "deploy it first"),
        ("starting", f"see how it is with: forecast endpoints describe {NAME}, and ask it again"),
    ):
        error: Any = {"Error": {"Code": "ValidationError", "Message": reason}}
        runtime.refused = ClientError(error, "InvokeEndpoint")
        with pytest.raises(ForecastError, match=f"{reason}; {advice}$"):
            command.invoke_command("live", file=rows, config=config)


@pytest.mark.usefixtures("deployed")
def test_an_answer_that_breaks_off_is_no_traceback(
    config: Path, runtime: _Runtime, rows: Path
) -> None:
    class _Broken:
        @staticmethod
        def read() -> bytes:
            raise ReadTimeoutError(endpoint_url="https://runtime.sagemaker")

    runtime.body = _Broken()

    with pytest.raises(ForecastError, match=f"cannot ask the endpoint {NAME}: .*Read timeout"):
        command.invoke_command("live", file=rows, config=config)


@pytest.mark.usefixtures("aws")
def test_an_asynchronous_endpoint_is_asked_in_another_way(
    write_config: Callable[..., Path], runtime: _Runtime, rows: Path
) -> None:
    endpoint = {"kind": "async", "name": NAME, "instance_type": "ml.m5.large"}
    config = write_config(live={"endpoint": endpoint})

    for name in ("live", NAME):
        with pytest.raises(ForecastError, match=r"is asynchronous: .*forecast verify live.*-async"):
            command.invoke_command(name, file=rows, config=config)
    with pytest.raises(ForecastError, match="is asynchronous"):
        invoke.invoke_command("live", file=rows, config=config)
    assert runtime.asked == []


def test_in_another_region_another_endpoint_is_meant(
    deployed: Simulation, config: Path, runtime: _Runtime, rows: Path, capsys: Any
) -> None:
    # In the simulated account every region is the same.
    del deployed
    command.describe_command(NAME, config=config, region=["us-east-1"], as_json=True)
    found = json.loads(capsys.readouterr().out)
    assert (found["environment"], found["region"]) == (None, "us-east-1")
    command.describe_command(NAME, config=config, region=["us-east-1", REGION], as_json=True)
    assert json.loads(capsys.readouterr().out)["environment"] == "live"
    said = rf"region of live \({REGION}\), got us-east-1; .*endpoints list --region us-east-1"
    for ask in (
        lambda: command.describe_command("live", config=config, region=["us-east-1"]),
        lambda: command.invoke_command("live", file=rows, config=config, region=["us-east-1"]),
        lambda: command.delete_command("live", config=config, region=["us-east-1"], yes=True),
    ):
        with pytest.raises(ForecastError, match=said):
            ask()
    assert runtime.asked == []
