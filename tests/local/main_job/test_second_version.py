"""A second version of the model, in a project and a local AWS of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Project

pytestmark = pytest.mark.local


def test_the_endpoint_answers_with_the_new_version(updated: Project) -> None:
    (first, *_) = updated.forecast(updated.request(items=1))

    assert first["model_version"] == "2"


def test_the_endpoint_moved_to_a_new_config_and_kept_the_old_one(updated: Project) -> None:
    sagemaker = updated.client("sagemaker")

    configs = sagemaker.list_endpoint_configs()["EndpointConfigs"]
    live = sagemaker.describe_endpoint(EndpointName="produce-forecast-prod")

    assert len(configs) == 2
    assert live["EndpointStatus"] == "InService"
    assert live["EndpointConfigName"] in {config["EndpointConfigName"] for config in configs}


def test_the_alias_that_moved_is_deployed_once_it_is_pinned(updated: Project) -> None:
    updated.run("forecast", "resolve", "prod")

    done = updated.run("cdk", "diff", "ForecastProd", "--fail", check=False)

    assert "There were no differences" in done.stdout + done.stderr


@pytest.mark.slow
def test_an_unknown_version_is_one_sentence(updated: Project) -> None:
    done = updated.run("cdk", "synth", "-q", "-c", "model_version=16", check=False)

    assert done.returncode != 0
    assert "no version 16" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_a_missing_configuration_is_one_sentence(updated: Project) -> None:
    done = updated.run("cdk", "synth", "-q", "-c", "config=elsewhere.yaml", check=False)

    assert done.returncode != 0
    assert "elsewhere.yaml: cannot read the configuration" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_only_the_chosen_environments_are_synthesized(updated: Project) -> None:
    done = updated.run("cdk", "list", "-c", "environments=dev,prod")

    assert done.stdout.split() == [
        "ForecastDevArtifacts",
        "ForecastDev",
        "ForecastProdArtifacts",
        "ForecastProd",
        "ForecastOverview",
    ]
