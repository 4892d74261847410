"""Every partition gets ARNs, service names and image addresses of its own."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from aws_cdk.assertions import Template

from forecast_config import ForecastError, load_config
from forecast_config.images import registry_accounts, serving_images
from forecast_config.regions import partition_of
from forecast_config.settings import AwsImage, EcrImage
from forecast_constructs import ContainerImage
from forecast_stacks import add_environment

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from aws_cdk import Stack

URL_SUFFIX = {"Ref": "AWS::URLSuffix"}


@pytest.mark.parametrize("region", sorted(registry_accounts()))
def test_the_image_is_that_of_its_region(region: str, new_stack: Callable[..., Stack]) -> None:
    stack = new_stack(region)
    account = registry_accounts()[region]

    for (framework, version), image in serving_images().items():
        settings = AwsImage(kind="aws", framework=framework, version=version)
        container = ContainerImage.from_settings(stack, settings)

        assert stack.resolve(container.image_uri) == {
            "Fn::Join": [
                "",
                [
                    f"{account}.dkr.ecr.{region}.",
                    URL_SUFFIX,
                    f"/{image.repository}:{image.tag}",
                ],
            ]
        }
        assert stack.resolve(container.repository_arn) == (
            f"arn:{partition_of(region)}:ecr:{region}:{account}:repository/{image.repository}"
        )


def test_a_region_without_the_image_is_refused_by_name(new_stack: Callable[..., Stack]) -> None:
    settings = AwsImage(kind="aws", framework="xgboost", version="3.2-0")

    with pytest.raises(ForecastError, match="AWS publishes no xgboost image in mx-central-1"):
        ContainerImage.from_settings(new_stack("mx-central-1"), settings)


@pytest.mark.parametrize(
    "region", ["cn-north-1", "us-gov-west-1", "us-iso-east-1", "us-isof-south-1"]
)
@pytest.mark.parametrize("environment", ["only", "new"])
def test_a_whole_environment_names_its_own_partition_only(
    region: str,
    environment: str,
    new_app: Callable[..., Any],
    packaged: Callable[..., Any],
    samples: dict[str, Path],
) -> None:
    sample = samples["minimal" if environment == "only" else "comprehensive"]
    settings = load_config(sample).environments[environment].model_copy(update={"region": region})

    stacks = add_environment(new_app(), settings, packaged())
    text = json.dumps(
        [Template.from_stack(stack).to_json() for stack in (stacks.artifacts, stacks.endpoint)]
    )

    assert set(re.findall(r"arn:(aws[a-z-]*):", text)) == {partition_of(region)}
    assert "amazonaws.com/" not in text
    services = set(re.findall(r"[\w.-]+\.amazonaws\.com", text))
    assert services <= {
        "cloudwatch.amazonaws.com",
        "events.amazonaws.com",
        "lambda.amazonaws.com",
        "logging.s3.amazonaws.com",
        # Beside the name with the partition's own suffix, where that suffix is another.
        f"s3.{region}.amazonaws.com",
        "sagemaker.amazonaws.com",
        "vpc-flow-logs.amazonaws.com",
    }


@pytest.mark.parametrize("reference", [":1.2.3", f"@sha256:{'0' * 64}"])
def test_any_image_in_ecr_is_taken_as_it_is(reference: str, stack: Stack) -> None:
    uri = f"222222222222.dkr.ecr.eu-central-1.amazonaws.com/serving/forecaster{reference}"
    image = ContainerImage.from_settings(stack, EcrImage(kind="ecr", uri=uri))

    assert image.image_uri == uri
    assert image.repository_arn == (
        "arn:aws:ecr:eu-central-1:222222222222:repository/serving/forecaster"
    )
    assert "PIP_NO_INDEX" not in image.image_environment


@pytest.mark.parametrize("missing", ["refuse", "vendor"])
def test_the_package_index_is_cut_off_unless_downloads_are_asked_for(
    missing: str, stack: Stack
) -> None:
    def environment(missing: Any) -> dict[str, str]:
        settings = AwsImage(
            kind="aws", framework="xgboost", version="3.2-0", missing_libraries=missing
        )
        return dict(ContainerImage.from_settings(stack, settings).image_environment)

    assert environment(missing)["PIP_NO_INDEX"] == "1"
    assert "PIP_NO_INDEX" not in environment("download")
    assert environment("download")["PIP_NO_BUILD_ISOLATION"] == "0"
