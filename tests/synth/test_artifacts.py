"""The stateful stack keeps what is live, encrypted and out of reach."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

ARTIFACTS = (
    "ForecastDevArtifacts",
    "ForecastProdArtifacts",
    "ForecastExistingArtifacts",
    "ForecastNewArtifacts",
)


def _artifact_bucket(resources: Callable[..., list[dict[str, Any]]], stack: str) -> dict[str, Any]:
    buckets = resources(stack, "S3::Bucket")
    (bucket,) = [bucket for bucket in buckets if "BucketName" in bucket["Properties"]]
    return bucket


def _access_log_bucket(
    resources: Callable[..., list[dict[str, Any]]], stack: str
) -> dict[str, Any]:
    buckets = resources(stack, "S3::Bucket")
    (bucket,) = [bucket for bucket in buckets if "BucketName" not in bucket["Properties"]]
    return bucket


def _statements(policy: dict[str, Any], principal: str) -> list[dict[str, Any]]:
    found = [
        statement
        for statement in policy["Statement"]
        if principal in json.dumps(statement["Principal"])
    ]
    assert all(statement["Effect"] == "Allow" for statement in found)
    return found


@pytest.mark.parametrize("stack", ARTIFACTS)
def test_no_rule_expires_a_live_archive(
    stack: str, resources: Callable[..., list[dict[str, Any]]]
) -> None:
    rules = _artifact_bucket(resources, stack)["Properties"]["LifecycleConfiguration"]["Rules"]

    for rule in rules:
        if {"ExpirationInDays", "ExpirationDate", "Transitions"} & rule.keys():
            assert rule["Prefix"] in ("async/", "data-capture/")


def test_captured_requests_are_really_gone_after_their_retention(
    resources: Callable[..., list[dict[str, Any]]],
) -> None:
    rules = _artifact_bucket(resources, "ForecastExistingArtifacts")["Properties"][
        "LifecycleConfiguration"
    ]["Rules"]
    (rule,) = [rule for rule in rules if rule.get("Prefix") == "data-capture/"]

    assert rule["ExpirationInDays"] == 14
    assert rule["NoncurrentVersionExpiration"] == {"NoncurrentDays": 1}


def test_captures_left_from_before_still_expire_when_capture_is_off(
    resources: Callable[..., list[dict[str, Any]]],
) -> None:
    rules = _artifact_bucket(resources, "ForecastDevArtifacts")["Properties"][
        "LifecycleConfiguration"
    ]["Rules"]

    assert any(
        rule.get("Prefix") == "data-capture/" and rule["ExpirationInDays"] == 30 for rule in rules
    )


@pytest.mark.parametrize("stack", ARTIFACTS)
def test_asynchronous_answers_expire_even_when_the_endpoint_gives_none_any_longer(
    stack: str, resources: Callable[..., list[dict[str, Any]]]
) -> None:
    rules = _artifact_bucket(resources, stack)["Properties"]["LifecycleConfiguration"]["Rules"]
    (rule,) = [rule for rule in rules if rule.get("Prefix") == "async/"]

    assert rule["ExpirationInDays"] == 7
    assert rule["NoncurrentVersionExpiration"] == {"NoncurrentDays": 1}


def test_what_is_overwritten_can_be_brought_back_for_the_days_configured(
    resources: Callable[..., list[dict[str, Any]]],
) -> None:
    properties = _artifact_bucket(resources, "ForecastExistingArtifacts")["Properties"]
    (rule,) = [
        rule
        for rule in properties["LifecycleConfiguration"]["Rules"]
        if rule["Id"] == "expire-noncurrent-versions"
    ]

    assert properties["VersioningConfiguration"] == {"Status": "Enabled"}
    assert rule["NoncurrentVersionExpiration"] == {"NoncurrentDays": 30}
    assert "ExpirationInDays" not in rule


@pytest.mark.parametrize("stack", ARTIFACTS)
def test_both_buckets_are_private_and_reached_over_tls_only(
    stack: str, resources: Callable[..., list[dict[str, Any]]]
) -> None:
    for bucket in resources(stack, "S3::Bucket"):
        assert set(bucket["Properties"]["PublicAccessBlockConfiguration"].values()) == {True}
        (ownership,) = bucket["Properties"]["OwnershipControls"]["Rules"]
        assert ownership == {"ObjectOwnership": "BucketOwnerEnforced"}

    policies = resources(stack, "S3::BucketPolicy")
    assert len(policies) == 2
    for policy in policies:
        denied = [
            statement["Condition"]
            for statement in policy["Properties"]["PolicyDocument"]["Statement"]
            if statement["Effect"] == "Deny"
        ]
        assert {"Bool": {"aws:SecureTransport": "false"}} in denied
        assert {"NumericLessThan": {"s3:TlsVersion": 1.2}} in denied


def test_artifacts_are_encrypted_with_the_key_and_their_access_logs_by_s3(
    resources: Callable[..., list[dict[str, Any]]],
) -> None:
    def rule(bucket: dict[str, Any]) -> dict[str, Any]:
        encryption = bucket["Properties"]["BucketEncryption"]
        (found,) = encryption["ServerSideEncryptionConfiguration"]
        return dict(found)

    artifacts = rule(_artifact_bucket(resources, "ForecastProdArtifacts"))
    logs = rule(_access_log_bucket(resources, "ForecastProdArtifacts"))
    assert artifacts["BucketKeyEnabled"] is True
    assert artifacts["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"
    assert "KMSMasterKeyID" in artifacts["ServerSideEncryptionByDefault"]
    assert logs["ServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}


def test_access_is_logged_for_the_days_configured(
    resources: Callable[..., list[dict[str, Any]]],
) -> None:
    logging = _artifact_bucket(resources, "ForecastExistingArtifacts")["Properties"][
        "LoggingConfiguration"
    ]
    (rule,) = _access_log_bucket(resources, "ForecastExistingArtifacts")["Properties"][
        "LifecycleConfiguration"
    ]["Rules"]

    assert logging["LogFilePrefix"] == "artifacts/"
    assert rule["ExpirationInDays"] == 365
    assert rule["NoncurrentVersionExpiration"] == {"NoncurrentDays": 1}


@pytest.mark.parametrize(
    ("stack", "policies"),
    [
        ("ForecastDevArtifacts", ("Delete", "Delete")),
        # A creation that fails keeps nothing that would be in the way of the next one.
        ("ForecastProdArtifacts", ("RetainExceptOnCreate", "Retain")),
    ],
)
def test_what_outlives_the_stack_is_that_of_the_settings(
    stack: str, policies: tuple[str, str], resources: Callable[..., list[dict[str, Any]]]
) -> None:
    kept = [
        resource
        for kind in ("S3::Bucket", "KMS::Key", "Logs::LogGroup")
        for resource in resources(stack, kind)
        # The network's are given up with it.
        if "flow-logs" not in resource["Properties"].get("LogGroupName", "")
    ]

    assert len(kept) == 4
    assert {(resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) for resource in kept} == {
        policies
    }


def test_an_existing_key_is_used_everywhere_and_none_is_made(
    resources: Callable[..., list[dict[str, Any]]], template: Callable[[str], dict[str, Any]]
) -> None:
    arn = "arn:aws:kms:eu-central-1:111111111111:key/12345678-1234-1234-1234-123456789012"

    assert resources("ForecastExistingArtifacts", "KMS::Key") == []
    assert arn in json.dumps(_artifact_bucket(resources, "ForecastExistingArtifacts"))
    (config,) = resources("ForecastExisting", "SageMaker::EndpointConfig")
    assert config["Properties"]["KmsKeyId"] == arn
    for topic in resources("ForecastExisting", "SNS::Topic"):
        assert topic["Properties"]["KmsMasterKeyId"] == arn
    assert "Fn::ImportValue" not in json.dumps(template("ForecastExisting"))


def test_containers_log_to_an_encrypted_group_that_exists_before_them(
    resources: Callable[..., list[dict[str, Any]]],
) -> None:
    (group,) = [
        group
        for group in resources("ForecastProdArtifacts", "Logs::LogGroup")
        if group["Properties"]["LogGroupName"] == "/aws/sagemaker/Endpoints/produce-forecast-prod"
    ]

    assert group["Properties"]["RetentionInDays"] == 365
    assert "KmsKeyId" in group["Properties"]


def test_the_cdk_may_publish_archives_and_read_templates_and_nothing_else(
    resources: Callable[..., list[dict[str, Any]]],
) -> None:
    (policy,) = [
        policy["Properties"]["PolicyDocument"]
        for policy in resources("ForecastProdArtifacts", "S3::BucketPolicy")
        if "file-publishing-role" in json.dumps(policy)
    ]
    publisher = _statements(policy, "cdk-hnb659fds-file-publishing-role-")
    deployer = _statements(policy, "cdk-hnb659fds-deploy-role-")

    assert [statement["Action"] for statement in publisher] == [
        ["s3:GetBucketLocation", "s3:GetEncryptionConfiguration"],
        "s3:ListBucket",
        ["s3:AbortMultipartUpload", "s3:PutObject"],
    ]
    assert publisher[1]["Condition"] == {"StringLike": {"s3:prefix": "models/*"}}
    assert publisher[2]["Resource"]["Fn::Join"][1][-1] == "/models/*"
    (template_read,) = deployer
    assert template_read["Action"] == "s3:GetObject"
    assert template_read["Resource"]["Fn::Join"][1][-1] == "/models/*.json"
