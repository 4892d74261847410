"""The container: its image, the role that pulls it, its size and what it is told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from aws_cdk.assertions import Template

from forecast_config import ForecastError, load_config
from forecast_constructs import ContainerImage
from forecast_stacks import add_environment

if TYPE_CHECKING:
    from collections.abc import Callable

    from aws_cdk import Stack

    from forecast_config import EnvironmentSettings

    Resources = Callable[[str, str], list[dict[str, Any]]]

GIB = 1024**3


@pytest.fixture
def sized(
    new_app: Callable[..., Any], packaged: Callable[..., Any], samples: dict[str, Path]
) -> Callable[..., dict[str, Any]]:
    """Variant and container of an environment that serves a model of so many bytes."""

    def make(model_bytes: int, **endpoint: Any) -> dict[str, Any]:
        (settings,) = load_config(samples["minimal"]).environments.values()
        changed: EnvironmentSettings = settings.model_copy(
            update={"endpoint": settings.endpoint.model_copy(update=endpoint)}
        )
        model = packaged(model_bytes=model_bytes, unpacked_bytes=model_bytes)
        stack = add_environment(new_app(), changed, model).endpoint
        found = Template.from_stack(stack).to_json()["Resources"].values()
        by_type = {resource["Type"]: resource["Properties"] for resource in found}
        (variant,) = by_type["AWS::SageMaker::EndpointConfig"]["ProductionVariants"]
        return {
            **variant,
            **by_type["AWS::SageMaker::Model"]["PrimaryContainer"]["Environment"],
        }

    return make


def test_an_own_image_for_graviton_is_built_for_arm_and_published_by_the_cdk(
    synthesized: Callable[[str], Any],
) -> None:
    assets = synthesized("comprehensive").assets["ForecastBuilt"]
    (image,) = assets["dockerImages"].values()
    (destination,) = image["destinations"].values()

    assert image["source"]["platform"] == "linux/arm64"
    assert destination["repositoryName"].startswith("cdk-hnb659fds-container-assets-")


def test_an_own_image_for_x86_is_built_for_it(
    new_app: Callable[..., Any], packaged: Callable[..., Any], samples: dict[str, Path]
) -> None:
    settings = load_config(samples["comprehensive"]).environments["built"]
    endpoint = settings.endpoint.model_copy(update={"instance_type": "ml.m6i.large"})
    app = new_app()
    add_environment(app, settings.model_copy(update={"endpoint": endpoint}), packaged())

    written = Path(app.synth().directory) / "ForecastBuilt.assets.json"

    (image,) = json.loads(written.read_text())["dockerImages"].values()
    assert image["source"]["platform"] == "linux/amd64"


def test_the_role_may_pull_an_own_image_from_the_bootstraps_repository(
    resources: Resources,
) -> None:
    statements = [
        statement
        for policy in resources("ForecastBuilt", "IAM::ManagedPolicy")
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        if "ecr:BatchGetImage" in statement["Action"]
    ]

    (statement,) = statements
    resource = json.dumps(statement["Resource"])
    assert "arn:aws:ecr:eu-central-1:" in resource
    assert "cdk-hnb659fds-container-assets-" in resource
    assert "*" not in resource


def test_an_own_image_needs_none_of_the_variables_of_awss_images(resources: Resources) -> None:
    (model,) = resources("ForecastBuilt", "SageMaker::Model")

    assert model["Properties"]["PrimaryContainer"]["Environment"] == {
        "FORECAST_ENDPOINT_NAME": "forecast-built",
        "FORECAST_REQUEST_LOG": "all",
        "FORECAST_VARIANT_NAME": "AllTraffic",
        "OMP_NUM_THREADS": "1",
        "SAGEMAKER_MODEL_SERVER_WORKERS": "2",
    }


def test_an_own_image_without_a_build_context_is_refused(stack: Stack) -> None:
    with pytest.raises(ForecastError, match="is built from a folder, got none"):
        ContainerImage.from_folder(stack, None, arm=False)


def test_an_image_built_elsewhere_takes_the_place_of_the_configured_one(
    new_app: Callable[..., Any], packaged: Callable[..., Any], samples: dict[str, Path]
) -> None:
    settings = load_config(samples["comprehensive"]).environments["built"]
    uri = "222222222222.dkr.ecr.eu-central-1.amazonaws.com/forecaster:1"

    stack = add_environment(new_app(), settings, packaged(), image_uri=uri).endpoint
    text = json.dumps(Template.from_stack(stack).to_json())

    assert f'"Image": "{uri}"' in text
    assert "container-assets" not in text


def test_the_archives_own_application_takes_the_place_of_the_images_flask(
    resources: Resources,
) -> None:
    (model,) = resources("ForecastNew", "SageMaker::Model")
    environment = model["Properties"]["PrimaryContainer"]["Environment"]

    assert environment["SAGEMAKER_SERVING_MODULE"] == "forecast_inference.server.wsgi:application"
    assert environment["PYTHONPATH"] == "/opt/ml/model/code"
    assert not {"SAGEMAKER_PROGRAM", "SAGEMAKER_SUBMIT_DIRECTORY", "PIP_NO_INDEX"} & set(
        environment
    )


def test_settings_of_the_container_reach_the_server(resources: Resources) -> None:
    (model,) = resources("ForecastExisting", "SageMaker::Model")
    (config,) = resources("ForecastExisting", "SageMaker::EndpointConfig")
    environment = model["Properties"]["PrimaryContainer"]["Environment"]
    (variant,) = config["Properties"]["ProductionVariants"]

    assert environment["SAGEMAKER_MODEL_SERVER_WORKERS"] == "2"
    assert environment["OMP_NUM_THREADS"] == "2"
    assert environment["FORECAST_REQUEST_LOG"] == "errors"
    assert environment["LANG"] == "C.UTF-8"
    assert variant["VolumeSizeInGB"] == 50
    assert variant["ContainerStartupHealthCheckTimeoutInSeconds"] == 900
    assert variant["ModelDataDownloadTimeoutInSeconds"] == 1200


def test_a_larger_model_gets_fewer_workers_more_time_and_storage(
    sized: Callable[..., dict[str, Any]],
) -> None:
    small, large = sized(10**6), sized(2 * GIB)

    assert small["SAGEMAKER_MODEL_SERVER_WORKERS"] == "2"
    assert small["ContainerStartupHealthCheckTimeoutInSeconds"] == 300
    assert "VolumeSizeInGB" not in small
    assert large["SAGEMAKER_MODEL_SERVER_WORKERS"] == "1"
    assert large["VolumeSizeInGB"] == 30
    assert sized(12 * GIB, instance_type="ml.m5.4xlarge")["VolumeSizeInGB"] == 60


def test_a_model_of_about_the_same_size_gives_the_same_template(
    sized: Callable[..., dict[str, Any]],
) -> None:
    assert sized(700 * 1024**2) == sized(760 * 1024**2)


def test_a_model_that_does_not_fit_is_refused_with_a_type_that_takes_it(
    sized: Callable[..., dict[str, Any]],
) -> None:
    with pytest.raises(ForecastError, match=r"does not fit into ml\.m5\.large of 'only'"):
        sized(8 * GIB)
