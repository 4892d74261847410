"""An archive that is locked stays locked with its version, and comes from where it was deployed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from forecast_config import LockedModel, read_lock
from forecast_operations.cloud.cloud import Cloud
from forecast_operations.commands import resolve
from forecast_operations.commands.package import package_command
from forecast_packaging import write_lock
from forecast_packaging.errors import LockChangedError

if TYPE_CHECKING:
    from conftest import World


def _resolve(world: World, found: LockedModel, patched: pytest.MonkeyPatch, *, repack: bool) -> str:
    patched.setattr(resolve, "resolve", lambda **_: found)
    resolve.resolve_command(["prod"], world.config, repack=repack)
    return read_lock(world.lock).environments["prod"].archive_digest or "none"


def test_resolving_the_same_version_keeps_its_archive(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    pinned = world.versions["1"][1]
    same, other = (
        world.versions[version][1].model_copy(update={"archive_digest": None})
        for version in ("1", "2")
    )
    write_lock(world.lock, "prod", pinned)

    assert _resolve(world, same, monkeypatch, repack=False) == world.digest("1")
    assert _resolve(world, same, monkeypatch, repack=True) == "none"
    write_lock(world.lock, "prod", pinned)
    assert _resolve(world, other, monkeypatch, repack=False) == "none"


@pytest.mark.parametrize("apart", [True, False])
def test_an_alias_that_others_have_does_not_take_an_environment_along_silently(
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    *,
    apart: bool,
) -> None:
    if apart:
        world.configure("staging", model_alias="champion-staging")
    write_lock(world.lock, "prod", world.versions["1"][1])

    _resolve(world, world.versions["1"][1], monkeypatch, repack=False)
    assert "warning" not in capsys.readouterr().err
    _resolve(world, world.versions["2"][1], monkeypatch, repack=False)

    said = " ".join(capsys.readouterr().err.split())
    warned = "prod follows the alias 'champion' from version 1 to 2, which may be meant for staging"
    assert (warned in said) != apart
    assert ("forecast resolve prod --model-version 1" in said) != apart


def test_resolving_does_not_write_over_what_was_locked_meanwhile(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_lock(world.lock, "prod", world.versions["1"][1])

    def slow(**_: object) -> LockedModel:
        write_lock(world.lock, "prod", world.versions["2"][1])
        return world.versions["1"][1]

    monkeypatch.setattr(resolve, "resolve", slow)
    with pytest.raises(LockChangedError, match="prod is locked to version 2"):
        resolve.resolve_command(["prod"], world.config)

    assert read_lock(world.lock).environments["prod"].version == "2"


def test_packaging_fetches_a_locked_archive_from_where_it_was_deployed(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Cloud, "_make", lambda _, service: world.aws.client(service))
    world.publish("1", "staging")
    write_lock(world.lock, "prod", world.versions["1"][1])

    package_command(["prod"], world.config, as_json=True)

    packaged = json.loads(capsys.readouterr().out)["prod"]
    assert packaged["archive_digest"] == world.digest("1")
    assert packaged["archive"].startswith(str(world.root / ".forecast/archives"))


def test_packaging_fetches_a_challenger_that_is_locked_to_its_archive(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Cloud, "_make", lambda _, service: world.aws.client(service))
    challenger = {"alias": "challenger"}
    split = {"kind": "split", "challenger": challenger, "challenger_percent": 10}
    world.configure("prod", rollout=split)
    for version in ("1", "2"):
        world.publish(version, "staging")
    rival = world.versions["2"][1].model_copy(update=challenger)
    write_lock(world.lock, "prod", world.versions["1"][1], rival)

    package_command(["prod"], world.config, as_json=True)

    packaged = json.loads(capsys.readouterr().out)["prod"]
    assert packaged["challenger"]["archive_digest"] == world.digest("2")
