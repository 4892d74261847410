"""The status of an environment: what is wrong comes first, what is not allowed is named."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import typer
from operated import BUCKET, NAME, alarm, deploy, endpoint_template, place_of, publish

from forecast_config import ForecastError
from forecast_operations import console
from forecast_operations.cloud.cloud import Cloud
from forecast_operations.cloud.refusals import CloudError, CredentialsError, NotAllowedError
from forecast_operations.commands import status as command
from forecast_operations.commands.monitoring import stop_command as stop_monitoring
from forecast_operations.commands.status import status_command
from forecast_operations.commands.stop import stop_command
from forecast_operations.watching.reading import read_status
from forecast_operations.watching.screen import draw
from forecast_operations.watching.status import Unknown

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from forecast_local.simulation import Simulation
    from forecast_operations.deployed.place import Place
    from forecast_operations.watching.status import Status


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console.out, "_width", 200)


def _shown(config: Path, capsys: pytest.CaptureFixture[str], code: int) -> str:
    if code:
        with pytest.raises(typer.Exit) as caught:
            status_command(["live"], config=config)
        assert caught.value.exit_code == code
    else:
        status_command(["live"], config=config)
    return capsys.readouterr().out


def _screen(status: Status) -> str:
    with console.out.capture() as captured:
        console.out.print(draw([status]))
    return captured.get()


def test_what_is_fine_is_one_screen(
    deployed: Simulation, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    now = datetime.now(UTC)
    variant = {"VariantName": "AllTraffic"}
    publish(deployed, "Invocations", now, 30, 12, **variant)
    publish(deployed, "Invocation4XXErrors", now, 2, **variant)
    publish(deployed, "ModelLatency", now, *[4000.0] * 30, **variant)
    publish(deployed, "Heartbeat", now, 0, 1)

    screen = _shown(config, capsys, 0)

    for text in (
        f"live · {NAME} · eu-central-1",
        "version 1, ForecastLive-Config-",
        "InService for ",
        "AllTraffic 4 ml.m5.large, 100 %",
        "0 ALARM, 0 INSUFFICIENT_DATA, 3 OK",
        "AllTraffic: 42 requests, 2 with 4xx, 0 with 5xx, p50 4 ms, p99 4 ms",
        "ok, 1 min ago",
        "AllTraffic: 2 to 6",
        "no deployment yet (forecast verify)",
        "─ fine ",
    ):
        assert text in screen


def test_what_is_in_alarm_comes_first_with_its_runbook(
    deployed: Simulation, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cloudwatch = deployed.client("cloudwatch")
    for name, state in ((f"{NAME}-errors-high", "ALARM"), (f"{NAME}-wake-up", "INSUFFICIENT_DATA")):
        cloudwatch.set_alarm_state(AlarmName=name, StateValue=state, StateReason="a try")

    screen = _shown(config, capsys, 1)

    assert "1 ALARM, 1 INSUFFICIENT_DATA, 1 OK" in screen
    assert f"{NAME}-errors-high for 0 s, docs/runbooks.md#error-rate" in screen
    assert screen.index(f"{NAME}-errors-high") < screen.index(f"{NAME}-wake-up")
    assert "─ 1 in alarm " in screen


def test_alarms_of_an_endpoint_whose_name_goes_on_are_not_shown(
    deployed: Simulation, place: Place
) -> None:
    cloudwatch = deployed.client("cloudwatch")
    other = f"{NAME}-eu"
    cloudwatch.put_metric_alarm(**alarm(f"{other}-errors-high", other))
    cloudwatch.put_composite_alarm(
        AlarmName=f"{other}-incident-high", AlarmRule=f'ALARM("{other}-errors-high")'
    )
    metric = {
        "Namespace": "AWS/SageMaker",
        "MetricName": "Invocations",
        "Dimensions": [{"Name": "EndpointName", "Value": other}],
    }
    cloudwatch.put_metric_alarm(
        AlarmName=f"{other}-rate-high",
        Metrics=[
            {
                "Id": "a",
                "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum"},
                "ReturnData": False,
            },
            {"Id": "b", "Expression": "a / 2", "ReturnData": True},
        ],
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
    )

    alarms = read_status(place).alarms

    assert isinstance(alarms, tuple)
    assert [each.name for each in alarms if each.name.startswith(other)] == []
    assert len(alarms) == 3


def test_what_serves_something_else_than_deployed_is_said(
    deployed: Simulation, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = deployed.endpoint(NAME)["EndpointConfigName"]
    deploy(deployed, "2")
    deployed.client("sagemaker").update_endpoint(EndpointName=NAME, EndpointConfigName=first)

    screen = _shown(config, capsys, 1)

    assert f"{first} (not what was deployed)" in screen
    assert "it serves another configuration than deployed" in screen


def test_a_deployment_that_was_taken_back_is_not_fine(deployed: Simulation, place: Place) -> None:
    failing = endpoint_template("2", Target={"MinCapacity": 9})
    assert not deployed.deploy("ForecastLive", failing).succeeded

    assert read_status(place).troubles == ("the stack is UPDATE_ROLLBACK_COMPLETE",)


def test_a_rollout_under_way_shows_how_far_it_is(
    deployed: Simulation, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    del deployed
    ask = Cloud.ask
    since = datetime.now(UTC) - timedelta(minutes=7)

    def rolling(cloud: Cloud, service: str, operation: str, **arguments: Any) -> Any:
        answer = ask(cloud, service, operation, **arguments)
        if operation != "describe_endpoint":
            return answer
        pending = {
            "EndpointConfigName": "next",
            "StartTime": since,
            "ProductionVariants": [
                {
                    "VariantName": "AllTraffic",
                    "CurrentWeight": 0.3,
                    "CurrentInstanceCount": 2,
                    "VariantStatus": [{"Status": "Baking"}],
                }
            ],
        }
        return {**answer, "EndpointStatus": "Updating", "PendingDeploymentSummary": pending}

    monkeypatch.setattr(Cloud, "ask", rolling)
    status = read_status(place)
    screen = _screen(status)

    assert "next for 7 min" in screen
    assert "AllTraffic: Baking, weight 0.3, 2 instances" in screen
    assert status.troubles == ("the endpoint is Updating",)
    # Until it is over nothing has drifted.
    assert not status.drifted


def test_a_missing_permission_is_a_line_and_the_rest_goes_on(
    deployed: Simulation,
    config: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    del deployed
    refused = {
        "describe_alarms": "cloudwatch:DescribeAlarms",
        "get_metric_data": "cloudwatch:GetMetricData",
        "describe_scalable_targets": "application-autoscaling:DescribeScalableTargets",
        "list_objects_v2": "s3:ListBucket",
    }
    pages = Cloud.pages

    def refusing(cloud: Cloud, service: str, operation: str, *key: str, **arguments: Any) -> Any:
        if operation in refused:
            raise NotAllowedError("no", "AccessDenied", refused[operation])
        return pages(cloud, service, operation, *key, **arguments)

    monkeypatch.setattr(Cloud, "pages", refusing)

    screen = _shown(config, capsys, 1)

    assert all(f"not allowed: {permission}" in screen for permission in refused.values())
    assert "InService" in screen
    assert "the alarms are not known" in screen


def test_without_credentials_there_is_one_sentence_and_no_screen(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nobody(*_: Any, **__: Any) -> Any:
        raise CloudError("there are no AWS credentials")

    monkeypatch.setattr(Cloud, "ask", nobody)

    with pytest.raises(CloudError, match="there are no AWS credentials"):
        status_command(config=config)


def test_what_is_not_there_is_not_fine(
    aws: Simulation, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    del aws
    screen = _shown(config, capsys, 1)

    assert "ForecastLive is not deployed" in screen
    assert "there is no endpoint" in screen


def test_a_stop_is_shown_with_its_way_back(
    deployed: Simulation, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    del deployed
    stop_command("live", "scale", config=config, yes=True)
    capsys.readouterr()
    small = _shown(config, capsys, 1)
    assert "it is stopped: at its minimum" in small
    assert "2 to 2, suspended: scaling in, scaling out, scheduled actions" in small
    stop_command("live", "delete", config=config, yes=True)
    capsys.readouterr()

    screen = _shown(config, capsys, 1)

    assert "the endpoint is stopped; bring it back with: forecast start live" in screen
    assert "2 muted" in screen


def test_a_beat_that_was_wrong_tells_the_last_right_one(deployed: Simulation, place: Place) -> None:
    now = datetime.now(UTC)
    publish(deployed, "Heartbeat", now, 1, 1, 0, 0)

    seen = read_status(place, now).seen

    assert not isinstance(seen, Unknown)
    assert not seen.heartbeat.ok
    assert seen.heartbeat.last_ok is not None
    assert timedelta(minutes=2) < now - seen.heartbeat.last_ok < timedelta(minutes=5)


def test_json_holds_all_of_it(
    deployed: Simulation, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    deployed.client("s3").put_object(
        Bucket=BUCKET, Key="deployments/live/20270104T080000Z-0123abcd.json", Body=b"{}"
    )
    status_command(config=config, as_json=True)

    found = json.loads(capsys.readouterr().out)["live"]
    assert found["endpoint"]["variants"][0]["desired"] == 4
    assert found["deployed"]["model_version"] == "1"
    assert found["troubles"] == []
    # A record that cannot be read is none.
    assert found["records"] == []


def test_watching_survives_a_refusal_and_keeps_the_last_picture(
    deployed: Simulation, config: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    del deployed
    ask, refused = Cloud.ask, list[CloudError]()

    def refusing(cloud: Cloud, service: str, operation: str, **arguments: Any) -> Any:
        if refused and operation == "describe_endpoint":
            raise refused[-1]
        return ask(cloud, service, operation, **arguments)

    def nap(_: float) -> None:
        error: CloudError = CloudError("AWS refuses for now", "ThrottlingException")
        if len(refused) == 2:
            error = CredentialsError("the AWS credentials have expired")
        refused.append(error)

    monkeypatch.setattr(Cloud, "ask", refusing)
    monkeypatch.setattr(command.time, "sleep", nap)

    with pytest.raises(CredentialsError):
        status_command(config=config, watch=True)

    assert len(refused) == 3
    told = capsys.readouterr().out
    assert "UTC: AWS refuses for now" in told
    assert NAME in told[told.index("not read since ") :]


def test_what_is_muted_is_not_fine_unless_it_is_stopped(
    deployed: Simulation, config: Path, place: Place
) -> None:
    deployed.client("cloudwatch").disable_alarm_actions(
        AlarmNames=[f"{NAME}-incident-high", f"{NAME}-wake-up"]
    )

    assert read_status(place).troubles == (
        "1 muted; speaking again with: forecast monitoring start live",
    )
    stop_command("live", "delete", config=config, yes=True)
    (trouble,) = read_status(place).troubles
    assert "is stopped" in trouble


def test_an_endpoint_without_its_stack_is_not_fine(deployed: Simulation, place: Place) -> None:
    del deployed
    status = replace(read_status(place), deployed=None)

    assert status.troubles == (
        "the stack ForecastLive is not deployed, though its endpoint is there",
    )


def test_an_endpoint_that_nothing_watches_is_not_fine(deployed: Simulation, place: Place) -> None:
    cloudwatch = deployed.client("cloudwatch")
    for kind in ("CompositeAlarms", "MetricAlarms"):
        named = [each["AlarmName"] for each in cloudwatch.describe_alarms().get(kind, ())]
        cloudwatch.delete_alarms(AlarmNames=named)

    assert read_status(place).troubles == ("it has no alarms",)


def test_a_heartbeat_that_never_came_is_not_fine(
    deployed: Simulation, write_config: Callable[..., Path], place: Place
) -> None:
    later = datetime.now(UTC) + timedelta(hours=1)
    silent = "the heartbeat has not asked in 3 hours"

    # An endpoint that has just been made was not asked yet.
    young = read_status(place)
    assert young.troubles == ()
    assert "heartbeat  the first one is awaited" in _screen(young)
    assert read_status(place, later).troubles == (silent,)
    assert "heartbeat  none in 3 hours" in _screen(read_status(place, later))
    endpoint = {"kind": "realtime", "name": NAME, "instance_type": "ml.m5.large"}
    without = write_config(live={"endpoint": endpoint, "alarms": {"endpoint_down": None}})
    assert read_status(place_of(without), later).troubles == ()
    publish(deployed, "Heartbeat", later, 1)
    assert read_status(place, later).troubles == ()


def test_alarms_of_a_namesake_are_not_ours(
    deployed: Simulation, write_config: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    cloudwatch = deployed.client("cloudwatch")
    theirs = f"{NAME}-dev-off-hours-undelivered"
    for name in (theirs, f"{NAME}-off-hours-undelivered"):
        cloudwatch.put_metric_alarm(**{**alarm(name), "Dimensions": []})
    endpoint = {"kind": "realtime", "instance_type": "ml.m5.large"}
    config = write_config(
        live={"endpoint": {**endpoint, "name": NAME}},
        dev={"endpoint": {**endpoint, "name": f"{NAME}-dev"}},
    )

    stop_monitoring("live", config=config, yes=True)
    capsys.readouterr()

    found = cloudwatch.describe_alarms()["MetricAlarms"]
    muted = {each["AlarmName"] for each in found if not each["ActionsEnabled"]}
    assert f"{NAME}-off-hours-undelivered" in muted
    assert theirs not in muted


def test_watching_ends_quietly(
    deployed: Simulation, config: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    del deployed
    naps: list[float] = []

    def nap(seconds: float) -> None:
        naps.append(seconds)
        if len(naps) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(command.time, "sleep", nap)

    status_command(config=config, watch=True, every=3)

    assert naps == [3, 3]
    assert NAME in capsys.readouterr().out
    with pytest.raises(ForecastError, match="--watch is for people"):
        status_command(config=config, watch=True, as_json=True)
