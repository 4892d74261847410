"""A challenger is found, pinned and packed like the champion that it is compared with."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from forecast_config import ForecastError, LockedModel, PackagedModel, load_config, read_lock
from forecast_operations.commands import package, resolve
from forecast_packaging import Alias, Version, write_lock
from forecast_packaging.building import environment as building
from forecast_packaging.building.summary import ArchiveSummary

if TYPE_CHECKING:
    from pathlib import Path

    from forecast_packaging import Selector

MODEL = LockedModel(
    name="forecaster",
    version="16",
    alias="champion",
    run_id="a" * 32,
    model_digest=f"sha256:{'0' * 64}",
    signature_digest=f"sha256:{'1' * 64}",
    libraries={"python": "3.12.1", "scikit-learn": "1.9.0"},
)
CHALLENGER = MODEL.model_copy(update={"version": "17", "alias": "challenger", "run_id": "b" * 32})
ENDPOINT = {"kind": "realtime", "name": "forecast-one", "instance_type": "ml.m5.large"}
SHADOW = {"kind": "shadow", "challenger": {"alias": "challenger"}}
SPLIT = {"kind": "split", "challenger": {"version": "17"}, "challenger_percent": 10}


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "forecast.yaml"
    environments: dict[str, Any] = {
        "one": {"endpoint": ENDPOINT, "rollout": SHADOW},
        "two": {"endpoint": {**ENDPOINT, "name": "forecast-two"}},
    }
    document = {
        "model": {"name": "forecaster"},
        "allowed_regions": ["eu-central-1"],
        "defaults": {
            "region": "eu-central-1",
            "image": {"kind": "aws", "framework": "scikit-learn", "version": "1.9-0"},
            "tags": {"team": "forecasting", "cost_centre": "CC-1"},
        },
        "environments": environments,
    }
    path.write_text(yaml.safe_dump(document))
    return path


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Selector]:
    selectors: list[Selector] = []

    def registry(*, selector: Selector, **_: Any) -> LockedModel:
        selectors.append(selector)
        return MODEL if selector == Alias("champion") else CHALLENGER

    monkeypatch.setattr(resolve, "resolve", registry)
    return selectors


def _compare_by(config: Path, rollout: dict[str, Any] | None) -> None:
    document = yaml.safe_load(config.read_text())
    document["environments"]["one"]["rollout"] = rollout or {"kind": "all_at_once"}
    config.write_text(yaml.safe_dump(document))


def _lock(config: Path) -> Path:
    return config.with_name("models.lock.json")


@pytest.mark.parametrize(
    ("rollout", "selector"), [(SHADOW, Alias("challenger")), (SPLIT, Version("17"))]
)
def test_a_challenger_is_pinned_beside_its_champion(
    config: Path, asked: list[Selector], rollout: dict[str, Any], selector: Selector
) -> None:
    _compare_by(config, rollout)

    resolve.resolve_command(config=config)

    lock = read_lock(_lock(config))
    assert asked == [Alias("champion"), selector]
    assert {name: model.version for name, model in lock.environments.items()} == {
        "one": "16",
        "two": "16",
    }
    assert {name: model.version for name, model in lock.challengers.items()} == {"one": "17"}


def test_both_are_shown(
    config: Path, asked: list[Selector], capsys: pytest.CaptureFixture[str]
) -> None:
    resolve.resolve_command(config=config)

    table = capsys.readouterr().out
    assert table.count("champion") == 2
    assert table.count("challenger") == 1
    assert len(asked) == 2


def test_the_json_of_one_environment_has_its_own_entries_only(
    config: Path, asked: list[Selector], capsys: pytest.CaptureFixture[str]
) -> None:
    resolve.resolve_command(config=config)
    capsys.readouterr()
    asked.clear()

    resolve.resolve_command(["two"], config=config, as_json=True)

    document = json.loads(capsys.readouterr().out)
    assert set(document["environments"]) == {"two"}
    assert document["challengers"] == {}
    assert set(read_lock(_lock(config)).challengers) == {"one"}


def test_a_challenger_goes_with_the_comparison(config: Path, asked: list[Selector]) -> None:
    resolve.resolve_command(config=config)
    _compare_by(config, None)

    resolve.resolve_command(["one"], config=config)

    assert len(asked) == 3
    assert read_lock(_lock(config)).challengers == {}


@pytest.fixture
def packed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """Versions that were packed; nothing is built."""
    versions: list[str] = []

    def pack(*, lock: LockedModel, **_: Any) -> PackagedModel:
        versions.append(lock.version)
        archive = tmp_path / f"model-{lock.version}.tar.gz"
        archive.write_bytes(b"packed")
        return PackagedModel(archive=archive, archive_digest=lock.model_digest, model=lock)

    monkeypatch.setattr(building, "package", pack)
    return versions


def test_a_challenger_is_packed_from_its_own_entry(config: Path, packed: list[str]) -> None:
    write_lock(_lock(config), "one", MODEL, CHALLENGER)
    settings = load_config(config)

    challenger = building.package_challenger_for(settings, settings.environments["one"])

    assert packed == ["17"]
    assert challenger is not None
    assert challenger.model.alias == "challenger"
    assert building.package_challenger_for(settings, settings.environments["two"]) is None


@pytest.mark.parametrize(
    ("locked", "rollout", "message"),
    [
        (None, SHADOW, "has no challenger for 'one'; run: forecast resolve one"),
        (
            MODEL,
            SHADOW,
            "'one' by alias champion, expected challenger as configured; run: forecast",
        ),
        (MODEL, SPLIT, "'one' by version 16, expected 17 as configured; run: forecast resolve one"),
        (
            CHALLENGER.model_copy(update={"name": "other"}),
            SHADOW,
            "pins model 'other' for 'one', expected 'forecaster' as configured",
        ),
    ],
)
def test_a_lock_of_another_challenger_is_refused(
    config: Path,
    packed: list[str],
    locked: LockedModel | None,
    rollout: dict[str, Any],
    message: str,
) -> None:
    _compare_by(config, rollout)
    write_lock(_lock(config), "one", MODEL, locked)
    settings = load_config(config)

    with pytest.raises(ForecastError, match=message):
        building.package_challenger_for(settings, settings.environments["one"])

    assert packed == []


def test_both_archives_are_packed_and_shown(
    config: Path,
    packed: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    write_lock(_lock(config), "one", MODEL, CHALLENGER)
    summary = ArchiveSummary(formats=("sklearn",), pickles=(), compilation=None, vendored={})
    monkeypatch.setattr(package, "summarize_archive", lambda _: summary)

    package.package_command(["one"], config=config)
    table = capsys.readouterr().out
    package.package_command(["one"], config=config, as_json=True)
    document = json.loads(capsys.readouterr().out)

    assert packed == ["16", "17", "16", "17"]
    assert "model-16.tar.gz" in table
    assert "model-17.tar.gz" in table
    assert document["one"]["model"]["version"] == "16"
    assert document["one"]["challenger"]["model"]["version"] == "17"


def test_a_serverless_container_gets_an_archive_whatever_the_size(
    config: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    document = yaml.safe_load(config.read_text())
    endpoint = {"kind": "serverless", "name": "forecast-two", "memory_mib": 2048}
    document["environments"]["two"]["endpoint"] = endpoint
    config.write_text(yaml.safe_dump(document))
    write_lock(_lock(config), "two", MODEL)
    settings = load_config(config)
    asked: dict[str, Any] = {}

    def pack(*, lock: LockedModel, **options: Any) -> PackagedModel:
        asked.update(options)
        return PackagedModel(archive=tmp_path, archive_digest=lock.model_digest, model=lock)

    monkeypatch.setattr(building, "package", pack)

    building.package_for(settings, settings.environments["two"])

    assert asked["serving"].model_data == "archive"
