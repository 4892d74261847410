"""Publishing follows the qualifier that the account was bootstrapped with."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3

from forecast_constructs import ArchivePublishing

if TYPE_CHECKING:
    from collections.abc import Callable

    from aws_cdk import Stack


def test_the_roles_are_those_of_the_bootstrap_qualifier(
    new_stack: Callable[..., Stack], rendered: Callable[[Stack], dict[str, Any]]
) -> None:
    stack = new_stack(**{"@aws-cdk/core:bootstrapQualifier": "myteam"})
    ArchivePublishing(
        stack, "Publishing", bucket=s3.Bucket(stack, "B"), encryption_key=kms.Key(stack, "K")
    )
    text = json.dumps(rendered(stack))

    assert "cdk-myteam-file-publishing-role-" in text
    assert "cdk-myteam-deploy-role-" in text
    assert "hnb659fds" not in text
