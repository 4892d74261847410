"""The execution role can serve one endpoint and do nothing else."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

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
    (policy,) = [
        policy
        for policy in resources(stack, "IAM::Policy")
        if "ExecutionRole" in policy["Properties"]["PolicyName"]
    ]
    found: list[dict[str, Any]] = policy["Properties"]["PolicyDocument"]["Statement"]
    return found


def _actions(statement: dict[str, Any]) -> list[str]:
    actions = statement["Action"]
    return [actions] if isinstance(actions, str) else actions


def _allowing(statements: list[dict[str, Any]], action: str) -> list[dict[str, Any]]:
    return [statement for statement in statements if action in _actions(statement)]


@pytest.mark.parametrize("stack", STACKS)
def test_no_action_is_a_wildcard_and_no_policy_is_aws_own(
    stack: str, resources: Callable[..., list[dict[str, Any]]]
) -> None:
    for statement in _statements(resources, stack):
        assert statement["Effect"] == "Allow"
        assert not any("*" in action for action in _actions(statement))
    for role in resources(stack, "IAM::Role"):
        assert "ManagedPolicyArns" not in role["Properties"]


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
    [("ForecastProd", 0), ("ForecastExisting", 9), ("ForecastNew", 9)],
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


def test_the_role_watches_the_rollback_alarm_by_its_name(
    resources: Callable[..., list[dict[str, Any]]],
) -> None:
    (statement,) = _allowing(_statements(resources, "ForecastProd"), "cloudwatch:DescribeAlarms")

    assert statement["Resource"]["Fn::Join"][1][-1] == (
        ":alarm:produce-forecast-prod-rollback-errors"
    )


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
