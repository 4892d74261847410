"""A return that was given up is forgotten, and one that others change is not written over."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from forecast_config import ForecastError, LockedModel, read_lock
from forecast_operations.commands import deploy, verify
from forecast_operations.commands.rollback import rollback_command
from forecast_operations.records.store import RecordStore
from forecast_operations.returning import carrying_out
from forecast_operations.returning.intent import read_intent
from forecast_operations.returning.plan import plan_return
from forecast_operations.verifying import subject as subjects
from forecast_operations.verifying import verify as verifying
from forecast_packaging import write_lock

if TYPE_CHECKING:
    from conftest import World

pytestmark = pytest.mark.usefixtures("proving")


def _locked(world: World) -> LockedModel:
    return read_lock(world.lock).environments["prod"]


@pytest.fixture
def interrupted(moved_on: World) -> World:
    """Version 3 is deployed, and a return to 1 was interrupted before anything was deployed."""
    moved_on.train("3")
    moved_on.deploy("3")
    moved_on.record("3")
    moved_on.breaks = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        rollback_command("prod", moved_on.config, to="1", yes=True)
    assert _locked(moved_on).version == "1"
    assert read_intent(moved_on.root, "prod") is not None
    return moved_on


def test_whoever_interrupts_is_told_what_is_locked(
    moved_on: World, capsys: pytest.CaptureFixture[str]
) -> None:
    moved_on.breaks = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        rollback_command("prod", moved_on.config, yes=True)

    said = " ".join(capsys.readouterr().err.split())
    assert "models.lock.json names version 1 now; forecast rollback prod goes on" in said


def test_a_return_that_was_given_up_does_not_lead_the_next_one(
    interrupted: World, capsys: pytest.CaptureFixture[str]
) -> None:
    write_lock(interrupted.lock, "prod", interrupted.versions["3"][1])

    rollback_command("prod", interrupted.config, yes=True)

    assert "goes on" not in capsys.readouterr().err.partition("about to")[2]
    assert interrupted.serves("2")


def test_one_that_goes_on_and_cannot_yet_stays_under_way(
    interrupted: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*_: Any) -> None:
        raise ForecastError("the endpoint is Updating")

    monkeypatch.setattr(carrying_out, "propose", busy)
    with pytest.raises(ForecastError, match="Updating"):
        rollback_command("prod", interrupted.config, yes=True)

    assert _locked(interrupted).version == "1"
    assert read_intent(interrupted.root, "prod") is not None


def test_a_deployment_forgets_what_was_under_way(interrupted: World) -> None:
    deploy.deploy_command("prod", interrupted.config)

    assert interrupted.serves("1")
    assert read_intent(interrupted.root, "prod") is None


@pytest.mark.parametrize("outcome", ["verified", "failed"])
def test_a_verification_forgets_it_when_it_passes(
    interrupted: World, monkeypatch: pytest.MonkeyPatch, outcome: str
) -> None:
    subject = SimpleNamespace(project=SimpleNamespace(root=interrupted.root))
    record = interrupted.made("1", outcome)
    monkeypatch.setattr(subjects, "find_subject", lambda *_: subject)
    monkeypatch.setattr(verifying, "verify", lambda *_: record)
    monkeypatch.setattr(verify, "_show", lambda *_, **__: None)

    if outcome == "failed":
        with pytest.raises(verify.typer.Exit):
            verify.verify_command("prod", interrupted.config, no_record=True)
    else:
        verify.verify_command("prod", interrupted.config, no_record=True)

    assert (read_intent(interrupted.root, "prod") is None) == (outcome == "verified")


def test_a_lock_that_somebody_changes_while_it_is_asked_is_left_alone(moved_on: World) -> None:
    plan = plan_return(moved_on.config, "prod", warn=lambda _: None)
    moved_on.train("3")
    write_lock(moved_on.lock, "prod", moved_on.versions["3"][1])

    with pytest.raises(ForecastError, match="prod is locked to version 3"):
        carrying_out.deploy(plan, (), lambda _: None, lambda _: None)

    assert _locked(moved_on).version == "3"
    assert moved_on.calls == []
    assert read_intent(moved_on.root, "prod") is None


def test_a_lock_that_somebody_changes_meanwhile_is_not_put_back(
    moved_on: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    moved_on.train("3")

    def change_and_fail(*_: Any) -> None:
        write_lock(moved_on.lock, "prod", moved_on.versions["3"][1])
        raise ForecastError("no synth")

    monkeypatch.setattr(carrying_out, "propose", change_and_fail)
    with pytest.raises(ForecastError, match="no synth"):
        rollback_command("prod", moved_on.config, yes=True)

    assert _locked(moved_on).version == "3"
    assert "models.lock.json is left as it is" in " ".join(capsys.readouterr().err.split())


def test_a_record_that_cannot_be_written_hides_nothing(
    moved_on: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(**_: Any) -> None:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "PutObject")

    monkeypatch.setattr(moved_on.cloud.client("s3"), "put_object", refuse)
    with pytest.raises(ForecastError, match="version 1 is deployed, and the record of it was not"):
        rollback_command("prod", moved_on.config, yes=True, as_json=True)

    found = json.loads(capsys.readouterr().out)["verification"]
    assert found == {"record": None, "outcome": "verified"}
    assert read_intent(moved_on.root, "prod") is None
    assert moved_on.serves("1")


def test_a_lock_that_named_something_else_is_compared_with_what_was_locked(
    moved_on: World, capsys: pytest.CaptureFixture[str]
) -> None:
    moved_on.train("3")
    write_lock(moved_on.lock, "prod", moved_on.versions["3"][1])

    rollback_command("prod", moved_on.config, yes=True)

    assert "the next deployment brings version 3 back" in capsys.readouterr().out


@pytest.mark.parametrize("verified", [True, False])
def test_the_way_back_is_one_that_there_is(
    moved_on: World, capsys: pytest.CaptureFixture[str], *, verified: bool
) -> None:
    moved_on.train("3")
    moved_on.deploy("3")
    if verified:
        moved_on.record("3")

    rollback_command("prod", moved_on.config, yes=True)

    said = capsys.readouterr().err
    way = "forecast rollback prod --to 3" if verified else "put models.lock.json back (git), and"
    assert f"names version 2 instead of 3; the way back to version 3: {way}" in said


def test_no_more_records_are_read_than_are_needed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.deploy("2")
    for _ in range(30):
        world.record("1")
    world.record("2")
    read: list[str] = []
    real = RecordStore.read

    def counted(self: RecordStore, record_id: str) -> Any:
        read.append(record_id)
        return real(self, record_id)

    monkeypatch.setattr(RecordStore, "read", counted)
    plan = plan_return(world.config, "prod", version="1", warn=lambda _: None)

    assert plan.record.lock.version == "1"
    assert len(read) == len(set(read)) <= 3
