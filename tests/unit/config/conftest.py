from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml

from forecast_config import ConfigError, load_config

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path


@pytest.fixture
def valid() -> dict[str, Any]:
    """The document of a valid configuration, to be changed by a test."""
    return {
        "model": {"name": "forecaster"},
        "allowed_regions": ["eu-central-1", "cn-north-1"],
        "defaults": {
            "region": "eu-central-1",
            "image": {"kind": "aws", "framework": "scikit-learn", "version": "1.9-0"},
            "tags": {"team": "forecasting", "cost_centre": "CC-1"},
        },
        "environments": {
            "dev": {
                "endpoint": {
                    "kind": "realtime",
                    "name": "forecast-dev",
                    "instance_type": "ml.m5.large",
                }
            }
        },
    }


@pytest.fixture
def document_with(valid: dict[str, Any]) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    """The valid document with values put at dotted keys."""

    def change(values: Mapping[str, Any]) -> dict[str, Any]:
        for path, value in values.items():
            block = valid
            *parents, last = path.split(".")
            for key in parents:
                block = block.setdefault(key, {})
            block[last] = value
        return valid

    return change


@pytest.fixture
def problems_of(tmp_path: Path) -> Callable[..., list[str]]:
    """What is said of a document or a text, without the file's name: `line: key: message`."""

    def load(document: Any, *, accounts: Mapping[str, str] | None = None) -> list[str]:
        path = tmp_path / "forecast.yaml"
        text = document if isinstance(document, str) else yaml.safe_dump(document)
        path.write_text(text, encoding="utf-8")
        with pytest.raises(ConfigError) as caught:
            load_config(path, accounts=accounts)
        return str(caught.value).replace(f"{path}:", "").splitlines()

    return load


@pytest.fixture
def problems_with(
    document_with: Callable[[Mapping[str, Any]], dict[str, Any]],
    problems_of: Callable[..., list[str]],
) -> Callable[..., dict[str, str]]:
    """What is said, by key, of a document whose environment dev has values at dotted keys."""

    def load(values: Mapping[str, Any]) -> dict[str, str]:
        document = document_with({f"environments.dev.{key}": each for key, each in values.items()})
        said = [problem.strip().split(": ", 2)[1:] for problem in problems_of(document)]
        return {key.removeprefix("environments.dev."): message for key, message in said}

    return load


@pytest.fixture
def expect_refusal(
    document_with: Callable[[Mapping[str, Any]], dict[str, Any]],
    problems_with: Callable[..., dict[str, str]],
) -> Callable[[Mapping[str, Any], str, str], None]:
    """Expects values of dev to be refused at one key, and nowhere else, with a message."""

    def expect(values: Mapping[str, Any], key: str, message: str) -> None:
        document_with({"allowed_regions": ["eu-central-1", "cn-north-1", "eu-north-1"]})

        said = problems_with(values)

        assert said.keys() == {key}
        assert message in said[key]

    return expect


@pytest.fixture
def expect_admission(
    document_with: Callable[[Mapping[str, Any]], dict[str, Any]], tmp_path: Path
) -> Callable[[Mapping[str, Any]], None]:
    """Expects values of dev to make a valid configuration."""

    def expect(values: Mapping[str, Any]) -> None:
        changes = {f"environments.dev.{key}": value for key, value in values.items()}
        path = tmp_path / "forecast.yaml"
        path.write_text(yaml.safe_dump(document_with(changes)), encoding="utf-8")

        assert set(load_config(path).environments) == {"dev"}

    return expect
