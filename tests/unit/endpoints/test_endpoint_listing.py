"""Endpoints: ours and others, and what is remarkable about them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from operated import NAME, REGION, deploy

from forecast_config import ForecastError
from forecast_operations import console
from forecast_operations.cloud.cloud import Cloud
from forecast_operations.cloud.refusals import CloudError, CredentialsError, NotAllowedError
from forecast_operations.commands import endpoints as command
from forecast_operations.deployed.endpoint import VariantState
from forecast_operations.watching.screen import in_words

if TYPE_CHECKING:
    from pathlib import Path

    from forecast_local.simulation import Simulation

STRAY = "somebody-elses"


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console.out, "_width", 240)


@pytest.fixture
def stray(deployed: Simulation) -> str:
    """An endpoint that belongs to no environment, with the configuration of ours."""
    served = deployed.endpoint(NAME)["EndpointConfigName"]
    deployed.client("sagemaker").create_endpoint(EndpointName=STRAY, EndpointConfigName=served)
    return STRAY


def _listed(
    config: Path, capsys: pytest.CaptureFixture[str], **options: Any
) -> dict[str, dict[str, Any]]:
    command.list_command(config=config, as_json=True, **options)
    return {each["name"]: each for each in json.loads(capsys.readouterr().out)}


@pytest.mark.usefixtures("stray")
def test_ours_come_with_their_version_and_others_are_marked(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command.list_command(config=config)
    heading, ours, other = capsys.readouterr().out.splitlines()

    assert heading.split()[:4] == ["environment", "endpoint", "region", "status"]
    assert ours.split()[:6] == ["live", NAME, REGION, "InService", "realtime", "1"]
    assert "AllTraffic 4 ml.m5.large, 100 %" in ours
    assert other.split()[:2] == ["-", STRAY]
    assert other.rstrip().endswith("not of this configuration")


def test_what_is_not_as_deployed_is_said(
    deployed: Simulation, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = deployed.endpoint(NAME)["EndpointConfigName"]
    deploy(deployed, "2")
    sagemaker = deployed.client("sagemaker")

    assert _listed(config, capsys)[NAME]["remark"] == ""
    sagemaker.update_endpoint(EndpointName=NAME, EndpointConfigName=first)
    drifted = _listed(config, capsys)[NAME]["remark"]
    assert drifted == "serves another configuration than deployed"
    sagemaker.delete_endpoint(EndpointName=NAME)
    assert _listed(config, capsys)[NAME]["remark"] == "away, though deployed"
    deployed.destroy("ForecastLive")
    assert _listed(config, capsys)[NAME]["remark"] == "not deployed"


def test_other_regions_are_looked_into_when_asked(
    deployed: Simulation,
    config: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    del deployed
    client, asked = Cloud.client, set()

    def noting(cloud: Cloud, service: str) -> Any:
        asked.add(cloud.region)
        return client(cloud, service)

    monkeypatch.setattr(Cloud, "client", noting)

    assert set(_listed(config, capsys)) == {NAME}
    assert asked == {REGION}
    _listed(config, capsys, everywhere=True)
    assert asked == {REGION, "us-east-1"}
    asked.clear()
    _listed(config, capsys, region=["eu-west-1"])
    assert asked == {"eu-west-1"}


@pytest.mark.usefixtures("stray")
def test_one_is_described_by_either_name(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    texts = []
    for name in ("live", NAME, STRAY):
        command.describe_command(name, config=config)
        texts.append(capsys.readouterr().out)

    assert texts[0] == texts[1]
    rows = [line.split(maxsplit=1) for line in texts[0].splitlines()]
    assert ["environment", "live"] in rows
    assert ["mode", "realtime"] in rows
    assert [key for key, _ in rows].count("variant") == 1
    assert "none of this configuration" in texts[2]
    with pytest.raises(ForecastError, match=r"no environment and no endpoint nowhere in eu-cen"):
        command.describe_command("nowhere", config=config)


@pytest.mark.usefixtures("stray")
def test_a_name_in_two_regions_must_be_told_apart(config: Path) -> None:
    # In the simulated account every region is the same.
    with pytest.raises(ForecastError, match="say which is meant with --region"):
        command.describe_command(STRAY, config=config, region=[REGION, "us-east-1"])


def test_what_aws_refuses_ends_the_list(
    config: Path, monkeypatch: pytest.MonkeyPatch, aws: Simulation
) -> None:
    del aws

    def refuse(*_: Any, **__: Any) -> Any:
        raise CloudError("the AWS credentials have expired")

    monkeypatch.setattr(Cloud, "ask", refuse)

    with pytest.raises(CloudError, match="have expired"):
        command.list_command(config=config)


@pytest.mark.parametrize("refused", ["describe_endpoint", "list_endpoints"])
def test_what_is_not_allowed_is_told_and_the_rest_is_listed(
    refused: str,
    stray: str,
    config: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ask, pages = Cloud.ask, Cloud.pages

    def refusing(cloud: Cloud, service: str, operation: str, **arguments: Any) -> Any:
        if operation == refused and arguments["EndpointName"] == stray:
            raise NotAllowedError("no", "AccessDenied", "sagemaker:DescribeEndpoint")
        return ask(cloud, service, operation, **arguments)

    def paging(cloud: Cloud, service: str, operation: str, *key: str, **arguments: Any) -> Any:
        if operation == refused:
            raise NotAllowedError("no", "AccessDenied", "sagemaker:ListEndpoints")
        return pages(cloud, service, operation, *key, **arguments)

    monkeypatch.setattr(Cloud, "ask", refusing)
    monkeypatch.setattr(Cloud, "pages", paging)

    found = _listed(config, capsys)

    assert found[NAME]["state"]["status"] == "InService"
    if refused == "describe_endpoint":
        assert found[stray]["remark"] == "not allowed: sagemaker:DescribeEndpoint"
    else:
        assert found["-"]["remark"] == "not allowed: sagemaker:ListEndpoints"


def test_a_region_that_is_not_open_is_told_unless_all_are(
    deployed: Simulation,
    config: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    del deployed
    pages = Cloud.pages
    reasons: list[CloudError] = [CredentialsError("AWS does not know them", "InvalidClientTokenId")]

    def closed(cloud: Cloud, service: str, operation: str, *key: str, **arguments: Any) -> Any:
        if cloud.region == "us-east-1":
            raise reasons[0]
        return pages(cloud, service, operation, *key, **arguments)

    monkeypatch.setattr(Cloud, "pages", closed)

    found = _listed(config, capsys, everywhere=True)
    assert found["-"]["region"] == "us-east-1"
    assert found["-"]["remark"].startswith("region not open: AWS does not know")
    assert found[NAME]["remark"] == ""
    with pytest.raises(CredentialsError):
        _listed(config, capsys, region=["us-east-1"])
    reasons[0] = CloudError("too many requests", "ThrottlingException")
    with pytest.raises(CloudError, match="too many requests"):
        _listed(config, capsys, everywhere=True)


@pytest.mark.usefixtures("stray")
def test_names_are_whole_on_a_narrow_terminal(
    config: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(console.out, "_width", 80)
    command.list_command(config=config)

    heading, ours, other = capsys.readouterr().out.splitlines()
    assert heading.split() == ["environment", "endpoint", "region", "status", "version", "remark"]
    assert ours.split() == ["live", NAME, REGION, "InService", "1"]
    assert other.split()[1] == STRAY


def test_serverless_and_shadows_read_as_what_they_are() -> None:
    def variant(**changes: Any) -> VariantState:
        known: dict[str, Any] = {
            "name": "v",
            "shadow": False,
            "instance_type": None,
            "current": None,
            "desired": None,
            "warm": None,
            "weight": 1.0,
            "share": 0.25,
            "model": "m",
        }
        return VariantState(**{**known, **changes})

    assert in_words(variant()) == "v serverless, 25 %"
    assert in_words(variant(warm=3)) == "v serverless, 3 warm, 25 %"
    instances = {"instance_type": "ml.c5.large", "current": 0, "desired": 2, "shadow": True}
    assert in_words(variant(**instances)) == "v 0 of 2 ml.c5.large, shadow"
