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


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "Invalid JSON"),
        ('{"schema_version": 2}', "schema_version: Input should be 1"),
        ('{"environments": {"dev": {"version": 16}}}', "environments.dev.version"),
        ('{"more": 1}', "more: Extra inputs are not permitted"),
    ],
)
def test_rejects_what_is_no_lock(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "models.lock.json"
    path.write_text(text)

    with pytest.raises(ConfigError, match=message):
        read_lock(path)
