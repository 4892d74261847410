"""`forecast verify`, `history` and `show`: results on standard output, the rest beside it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from typer.testing import CliRunner

from forecast_config import ForecastError
from forecast_operations.cli import app
from forecast_operations.deployed.live import Live
from forecast_operations.verifying import settling, subject

if TYPE_CHECKING:
    from collections.abc import Callable

    from click.testing import Result


@pytest.fixture
def run(deployed: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Runs a command against the deployed version 1, with another version locked if told."""

    def make(*command: str, locked: str = "1") -> Result:
        found = deployed.subject(locked)
        monkeypatch.setattr(subject, "find_subject", lambda *_: found)
        monkeypatch.setattr(Live, "in_region", lambda _: found.live)
        path = str(deployed.root / "forecast.yaml")
        return CliRunner().invoke(app, [*command, "--config", path], catch_exceptions=True)

    return make


def _records(world: Any) -> list[str]:
    found = world.aws.client("s3").list_objects_v2(
        Bucket="produce-artifacts", Prefix="deployments/prod/"
    )
    return [each["Key"] for each in found.get("Contents", [])]


def test_a_verification_is_shown_and_written(deployed: Any, run: Any) -> None:
    done = run("verify", "prod")

    assert done.exit_code == 0, done.stderr
    assert "produce serves version 1 of forecaster: all 12 checks passed" in done.stdout
    (key,) = _records(deployed)
    assert f"wrote s3://produce-artifacts/{key}" in done.stderr


def test_json_is_the_record_and_nothing_else(deployed: Any, run: Any) -> None:
    done = run("verify", "prod", "--json")

    (key,) = _records(deployed)
    record = json.loads(done.stdout)
    assert key == f"deployments/prod/{record['record_id']}.json"
    assert record["outcome"] == "verified"


def test_what_failed_is_written_too_and_ends_with_1(deployed: Any, run: Any) -> None:
    done = run("verify", "prod", locked="2")

    assert done.exit_code == 1
    assert "archive AllTraffic: the lock says 2, 1 is deployed" in done.stdout
    assert "produce: 2 of 9 checks of version 2 of forecaster failed" in done.stdout
    assert len(_records(deployed)) == 1


def test_nothing_is_written_when_told_so(deployed: Any, run: Any) -> None:
    done = run("verify", "prod", "--no-record")

    assert done.exit_code == 0
    assert _records(deployed) == []


def test_a_record_that_may_not_be_written_is_an_error_after_the_results(
    deployed: Any, run: Any
) -> None:
    class Closed:
        def __init__(self, client: Any) -> None:
            self._client = client

        def __getattr__(self, name: str) -> Any:
            return getattr(self._client, name)

        def put_object(self, **_: Any) -> None:
            message = "User: me is not authorized to perform: kms:GenerateDataKey on resource: key"
            error = {"Code": "AccessDenied", "Message": message}
            raise ClientError({"Error": error}, "PutObject")

    deployed.clients["s3"] = Closed(deployed.aws.client("s3"))

    done = run("verify", "prod")

    assert isinstance(done.exception, ForecastError)
    assert "the record was not written to s3://produce-artifacts/deployments/prod/" in str(
        done.exception
    )
    assert "the permission kms:GenerateDataKey on key is missing" in str(done.exception)
    assert "--no-record" in str(done.exception)
    assert "all 12 checks passed" in done.stdout


def test_the_wait_is_given_in_minutes(
    run: Any, monkeypatch: pytest.MonkeyPatch, deployed: Any, changed: Any
) -> None:
    def updating(answer: dict[str, Any]) -> dict[str, Any]:
        return {**answer, "EndpointStatus": "Updating"}

    sagemaker = deployed.aws.client("sagemaker")
    deployed.clients["sagemaker"] = changed(sagemaker, describe_endpoint=updating)
    monkeypatch.setattr(settling, "_FIRST_PAUSE_SECONDS", 0.001)

    done = run("verify", "prod", "--no-record", "--wait", "0.0001")

    assert done.exit_code == 1
    assert "produce is Updating; waiting up to 0 minutes" in done.stderr


def test_the_history_marks_what_is_live(deployed: Any, run: Any) -> None:
    run("verify", "prod")
    assert deployed.deploy("2").succeeded
    run("verify", "prod", locked="2")
    run("verify", "prod", locked="1")

    listed = json.loads(run("history", "prod", "--json").stdout)
    table = run("history", "prod", "--limit", "1")

    by_outcome = [(row["version"], row["outcome"]) for row in listed]
    assert sorted(by_outcome) == [("1", "failed"), ("1", "verified"), ("2", "verified")]
    assert len([row for row in listed if row["live"]]) == 1
    assert table.stdout.count("2 in service") == 0
    assert table.stdout.count("\n│") == 1


def test_a_damaged_record_is_named_beside_the_list(deployed: Any, run: Any) -> None:
    run("verify", "prod")
    (key,) = _records(deployed)
    damaged = "deployments/prod/20991231T000000Z-00000000.json"
    deployed.aws.client("s3").put_object(Bucket="produce-artifacts", Key=damaged, Body=b"{")

    done = run("history", "prod", "--json")

    assert [row["record_id"] for row in json.loads(done.stdout)] == [key[17:-5]]
    assert f"warning: s3://produce-artifacts/{damaged} is no deployment record" in done.stderr


def test_an_empty_history_says_how_to_begin(run: Any) -> None:
    done = run("history", "prod")

    assert done.exit_code == 0
    assert done.stdout == ""
    assert "make one with: forecast verify prod" in done.stderr


def test_a_record_is_shown_with_what_was_asked_and_answered(run: Any) -> None:
    made = json.loads(run("verify", "prod", "--json").stdout)

    shown = run("show", "prod")
    whole = run("show", "prod", made["record_id"], "--json")
    lock = run("show", "prod", "--lock")

    assert f"record      {made['record_id']}" in shown.stdout
    assert "variant     AllTraffic: version 1, 2 instances of ml.m5.large" in shown.stdout
    assert "missing_feature of 1" in shown.stdout
    assert json.loads(whole.stdout) == made
    # The entry that pins what was verified, though none was pinned then.
    assert made["lock"]["archive_digest"] is None
    assert json.loads(lock.stdout) == made["lock"] | {"archive_digest": made["archive_digest"]}


def test_without_an_artifacts_stack_there_are_no_records(deployed: Any, run: Any) -> None:
    s3 = deployed.aws.client("s3")
    for each in s3.list_objects_v2(Bucket="produce-artifacts")["Contents"]:
        s3.delete_object(Bucket="produce-artifacts", Key=each["Key"])
    assert deployed.aws.destroy("ForecastProdArtifacts").status == "DELETE_COMPLETE"

    for command in ("history", "show"):
        done = run(command, "prod")
        assert isinstance(done.exception, ForecastError)
        assert "whose bucket has the deployment records, got none" in str(done.exception)
