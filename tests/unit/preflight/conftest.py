from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml
from answering import Client
from botocore.exceptions import ClientError

from forecast_config import load_config
from forecast_operations.cloud.cloud import Cloud
from forecast_operations.preflight.surroundings import Surroundings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from forecast_config import ForecastConfig

    MakeConfig = Callable[..., ForecastConfig]

REGION = "eu-central-1"
ACCOUNT = "111111111111"


@pytest.fixture
def cloud_of() -> Callable[..., Cloud]:
    def make(**clients: dict[str, Any]) -> Cloud:
        named = {name.replace("_", "-"): answers for name, answers in clients.items()}
        made = {name: Client(name, **answers) for name, answers in named.items()}
        return Cloud(REGION, clients=made)

    return make


@pytest.fixture
def config_of(tmp_path: Path) -> MakeConfig:
    """A project with the environment `live`, whose keys can be changed."""

    def make(**changes: Any) -> ForecastConfig:
        environment = {
            "region": REGION,
            "endpoint": {
                "kind": "realtime",
                "name": "forecast-live",
                "instance_type": "ml.m5.large",
                "initial_instance_count": 2,
            },
            "image": {"kind": "aws", "framework": "xgboost", "version": "3.2-0"},
            "tags": {"team": "forecasting", "cost_centre": "CC-1"},
            **changes,
        }
        document = {
            "model": {"name": "forecaster"},
            "allowed_regions": [REGION],
            "environments": {"live": environment},
        }
        path = tmp_path / "forecast.yaml"
        path.write_text(yaml.safe_dump(document), encoding="utf-8")
        return load_config(path)

    return make


@pytest.fixture
def around(config_of: MakeConfig, cloud_of: Callable[..., Cloud]) -> Callable[..., Surroundings]:
    """What is around the environment, with the answers of AWS by service and operation."""

    def make(changes: dict[str, Any] | None = None, **clients: dict[str, Any]) -> Surroundings:
        config = config_of(**(changes or {}))
        return Surroundings(
            config=config,
            settings=config.environments["live"],
            cloud=cloud_of(**clients),
            account=ACCOUNT,
        )

    return make


@pytest.fixture
def refused() -> Callable[..., ClientError]:
    """What botocore raises when AWS refuses with a code."""

    def make(code: str, message: str = "no") -> ClientError:
        return ClientError({"Error": {"Code": code, "Message": message}}, "Any")

    return make
