"""An endpoint is asked what was packed with its model."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from forecast_config import ForecastError
from forecast_operations.commands import endpoints
from forecast_operations.endpoints import example
from forecast_packaging.progress import no_progress


def _packed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *statuses: int, golden: bool = True
) -> Any:
    requests = [
        {
            "name": f"request-{status}",
            "content_type": "text/csv" if status == 200 else "application/json",
            "accept": "application/json",
            "body": f"body of {status}",
            "status": status,
            "answer": {},
        }
        for status in statuses
    ]
    path = tmp_path / "golden.json"
    path.write_text(json.dumps({"schema_version": 2, "requests": requests}))
    model = SimpleNamespace(version="16")
    packaged = SimpleNamespace(model=model, golden=path if golden else None)
    monkeypatch.setattr(example, "package_for", lambda *_, **__: packaged)
    return example.example_request(None, None, no_progress)  # type: ignore[arg-type]


def test_the_first_request_that_is_answered_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _packed(tmp_path, monkeypatch, 400, 200) == (b"body of 200", "text/csv")


def test_without_one_it_is_said_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(
        ForecastError, match=r"16 has golden requests that are refused only; .*: --file"
    ):
        _packed(tmp_path, monkeypatch, 400)
    with pytest.raises(ForecastError, match="16 has no golden requests; package the model again"):
        _packed(tmp_path, monkeypatch, 200, golden=False)


def test_another_endpoint_has_no_example(tmp_path: Path) -> None:
    config = Path(__file__).parents[3] / "config" / "forecast.yaml"

    with pytest.raises(ForecastError, match=r"--example: expected an environment's endpoint"):
        endpoints.invoke_command("somebody-elses", config=config, example=True)
    with pytest.raises(ForecastError, match=r"and no --file"):
        endpoints.invoke_command("dev", file=tmp_path / "x.json", config=config, example=True)
