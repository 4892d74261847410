"""The new network leads to S3 and nowhere else, and outlives the endpoint."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from aws_cdk.assertions import Template

from forecast_config import load_config
from forecast_stacks import add_environment

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NETWORK = "ForecastNewArtifacts"


def test_there_is_no_way_to_the_internet(template: Callable[[str], dict[str, Any]]) -> None:
    kinds = {resource["Type"] for resource in template(NETWORK)["Resources"].values()}

    assert kinds.isdisjoint(
        {
            "AWS::EC2::InternetGateway",
            "AWS::EC2::NatGateway",
            "AWS::EC2::EgressOnlyInternetGateway",
            "AWS::EC2::Route",
            "AWS::EC2::VPCPeeringConnection",
        }
    )


def test_zones_have_ranges_of_their_own(
    resources: Callable[..., list[dict[str, Any]]],
) -> None:
    subnets = [subnet["Properties"] for subnet in resources(NETWORK, "EC2::Subnet")]

    assert [subnet["CidrBlock"] for subnet in subnets] == [
        "10.1.0.0/26",
        "10.1.0.64/26",
        "10.1.0.128/26",
    ]
    assert [subnet["AvailabilityZone"]["Fn::Select"][0] for subnet in subnets] == [0, 1, 2]
    assert len(resources(NETWORK, "EC2::SubnetRouteTableAssociation")) == 3


def test_only_https_leaves_and_nothing_comes_in(
    resources: Callable[..., list[dict[str, Any]]],
) -> None:
    (group,) = resources(NETWORK, "EC2::SecurityGroup")
    (egress,) = group["Properties"]["SecurityGroupEgress"]

    assert "SecurityGroupIngress" not in group["Properties"]
    assert (egress["IpProtocol"], egress["FromPort"], egress["ToPort"]) == ("tcp", 443, 443)


def test_s3_is_reached_for_the_artifact_bucket_only(
    resources: Callable[..., list[dict[str, Any]]], template: Callable[[str], dict[str, Any]]
) -> None:
    (endpoint,) = resources(NETWORK, "EC2::VPCEndpoint")
    (statement,) = endpoint["Properties"]["PolicyDocument"]["Statement"]

    assert endpoint["Properties"]["VpcEndpointType"] == "Gateway"
    assert endpoint["Properties"]["ServiceName"] == "com.amazonaws.us-gov-west-1.s3"
    (bucket,) = [
        name
        for name, resource in template(NETWORK)["Resources"].items()
        if "forecast-new-artifacts-" in json.dumps(resource["Properties"].get("BucketName"))
    ]
    arn = {"Fn::GetAtt": [bucket, "Arn"]}
    assert statement["Resource"] == [arn, {"Fn::Join": ["", [arn, "/*"]]}]


def test_all_traffic_is_logged(resources: Callable[..., list[dict[str, Any]]]) -> None:
    (flow_log,) = resources(NETWORK, "EC2::FlowLog")
    groups = {
        group["Properties"]["LogGroupName"]: group["Properties"]
        for group in resources(NETWORK, "Logs::LogGroup")
    }

    assert flow_log["Properties"]["TrafficType"] == "ALL"
    assert "KmsKeyId" in groups[flow_log["Properties"]["LogGroupName"]]


def test_a_network_that_is_given_up_leaves_nothing_in_the_way_of_a_next_one(
    new_app: Callable[..., Any], packaged: Callable[..., Any], samples: dict[str, Path]
) -> None:
    environments = load_config(samples["comprehensive"]).environments
    retained = environments["existing"].artifacts
    settings = environments["new"].model_copy(update={"artifacts": retained})
    stacks = add_environment(new_app(), settings, packaged())
    resources = Template.from_stack(stacks.artifacts).to_json()["Resources"]

    deletion = {
        resource["Properties"]["LogGroupName"]: resource["DeletionPolicy"]
        for resource in resources.values()
        if resource["Type"] == "AWS::Logs::LogGroup"
    }
    assert deletion == {
        "/aws/sagemaker/Endpoints/forecast-new": "RetainExceptOnCreate",
        "/aws/vpc/flow-logs/forecast-new": "Delete",
    }


def test_the_model_is_put_into_the_network_that_exists_before_it(
    resources: Callable[..., list[dict[str, Any]]],
    template: Callable[[str], dict[str, Any]],
    synthesized: Callable[[str], Any],
) -> None:
    (model,) = resources("ForecastNew", "SageMaker::Model")
    exported = {
        output["Export"]["Name"]: template(NETWORK)["Resources"][output["Value"]["Fn::GetAtt"][0]]
        for output in template(NETWORK)["Outputs"].values()
        if "Export" in output
    }

    def kinds(references: list[dict[str, Any]]) -> list[str]:
        return [exported[reference["Fn::ImportValue"]]["Type"] for reference in references]

    placed = model["Properties"]["VpcConfig"]
    assert kinds(placed["Subnets"]) == ["AWS::EC2::Subnet"] * 3
    assert kinds(placed["SecurityGroupIds"]) == ["AWS::EC2::SecurityGroup"]
    # The routes and the endpoint of S3 are no part of the placement: the stacks' order makes them.
    artifacts = synthesized("comprehensive").manifest["artifacts"]
    assert NETWORK in artifacts["ForecastNew"]["dependencies"]


def test_nothing_of_the_network_is_deleted_with_the_endpoint(
    template: Callable[[str], dict[str, Any]],
) -> None:
    kinds = {resource["Type"] for resource in template("ForecastNew")["Resources"].values()}

    assert not [kind for kind in kinds if kind.startswith("AWS::EC2::")]


def test_an_existing_network_is_taken_by_its_ids(
    resources: Callable[..., list[dict[str, Any]]],
) -> None:
    (model,) = resources("ForecastExisting", "SageMaker::Model")

    assert model["Properties"]["VpcConfig"] == {
        "SecurityGroupIds": ["sg-0123456789abcdef0"],
        "Subnets": ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"],
    }
    assert resources("ForecastExistingArtifacts", "EC2::VPC") == []


def test_without_a_network_the_model_is_in_no_vpc(
    resources: Callable[..., list[dict[str, Any]]],
) -> None:
    (model,) = resources("ForecastOpen", "SageMaker::Model")

    assert "VpcConfig" not in model["Properties"]
    assert model["Properties"]["EnableNetworkIsolation"] is False
