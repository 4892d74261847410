"""The new network leads to S3 and to what functions ask, and outlives the endpoint."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from aws_cdk.assertions import Template

from forecast_config import load_config
from forecast_stacks import ForecastArtifactsStack

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


def _security_group(
    resources: Callable[..., list[dict[str, Any]]], description: str
) -> dict[str, Any]:
    (group,) = [
        group["Properties"]
        for group in resources(NETWORK, "EC2::SecurityGroup")
        if group["Properties"]["GroupDescription"].startswith(description)
    ]
    return group


def _endpoint(resources: Callable[..., list[dict[str, Any]]], kind: str) -> dict[str, Any]:
    (endpoint,) = [
        endpoint["Properties"]
        for endpoint in resources(NETWORK, "EC2::VPCEndpoint")
        if endpoint["Properties"]["VpcEndpointType"] == kind
    ]
    return endpoint


@pytest.mark.parametrize("members", ["Containers", "Functions"])
def test_only_https_leaves_and_nothing_comes_in(
    members: str, resources: Callable[..., list[dict[str, Any]]]
) -> None:
    group = _security_group(resources, members)
    (egress,) = group["SecurityGroupEgress"]

    assert "SecurityGroupIngress" not in group
    assert (egress["IpProtocol"], egress["FromPort"], egress["ToPort"]) == ("tcp", 443, 443)


def test_functions_reach_the_interface_endpoints_and_not_s3(
    resources: Callable[..., list[dict[str, Any]]],
) -> None:
    (egress,) = _security_group(resources, "Functions")["SecurityGroupEgress"]
    (ingress,) = resources(NETWORK, "EC2::SecurityGroupIngress")

    assert "CidrIp" not in egress
    assert [egress["DestinationSecurityGroupId"]] == _endpoint(resources, "Interface")[
        "SecurityGroupIds"
    ]
    assert ingress["Properties"]["GroupId"] == egress["DestinationSecurityGroupId"]
    assert "FunctionGroup" in json.dumps(ingress["Properties"]["SourceSecurityGroupId"])


def test_nothing_leaves_the_interface_endpoints(
    resources: Callable[..., list[dict[str, Any]]],
) -> None:
    (egress,) = _security_group(resources, "Interface endpoints")["SecurityGroupEgress"]

    assert (egress["IpProtocol"], egress["CidrIp"]) == ("icmp", "255.255.255.255/32")


def test_functions_may_ask_this_endpoint_only(
    resources: Callable[..., list[dict[str, Any]]],
) -> None:
    endpoint = _endpoint(resources, "Interface")
    (statement,) = endpoint["PolicyDocument"]["Statement"]

    assert endpoint["ServiceName"] == "com.amazonaws.us-gov-west-1.sagemaker.runtime"
    assert endpoint["PrivateDnsEnabled"] is True
    assert len(endpoint["SubnetIds"]) == 3
    assert statement["Action"] == ["sagemaker:InvokeEndpoint"]
    (resource,) = statement["Resource"]
    assert resource["Fn::Join"][1][-1] == ":endpoint/forecast-new"
    assert statement["Condition"] == {
        "StringEquals": {"aws:PrincipalAccount": {"Ref": "AWS::AccountId"}}
    }


def test_an_endpoint_with_capitals_may_be_asked_by_the_name_that_sagemaker_writes_into_its_arn(
    new_app: Callable[..., Any], samples: dict[str, Path]
) -> None:
    settings = load_config(samples["comprehensive"]).environments["new"]
    endpoint = settings.endpoint.model_copy(update={"name": "Forecast-New"})
    stack = ForecastArtifactsStack(new_app(), settings.model_copy(update={"endpoint": endpoint}))
    resources = Template.from_stack(stack).to_json()["Resources"]

    asked = [
        arn["Fn::Join"][1][-1]
        for resource in resources.values()
        if resource["Properties"].get("VpcEndpointType") == "Interface"
        for arn in resource["Properties"]["PolicyDocument"]["Statement"][0]["Resource"]
    ]
    assert asked == [":endpoint/Forecast-New", ":endpoint/forecast-new"]


def test_without_a_heartbeat_no_interface_endpoint_is_paid_for(
    new_app: Callable[..., Any], samples: dict[str, Path]
) -> None:
    settings = load_config(samples["comprehensive"]).environments["new"]
    alarms = settings.alarms.model_copy(update={"endpoint_down": None})
    stack = ForecastArtifactsStack(new_app(), settings.model_copy(update={"alarms": alarms}))
    kinds = [
        resource["Properties"].get("VpcEndpointType")
        for resource in Template.from_stack(stack).to_json()["Resources"].values()
        if resource["Type"] == "AWS::EC2::VPCEndpoint"
    ]

    assert kinds == ["Gateway"]
    assert stack.function_placement is None


def test_a_partition_has_its_own_names_of_services(
    new_app: Callable[..., Any], samples: dict[str, Path]
) -> None:
    settings = load_config(samples["comprehensive"]).environments["new"]
    china = settings.model_copy(update={"region": "cn-north-1"})
    template = Template.from_stack(ForecastArtifactsStack(new_app(), china)).to_json()

    assert {
        resource["Properties"]["ServiceName"]
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::EC2::VPCEndpoint"
    } == {"com.amazonaws.cn-north-1.s3", "cn.com.amazonaws.cn-north-1.sagemaker.runtime"}


def test_a_flow_log_is_delivered_for_this_account_only(
    resources: Callable[..., list[dict[str, Any]]],
) -> None:
    (role,) = resources(NETWORK, "IAM::Role")
    (statement,) = role["Properties"]["AssumeRolePolicyDocument"]["Statement"]

    account = {"Ref": "AWS::AccountId"}
    source = ["arn:aws-us-gov:ec2:us-gov-west-1:", account, ":vpc-flow-log/*"]
    assert statement["Condition"] == {
        "StringEquals": {"aws:SourceAccount": account},
        "ArnLike": {"aws:SourceArn": {"Fn::Join": ["", source]}},
    }


def test_s3_is_reached_for_the_artifact_bucket_only(
    resources: Callable[..., list[dict[str, Any]]], template: Callable[[str], dict[str, Any]]
) -> None:
    endpoint = _endpoint(resources, "Gateway")
    (statement,) = endpoint["PolicyDocument"]["Statement"]

    assert endpoint["ServiceName"] == "com.amazonaws.us-gov-west-1.s3"
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
    new_app: Callable[..., Any], samples: dict[str, Path]
) -> None:
    environments = load_config(samples["comprehensive"]).environments
    retained = environments["existing"].artifacts
    settings = environments["new"].model_copy(update={"artifacts": retained})
    stack = ForecastArtifactsStack(new_app(), settings)
    resources = Template.from_stack(stack).to_json()["Resources"]

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
