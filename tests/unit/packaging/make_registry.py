"""Program: logs and registers small models of every flavor; run by the fixtures in a process of
its own, because MLflow warns of things that are no concern of the tests.

Usage: make_registry.py <tracking uri> [<model name> …]; without names, all of them.
"""

from __future__ import annotations

import sys
from typing import Any

import mlflow
from mlflow import MlflowClient
from registry_models import MODELS


def register(name: str) -> list[Any]:
    versions = []
    for log in MODELS[name]:
        with mlflow.start_run():
            mlflow.log_metrics({"wape": 0.125, "mase": 0.8, "undefined": float("nan")})
            logged = log()
        versions.append(mlflow.register_model(logged.model_uri, name))
    return versions


def main(tracking_uri: str, names: list[str]) -> None:
    mlflow.set_tracking_uri(tracking_uri)
    mlflow.set_registry_uri(tracking_uri)
    client = MlflowClient()
    for name in names or MODELS:
        versions = register(name)
        client.set_registered_model_alias(name, "champion", versions[0].version)
        if len(versions) > 1:
            client.set_registered_model_alias(name, "challenger", versions[1].version)
            client.set_model_version_tag(name, "2", "candidate_run_id", "run-of-the-week")
            client.set_model_version_tag(name, "2", "approval", "granted")


main(sys.argv[1], sys.argv[2:])
