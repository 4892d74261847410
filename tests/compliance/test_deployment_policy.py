"""What CloudFormation may do in an account is enough for every stack, by AWS's own handlers."""

from __future__ import annotations

import json
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

import pytest
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

if TYPE_CHECKING:
    from pathlib import Path

Templates = dict[str, dict[str, Any]]

LEFT_OUT = {
    "autoscaling:DescribeTags": "a flow log has no group of Amazon EC2 Auto Scaling",
    "elasticfilesystem:DescribeMountTargets": "no function mounts a file system",
    "firehose:TagDeliveryStream": "no log group is of the class that is delivered",
    "iam:AttachGroupPolicy": "policies are attached to roles only",
    "iam:AttachUserPolicy": "policies are attached to roles only",
    "iam:CreateServiceLinkedRole": "an administrator makes the role that scales, once "
    "(docs/real-account.md); whether chats and flow logs ask for theirs is not known",
    "iam:DeleteRolePermissionsBoundary": "no role has a boundary",
    "iam:DeleteRolePolicy": "no role has an inline policy",
    "iam:DetachGroupPolicy": "policies are attached to roles only",
    "iam:DetachUserPolicy": "policies are attached to roles only",
    "iam:GetRolePolicy": "no role has an inline policy",
    "iam:PutRolePermissionsBoundary": "no role has a boundary",
    "iam:PutRolePolicy": "no role has an inline policy",
    "s3files:ListMountTargets": "no function mounts a file system",
    "s3tables:CreateNamespace": "no bucket keeps its metadata in tables",
    "s3tables:CreateTable": "no bucket keeps its metadata in tables",
    "s3tables:CreateTableBucket": "no bucket keeps its metadata in tables",
    "s3tables:GetTable": "no bucket keeps its metadata in tables",
    "s3tables:GetTableMetadataLocation": "no bucket keeps its metadata in tables",
    "s3tables:PutTableBucketPolicy": "no bucket keeps its metadata in tables",
    "s3tables:PutTableEncryption": "no bucket keeps its metadata in tables",
    "s3tables:PutTablePolicy": "no bucket keeps its metadata in tables",
    "s3tables:UpdateTableMetadataLocation": "no bucket keeps its metadata in tables",
    "vpc-lattice:CreateServiceNetworkVpcEndpointAssociation": "no endpoint leads to VPC Lattice",
    "vpc-lattice:DescribeServiceNetworkVpcEndpointAssociation": "no endpoint leads to VPC Lattice",
    "vpce:AllowMultiRegion": "no endpoint leads to another region",
}
"""Permissions of handlers that the policy leaves out, and why."""


@pytest.fixture
def statements(repository: Path) -> list[dict[str, Any]]:
    page = (repository / "docs/security.md").read_text("utf-8")
    block = page.partition("<!-- deployment policy -->\n```json\n")[2].partition("```")[0]
    found: list[dict[str, Any]] = json.loads(block)["Statement"]
    return found


def _asked_by_handlers(templates: Templates) -> set[str]:
    """What the resource schemas say that creating, reading, updating and deleting takes."""
    types = {
        resource["Type"]
        for template in templates.values()
        for resource in template["Resources"].values()
    }
    return {
        permission
        for each in types
        for handler in ("create", "read", "update", "delete")
        for permission in PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", each)
        .schema["handlers"]
        .get(handler, {})
        .get("permissions", ())
    }


def test_every_permission_of_a_handler_is_given_or_left_out_for_a_reason(
    all_templates: Templates, statements: list[dict[str, Any]]
) -> None:
    given = [
        action.lower()
        for each in statements
        for action in ([each["Action"]] if isinstance(each["Action"], str) else each["Action"])
    ]
    missing = {
        permission
        for permission in _asked_by_handlers(all_templates)
        if not any(fnmatchcase(permission.lower(), action) for action in given)
    }

    assert missing == set(LEFT_OUT)


def test_roles_are_passed_to_every_service_that_takes_one_on(
    all_templates: Templates, statements: list[dict[str, Any]]
) -> None:
    principals = {
        statement["Principal"]["Service"]
        for template in all_templates.values()
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::IAM::Role"
        for statement in resource["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    }

    assert statements[0]["Action"] == "iam:PassRole"
    assert principals <= set(statements[0]["Condition"]["StringEquals"]["iam:PassedToService"])
