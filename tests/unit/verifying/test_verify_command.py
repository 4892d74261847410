"""What `forecast verify` writes, and what it does not."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
import typer

from forecast_operations.commands import verify as command
from forecast_operations.verifying import subject, verify

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("serves", "options", "written"),
    [("config-1", {}, 1), ("config-1", {"no_record": True}, 0), (None, {}, 0)],
)
def test_a_failure_is_recorded_unless_the_endpoint_is_away(
    serves: str | None,
    options: dict[str, Any],
    written: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    record = SimpleNamespace(endpoint_config_name=serves, outcome="failed")
    writes: list[Any] = []
    monkeypatch.setattr(subject, "find_subject", lambda *_: SimpleNamespace())
    monkeypatch.setattr(verify, "verify", lambda *_: record)
    monkeypatch.setattr(command, "_show", lambda *_, **__: None)
    monkeypatch.setattr(command, "_write", lambda *arguments: writes.append(arguments))

    with pytest.raises(typer.Exit):
        command.verify_command("prod", tmp_path / "forecast.yaml", **options)

    assert len(writes) == written
