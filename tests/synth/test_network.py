"""The new network leads to S3 and nowhere else."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

NETWORK = "ForecastNew"


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
    resources: Callable[..., list[dict[str, Any]]],
) -> None:
    (endpoint,) = resources(NETWORK, "EC2::VPCEndpoint")
    (statement,) = endpoint["Properties"]["PolicyDocument"]["Statement"]

    assert endpoint["Properties"]["VpcEndpointType"] == "Gateway"
    assert endpoint["Properties"]["ServiceName"] == "com.amazonaws.us-gov-west-1.s3"
    assert all("forecast-new-artifacts-" in json.dumps(arn) for arn in statement["Resource"])


def test_all_traffic_is_logged(resources: Callable[..., list[dict[str, Any]]]) -> None:
    (flow_log,) = resources(NETWORK, "EC2::FlowLog")
    (group,) = resources(NETWORK, "Logs::LogGroup")

    assert flow_log["Properties"]["TrafficType"] == "ALL"
    assert flow_log["Properties"]["LogGroupName"] == group["Properties"]["LogGroupName"]
    assert "KmsKeyId" in group["Properties"]


def test_the_model_waits_until_s3_can_be_reached(
    resources: Callable[..., list[dict[str, Any]]], template: Callable[[str], dict[str, Any]]
) -> None:
    (model,) = resources(NETWORK, "SageMaker::Model")
    kinds = [template(NETWORK)["Resources"][name]["Type"] for name in model["DependsOn"]]

    assert kinds.count("AWS::EC2::SubnetRouteTableAssociation") == 3
    assert "AWS::EC2::VPCEndpoint" in kinds
    assert "AWS::IAM::Policy" in kinds


def test_an_existing_network_is_taken_by_its_ids(
    resources: Callable[..., list[dict[str, Any]]],
) -> None:
    (model,) = resources("ForecastExisting", "SageMaker::Model")

    assert model["Properties"]["VpcConfig"] == {
        "SecurityGroupIds": ["sg-0123456789abcdef0"],
        "Subnets": ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"],
    }
    assert resources("ForecastExisting", "EC2::VPC") == []


def test_without_a_network_the_model_is_in_no_vpc(
    resources: Callable[..., list[dict[str, Any]]],
) -> None:
    (model,) = resources("ForecastOpen", "SageMaker::Model")

    assert "VpcConfig" not in model["Properties"]
    assert model["Properties"]["EnableNetworkIsolation"] is False
