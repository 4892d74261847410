"""A model is replaced by every change, and carries its lineage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from forecast_config import ForecastError
from forecast_constructs import ContainerImage, ExecutionRole, ForecastModel, lineage_tags

if TYPE_CHECKING:
    from collections.abc import Callable

    from aws_cdk import Stack

    from forecast_config import PackagedModel

STACKS = ("ForecastDev", "ForecastProd", "ForecastExisting", "ForecastNew", "ForecastOpen")


def _build(stack: Stack, packaged_model: PackagedModel, **environment: str) -> ForecastModel:
    return ForecastModel(
        stack,
        "Model",
        packaged_model=packaged_model,
        image=ContainerImage(
            image_uri="image", repository_arn="arn", image_environment={"A": "1", "B": "1"}
        ),
        environment=environment,
        execution_role=ExecutionRole(stack, "Role", endpoint_name="endpoint"),
        network_isolation=True,
    )


@pytest.mark.parametrize("stack", STACKS)
@pytest.mark.parametrize("kind", ["SageMaker::Model", "SageMaker::EndpointConfig"])
def test_what_is_replaced_has_no_name_and_is_kept(
    stack: str, kind: str, resources: Callable[..., list[dict[str, Any]]]
) -> None:
    (resource,) = resources(stack, kind)

    assert {"ModelName", "EndpointConfigName"}.isdisjoint(resource["Properties"])
    assert resource["UpdateReplacePolicy"] == "Retain"
    assert resource["DeletionPolicy"] == "Delete"


@pytest.mark.parametrize("stack", STACKS)
def test_the_model_waits_for_its_roles_policy(
    stack: str,
    resources: Callable[..., list[dict[str, Any]]],
    template: Callable[[str], dict[str, Any]],
) -> None:
    (model,) = resources(stack, "SageMaker::Model")
    waits_for = [template(stack)["Resources"][name] for name in model["DependsOn"]]

    assert any(
        resource["Type"] == "AWS::IAM::ManagedPolicy"
        and "ExecutionRole" in resource["Properties"]["Roles"][0]["Ref"]
        for resource in waits_for
    )


def test_variables_of_the_settings_go_over_those_of_the_image(
    stack: Stack,
    packaged: Callable[..., PackagedModel],
    rendered: Callable[[Stack], dict[str, Any]],
) -> None:
    _build(stack, packaged(), B="2", C="2")
    (model,) = [
        resource
        for resource in rendered(stack).values()
        if resource["Type"] == "AWS::SageMaker::Model"
    ]

    assert model["Properties"]["PrimaryContainer"]["Environment"] == {"A": "1", "B": "2", "C": "2"}


def test_the_image_finds_the_code_of_the_archive(
    resources: Callable[..., list[dict[str, Any]]],
) -> None:
    (model,) = resources("ForecastProd", "SageMaker::Model")

    assert model["Properties"]["PrimaryContainer"]["Environment"] == {
        "FORECAST_ENDPOINT_NAME": "produce-forecast-prod",
        "FORECAST_REQUEST_LOG": "all",
        "FORECAST_VARIANT_NAME": "AllTraffic",
        "OMP_NUM_THREADS": "1",
        "PIP_NO_BUILD_ISOLATION": "0",
        "PIP_NO_INDEX": "1",
        "SAGEMAKER_CONTAINER_LOG_LEVEL": "20",
        "SAGEMAKER_MODEL_SERVER_WORKERS": "4",
        "SAGEMAKER_PROGRAM": "inference.py",
        "SAGEMAKER_REGION": "ap-southeast-1",
        "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code",
    }


def test_the_archives_address_follows_its_digest_and_not_its_bytes(
    new_stack: Callable[..., Stack], packaged: Callable[..., PackagedModel], tmp_path: Any
) -> None:
    one = packaged("16")
    recompressed = tmp_path / "model.tar.gz"
    recompressed.write_bytes(b"other bytes")

    def address(packaged_model: PackagedModel) -> Any:
        stack = new_stack()
        return stack.resolve(_build(stack, packaged_model).model_data_uri)

    assert address(one) == address(one.model_copy(update={"archive": recompressed}))
    assert address(one) != address(packaged("17"))


def test_a_stack_that_publishes_elsewhere_is_refused(
    new_stack: Callable[..., Stack], packaged: Callable[..., PackagedModel]
) -> None:
    with pytest.raises(ForecastError, match="expected a stack whose synthesizer has the bucket"):
        _build(new_stack(bucket_prefix="elsewhere/"), packaged())


@pytest.mark.parametrize(
    "kind", ["SageMaker::Model", "SageMaker::EndpointConfig", "SageMaker::Endpoint"]
)
def test_lineage_is_on_model_configuration_and_endpoint(
    kind: str, resources: Callable[..., list[dict[str, Any]]], packaged: Callable[..., Any]
) -> None:
    (resource,) = resources("ForecastProd", kind)
    tags = {tag["Key"]: tag["Value"] for tag in resource["Properties"]["Tags"]}

    assert tags["model_name"] == "forecaster"
    assert tags["model_version"] == "16"
    assert tags["run_id"] == "run-16"
    assert tags["data_version"] == "2023-06-30"
    assert tags["code_reference"] == "0123abc"
    assert tags["model_digest"] == packaged().model.model_digest
    assert tags["archive_digest"] == packaged().archive_digest


def test_lineage_is_on_nothing_else(template: Callable[[str], dict[str, Any]]) -> None:
    tagged = {
        resource["Type"]
        for resource in template("ForecastProd")["Resources"].values()
        if any(tag["Key"] == "run_id" for tag in resource["Properties"].get("Tags", ()))
    }

    assert tagged == {
        "AWS::SageMaker::Model",
        "AWS::SageMaker::EndpointConfig",
        "AWS::SageMaker::Endpoint",
    }


def test_lineage_that_is_not_known_is_left_out(packaged: Callable[..., PackagedModel]) -> None:
    tags = lineage_tags(packaged(data_version=None, code_reference=None))

    assert {"data_version", "code_reference"}.isdisjoint(tags)


def test_lineage_that_a_tag_cannot_hold_is_made_to_fit(
    packaged: Callable[..., PackagedModel],
) -> None:
    tags = lineage_tags(packaged(code_reference="a;b\n<c>", data_version="数据 v1" + "x" * 300))

    assert tags["code_reference"] == "a-b--c-"
    assert tags["data_version"].startswith("数据 v1x")
    assert len(tags["data_version"]) == 256
