"""The execution role can serve one endpoint and do nothing else."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3

from forecast_config.settings import EcrImage
from forecast_constructs import ContainerImage, ExecutionRole, Placement

if TYPE_CHECKING:
    from collections.abc import Callable

    from aws_cdk import Stack

STACKS = ("ForecastDev", "ForecastProd", "ForecastExisting", "ForecastNew", "ForecastOpen")

WITHOUT_RESOURCES = {
    "cloudwatch:PutMetricData",
    "ec2:DescribeDhcpOptions",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSubnets",
    "ec2:DescribeVpcs",
    "ecr:GetAuthorizationToken",
}
"""Actions that IAM can bind to no resource (Service Authorization Reference)."""


def _statements(resources: Callable[..., list[dict[str, Any]]], stack: str) -> list[dict[str, Any]]:
    return [
        statement
        for policy in resources(stack, "IAM::ManagedPolicy")
        if "ExecutionRole" in json.dumps(policy["Properties"]["Roles"])
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
    ]


def _actions(statement: dict[str, Any]) -> list[str]:
    actions = statement["Action"]
    return [actions] if isinstance(actions, str) else actions


def _allowing(statements: list[dict[str, Any]], action: str) -> list[dict[str, Any]]:
    return [statement for statement in statements if action in _actions(statement)]


@pytest.mark.parametrize("stack", STACKS)
def test_no_action_is_a_wildcard(
    stack: str, resources: Callable[..., list[dict[str, Any]]]
) -> None:
    for statement in _statements(resources, stack):
        assert statement["Effect"] == "Allow"
        assert not any("*" in action for action in _actions(statement))


@pytest.mark.parametrize("stack", STACKS)
def test_only_what_knows_no_resources_is_allowed_on_all_of_them(
    stack: str, resources: Callable[..., list[dict[str, Any]]]
) -> None:
    everywhere = {
        action
        for statement in _statements(resources, stack)
        if statement["Resource"] == "*"
        for action in _actions(statement)
    }

    assert everywhere <= WITHOUT_RESOURCES


@pytest.mark.parametrize("stack", STACKS)
def test_sagemaker_takes_the_role_on_for_this_account_only(
    stack: str, resources: Callable[..., list[dict[str, Any]]]
) -> None:
    (trust,) = [
        statement
        for role in resources(stack, "IAM::Role")
        for statement in role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
        if statement["Principal"] == {"Service": "sagemaker.amazonaws.com"}
    ]

    assert "aws:SourceAccount" in trust["Condition"]["StringEquals"]
    assert json.dumps(trust["Condition"]["ArnLike"]["aws:SourceArn"]).rstrip('"]}').endswith(":*")


def test_archives_can_be_read_and_nothing_else_in_the_bucket(
    resources: Callable[..., list[dict[str, Any]]],
) -> None:
    statements = _statements(resources, "ForecastProd")
    (read,) = _allowing(statements, "s3:GetObject")
    (listing,) = _allowing(statements, "s3:ListBucket")

    assert read["Resource"]["Fn::Join"][1][-1] == "-ap-southeast-1/models/*"
    assert listing["Condition"] == {"StringLike": {"s3:prefix": "models/*"}}


@pytest.mark.parametrize(("stack", "captures"), [("ForecastProd", 1), ("ForecastDev", 0)])
def test_captures_can_be_written_only_when_there_are_any(
    stack: str, captures: int, resources: Callable[..., list[dict[str, Any]]]
) -> None:
    statements = _statements(resources, stack)

    assert len(_allowing(statements, "s3:PutObject")) == captures
    assert len(_allowing(statements, "kms:GenerateDataKey")) == captures
    for statement in _allowing(statements, "s3:PutObject"):
        assert statement["Resource"]["Fn::Join"][1][-1] == "-ap-southeast-1/data-capture/*"


def test_volume_grants_are_for_aws_resources_and_only_for_types_whose_volumes_take_a_key(
    resources: Callable[..., list[dict[str, Any]]],
) -> None:
    (grant,) = _allowing(_statements(resources, "ForecastProd"), "kms:CreateGrant")
    assert grant["Condition"] == {"Bool": {"kms:GrantIsForAWSResource": "true"}}

    assert _allowing(_statements(resources, "ForecastNew"), "kms:CreateGrant") == []


@pytest.mark.parametrize(
    ("stack", "actions"),
    [("ForecastDev", 0), ("ForecastExisting", 9), ("ForecastNew", 9)],
)
def test_network_interfaces_are_allowed_only_in_a_vpc(
    stack: str, actions: int, resources: Callable[..., list[dict[str, Any]]]
) -> None:
    ec2 = [
        action
        for statement in _statements(resources, stack)
        for action in _actions(statement)
        if action.startswith("ec2:")
    ]

    assert len(ec2) == actions


def test_the_role_watches_the_rollback_alarms_by_their_names(
    resources: Callable[..., list[dict[str, Any]]],
) -> None:
    (statement,) = _allowing(_statements(resources, "ForecastProd"), "cloudwatch:DescribeAlarms")
    (endpoint,) = resources("ForecastProd", "SageMaker::Endpoint")
    rollback = endpoint["Properties"]["DeploymentConfig"]["AutoRollbackConfiguration"]["Alarms"]
    watched = statement["Resource"]

    assert {
        arn["Fn::Join"][1][-1] for arn in (watched if isinstance(watched, list) else [watched])
    } == {f":alarm:{alarm['AlarmName']}" for alarm in rollback}


def _policies(
    stack: Stack, rendered: Callable[[Stack], dict[str, Any]]
) -> list[list[dict[str, Any]]]:
    """The statements of each policy in the stack."""
    policies = [
        resource["Properties"]
        for resource in rendered(stack).values()
        if resource["Type"] == "AWS::IAM::ManagedPolicy"
    ]
    assert not [policy for policy in policies if "ManagedPolicyName" in policy]
    return [policy["PolicyDocument"]["Statement"] for policy in policies]


def test_an_asynchronous_endpoint_reads_requests_and_writes_answers_and_nothing_else(
    stack: Stack, rendered: Callable[[Stack], dict[str, Any]]
) -> None:
    role = ExecutionRole(stack, "ExecutionRole", endpoint_name="shop")
    bucket = s3.Bucket.from_bucket_name(stack, "Bucket", "shop-artifacts")
    topic = "arn:aws:sns:eu-central-1:111111111111:shop-async"
    role.grant_write_async(bucket, kms.Key(stack, "Key"), [topic])
    (statements,) = _policies(stack, rendered)

    def resources_of(action: str) -> Any:
        (statement,) = _allowing(statements, action)
        return statement["Resource"]

    prefix = "arn:aws:s3:::shop-artifacts"
    assert resources_of("s3:GetObject") == f"{prefix}/async/requests/*"
    assert resources_of("s3:PutObject") == [
        f"{prefix}/async/answers/*",
        f"{prefix}/async/failures/*",
    ]
    assert resources_of("sns:Publish") == topic
    (listing,) = _allowing(statements, "s3:ListBucket")
    assert listing["Condition"] == {"StringLike": {"s3:prefix": "async/*"}}


def test_an_image_that_champion_and_challenger_share_is_granted_once(
    stack: Stack, rendered: Callable[[Stack], dict[str, Any]]
) -> None:
    role = ExecutionRole(stack, "ExecutionRole", endpoint_name="shop")
    prefix = "222222222222.dkr.ecr.eu-central-1.amazonaws.com"
    for name in ("shop:1", "shop:2", "other:1"):
        settings = EcrImage(kind="ecr", uri=f"{prefix}/{name}")
        role.grant_pull(ContainerImage.from_settings(stack, settings))
    (statements,) = _policies(stack, rendered)

    (pull,) = _allowing(statements, "ecr:BatchGetImage")
    assert [arn.rpartition("/")[2] for arn in pull["Resource"]] == ["other", "shop"]
    assert len(_allowing(statements, "ecr:GetAuthorizationToken")) == 1


def test_the_policies_of_the_largest_environment_are_such_as_iam_takes(
    stack: Stack, rendered: Callable[[Stack], dict[str, Any]]
) -> None:
    name = "n" * 63
    role = ExecutionRole(stack, "ExecutionRole", endpoint_name=name)
    bucket = s3.Bucket.from_bucket_name(stack, "Bucket", "b" * 63)
    key = kms.Key.from_key_arn(
        stack, "Key", f"arn:aws-us-gov:kms:us-gov-west-1:111111111111:key/mrk-{'0' * 32}"
    )
    for repository in ("a" * 200, "b" * 200):
        uri = f"222222222222.dkr.ecr.eu-central-1.amazonaws.com/{repository}:1"
        role.grant_pull(ContainerImage.from_settings(stack, EcrImage(kind="ecr", uri=uri)))
    role.grant_read_model(bucket, key)
    role.grant_write_captures(bucket, key)
    role.grant_encrypt_volumes(key)
    role.grant_write_logs(f"/aws/sagemaker/Endpoints/{name}")
    role.grant_describe_alarms([f"{number:0200}" for number in range(10)])
    subnets = tuple(f"subnet-{number:017x}" for number in range(16))
    role.grant_join(Placement(subnets, tuple(f"sg-{number:017x}" for number in range(5))))

    policies = _policies(stack, rendered)
    assert len(policies) == 2
    for statements in policies:
        document = json.dumps(statements, separators=(",", ":"))
        assert len(document.replace('{"Ref":"AWS::AccountId"}', "111111111111")) < 6144


def test_the_model_waits_for_all_permissions_of_its_role(
    resources: Callable[..., list[dict[str, Any]]], template: Callable[[str], dict[str, Any]]
) -> None:
    (model,) = resources("ForecastExisting", "SageMaker::Model")
    depends_on = set(model["DependsOn"])
    for logical_id in [*depends_on]:
        depends_on |= set(
            template("ForecastExisting")["Resources"][logical_id].get("DependsOn", ())
        )

    policies = {
        logical_id
        for logical_id, resource in template("ForecastExisting")["Resources"].items()
        if resource["Type"] == "AWS::IAM::ManagedPolicy" and "ExecutionRole" in logical_id
    }
    assert len(policies) == 2
    assert policies <= depends_on


def test_instance_metrics_are_bound_to_their_namespace(
    resources: Callable[..., list[dict[str, Any]]],
) -> None:
    (statement,) = _allowing(_statements(resources, "ForecastProd"), "cloudwatch:PutMetricData")

    assert statement["Condition"] == {
        "StringEquals": {"cloudwatch:namespace": "/aws/sagemaker/Endpoints"}
    }


def test_only_the_serving_image_can_be_pulled(
    resources: Callable[..., list[dict[str, Any]]],
) -> None:
    (statement,) = _allowing(_statements(resources, "ForecastProd"), "ecr:BatchGetImage")

    assert statement["Resource"] == (
        "arn:aws:ecr:ap-southeast-1:121021644041:repository/sagemaker-xgboost"
    )
