"""Pruning removes what nothing needs, and never what serves, is deployed, or proved itself."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from operated import BUCKET, NAME, deploy, endpoint_template

from forecast_config import ForecastError
from forecast_config.lock import LockedModel
from forecast_operations.cloud.cloud import Cloud
from forecast_operations.commands import prune as command
from forecast_operations.commands.prune import prune_command
from forecast_operations.commands.stop import stop_command
from forecast_operations.records.place import archive_keys
from forecast_operations.records.record import DeploymentRecord, ModelCard, ServedVariant
from forecast_operations.records.store import RecordStore

if TYPE_CHECKING:
    from pathlib import Path

    from forecast_local.simulation import Simulation

VERSIONS = "12345"
ACCESS = f"{BUCKET}-access"


class _LaterOn(datetime):
    """A clock two days ahead: nothing is young any more."""

    @classmethod
    def now(cls, tz: Any = None) -> datetime:
        return datetime.now(tz) + timedelta(days=2)


@pytest.fixture
def history(deployed: Simulation, monkeypatch: pytest.MonkeyPatch) -> Simulation:
    """Five versions, deployed one after the other two days ago."""
    for version in VERSIONS[1:]:
        deploy(deployed, version)
    for version in VERSIONS:
        _put(deployed, f"models/{version * 64}/model.tar.gz", 100)
    _put(deployed, "models/0123.json", 10)
    monkeypatch.setattr(command, "datetime", _LaterOn)
    return deployed


def _put(aws: Simulation, key: str, size: int, bucket: str = BUCKET) -> None:
    aws.client("s3").put_object(Bucket=bucket, Key=key, Body=b"x" * size)


def _archives(aws: Simulation) -> str:
    """Versions whose archives are there."""
    listed = aws.client("s3").list_objects_v2(Bucket=BUCKET, Prefix="models/")
    keys = [each["Key"] for each in listed.get("Contents", ())]
    assert "models/0123.json" in keys
    return "".join(sorted(key[7] for key in keys if key.endswith(".tar.gz")))


def _hosted(aws: Simulation) -> tuple[int, int]:
    sagemaker = aws.client("sagemaker")
    configs = sagemaker.list_endpoint_configs()["EndpointConfigs"]
    return len(configs), len(sagemaker.list_models()["Models"])


def _config_of(aws: Simulation, version: str) -> str:
    """The configuration that serves a version."""
    sagemaker = aws.client("sagemaker")
    for each in sagemaker.list_endpoint_configs()["EndpointConfigs"]:
        name: str = each["EndpointConfigName"]
        config = sagemaker.describe_endpoint_config(EndpointConfigName=name)
        model = config["ProductionVariants"][0]["ModelName"]
        data = sagemaker.describe_model(ModelName=model)["PrimaryContainer"]["ModelDataUrl"]
        if f"/{version * 64}/" in data:
            return name
    raise LookupError(version)


def _record(aws: Simulation, version: str, outcome: str, hour: int, **changes: Any) -> None:
    digest = f"sha256:{version * 64}"
    moment = datetime(2026, 11, 1, hour, tzinfo=UTC)
    lock = LockedModel(
        name="forecaster",
        version=version,
        run_id="r",
        model_digest=digest,
        signature_digest=digest,
        libraries={"python": "3.12"},
        formats=["lightgbm"],
    )
    variant = ServedVariant(
        name="AllTraffic",
        model_version=version,
        archive_digest=digest,
        model_data=f"s3://{BUCKET}/models/{version * 64}/model.tar.gz",
        image="x",
    )
    known: dict[str, Any] = {
        "record_id": f"{moment:%Y%m%dT%H%M%SZ}-0123abc{version}",
        "environment": "live",
        "endpoint_name": NAME,
        "account": "123456789012",
        "region": "eu-central-1",
        "outcome": outcome,
        "started_at": moment,
        "seconds": 1.0,
        "caller": "arn:aws:iam::123456789012:user/x",
        "commit": None,
        "deployed_at": None,
        "endpoint_config_name": _config_of(aws, version),
        "archive_digest": digest,
        "lock": lock,
        "card": ModelCard(),
        "variants": (variant,),
        "checks": (),
        "exchanges": (),
    }
    RecordStore(Cloud("eu-central-1"), BUCKET, "live").keep(DeploymentRecord(**known | changes))


def test_only_what_serves_stays_where_nothing_proved_itself(
    history: Simulation, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    prune_command("live", config=config, yes=True)

    told = capsys.readouterr()
    assert _archives(history) == "5"
    assert _hosted(history) == (1, 1)
    assert told.out.count("configuration ") == told.out.count("model ") == 4
    assert f"{NAME} serves it" in told.err
    assert "remove the delete markers to have them back" in told.err
    consequences = [line for line in told.err.splitlines() if line.startswith("  - ")]
    assert consequences[0] == "  - account 123456789012, region eu-central-1"
    prune_command("live", config=config)
    assert "nothing is left behind that could go" in capsys.readouterr().err


def test_the_last_verified_deployments_stay(history: Simulation, config: Path) -> None:
    for hour, (version, outcome) in enumerate(
        (("1", "verified"), ("2", "verified"), ("3", "failed"), ("4", "verified"))
    ):
        _record(history, version, outcome, hour)

    prune_command("live", keep=2, config=config, yes=True)

    assert _archives(history) == "245"
    assert _hosted(history) == (3, 3)


@pytest.mark.parametrize("form", [0, 1])
def test_a_verified_model_stays_though_its_configuration_is_gone(
    form: int, history: Simulation, config: Path
) -> None:
    digest = hashlib.sha256(b"an archive").hexdigest()
    key = archive_keys(digest)[form]
    container = {
        "Image": "1.dkr.ecr.eu-central-1.amazonaws.com/x:1",
        "ModelDataUrl": f"s3://{BUCKET}/{key}",
    }
    deploy(history, "6", Model={"PrimaryContainer": container})
    _put(history, key, 100)
    served = history.endpoint(NAME)["EndpointConfigName"]
    proven = {"endpoint_config_name": None, "archive_digest": f"sha256:{digest}", "variants": ()}
    _record(history, "5", "verified", 1, **proven)
    deploy(history, "7")
    history.client("sagemaker").delete_endpoint_config(EndpointConfigName=served)

    prune_command("live", keep=1, config=config, yes=True)

    models = history.client("sagemaker").list_models()["Models"]
    described = [
        history.client("sagemaker").describe_model(ModelName=each["ModelName"]) for each in models
    ]
    data = {each["PrimaryContainer"]["ModelDataUrl"] for each in described}
    assert container["ModelDataUrl"] in data
    assert history.client("s3").list_objects_v2(Bucket=BUCKET, Prefix=key)["KeyCount"] == 1


def test_a_version_that_was_verified_again_and_again_is_one(
    history: Simulation, config: Path
) -> None:
    for hour, version in enumerate("124444"):
        _record(history, version, "verified", hour)

    prune_command("live", keep=2, config=config, yes=True)

    assert _archives(history) == "245"


def test_what_is_used_while_somebody_thinks_about_it_stays(
    history: Simulation, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def think(*_: Any, **__: Any) -> None:
        config_name = _config_of(history, "3")
        history.client("sagemaker").create_endpoint(
            EndpointName="somebody-elses", EndpointConfigName=config_name
        )

    monkeypatch.setattr(command, "confirm", think)

    prune_command("live", config=config)

    assert _archives(history) == "35"
    assert _hosted(history) == (2, 2)


def test_after_an_undone_rollout_both_sides_stay(history: Simulation, config: Path) -> None:
    history.client("sagemaker").update_endpoint(
        EndpointName=NAME, EndpointConfigName=_config_of(history, "2")
    )

    prune_command("live", config=config, yes=True)

    assert _archives(history) == "25"


def test_what_another_endpoint_serves_stays(history: Simulation, config: Path) -> None:
    history.client("sagemaker").create_endpoint(
        EndpointName="somebody-elses", EndpointConfigName=_config_of(history, "3")
    )

    prune_command("live", config=config, yes=True)

    assert _archives(history) == "35"


def test_what_a_foreign_configuration_uses_stays(history: Simulation, config: Path) -> None:
    sagemaker = history.client("sagemaker")
    used = sagemaker.describe_endpoint_config(EndpointConfigName=_config_of(history, "3"))
    role = history.resources("ForecastLive")["Role"]
    sagemaker.create_model(
        ModelName="theirs",
        ExecutionRoleArn=f"arn:aws:iam::123456789012:role/{role}",
        PrimaryContainer={"Image": "x", "ModelDataUrl": "s3://elsewhere/model.tar.gz"},
    )
    other = {**used["ProductionVariants"][0], "VariantName": "theirs", "ModelName": "theirs"}
    sagemaker.create_endpoint_config(
        EndpointConfigName="comparison", ProductionVariants=[*used["ProductionVariants"], other]
    )

    prune_command("live", config=config, yes=True)

    assert _archives(history) == "35"
    # Theirs, the model of 3 in it, and what serves.
    assert _hosted(history) == (2, 3)


def test_what_a_stop_brings_back_stays(history: Simulation, config: Path) -> None:
    history.client("sagemaker").update_endpoint(
        EndpointName=NAME, EndpointConfigName=_config_of(history, "2")
    )
    stop_command("live", "delete", config=config, yes=True)

    prune_command("live", config=config, yes=True)

    assert _archives(history) == "25"


def test_what_the_off_hours_bring_back_stays(history: Simulation, config: Path) -> None:
    served = _config_of(history, "2")
    template = endpoint_template("5")
    template["Resources"]["Noted"] = {
        "Type": "AWS::SSM::Parameter",
        "Properties": {"Type": "String", "Value": served},
    }
    template["Outputs"]["OffHoursStateMachineArn"] = {"Value": "arn:machine"}
    assert history.deploy("ForecastLive", template).succeeded
    history.client("sagemaker").delete_endpoint(EndpointName=NAME)

    prune_command("live", config=config, yes=True)

    assert _archives(history) == "25"


def test_what_is_young_stays(
    history: Simulation, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "datetime", datetime)

    prune_command("live", config=config, yes=True)

    assert _archives(history) == VERSIONS
    assert _hosted(history) == (5, 5)


def test_it_is_asked_and_can_be_looked_at_first(
    history: Simulation, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ForecastError, match="nothing was changed"):
        prune_command("live", config=config)
    capsys.readouterr()
    prune_command("live", config=config, check=True, as_json=True)

    found = json.loads(capsys.readouterr().out)
    assert [each["stem"][0] for each in found["archives"]] == ["1", "2", "3", "4"]
    assert _archives(history) == VERSIONS


def test_a_record_that_cannot_be_read_keeps_everything(history: Simulation, config: Path) -> None:
    _put(history, "deployments/live/20261101T080000Z-0123abcd.json", 3)

    with pytest.raises(ForecastError, match=r"not known what is to be kept: .*0123abcd"):
        prune_command("live", config=config, yes=True)
    assert _archives(history) == VERSIONS


def test_nothing_is_removed_under_a_rollout(
    history: Simulation, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask = Cloud.ask

    def updating(cloud: Cloud, service: str, operation: str, **arguments: Any) -> Any:
        answer = ask(cloud, service, operation, **arguments)
        changed = {"EndpointStatus": "Updating"} if operation == "describe_endpoint" else {}
        return {**answer, **changed} if changed else answer

    monkeypatch.setattr(Cloud, "ask", updating)

    with pytest.raises(ForecastError, match="is Updating: what it goes back to must stay"):
        prune_command("live", config=config, yes=True)
    assert _archives(history) == VERSIONS


def test_without_a_bucket_it_says_what_is_left(aws: Simulation, config: Path) -> None:
    del aws
    with pytest.raises(ForecastError, match=r"no bucket to look into.*--everything"):
        prune_command("live", config=config)


def test_objects_that_stay_are_told(
    history: Simulation, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    del history
    ask = Cloud.ask

    def refusing(cloud: Cloud, service: str, operation: str, **arguments: Any) -> Any:
        if operation == "delete_objects":
            return {"Errors": [{"Key": "models/1", "Message": "Access Denied"}]}
        return ask(cloud, service, operation, **arguments)

    monkeypatch.setattr(Cloud, "ask", refusing)

    with pytest.raises(ForecastError, match=r"1 objects .*models/1: Access Denied.*s3:DeleteOb"):
        prune_command("live", config=config, yes=True)


def test_everything_goes_only_after_the_endpoint_and_by_name(
    history: Simulation, config: Path
) -> None:
    with pytest.raises(ForecastError, match="ForecastLive is deployed: its archives are in use"):
        prune_command("live", config=config, everything=True, yes=True, bucket=BUCKET)
    history.destroy("ForecastLive")
    _put(history, "2027/access.log", 5, ACCESS)
    history.client("s3").delete_object(Bucket=BUCKET, Key=f"models/{'1' * 64}/model.tar.gz")

    for given in (None, "another"):
        with pytest.raises(ForecastError, match=rf"expected the name of the bucket \({BUCKET}\)"):
            prune_command("live", config=config, everything=True, yes=True, bucket=given)
    with pytest.raises(ForecastError, match="nothing was changed: there is nobody to ask"):
        prune_command("live", config=config, everything=True, bucket=BUCKET)
    assert _archives(history) == "2345"

    prune_command("live", config=config, everything=True, yes=True, bucket=BUCKET)

    s3 = history.client("s3")
    for bucket in (BUCKET, ACCESS):
        listed = s3.list_object_versions(Bucket=bucket)
        assert not listed.get("Versions")
        assert not listed.get("DeleteMarkers")
    assert _hosted(history) == (0, 0)


@pytest.mark.parametrize("does", ["serves", "gets"])
def test_everything_stays_while_another_endpoint_uses_some_of_it(
    does: str, history: Simulation, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    used = _config_of(history, "3")
    sagemaker = history.client("sagemaker")
    history.destroy("ForecastLive")
    sagemaker.create_endpoint(EndpointName="somebody-elses", EndpointConfigName=used)
    ask = Cloud.ask

    def pending(cloud: Cloud, service: str, operation: str, **arguments: Any) -> Any:
        answer = ask(cloud, service, operation, **arguments)
        if operation == "describe_endpoint" and answer is not None and does == "gets":
            summary = {"EndpointConfigName": used}
            return {**answer, "EndpointConfigName": "x", "PendingDeploymentSummary": summary}
        return answer

    monkeypatch.setattr(Cloud, "ask", pending)

    with pytest.raises(ForecastError, match=rf"somebody-elses {does} {used}; delete them first"):
        prune_command("live", config=config, everything=True, yes=True, bucket=BUCKET)
    assert _archives(history) == VERSIONS


def test_everything_of_a_stack_that_is_gone_is_found_by_its_name(
    aws: Simulation, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bucket = f"{NAME}-artifacts-123456789012-eu-central-1"
    with pytest.raises(ForecastError, match="no bucket of live left in eu-central-1"):
        prune_command("live", config=config, everything=True)
    where = {"LocationConstraint": "eu-central-1"}
    aws.client("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration=where)
    _put(aws, "data-capture/x.jsonl", 2**20, bucket)

    prune_command("live", config=config, everything=True, check=True)

    assert "1 versions and delete markers (1.0 MiB)" in capsys.readouterr().out
