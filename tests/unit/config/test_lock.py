from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from forecast_config import (
    ConfigError,
    ForecastError,
    LockedModel,
    ModelsLock,
    lock_text,
    locked_challenger,
    locked_model,
    read_lock,
)

if TYPE_CHECKING:
    from pathlib import Path

MODEL = LockedModel(
    name="forecaster",
    version="16",
    alias="champion",
    run_id="a" * 32,
    model_digest=f"sha256:{'0' * 64}",
    signature_digest=f"sha256:{'1' * 64}",
    libraries={"python": "3.11.7", "xgboost": "3.2.0"},
)


def test_a_lock_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "models.lock.json"
    lock = ModelsLock(environments={"prod": MODEL, "dev": MODEL})
    path.write_text(lock_text(lock))

    assert read_lock(path) == lock
    assert list(json.loads(path.read_text())["environments"]) == ["dev", "prod"]


def test_no_file_is_an_empty_lock_that_says_how_to_fill_it(tmp_path: Path) -> None:
    path = tmp_path / "models.lock.json"

    with pytest.raises(ForecastError, match="no entry for 'dev'; run: forecast resolve dev"):
        locked_model(read_lock(path), "dev", path)


def test_a_challenger_stands_beside_the_model_it_is_compared_with(tmp_path: Path) -> None:
    path = tmp_path / "models.lock.json"
    challenger = MODEL.model_copy(update={"version": "17", "alias": "challenger"})
    path.write_text(lock_text(ModelsLock(environments={"a": MODEL}, challengers={"a": challenger})))

    lock = read_lock(path)

    assert locked_model(lock, "a", path) == MODEL
    assert locked_challenger(lock, "a", path) == challenger
    with pytest.raises(ForecastError, match="no challenger for 'b'; run: forecast resolve b"):
        locked_challenger(lock, "b", path)


def test_a_lock_from_before_there_were_challengers_is_read(tmp_path: Path) -> None:
    path = tmp_path / "models.lock.json"
    document = json.loads(lock_text(ModelsLock(environments={"a": MODEL})))
    del document["challengers"]
    path.write_text(json.dumps(document))

    assert read_lock(path).challengers == {}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", r"is not JSON \(EOF while parsing an object at line 1 column 1\)"),
        ("[]", "expected a mapping of keys, got a list"),
        ('{"schema_version": 2}', "schema_version: expected 1, got 2"),
        (
            '{"environments": {"dev": {"version": 16}}}',
            r"environments\.dev\.version: expected a string, got an integer; put it in quotes",
        ),
        ('{"environments": {"dev": {}}}', r"environments\.dev\.run_id: is missing"),
        (
            '{"environments": {"dev": {"model_digest": "md5:0"}}}',
            r"model_digest: expected sha256: and 64 hexadecimal digits, got 'md5:0'",
        ),
        ('{"schema_versions": 1}', "schema_versions: unknown key; did you mean schema_version"),
    ],
)
def test_rejects_what_is_no_lock_and_says_how_to_repair_it(
    tmp_path: Path, text: str, message: str
) -> None:
    path = tmp_path / "models.lock.json"
    path.write_text(text)

    with pytest.raises(ConfigError, match=message) as caught:
        read_lock(path)

    advice = str(caught.value)
    assert f"; put back what was committed: git checkout HEAD -- {path};" in advice
    assert "delete" not in advice


def test_a_merge_conflict_is_not_repaired_by_pinning_todays_champion(tmp_path: Path) -> None:
    path = tmp_path / "the lock" / "models.lock.json"
    path.parent.mkdir()
    path.write_text("<<<<<<< HEAD\n{}\n=======\n{}\n>>>>>>> feature\n")

    with pytest.raises(ConfigError, match="is not JSON") as caught:
        read_lock(path)

    advice = str(caught.value)
    assert f"git checkout HEAD -- '{path}'" in advice
    assert "keep one side of each environment's entry" in advice
    assert "forecast resolve pins today's champion everywhere" in advice
