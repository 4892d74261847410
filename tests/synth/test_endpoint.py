"""The endpoint keeps its name and its scaled-out count, and undoes a bad rollout."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk.assertions import Template

from forecast_config import load_config
from forecast_config.settings import AllAtOnceRollout
from forecast_constructs import render_deployment_config
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
def test_a_rollout_is_blue_green_and_undone_by_the_alarm_of_the_new_fleet(
    stack: str, resources: Callable[..., list[dict[str, Any]]]
) -> None:
    endpoint = _one(resources, stack, "SageMaker::Endpoint")
    deployment = endpoint["DeploymentConfig"]

    assert deployment["AutoRollbackConfiguration"] == {
        "Alarms": [{"AlarmName": f"{endpoint['EndpointName']}-rollback-errors"}]
    }
    routing = deployment["BlueGreenUpdatePolicy"]["TrafficRoutingConfiguration"]
    # The API requires it although the resource's schema does not.
    assert "WaitIntervalInSeconds" in routing


@pytest.mark.parametrize("stack", STACKS)
def test_the_endpoint_waits_for_its_rollback_alarm(
    stack: str,
    resources: Callable[..., list[dict[str, Any]]],
    template: Callable[[str], dict[str, Any]],
) -> None:
    (endpoint,) = resources(stack, "SageMaker::Endpoint")
    (name,) = endpoint["DependsOn"]

    assert template(stack)["Resources"][name]["Properties"]["AlarmName"].endswith("rollback-errors")


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


def test_an_update_keeps_the_scaled_out_count_and_the_weights(
    resources: Callable[..., list[dict[str, Any]]],
) -> None:
    endpoint = _one(resources, "ForecastProd", "SageMaker::Endpoint")

    assert endpoint["RetainAllVariantProperties"] is True
    assert "ExcludeRetainedVariantProperties" not in endpoint


def test_a_fixed_count_follows_the_configuration(
    resources: Callable[..., list[dict[str, Any]]],
) -> None:
    endpoint = _one(resources, "ForecastDev", "SageMaker::Endpoint")

    assert endpoint["ExcludeRetainedVariantProperties"] == [
        {"VariantPropertyType": "DesiredInstanceCount"}
    ]


@pytest.mark.parametrize("count", [0, 11])
def test_a_rollout_rejects_a_number_of_alarms_that_the_api_refuses(count: int) -> None:
    rollout = AllAtOnceRollout(kind="all_at_once")

    with pytest.raises(ValueError, match=f"expected 1 to 10 rollback alarms, got {count}"):
        render_deployment_config(rollout, [f"alarm-{number}" for number in range(count)])


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


def test_the_error_rate_can_be_put_on_a_dashboard(
    new_app: Callable[..., Any], packaged: Callable[..., Any], samples: dict[str, Path]
) -> None:
    settings = load_config(samples["minimal"]).environments["only"]
    stack = add_environment(new_app(), settings, packaged()).endpoint
    cloudwatch.Dashboard(
        stack,
        "Dashboard",
        widgets=[[cloudwatch.GraphWidget(left=[stack.endpoint.metric_error_rate()])]],
    )

    (dashboard,) = Template.from_stack(stack).find_resources("AWS::CloudWatch::Dashboard").values()
    assert "100 * MAX([FILL(server, 0)" in json.dumps(dashboard)
