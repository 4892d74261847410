from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import botocore.session
import pytest
import yaml
from botocore import xform_name
from botocore.exceptions import ClientError
from botocore.validate import ParamValidator

from forecast_config import load_config
from forecast_operations.cloud.cloud import Cloud
from forecast_operations.preflight.surroundings import Surroundings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from forecast_config import ForecastConfig

    MakeConfig = Callable[..., ForecastConfig]

REGION = "eu-central-1"
ACCOUNT = "111111111111"


@cache
def _operations(service: str) -> dict[str, Any]:
    model = botocore.session.get_session().get_service_model(service)
    return {xform_name(name): model.operation_model(name) for name in model.operation_names}


def _check(values: dict[str, Any], shape: Any) -> None:
    """Refuse what is no value of a shape of the API; an answer may leave out what is required."""
    # botocore gives no other way to the single errors.
    errors = ParamValidator().validate(values, shape)._errors
    wrong = [error for error in errors if error[0] != "missing required field"]
    assert wrong == [], f"{shape.name}: {wrong}"


class Client:
    """Answers each operation with what it was given; a function is asked, an exception raised.

    Requests and answers must be such as the API of the service has them.
    """

    def __init__(self, service: str, **answers: Any) -> None:
        self._service = service
        self._answers = answers

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        model = _operations(self._service)[operation]

        def answer(**given: Any) -> Any:
            if model.input_shape is not None:
                assert not ParamValidator().validate(given, model.input_shape).has_errors()
            found = self._answers[operation]
            found = found(**given) if callable(found) else found
            if isinstance(found, Exception):
                raise found
            if model.output_shape is not None:
                _check(found, model.output_shape)
            return found

        return answer

    def get_paginator(self, operation: str) -> Any:
        ask = getattr(self, operation)

        class Pages:
            def paginate(self, **given: Any) -> Iterator[Any]:
                yield ask(**given)

        return Pages()


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
