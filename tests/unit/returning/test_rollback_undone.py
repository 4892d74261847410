"""After a rollout that SageMaker has undone, stack and lock become what answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from forecast_config import ForecastError, read_lock
from forecast_operations.cloud.refusals import NotAllowedError
from forecast_operations.commands.rollback import rollback_command
from forecast_operations.returning.intent import drop_intent
from forecast_operations.synthesis import cdk as cdk_cli
from forecast_operations.updates import proposal

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from conftest import World

pytestmark = pytest.mark.usefixtures("proving")


def _locked(world: World) -> str:
    return read_lock(world.lock).environments["prod"].version


def _serve(world: World, configuration: str) -> None:
    """Let the endpoint serve a configuration again, as SageMaker does when an alarm fires."""
    sagemaker = world.aws.client("sagemaker")
    sagemaker.update_endpoint(EndpointName="forecast-prod", EndpointConfigName=configuration)


def _served(world: World) -> str:
    endpoint = world.aws.client("sagemaker").describe_endpoint(EndpointName="forecast-prod")
    return str(endpoint["EndpointConfigName"])


@pytest.fixture
def return_undone(moved_on: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """A return from version 2 to 1 that its alarms undid: 2 answers, stack and lock say 1."""
    good = _served(moved_on)

    def cdk(root: Path, arguments: Sequence[str]) -> None:
        moved_on.cdk(root, arguments)
        if arguments[0] == "deploy":
            _serve(moved_on, good)

    with monkeypatch.context() as patched:
        for module in (proposal, cdk_cli):
            patched.setattr(module, "run_cdk", cdk)
        with pytest.raises(ForecastError, match="goes back to what answers"):
            rollback_command("prod", moved_on.config, yes=True)
    assert moved_on.serves("2")
    assert _locked(moved_on) == "1"
    return moved_on


@pytest.mark.parametrize("elsewhere", [True, False])
def test_a_return_that_was_undone_is_left_by_the_next_one(
    return_undone: World, capsys: pytest.CaptureFixture[str], *, elsewhere: bool
) -> None:
    if elsewhere:
        drop_intent(return_undone.root, "prod")

    rollback_command("prod", return_undone.config, yes=True)

    said = capsys.readouterr().err
    assert "goes on" not in said.partition("about to")[2]
    assert "SageMaker has undone the last rollout" in said
    assert "with version 2 answers, and not" in said
    assert return_undone.serves("2")
    assert _locked(return_undone) == "2"


def test_it_does_not_lead_to_what_was_verified_before_both(return_undone: World) -> None:
    return_undone.train("3")
    drop_intent(return_undone.root, "prod")
    return_undone.record("3")

    rollback_command("prod", return_undone.config, yes=True)

    assert _locked(return_undone) == "2"


def test_a_first_rollout_that_was_undone_is_put_right(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.deploy("1")
    world.record("1")
    good = _served(world)
    world.deploy("2")
    _serve(world, good)

    rollback_command("prod", world.config, yes=True)

    assert "SageMaker has undone the last rollout" in capsys.readouterr().err
    assert world.serves("1")
    assert world.calls == ["synth", "deploy"]
    assert _locked(world) == "1"


def test_what_was_undone_for_another_reason_than_its_version_is_not_deployed_again(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.deploy("1")
    world.record("1")
    sagemaker = world.aws.client("sagemaker")
    config = sagemaker.describe_endpoint_config(EndpointConfigName=_served(world))
    sagemaker.create_endpoint_config(
        EndpointConfigName="before", ProductionVariants=config["ProductionVariants"]
    )
    _serve(world, "before")

    with pytest.raises(ForecastError, match="version 1 answers already, so that another change"):
        rollback_command("prod", world.config, yes=True)

    assert world.calls == ["synth"]
    assert "is as it was before" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("call", "permission"),
    [("describe_model", "sagemaker:DescribeModel"), ("list_tags", "sagemaker:ListTags")],
)
def test_a_missing_permission_chooses_no_version(
    moved_on: World, monkeypatch: pytest.MonkeyPatch, call: str, permission: str
) -> None:
    def refuse(**_: Any) -> Any:
        message = f"User: me is not authorized to perform: {permission} on resource: it"
        raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": message}}, call)

    sagemaker = moved_on.cloud.client("sagemaker")
    monkeypatch.setattr(sagemaker, call, refuse)
    if call == "list_tags":
        pages = type("Pages", (), {"paginate": staticmethod(refuse)})
        monkeypatch.setattr(sagemaker, "get_paginator", lambda _: pages)

    with pytest.raises(NotAllowedError, match=f"the permission {permission}"):
        rollback_command("prod", moved_on.config, yes=True)

    assert moved_on.calls == []
    assert _locked(moved_on) == "2"


def test_a_model_that_has_lost_its_tags_chooses_no_version(moved_on: World) -> None:
    sagemaker = moved_on.aws.client("sagemaker")
    config = sagemaker.describe_endpoint_config(EndpointConfigName=_served(moved_on))
    model = sagemaker.describe_model(ModelName=config["ProductionVariants"][0]["ModelName"])
    sagemaker.delete_tags(ResourceArn=model["ModelArn"], TagKeys=["archive_digest"])

    with pytest.raises(ForecastError, match="what is deployed cannot be told"):
        rollback_command("prod", moved_on.config, yes=True)
    assert _locked(moved_on) == "2"

    rollback_command("prod", moved_on.config, to="1", yes=True)
    assert moved_on.serves("1")
