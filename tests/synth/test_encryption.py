"""The key admits who must use it, for this environment, and nobody else."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from aws_cdk.assertions import Template

from forecast_config import load_config
from forecast_config.settings import Budget
from forecast_stacks import ForecastArtifactsStack

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def _statements(policy: dict[str, Any], principal: str) -> list[dict[str, Any]]:
    found = [
        statement
        for statement in policy["Statement"]
        if principal in json.dumps(statement["Principal"])
    ]
    assert all(statement["Effect"] == "Allow" for statement in found)
    return found


def test_a_new_key_rotates(resources: Callable[..., list[dict[str, Any]]]) -> None:
    (key,) = resources("ForecastNewArtifacts", "KMS::Key")

    assert key["Properties"]["EnableKeyRotation"] is True
    assert key["Properties"]["RotationPeriodInDays"] == 90


def _log_groups(
    resources: Callable[..., list[dict[str, Any]]], stack: str, region: str
) -> set[str]:
    (key,) = resources(stack, "KMS::Key")
    (statement,) = _statements(key["Properties"]["KeyPolicy"], f"logs.{region}.")
    arns = statement["Condition"]["ArnEquals"]["kms:EncryptionContext:aws:logs:arn"]
    return {
        arn["Fn::Join"][1][-1].removeprefix(":log-group:")
        for arn in (arns if isinstance(arns, list) else [arns])
    }


def test_the_key_admits_the_log_groups_of_the_environment_and_no_other(
    resources: Callable[..., list[dict[str, Any]]],
) -> None:
    assert _log_groups(resources, "ForecastProdArtifacts", "ap-southeast-1") == {
        "/aws/lambda/produce-forecast-prod-heartbeat",
        "/aws/sagemaker/Endpoints/produce-forecast-prod",
        "/aws/vpc/flow-logs/produce-forecast-prod",
    }


def test_the_key_admits_the_logs_of_the_off_hours_only_where_there_are_any(
    resources: Callable[..., list[dict[str, Any]]],
) -> None:
    group = "/aws/vendedlogs/states/forecast-open-off-hours"

    assert group in _log_groups(resources, "ForecastOpenArtifacts", "cn-north-1")
    assert not [
        name
        for name in _log_groups(resources, "ForecastNewArtifacts", "us-gov-west-1")
        if "off-hours" in name
    ]


def test_the_key_admits_budgets_where_there_is_one(
    new_app: Callable[..., Any],
    samples: dict[str, Path],
    resources: Callable[..., list[dict[str, Any]]],
) -> None:
    settings = load_config(samples["comprehensive"]).environments["new"]
    alarms = settings.alarms.model_copy(update={"budget": Budget(monthly_usd=100)})
    stack = ForecastArtifactsStack(new_app(), settings.model_copy(update={"alarms": alarms}))
    (key,) = Template.from_stack(stack).find_resources("AWS::KMS::Key").values()
    (statement,) = _statements(key["Properties"]["KeyPolicy"], "budgets.amazonaws.com")

    assert statement["Action"] == ["kms:Decrypt", "kms:GenerateDataKey"]
    account = {"Ref": "AWS::AccountId"}
    source = {"Fn::Join": ["", ["arn:aws-us-gov:budgets::", account, ":*"]]}
    assert statement["Condition"] == {
        "StringEquals": {"aws:SourceAccount": account},
        "ArnLike": {"aws:SourceArn": source},
    }
    (without,) = resources("ForecastNewArtifacts", "KMS::Key")
    assert "budgets" not in json.dumps(without)


def test_the_key_admits_the_endpoints_alarms_and_no_other(
    resources: Callable[..., list[dict[str, Any]]],
) -> None:
    (key,) = resources("ForecastProdArtifacts", "KMS::Key")
    (statement,) = _statements(key["Properties"]["KeyPolicy"], "cloudwatch.amazonaws.com")

    assert statement["Action"] == ["kms:Decrypt", "kms:GenerateDataKey"]
    account = {"Ref": "AWS::AccountId"}
    alarms = [
        "arn:aws:cloudwatch:ap-southeast-1:",
        account,
        ":alarm:produce-forecast-prod-*",
    ]
    assert statement["Condition"] == {
        "StringEquals": {"aws:SourceAccount": account},
        "ArnLike": {"aws:SourceArn": {"Fn::Join": ["", alarms]}},
    }


def test_the_cdk_uses_the_key_by_way_of_s3_only(
    resources: Callable[..., list[dict[str, Any]]],
) -> None:
    (key,) = resources("ForecastProdArtifacts", "KMS::Key")
    statements = _statements(key["Properties"]["KeyPolicy"], "role/cdk-hnb659fds-")

    assert [statement["Action"] for statement in statements] == [
        ["kms:Decrypt", "kms:GenerateDataKey"],
        "kms:Decrypt",
    ]
    for statement in statements:
        assert statement["Condition"]["StringEquals"]["kms:ViaService"] == [
            "s3.ap-southeast-1.amazonaws.com",
            {"Fn::Join": ["", ["s3.ap-southeast-1.", {"Ref": "AWS::URLSuffix"}]]},
        ]
