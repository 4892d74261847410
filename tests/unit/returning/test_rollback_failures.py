"""`forecast rollback`: what fails or is interrupted is not half done, and can be run again."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Any

import pytest

from forecast_config import ForecastError, LockedModel, read_lock
from forecast_operations.commands.rollback import rollback_command
from forecast_operations.deployed.live import Live
from forecast_operations.returning import carrying_out
from forecast_operations.returning.intent import read_intent
from forecast_operations.updates.proposal import carry_out

if TYPE_CHECKING:
    from conftest import World


SPLIT = {"kind": "split", "challenger": {"alias": "challenger"}, "challenger_percent": 10}


pytestmark = pytest.mark.usefixtures("proving")


def _locked(world: World) -> LockedModel:
    return read_lock(world.lock).environments["prod"]


def test_an_archive_that_is_gone_changes_nothing(moved_on: World) -> None:
    moved_on.aws.client("s3").delete_object(Bucket=moved_on.bucket(), Key=moved_on.publish("1"))

    with pytest.raises(ForecastError, match="of prod: not there"):
        rollback_command("prod", moved_on.config, yes=True)

    assert _locked(moved_on).version == "2"
    assert moved_on.calls == []


def test_an_archive_that_was_changed_in_the_bucket_changes_nothing(moved_on: World) -> None:
    moved_on.aws.client("s3").put_object(
        Bucket=moved_on.bucket(),
        Key=moved_on.publish("1"),
        Body=moved_on.versions["2"][0].read_bytes(),
    )

    with pytest.raises(ForecastError, match="is not what was published there"):
        rollback_command("prod", moved_on.config, yes=True)

    assert _locked(moved_on).version == "2"
    assert moved_on.calls == []


def test_a_deployment_that_changes_nothing_leaves_the_lock_as_it_was(moved_on: World) -> None:
    before = moved_on.lock.read_text()
    moved_on.breaks = ForecastError("cdk deploy ended with status 1")

    with pytest.raises(ForecastError, match=r"models\.lock\.json is as it was before"):
        rollback_command("prod", moved_on.config, yes=True)

    assert moved_on.lock.read_text() == before
    assert moved_on.serves("2")
    assert read_intent(moved_on.root, "prod") is None


def _fail_after_deploying(monkeypatch: pytest.MonkeyPatch) -> None:
    def deploy_and_fail(*arguments: Any) -> None:
        carry_out(*arguments)
        raise ForecastError("the rollout was undone")

    monkeypatch.setattr(carrying_out, "carry_out", deploy_and_fail)


def test_a_rollout_that_is_undone_leaves_the_lock_as_the_stack_is(
    moved_on: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    _fail_after_deploying(monkeypatch)

    with pytest.raises(ForecastError, match="which the stack has been changed towards"):
        rollback_command("prod", moved_on.config, yes=True)

    assert _locked(moved_on).version == "1"
    assert read_intent(moved_on.root, "prod") is not None


def test_a_failure_after_which_nobody_answers_does_not_say_that_nothing_changed(
    moved_on: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    _fail_after_deploying(monkeypatch)
    real = Live.stack

    def stack(self: Live, name: str) -> Any:
        if moved_on.serves("1"):
            raise ForecastError("cannot ask AWS")
        return real(self, name)

    monkeypatch.setattr(Live, "stack", stack)
    monkeypatch.setattr("forecast_operations.updates.proposal.check_rollout_held", lambda *_: None)

    with pytest.raises(ForecastError, match="whether that is deployed is not known: cannot ask"):
        rollback_command("prod", moved_on.config, yes=True)

    assert _locked(moved_on).version == "1"


def test_a_failed_synth_leaves_the_lock_as_it_was(
    moved_on: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = moved_on.lock.read_text()

    def fail(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(carrying_out, "propose", fail)
    with pytest.raises(KeyboardInterrupt):
        rollback_command("prod", moved_on.config, yes=True)

    assert moved_on.lock.read_text() == before


@pytest.mark.parametrize("end", [signal.SIGHUP, signal.SIGTERM])
def test_a_closed_terminal_or_a_cancelled_job_leaves_the_lock_as_it_was(
    moved_on: World, monkeypatch: pytest.MonkeyPatch, end: signal.Signals
) -> None:
    before, handler = moved_on.lock.read_text(), signal.getsignal(end)

    def ended(*_: Any) -> None:
        assert signal.getsignal(end) is signal.default_int_handler
        signal.raise_signal(end)

    monkeypatch.setattr(carrying_out, "propose", ended)
    with pytest.raises(KeyboardInterrupt):
        rollback_command("prod", moved_on.config, yes=True)

    assert moved_on.lock.read_text() == before
    assert read_intent(moved_on.root, "prod") is None
    assert signal.getsignal(end) is handler


def test_an_interrupted_one_goes_on_to_the_same_version(
    moved_on: World, capsys: pytest.CaptureFixture[str]
) -> None:
    moved_on.breaks = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        rollback_command("prod", moved_on.config, yes=True)
    assert _locked(moved_on).version == "1"
    assert moved_on.serves("2")

    rollback_command("prod", moved_on.config, yes=True)

    assert "an earlier return to it was interrupted, and goes on" in capsys.readouterr().err
    assert moved_on.serves("1")


def test_one_that_was_interrupted_after_its_deployment_does_not_take_another_step(
    moved_on: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved_on.train("3")
    moved_on.deploy("3")
    moved_on.record("3")

    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(carrying_out, "verify", interrupted)
        with pytest.raises(KeyboardInterrupt):
            rollback_command("prod", moved_on.config, yes=True)
    assert moved_on.serves("2")

    rollback_command("prod", moved_on.config, yes=True)

    assert moved_on.serves("2")
    assert _locked(moved_on).version == "2"
    assert read_intent(moved_on.root, "prod") is None
