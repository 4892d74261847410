"""`forecast rollback`: the lock, the archive and the endpoint go back together, or not at all."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import pytest
import typer

from forecast_config import ForecastError, LockedModel, read_lock
from forecast_operations.commands.history import history_command
from forecast_operations.commands.rollback import rollback_command
from forecast_operations.commands.show import show_command
from forecast_operations.deployed.live import Live
from forecast_operations.returning import carrying_out
from forecast_operations.returning.intent import read_intent
from forecast_packaging import write_lock

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import World


SPLIT = {"kind": "split", "challenger": {"alias": "challenger"}, "challenger_percent": 10}


pytestmark = pytest.mark.usefixtures("proving")


def _locked(world: World) -> LockedModel:
    return read_lock(world.lock).environments["prod"]


def test_the_last_verified_version_is_back_with_its_very_archive(
    moved_on: World, capsys: pytest.CaptureFixture[str]
) -> None:
    rollback_command("prod", moved_on.config, yes=True)

    said = capsys.readouterr()
    assert moved_on.serves("1")
    assert moved_on.calls == ["synth", "deploy"]
    assert _locked(moved_on).version == "1"
    assert _locked(moved_on).archive_digest == moved_on.digest("1")
    assert _locked(moved_on).alias is None
    assert "about to take prod back to version 1:\n  - account " in said.err
    assert "version 2 is deployed, version 1 was verified on 2027-01-04 08:01 UTC by" in said.err
    assert "metrics of version 1: wape 0.1" in said.err
    assert f"commit {moved_on.lock}: without it the next deployment brings version 2 back" in (
        said.out
    )
    assert "forecast promote 1 --from prod --to prod" in said.out
    assert read_intent(moved_on.root, "prod") is None


def test_the_document_is_all_that_is_on_standard_output(
    moved_on: World, capfd: pytest.CaptureFixture[str]
) -> None:
    rollback_command("prod", moved_on.config, to="1", yes=True, as_json=True)

    document = json.loads(capfd.readouterr().out)
    assert document["from"]["version"] == "2"
    assert document["to"]["archive_digest"] == moved_on.digest("1")
    assert document["verification"]["outcome"] == "verified"


def test_without_anybody_to_ask_nothing_is_changed(
    moved_on: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("y"))

    with pytest.raises(ForecastError, match="there is nobody to ask; add --yes"):
        rollback_command("prod", moved_on.config)

    assert _locked(moved_on).version == "2"
    assert moved_on.calls == ["synth"]
    assert read_intent(moved_on.root, "prod") is None


def test_another_account_is_not_even_looked_at(moved_on: World) -> None:
    moved_on.configure("prod", account="999999999999")

    with pytest.raises(ForecastError, match="expected credentials of account 999999999999"):
        rollback_command("prod", moved_on.config, yes=True)


@pytest.mark.parametrize("command", [history_command, show_command])
def test_records_of_another_account_are_not_said_to_be_none(
    moved_on: World, command: Callable[..., None]
) -> None:
    moved_on.configure("prod", account="999999999999")

    with pytest.raises(ForecastError, match="expected credentials of account 999999999999"):
        command("prod", config=moved_on.config)


def test_a_deployment_that_failed_takes_the_lock_back_to_what_is_deployed(
    moved_on: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    moved_on.train("3")
    write_lock(moved_on.lock, "prod", moved_on.versions["3"][1])
    real = Live.stack

    def put_back(self: Live, name: str) -> Any:
        found = real(self, name)
        return found if found is None else {**found, "StackStatus": "UPDATE_ROLLBACK_COMPLETE"}

    monkeypatch.setattr(Live, "stack", put_back)
    rollback_command("prod", moved_on.config, yes=True)

    said = capsys.readouterr().err
    assert "version 2 is the deployed one already: the endpoint stays as it is" in said
    assert "the way back to version 3: put models.lock.json back (git), and forecast deploy" in said
    assert _locked(moved_on).version == "2"


@pytest.mark.parametrize("locked", ["1", "3"])
def test_a_lock_that_is_not_what_is_deployed_does_not_keep_that(
    moved_on: World, capsys: pytest.CaptureFixture[str], locked: str
) -> None:
    moved_on.train("3")
    write_lock(moved_on.lock, "prod", moved_on.versions[locked][1])

    rollback_command("prod", moved_on.config, yes=True)

    said = capsys.readouterr().err
    assert moved_on.serves("1")
    assert f"models.lock.json names version {locked} here, which is not what is deployed" in said
    assert "the way back to version 2: forecast rollback prod --to 2" in said


def test_a_challenger_goes_and_the_champion_stays(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.deploy("1")
    world.record("1")
    world.configure("prod", rollout=SPLIT)
    world.deploy("1", challenger="2")
    world.record("1", challenger="2")

    with pytest.raises(ForecastError, match="--allow-unguarded"):
        rollback_command("prod", world.config, yes=True)
    assert len(world.served()) == 2
    assert "prod" in read_lock(world.lock).challengers

    rollback_command("prod", world.config, allow_unguarded=True, yes=True)

    said = capsys.readouterr()
    assert world.serves("1")
    assert "challenger=none" in world.flags
    assert read_lock(world.lock).challengers == {}
    assert "the comparison with version 2 ends" in said.err
    assert "take the challenger from the rollout of prod in" in said.out


def test_a_return_that_does_not_prove_itself_fails(
    moved_on: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    moved_on.records += 1
    failed = moved_on.made("1", "failed")
    monkeypatch.setattr(carrying_out, "verify", lambda *_: failed)

    with pytest.raises(typer.Exit) as ended:
        rollback_command("prod", moved_on.config, yes=True)

    assert ended.value.exit_code == 1
    assert "FAILED" in capsys.readouterr().out


def test_without_verification_no_record_is_written(moved_on: World) -> None:
    before = moved_on.records

    rollback_command("prod", moved_on.config, no_verify=True, yes=True)

    assert moved_on.serves("1")
    assert moved_on.records == before
    assert read_intent(moved_on.root, "prod") is None


@pytest.mark.parametrize("flag", ["model_version=1", "challenger=none", "config=other.yaml"])
def test_a_flag_that_deploys_something_else_is_refused(moved_on: World, flag: str) -> None:
    with pytest.raises(ForecastError, match="name it with --to or --record"):
        rollback_command("prod", moved_on.config, context=[flag], yes=True)


def test_an_environment_without_a_bucket_has_nothing_to_go_back_to(world: World) -> None:
    world.aws.destroy("ForecastProdArtifacts")

    with pytest.raises(ForecastError, match="whose bucket has the deployment records, got none"):
        rollback_command("prod", world.config, yes=True)
