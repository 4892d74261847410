"""Permissions, keys and transport in every template: narrow, encrypted, over TLS."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

Templates = dict[str, dict[str, Any]]

WITHOUT_RESOURCES = {
    # Of the execution role and of functions in a VPC.
    "cloudwatch:PutMetricData",
    "ec2:DescribeDhcpOptions",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSubnets",
    "ec2:DescribeVpcs",
    "ecr:GetAuthorizationToken",
    # Of the chat client, which shows an alarm's graph.
    "cloudwatch:DescribeAlarmHistory",
    "cloudwatch:DescribeAlarms",
    "cloudwatch:GetMetricData",
    "cloudwatch:GetMetricStatistics",
    "cloudwatch:ListMetrics",
    # Of a state machine that logs and is traced.
    "logs:CreateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:DescribeLogGroups",
    "logs:DescribeResourcePolicies",
    "logs:GetLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:UpdateLogDelivery",
    "xray:GetSamplingRules",
    "xray:GetSamplingTargets",
    "xray:PutTelemetryRecords",
    "xray:PutTraceSegments",
}
"""Actions that IAM cannot bind to the resource meant (Service Authorization Reference)."""

MANAGED_POLICY_LIMIT = 6144
"""Characters of a customer managed policy, white space aside (IAM user guide, quotas)."""

LONGEST_REFERENCE = 60
"""Characters that stand for a reference: longer than a role's id, a key's or a security group's."""


def _resources(templates: Templates, *kinds: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for stack, template in templates.items():
        for logical_id, resource in template["Resources"].items():
            if resource["Type"].removeprefix("AWS::") in kinds:
                yield f"{stack}/{logical_id}", resource.get("Properties", {})


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _allowed(templates: Templates) -> Iterator[tuple[str, dict[str, Any], list[str]]]:
    for name, policy in _resources(templates, "IAM::ManagedPolicy"):
        for statement in policy["PolicyDocument"]["Statement"]:
            if statement["Effect"] == "Allow":
                yield name, statement, _list(statement["Action"])


def _key_policies(templates: Templates) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    for name, key in _resources(templates, "KMS::Key"):
        yield name.partition("Artifacts/")[0], key["KeyPolicy"]["Statement"]


def test_no_policy_is_inline_or_aws_own(all_templates: Templates) -> None:
    roles = list(_resources(all_templates, "IAM::Role"))

    assert roles
    assert not list(_resources(all_templates, "IAM::Policy", "IAM::RolePolicy"))
    for name, role in roles:
        assert not {"Policies", "ManagedPolicyArns"} & role.keys(), name


def test_no_action_is_a_wildcard(all_templates: Templates) -> None:
    for name, statement, actions in _allowed(all_templates):
        assert "NotAction" not in statement, name
        assert not [action for action in actions if "*" in action], name


def test_only_what_knows_no_resources_is_allowed_on_all_of_them(all_templates: Templates) -> None:
    for name, statement, actions in _allowed(all_templates):
        if "*" in _list(statement["Resource"]):
            assert set(actions) <= WITHOUT_RESOURCES, name


def test_a_role_is_taken_on_by_one_service_for_this_account_only(all_templates: Templates) -> None:
    for name, role in _resources(all_templates, "IAM::Role"):
        (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
        service = statement["Principal"]["Service"]
        assert isinstance(service, str), name
        # AWS Lambda takes a function's role on without naming a source.
        if service != "lambda.amazonaws.com":
            condition = statement["Condition"]
            assert "aws:SourceAccount" in condition["StringEquals"], name
            assert any("aws:SourceArn" in keys for keys in condition.values()), name


def test_a_role_is_passed_to_one_service_by_its_name_only(all_templates: Templates) -> None:
    for name, statement, actions in _allowed(all_templates):
        if "iam:PassRole" in actions:
            assert actions == ["iam:PassRole"], name
            assert "*" not in json.dumps(statement["Resource"]), name
            assert "iam:PassedToService" in statement["Condition"]["StringEquals"], name


def test_no_policy_is_longer_than_iam_takes(all_templates: Templates) -> None:
    for name, policy in _resources(all_templates, "IAM::ManagedPolicy"):
        document = json.dumps(policy["PolicyDocument"], separators=(",", ":"))
        assert len(document) < MANAGED_POLICY_LIMIT - LONGEST_REFERENCE, name


def test_everyone_is_only_ever_refused(all_templates: Templates) -> None:
    kinds = ("S3::BucketPolicy", "SNS::TopicPolicy", "SQS::QueuePolicy")
    for name, policy in _resources(all_templates, *kinds):
        for statement in policy["PolicyDocument"]["Statement"]:
            if statement["Principal"] in ("*", {"AWS": "*"}):
                assert statement["Effect"] == "Deny", name
            if statement["Effect"] == "Allow":
                assert not [a for a in _list(statement["Action"]) if "*" in a], name


@pytest.mark.parametrize(
    ("kind", "policy", "names", "action"),
    [
        ("S3::Bucket", "S3::BucketPolicy", "Bucket", "s3:*"),
        ("SNS::Topic", "SNS::TopicPolicy", "Topics", "sns:Publish"),
        ("SQS::Queue", "SQS::QueuePolicy", "Queues", "sqs:*"),
    ],
)
def test_it_is_reached_over_tls_only(
    kind: str, policy: str, names: str, action: str, all_templates: Templates
) -> None:
    guarded = set()
    for name, properties in _resources(all_templates, policy):
        for statement in properties["PolicyDocument"]["Statement"]:
            if (
                statement["Effect"] == "Deny"
                and statement["Action"] == action
                and statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
            ):
                stack = name.partition("/")[0]
                guarded |= {f"{stack}/{reference['Ref']}" for reference in _list(properties[names])}

    assert guarded
    assert {name for name, _ in _resources(all_templates, kind)} == guarded


def test_everything_at_rest_is_encrypted_with_the_key(all_templates: Templates) -> None:
    keys = {
        "Logs::LogGroup": "KmsKeyId",
        "SNS::Topic": "KmsMasterKeyId",
        "SQS::Queue": "KmsMasterKeyId",
    }
    for kind, key in keys.items():
        found = list(_resources(all_templates, kind))
        assert found
        assert not [name for name, properties in found if key not in properties]
    for name, function in _resources(all_templates, "Lambda::Function"):
        assert "KmsKeyArn" in function or not function.get("Environment"), name


def test_what_sagemaker_writes_is_encrypted_with_the_key(all_templates: Templates) -> None:
    for name, config in _resources(all_templates, "SageMaker::EndpointConfig"):
        if "DataCaptureConfig" in config:
            assert "KmsKeyId" in config["DataCaptureConfig"], name
        if "AsyncInferenceConfig" in config:
            assert "KmsKeyId" in config["AsyncInferenceConfig"]["OutputConfig"], name


def test_every_key_rotates(all_templates: Templates) -> None:
    for name, key in _resources(all_templates, "KMS::Key"):
        assert key["EnableKeyRotation"] is True, name


def test_logs_are_kept_for_a_time(all_templates: Templates) -> None:
    for name, group in _resources(all_templates, "Logs::LogGroup"):
        assert group["RetentionInDays"] > 0, name


def test_the_key_admits_every_log_group_of_its_environment(all_templates: Templates) -> None:
    for environment, statements in _key_policies(all_templates):
        (statement,) = [one for one in statements if one.get("Sid") == "CloudWatchLogs"]
        admitted = json.dumps(statement["Condition"])
        templates = {
            stack: template
            for stack, template in all_templates.items()
            if stack in (environment, f"{environment}Artifacts")
        }
        groups = {group["LogGroupName"] for _, group in _resources(templates, "Logs::LogGroup")}
        assert groups
        assert not [name for name in groups if f":log-group:{name}" not in admitted]
        assert admitted.count(":log-group:") == len(groups), environment


def test_the_key_admits_every_service_that_publishes_to_a_topic(all_templates: Templates) -> None:
    for environment, statements in _key_policies(all_templates):
        admitted = {
            statement["Principal"].get("Service")
            for statement in statements
            if isinstance(statement["Principal"], dict)
            and isinstance(statement["Principal"].get("Service"), str)
        }
        templates = {environment: all_templates[environment]}
        publishers = {
            statement["Principal"]["Service"]
            for kind in ("SNS::TopicPolicy", "SQS::QueuePolicy")
            for _, policy in _resources(templates, kind)
            for statement in policy["PolicyDocument"]["Statement"]
            if statement["Effect"] == "Allow" and "Service" in statement["Principal"]
        }
        assert publishers <= admitted, environment


def test_the_key_admits_services_for_this_account_only(all_templates: Templates) -> None:
    for environment, statements in _key_policies(all_templates):
        for statement in statements:
            service = "Service" in statement["Principal"]
            if service and statement["Sid"] != "CloudWatchLogs":
                condition = statement["Condition"]
                assert "aws:SourceAccount" in condition["StringEquals"], environment
                assert "aws:SourceArn" in condition["ArnLike"], environment
