"""The endpoint keeps its name and its scaled-out count, and undoes a bad rollout."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from aws_cdk import aws_iam as iam
from aws_cdk.assertions import Template

from forecast_config import load_config
from forecast_stacks import add_environment

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

STACKS = ("ForecastDev", "ForecastStaging", "ForecastProd", "ForecastExisting", "ForecastNew")


def _one(resources: Callable[..., list[dict[str, Any]]], stack: str, kind: str) -> dict[str, Any]:
    (resource,) = resources(stack, kind)
    properties: dict[str, Any] = resource["Properties"]
    return properties


@pytest.mark.parametrize(
    ("stack", "name", "instance_type", "count"),
    [
        ("ForecastDev", "produce-forecast-dev", "ml.t3.medium", 1),
        ("ForecastStaging", "produce-forecast-staging", "ml.m5.large", 1),
        ("ForecastProd", "produce-forecast-prod", "ml.m5.xlarge", 2),
    ],
)
def test_each_environment_has_its_endpoint(
    stack: str,
    name: str,
    instance_type: str,
    count: int,
    resources: Callable[..., list[dict[str, Any]]],
) -> None:
    (variant,) = _one(resources, stack, "SageMaker::EndpointConfig")["ProductionVariants"]

    assert _one(resources, stack, "SageMaker::Endpoint")["EndpointName"] == name
    assert variant["InstanceType"] == instance_type
    assert variant["InitialInstanceCount"] == count


def test_timeouts_and_variant_name_are_those_of_the_settings(
    resources: Callable[..., list[dict[str, Any]]],
) -> None:
    (variant,) = _one(resources, "ForecastExisting", "SageMaker::EndpointConfig")[
        "ProductionVariants"
    ]

    assert variant["ContainerStartupHealthCheckTimeoutInSeconds"] == 900
    assert variant["ModelDataDownloadTimeoutInSeconds"] == 1200
    assert variant["VariantName"] == "Champion"


def test_volumes_are_encrypted_unless_the_hardware_does_it(
    resources: Callable[..., list[dict[str, Any]]],
) -> None:
    assert "KmsKeyId" in _one(resources, "ForecastProd", "SageMaker::EndpointConfig")
    # ml.m5d has NVMe storage, which the key would not encrypt.
    assert "KmsKeyId" not in _one(resources, "ForecastNew", "SageMaker::EndpointConfig")


def test_capture_keeps_requests_and_answers_readable_and_encrypted(
    resources: Callable[..., list[dict[str, Any]]],
) -> None:
    capture = _one(resources, "ForecastExisting", "SageMaker::EndpointConfig")["DataCaptureConfig"]

    assert capture["InitialSamplingPercentage"] == 10
    assert capture["CaptureOptions"] == [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}]
    assert capture["CaptureContentTypeHeader"] == {
        "CsvContentTypes": ["text/csv"],
        "JsonContentTypes": ["application/json"],
    }
    assert capture["DestinationS3Uri"].endswith("-eu-central-1/data-capture")
    assert "KmsKeyId" in capture


def test_without_capture_nothing_is_kept(
    resources: Callable[..., list[dict[str, Any]]],
) -> None:
    config = _one(resources, "ForecastDev", "SageMaker::EndpointConfig")

    assert "DataCaptureConfig" not in config


@pytest.mark.parametrize("stack", STACKS)
def test_a_rollout_is_undone_by_alarms_that_exist_before_the_endpoint_changes(
    stack: str,
    resources: Callable[..., list[dict[str, Any]]],
    template: Callable[[str], dict[str, Any]],
) -> None:
    (endpoint,) = resources(stack, "SageMaker::Endpoint")
    alarms = endpoint["Properties"]["DeploymentConfig"]["AutoRollbackConfiguration"]["Alarms"]
    waits_for = [template(stack)["Resources"][name] for name in endpoint["DependsOn"]]

    assert {resource["Type"] for resource in waits_for} == {"AWS::CloudWatch::Alarm"}
    made = {resource["Properties"]["AlarmName"] for resource in waits_for}
    assert made <= {alarm["AlarmName"] for alarm in alarms}
    assert f"{endpoint['Properties']['EndpointName']}-rollback-failed-requests" in made


def test_a_canary_takes_its_share_first(
    resources: Callable[..., list[dict[str, Any]]],
) -> None:
    policy = _one(resources, "ForecastProd", "SageMaker::Endpoint")["DeploymentConfig"][
        "BlueGreenUpdatePolicy"
    ]

    assert policy == {
        "MaximumExecutionTimeoutInSeconds": 3600,
        "TerminationWaitInSeconds": 600,
        "TrafficRoutingConfiguration": {
            "CanarySize": {"Type": "CAPACITY_PERCENT", "Value": 30},
            "Type": "CANARY",
            "WaitIntervalInSeconds": 600,
        },
    }


def test_one_instance_moves_all_at_once(
    resources: Callable[..., list[dict[str, Any]]],
) -> None:
    policy = _one(resources, "ForecastDev", "SageMaker::Endpoint")["DeploymentConfig"][
        "BlueGreenUpdatePolicy"
    ]

    assert policy["TrafficRoutingConfiguration"] == {
        "Type": "ALL_AT_ONCE",
        "WaitIntervalInSeconds": 0,
    }


@pytest.mark.parametrize(
    ("stack", "excluded"),
    [
        ("ForecastDev", ["DesiredInstanceCount", "DesiredWeight"]),
        ("ForecastProd", ["DesiredWeight"]),
    ],
)
def test_an_update_keeps_a_scaled_out_count_and_sets_a_fixed_one(
    stack: str, excluded: list[str], resources: Callable[..., list[dict[str, Any]]]
) -> None:
    endpoint = _one(resources, stack, "SageMaker::Endpoint")

    assert endpoint["RetainAllVariantProperties"] is True
    assert endpoint["ExcludeRetainedVariantProperties"] == [
        {"VariantPropertyType": kind} for kind in excluded
    ]


def test_a_client_can_be_allowed_to_invoke_this_endpoint_only(
    new_app: Callable[..., Any], packaged: Callable[..., Any], samples: dict[str, Path]
) -> None:
    app = new_app()
    settings = load_config(samples["minimal"]).environments["only"]
    stack = add_environment(app, settings, packaged()).endpoint
    client = iam.Role(stack, "Client", assumed_by=iam.AccountRootPrincipal())

    stack.endpoint.grant_invoke(client)

    account = {"Ref": "AWS::AccountId"}
    arn = ["arn:aws:sagemaker:eu-central-1:", account, ":endpoint/forecast-only"]
    Template.from_stack(stack).has_resource_properties(
        "AWS::IAM::Policy",
        {
            "PolicyDocument": {
                "Statement": [
                    {
                        "Action": "sagemaker:InvokeEndpoint",
                        "Effect": "Allow",
                        "Resource": {"Fn::Join": ["", arn]},
                    }
                ]
            },
            "Roles": [stack.resolve(client.role_name)],
        },
    )
