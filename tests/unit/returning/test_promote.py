"""`forecast promote`: only what was proved moves, and it moves as the very same bytes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from forecast_config import ForecastError, load_config, read_lock
from forecast_operations.commands.promote import promote_command
from forecast_operations.promoting import promotion
from forecast_operations.records.record import Exchange
from forecast_operations.records.store import RecordStore
from forecast_packaging import RegistryError, write_lock
from forecast_packaging.building.environment import package_for
from forecast_packaging.errors import LockChangedError

if TYPE_CHECKING:
    from conftest import World

SPLIT = {"kind": "split", "challenger": {"alias": "challenger"}, "challenger_percent": 10}


def test_what_was_proved_is_locked_as_the_very_same_bytes(
    proved: World, aliases: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    promote_command("staging", "prod", "2", proved.config)

    said = capsys.readouterr().out
    entry = read_lock(proved.lock).environments["prod"]
    assert (entry.version, entry.archive_digest) == ("2", proved.digest("2"))
    assert entry.alias == "champion"
    assert aliases == {"champion": "2"}
    assert "verified as the champion of staging on 2027-01-04 08:01 UTC by arn:aws:iam" in said
    assert "lock: prod locked to version 2, was version 1" in said
    assert "alias: champion points to version 2, was version 1" in said
    assert "forecast plan prod" in said
    assert "forecast rollback prod" in said
    # The archive came along, so that whoever may not read staging's bucket can deploy.
    config = load_config(proved.config)
    packaged = package_for(config, config.environments["prod"])
    assert packaged.archive_digest == proved.digest("2")


def test_a_second_time_changes_nothing(
    proved: World, aliases: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    promote_command("staging", "prod", "2", proved.config)
    before = proved.lock.read_bytes()
    capsys.readouterr()

    promote_command("staging", "prod", None, proved.config, as_json=True)

    document = json.loads(capsys.readouterr().out)
    assert aliases == {"champion": "2"}
    assert proved.lock.read_bytes() == before
    assert document["lock"]["changed"] is False
    assert document["alias"] == {
        "name": "champion",
        "version_before": "2",
        "shared_with": ["staging"],
    }
    assert document["version"] == "2"


@pytest.mark.parametrize("option", ["no_alias", "check"])
def test_the_registry_is_left_alone_when_that_is_asked(proved: World, option: str) -> None:
    # There is none: asking it would fail.
    promote_command("staging", "prod", "2", proved.config, **{option: True})

    locked = read_lock(proved.lock).environments["prod"].version
    assert locked == ("2" if option == "no_alias" else "1")


def test_a_registry_that_refuses_leaves_the_lock_as_it_was(proved: World) -> None:
    before = proved.lock.read_bytes()

    with pytest.raises(RegistryError, match=r"gone\.db"):
        promote_command("staging", "prod", "2", proved.config)

    assert proved.lock.read_bytes() == before


@pytest.mark.parametrize(
    ("records", "says"),
    [
        ([], "expected a record that proves version 2 in staging, got none"),
        (["1"], "expected a record that proves version 2 in staging, got none"),
        (["2", "2!"], r"its newest record .* says that it failed \(endpoint\)"),
    ],
)
def test_what_was_not_proved_is_refused(
    world: World, aliases: dict[str, str], records: list[str], says: str
) -> None:
    for each in records:
        outcome = "failed" if each.endswith("!") else "verified"
        world.record(each.rstrip("!"), outcome, environment="staging")

    with pytest.raises(ForecastError, match=says):
        promote_command("staging", "prod", "2", world.config)

    assert aliases == {"champion": "1"}
    assert not world.lock.exists()


def test_an_archive_that_is_gone_is_refused(proved: World, aliases: dict[str, str]) -> None:
    proved.aws.client("s3").delete_object(
        Bucket=proved.bucket("staging"), Key=proved.publish("2", "staging")
    )

    with pytest.raises(ForecastError, match="cannot be packed anew") as caught:
        promote_command("staging", "prod", "2", proved.config)

    staging, prod = str(caught.value).splitlines()[-2:]
    assert staging == f"  s3://{proved.bucket('staging')}/models/ of staging: not there"
    assert prod.endswith("of prod: not there")
    assert "forecast package" not in str(caught.value)
    assert aliases == {"champion": "1"}


def test_an_image_that_cannot_run_it_is_refused(proved: World, aliases: dict[str, str]) -> None:
    proved.configure("prod", image={"kind": "aws", "framework": "xgboost", "version": "3.2-0"})

    with pytest.raises(ForecastError, match=r"the xgboost image 3\.2-0 of 'prod' cannot run"):
        promote_command("staging", "prod", "2", proved.config)

    assert aliases == {"champion": "1"}
    assert read_lock(proved.lock).environments["prod"].version == "1"


def test_credentials_of_another_account_than_the_source_s_are_refused(proved: World) -> None:
    proved.configure("staging", account="999999999999")

    with pytest.raises(ForecastError, match="expected credentials of account 999999999999"):
        promote_command("staging", "prod", "2", proved.config)


@pytest.mark.parametrize(
    ("rollout", "end"),
    [
        (SPLIT, "forecast deploy prod --allow-unguarded"),
        ({"kind": "shadow", "challenger": {"alias": "challenger"}}, "forecast deploy prod"),
    ],
)
def test_the_challenger_of_a_comparison_becomes_the_champion(
    world: World,
    aliases: dict[str, str],
    capsys: pytest.CaptureFixture[str],
    rollout: dict[str, Any],
    end: str,
) -> None:
    world.publish("2")
    world.configure("prod", rollout=rollout)
    write_lock(world.lock, "prod", world.versions["1"][1], world.versions["2"][1])
    world.record("1", challenger="2")

    promote_command("prod", "prod", None, world.config)

    said = capsys.readouterr().out
    lock = read_lock(world.lock)
    assert lock.environments["prod"].version == "2"
    assert lock.environments["prod"].archive_digest == world.digest("2")
    # It stays in the rollout until that is taken from the configuration.
    assert lock.challengers["prod"].version == "2"
    assert aliases == {"champion": "2"}
    assert "verified as the challenger of prod" in said
    assert f"and run: {end}\n" in said


@pytest.mark.parametrize("asked", [True, False])
def test_only_a_challenger_that_was_asked_goes_to_another_environment(
    world: World, aliases: dict[str, str], *, asked: bool
) -> None:
    world.publish("2", "staging")
    record = world.made("1", environment="staging", challenger="2")
    exchange = Exchange(
        name="example",
        variant="AllTraffic-challenger",
        content_type="text/csv",
        accept="text/csv",
        body="a",
        status=200,
        answer="b",
        milliseconds=1.0,
    )
    _store(world).keep(record.model_copy(update={"exchanges": (exchange,) if asked else ()}))
    if asked:
        promote_command("staging", "prod", "2", world.config)
        assert read_lock(world.lock).environments["prod"].archive_digest == world.digest("2")
        return

    with pytest.raises(ForecastError, match="nobody gets the answers of a shadow") as caught:
        promote_command("staging", "prod", "2", world.config)

    assert "forecast promote 2 --from staging --to staging, forecast deploy staging" in (
        str(caught.value)
    )
    assert aliases == {"champion": "1"}


def test_after_a_return_only_the_alias_moves(
    world: World, aliases: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    aliases["champion"] = "2"
    world.publish("1")
    world.record("1")
    write_lock(world.lock, "prod", world.versions["1"][1].model_copy(update={"alias": None}))

    promote_command("prod", "prod", "1", world.config)

    assert aliases == {"champion": "1"}
    assert "prod is locked to it already" in capsys.readouterr().out


def test_a_promotion_within_an_environment_is_no_way_back(
    world: World, aliases: dict[str, str]
) -> None:
    world.record("1")
    write_lock(world.lock, "prod", world.versions["2"][1])

    with pytest.raises(ForecastError, match="run: forecast rollback prod --to 1"):
        promote_command("prod", "prod", "1", world.config)

    assert aliases == {"champion": "1"}


def test_an_alias_that_others_follow_moves_and_they_are_named(
    proved: World, aliases: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    promote_command("staging", "prod", "2", proved.config)
    said = capsys.readouterr().out
    promote_command("staging", "prod", "2", proved.config, as_json=True)
    document = json.loads(capsys.readouterr().out)

    assert aliases == {"champion": "2"}
    assert "alias: champion is that of staging, too: resolved, they get version 2" in said
    assert "keep prod and staging apart: give each its own alias" in said
    assert document["alias"]["shared_with"] == ["staging"]


@pytest.mark.parametrize("apart", [True, False])
def test_nobody_is_named_whose_alias_stays(
    proved: World, aliases: dict[str, str], capsys: pytest.CaptureFixture[str], *, apart: bool
) -> None:
    if apart:
        proved.configure("prod", model_alias="champion-prod")

    promote_command("staging", "prod", "2", proved.config, no_alias=not apart)

    said = capsys.readouterr().out
    assert "too:" not in said
    assert "apart" not in said
    assert aliases.get("champion-prod") == ("2" if apart else None)


def _store(world: World) -> RecordStore:
    return RecordStore(world.cloud, world.bucket("staging"), "staging")


def test_a_newer_record_that_cannot_be_read_takes_the_proof_away(
    proved: World, aliases: dict[str, str]
) -> None:
    newer = proved.record("2", environment="staging")
    key = f"deployments/staging/{newer.record_id}.json"
    proved.aws.client("s3").put_object(Bucket=proved.bucket("staging"), Key=key, Body=b"{")

    with pytest.raises(ForecastError, match="a newer one cannot be read") as caught:
        promote_command("staging", "prod", "2", proved.config)

    assert key in str(caught.value)
    assert str(caught.value).endswith("forecast verify staging")
    assert aliases == {"champion": "1"}


def test_an_older_record_that_cannot_be_read_is_no_reason(
    proved: World, aliases: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    damaged = "20260101T000000Z-00000000"
    key = f"deployments/staging/{damaged}.json"
    proved.aws.client("s3").put_object(Bucket=proved.bucket("staging"), Key=key, Body=b"{")
    ids = [each for each in RecordStore.ids(_store(proved)) if each != damaged]
    monkeypatch.setattr(RecordStore, "ids", lambda _: [*ids, damaged])

    promote_command("staging", "prod", "2", proved.config)

    assert aliases == {"champion": "2"}


def test_an_entry_that_somebody_else_has_changed_is_left_alone(
    proved: World, aliases: dict[str, str]
) -> None:
    plan = promotion.plan_promotion(
        proved.config,
        "2",
        "staging",
        "prod",
        moves_alias=True,
        progress=lambda *_: None,
        warn=lambda _: None,
    )
    proved.train("3")
    write_lock(proved.lock, "prod", proved.versions["3"][1])

    with pytest.raises(LockChangedError, match="prod is locked to version 3"):
        promotion.promote(plan)

    assert aliases == {"champion": "1"}
    assert read_lock(proved.lock).environments["prod"].version == "3"
