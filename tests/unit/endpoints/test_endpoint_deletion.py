"""A deletion says what it destroys and how it is undone, and destroys nothing else."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from operated import BUCKET, NAME, deploy, publish

from forecast_config import ForecastError
from forecast_operations.cloud.cloud import Cloud
from forecast_operations.commands.endpoints import delete_command
from forecast_operations.commands.stop import stop_command
from forecast_operations.deployed import endpoint as state

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from forecast_local.simulation import Simulation

STRAY = "somebody-elses"


def _names(aws: Simulation, kind: str) -> set[str]:
    sagemaker = aws.client("sagemaker")
    listed = {
        "Endpoint": lambda: sagemaker.list_endpoints()["Endpoints"],
        "EndpointConfig": lambda: sagemaker.list_endpoint_configs()["EndpointConfigs"],
        "Model": lambda: sagemaker.list_models()["Models"],
    }[kind]()
    return {each[f"{kind}Name"] for each in listed}


def _stacks(aws: Simulation) -> set[str]:
    return {each["StackName"] for each in aws.client("cloudformation").describe_stacks()["Stacks"]}


def _stray(aws: Simulation, *, own: bool, name: str = STRAY) -> str:
    """An endpoint of no environment, with a configuration and a model of its own, or with ours."""
    sagemaker = aws.client("sagemaker")
    config = aws.endpoint(NAME)["EndpointConfigName"]
    if own:
        role = aws.resources("ForecastLive")["Role"]
        sagemaker.create_model(
            ModelName="theirs",
            ExecutionRoleArn=f"arn:aws:iam::123456789012:role/{role}",
            PrimaryContainer={"Image": "x", "ModelDataUrl": "s3://elsewhere/model.tar.gz"},
        )
        variant = {"VariantName": "v", "ModelName": "theirs", "InstanceType": "ml.m5.large"}
        sagemaker.create_endpoint_config(
            EndpointConfigName="theirs",
            ProductionVariants=[{**variant, "InitialInstanceCount": 1}],
        )
        config = "theirs"
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=config)
    return name


def test_ours_goes_with_its_stack_and_the_artifacts_stay(
    deployed: Simulation, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    publish(deployed, "Invocations", datetime.now(UTC), 1200, VariantName="AllTraffic")
    stop_command("live", "scale", config=config, yes=True)

    delete_command(NAME, config=config, yes=True)

    told = capsys.readouterr().err
    assert "it answered 1,200 requests in the last hour" in told
    assert "the stack ForecastLive goes with its 9 resources" in told
    assert "the way back: forecast deploy live" in told
    assert _stacks(deployed) == {"ForecastLiveArtifacts"}
    assert _names(deployed, "Endpoint") == set()
    # Nor is it stopped any more: there is nothing to start.
    assert deployed.client("s3").list_objects_v2(Bucket=BUCKET)["KeyCount"] == 0


def test_ours_is_asked_for(
    deployed: Simulation, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ForecastError, match=r"nothing was changed: .* add --yes"):
        delete_command("live", config=config)

    assert "nobody has asked it in the last hour" in capsys.readouterr().err
    assert _stacks(deployed) == {"ForecastLive", "ForecastLiveArtifacts"}


def test_a_protected_stack_is_left_alone(deployed: Simulation, config: Path) -> None:
    deployed.client("cloudformation").update_termination_protection(
        StackName="ForecastLive", EnableTerminationProtection=True
    )

    with pytest.raises(ForecastError, match=r"protected .*--no-enable-termination-protection"):
        delete_command("live", config=config, yes=True)
    assert _names(deployed, "Endpoint") == {NAME}


def test_a_stack_without_its_endpoint_is_deleted_too(deployed: Simulation, config: Path) -> None:
    deployed.client("sagemaker").delete_endpoint(EndpointName=NAME)

    delete_command("live", config=config, yes=True)

    assert _stacks(deployed) == {"ForecastLiveArtifacts"}
    with pytest.raises(ForecastError, match="live is not deployed in eu-central-1"):
        delete_command("live", config=config, yes=True)


def test_what_keeps_a_stack_from_going_is_told(
    deployed: Simulation, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    del deployed
    ask, pages = Cloud.ask, Cloud.pages
    deleting: list[str] = []

    def failing(cloud: Cloud, service: str, operation: str, **arguments: Any) -> Any:
        if operation == "delete_stack":
            deleting.append(arguments["StackName"])
            return None
        answer = ask(cloud, service, operation, **arguments)
        if operation == "describe_stacks" and deleting:
            return {"Stacks": [{**answer["Stacks"][0], "StackStatus": "DELETE_FAILED"}]}
        return answer

    def told(cloud: Cloud, service: str, operation: str, *key: str, **arguments: Any) -> Any:
        if operation != "describe_stack_events":
            return pages(cloud, service, operation, *key, **arguments)
        failed = {"ResourceStatus": "DELETE_FAILED", "LogicalResourceId": "Heartbeat"}
        return iter([{**failed, "ResourceStatusReason": "an interface is in use"}])

    monkeypatch.setattr(Cloud, "ask", failing)
    monkeypatch.setattr(Cloud, "pages", told)

    with pytest.raises(ForecastError, match="Heartbeat: an interface is in use"):
        delete_command("live", config=config, yes=True)


def test_an_endpoint_in_a_transition_is_not_deleted(
    deployed: Simulation, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask = Cloud.ask

    def updating(cloud: Cloud, service: str, operation: str, **arguments: Any) -> Any:
        answer = ask(cloud, service, operation, **arguments)
        if operation == "describe_endpoint":
            return {**answer, "EndpointStatus": "RollingBack"}
        return answer

    monkeypatch.setattr(Cloud, "ask", updating)

    with pytest.raises(ForecastError, match=f"{NAME} is RollingBack"):
        delete_command("live", config=config, yes=True)
    assert _names(deployed, "Endpoint") == {NAME}


def test_what_was_left_behind_in_another_region_goes_alone(
    deployed: Simulation, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # In the simulated account every region is the same: it stands for the one left behind.
    delete_command(NAME, config=config, region=["us-east-1"], yes=True)

    assert "region us-east-1" in capsys.readouterr().err
    assert _names(deployed, "Endpoint") == set()
    assert _stacks(deployed) == {"ForecastLive", "ForecastLiveArtifacts"}


def test_another_one_goes_alone_and_can_come_back(
    deployed: Simulation, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _stray(deployed, own=True)

    delete_command(STRAY, config=config, yes=True)

    assert "--endpoint-config-name theirs" in capsys.readouterr().err
    assert _names(deployed, "Endpoint") == {NAME}
    assert "theirs" in _names(deployed, "EndpointConfig") & _names(deployed, "Model")


def test_its_models_go_with_it_when_asked(deployed: Simulation, config: Path) -> None:
    _stray(deployed, own=True)

    delete_command(STRAY, config=config, yes=True, with_models=True)

    assert "theirs" not in _names(deployed, "EndpointConfig") | _names(deployed, "Model")
    assert len(_names(deployed, "Model")) == 1


def test_what_something_else_uses_stays(deployed: Simulation, config: Path) -> None:
    _stray(deployed, own=False)
    configs, models = _names(deployed, "EndpointConfig"), _names(deployed, "Model")

    delete_command(STRAY, config=config, yes=True, with_models=True)

    assert (_names(deployed, "EndpointConfig"), _names(deployed, "Model")) == (configs, models)
    _stray(deployed, own=True)
    variant = {"VariantName": "v", "ModelName": "theirs", "InstanceType": "ml.m5.large"}
    deployed.client("sagemaker").create_endpoint_config(
        EndpointConfigName="later", ProductionVariants=[{**variant, "InitialInstanceCount": 1}]
    )
    delete_command(STRAY, config=config, yes=True, with_models=True)
    assert "theirs" in _names(deployed, "Model")


def test_one_of_another_stack_is_that_stack_s(deployed: Simulation, config: Path) -> None:
    _stray(deployed, own=False)
    arn = deployed.endpoint(STRAY)["EndpointArn"]
    tag = {"Key": "aws:cloudformation:stack-name", "Value": "Theirs"}
    deployed.client("sagemaker").add_tags(ResourceArn=arn, Tags=[tag])

    with pytest.raises(ForecastError, match=r"belongs to the stack Theirs.*delete-stack"):
        delete_command(STRAY, config=config, yes=True)
    assert STRAY in _names(deployed, "Endpoint")


def test_one_of_our_name_may_be_another_stack_s(deployed: Simulation, config: Path) -> None:
    deployed.destroy("ForecastLive")
    deploy(deployed)
    _stray(deployed, own=True)
    deployed.destroy("ForecastLive")
    tag = {"Key": "aws:cloudformation:stack-name", "Value": "Theirs"}
    deployed.client("sagemaker").create_endpoint(
        EndpointName=NAME, EndpointConfigName="theirs", Tags=[tag]
    )

    with pytest.raises(ForecastError, match=rf"{NAME} belongs to the stack Theirs.*delete-stack"):
        delete_command("live", config=config, yes=True)
    assert NAME in _names(deployed, "Endpoint")


def test_another_one_goes_in_an_account_of_ours_only(
    deployed: Simulation, write_config: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    endpoint = {"kind": "realtime", "name": NAME, "instance_type": "ml.m5.large"}
    _stray(deployed, own=True)

    config = write_config(live={"account": "999999999999", "endpoint": endpoint})
    with pytest.raises(ForecastError, match=rf"\(999999999999\), got those of {deployed.account}"):
        delete_command(STRAY, config=config, yes=True)
    assert STRAY in _names(deployed, "Endpoint")
    config = write_config(live={"account": deployed.account, "endpoint": endpoint})
    delete_command(STRAY, config=config, yes=True)

    told = capsys.readouterr().err.splitlines()
    assert f"  - account {deployed.account}, region {deployed.region}" in told
    assert STRAY not in _names(deployed, "Endpoint")


@pytest.mark.parametrize(("waiting", "told"), [(7, "7 now"), (None, "how many is not known")])
def test_of_an_asynchronous_one_only_the_backlog_is_known(  # noqa: PLR0917 - fixtures
    waiting: int | None,
    told: str,
    deployed: Simulation,
    config: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(state, "mode_of", lambda _: "async")
    if waiting is not None:
        publish(deployed, "ApproximateBacklogSize", datetime.now(UTC), waiting)

    with pytest.raises(ForecastError, match="nothing was changed"):
        delete_command("live", config=config)

    shown = capsys.readouterr().err
    assert f"wait in its queue are lost: {told}; who asks it is not known" in shown
    assert "nobody has asked" not in shown


def test_what_a_rollout_brings_to_another_endpoint_stays(
    deployed: Simulation, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _stray(deployed, own=True)
    ask = Cloud.ask

    def rolling(cloud: Cloud, service: str, operation: str, **arguments: Any) -> Any:
        answer = ask(cloud, service, operation, **arguments)
        if operation == "describe_endpoint" and arguments["EndpointName"] == NAME:
            return {**answer, "PendingDeploymentSummary": {"EndpointConfigName": "theirs"}}
        return answer

    monkeypatch.setattr(Cloud, "ask", rolling)

    delete_command(STRAY, config=config, yes=True, with_models=True)

    assert STRAY not in _names(deployed, "Endpoint")
    assert "theirs" in _names(deployed, "EndpointConfig") & _names(deployed, "Model")


def test_an_endpoint_of_ours_that_no_stack_made_goes_alone(
    deployed: Simulation, config: Path
) -> None:
    deployed.destroy("ForecastLive")
    deploy(deployed)
    _stray(deployed, own=True)
    deployed.destroy("ForecastLive")
    deployed.client("sagemaker").create_endpoint(EndpointName=NAME, EndpointConfigName="theirs")

    delete_command("live", config=config, yes=True)

    assert _names(deployed, "Endpoint") == {STRAY}
