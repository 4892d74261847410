from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from forecast_operations.cloud.cloud import Cloud
from forecast_operations.deployed.live import Live

if TYPE_CHECKING:
    from collections.abc import Callable


def _variant(name: str, instance_type: str | None) -> dict[str, Any]:
    if instance_type is None:
        return {"VariantName": name, "ServerlessConfig": {"MemorySizeInMB": 1024}}
    return {"VariantName": name, "InstanceType": instance_type, "InitialInstanceCount": 2}


def _scaling(endpoint: str, variant: str) -> dict[str, Any]:
    return {
        f"Target{variant}": {
            "Type": "AWS::ApplicationAutoScaling::ScalableTarget",
            "Properties": {"ResourceId": f"endpoint/{endpoint}/variant/{variant}"},
            "DependsOn": ["Endpoint"],
        },
        f"Policy{variant}": {
            "Type": "AWS::ApplicationAutoScaling::ScalingPolicy",
            "Properties": {"ScalingTargetId": {"Ref": f"Target{variant}"}},
        },
        f"Wake{variant}": {
            "Type": "AWS::CloudWatch::Alarm",
            "Properties": {"AlarmActions": [{"Ref": f"Policy{variant}"}]},
        },
    }


@pytest.fixture
def endpoint_template() -> Callable[..., dict[str, Any]]:
    """The template of an endpoint with variants by instance type, some of them scaled."""

    def make(
        *,
        name: str = "forecast",
        scaled: tuple[str, ...] = (),
        config: dict[str, Any] | None = None,
        policy: str | None = "BlueGreenUpdatePolicy",
        imported: tuple[str, ...] = (),
        **variants: str | None,
    ) -> dict[str, Any]:
        resources: dict[str, Any] = {
            "Model": {
                "Type": "AWS::SageMaker::Model",
                "Properties": {
                    "VpcConfig": {"Subnets": [{"Fn::ImportValue": each} for each in imported]}
                },
            },
            "Config": {
                "Type": "AWS::SageMaker::EndpointConfig",
                "Properties": {
                    "ProductionVariants": [_variant(*each) for each in variants.items()],
                    **(config or {}),
                },
            },
            "Endpoint": {
                "Type": "AWS::SageMaker::Endpoint",
                "Properties": {
                    "EndpointName": name,
                    "EndpointConfigName": {"Fn::GetAtt": ["Config", "EndpointConfigName"]},
                    **({"DeploymentConfig": {policy: {}}} if policy else {}),
                },
            },
            "Topic": {"Type": "AWS::SNS::Topic", "DependsOn": "Endpoint"},
            "Incident": {
                "Type": "AWS::CloudWatch::CompositeAlarm",
                "Properties": {"AlarmActions": [{"Ref": "Topic"}]},
            },
        }
        for variant in scaled:
            resources |= _scaling(name, variant)
        outputs = {
            "EndpointArn": {"Value": {"Ref": "Endpoint"}},
            "TopicArn": {"Value": {"Ref": "Topic"}},
        }
        return {"Resources": resources, "Outputs": outputs}

    return make


@pytest.fixture
def settings() -> Any:
    """The environment `prod`, as far as an update asks."""
    return SimpleNamespace(
        name="prod",
        account=None,
        stack_name="ForecastProd",
        artifacts_stack_name="ForecastProdArtifacts",
        region="eu-central-1",
        endpoint=SimpleNamespace(name="forecast"),
        rollout=None,
    )


@pytest.fixture
def artifacts_template() -> Callable[..., dict[str, Any]]:
    """The template of a stack with a network, which exports subnets by number."""

    def make(*numbers: int, cidr: str = "10.0.0.0/22") -> dict[str, Any]:
        subnets = {
            f"Subnet{number}": {
                "Type": "AWS::EC2::Subnet",
                "Properties": {"VpcId": {"Ref": "Vpc"}, "CidrBlock": f"10.0.{number}.0/24"},
            }
            for number in numbers
        }
        vpc = {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": cidr}}
        return {
            "Resources": {"Vpc": vpc, **subnets},
            "Outputs": {
                name: {"Value": {"Ref": name}, "Export": {"Name": f"Artifacts:{name}"}}
                for name in subnets
            },
        }

    return make


class _Client:
    """Answers each operation with what it was given; an exception is raised."""

    def __init__(self, **answers: Any) -> None:
        self._answers = answers

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        def answer(**_: Any) -> Any:
            found = self._answers[operation]
            if isinstance(found, Exception):
                raise found
            return found

        return answer


@pytest.fixture
def live_with() -> Callable[..., Live]:
    """What is deployed, as the answers of clients by service say it."""

    def make(**clients: dict[str, Any]) -> Live:
        made = {service: _Client(**answers) for service, answers in clients.items()}
        return Live(Cloud("eu-central-1", clients=made))

    return make


@pytest.fixture
def refusal() -> Callable[[str], ClientError]:
    """What botocore raises when AWS refuses with a message."""

    def make(message: str) -> ClientError:
        error = {"Code": "ValidationException", "Message": message}
        return ClientError({"Error": error}, "Describe")

    return make
