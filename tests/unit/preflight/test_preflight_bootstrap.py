"""A bootstrap that is missing, old or broken is told before the CDK stumbles over it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from forecast_operations.preflight.bootstrap import look_at_bootstrap

if TYPE_CHECKING:
    from collections.abc import Callable

    Around = Callable[..., Any]

OWN_IMAGE = {"image": {"kind": "own", "python": "3.11"}}


@pytest.fixture
def bootstrapped(around: Around) -> Around:
    """The findings about a bootstrap that is fine but for what is given."""

    def look(
        version: Any = "31",
        status: str | Exception = "UPDATE_COMPLETE",
        *,
        changes: Any = None,
        **more: Any,
    ) -> dict[str, Any]:
        parameter = {"Parameter": {"Value": version}} if isinstance(version, str) else version
        stack = {"Stacks": [{"StackStatus": status}]} if isinstance(status, str) else status
        clients = {
            "ssm": {"get_parameter": parameter},
            "cloudformation": {"describe_stacks": stack},
            "s3": {"head_bucket": {}},
            "ecr": {"describe_repositories": {}},
            **more,
        }
        found = look_at_bootstrap(around(changes, **clients))
        return {finding.check: finding for finding in found}

    return look


def test_a_whole_bootstrap_is_fine(bootstrapped: Around) -> None:
    found = bootstrapped(changes=OWN_IMAGE)

    assert {check: each.status for check, each in found.items()} == {
        "bootstrap version": "ok",
        "bootstrap stack": "ok",
        "bootstrap bucket": "ok",
        "bootstrap repository": "ok",
    }


def test_none_at_all_names_the_command(bootstrapped: Around, refused: Around) -> None:
    (missing,) = bootstrapped(refused("ParameterNotFound")).values()

    assert missing.status == "failed"
    assert missing.advice == "npx cdk bootstrap aws://111111111111/eu-central-1"


@pytest.mark.parametrize(
    ("version", "status"), [("5", "failed"), ("6", "warning"), ("22", "warning"), ("23", "ok")]
)
def test_an_old_version_is_told(version: str, status: str, bootstrapped: Around) -> None:
    assert bootstrapped(version)["bootstrap version"].status == status


@pytest.mark.parametrize("status", ["ROLLBACK_COMPLETE", "UPDATE_IN_PROGRESS", "DELETE_FAILED"])
def test_a_stack_that_is_not_at_rest_fails(status: str, bootstrapped: Around) -> None:
    assert bootstrapped("31", status)["bootstrap stack"].status == "failed"


def test_a_stack_of_another_name_is_a_warning(bootstrapped: Around, refused: Around) -> None:
    found = bootstrapped("31", refused("ValidationError", "Stack CDKToolkit does not exist"))

    assert found["bootstrap stack"].status == "warning"
    assert "toolkitStackName" in found["bootstrap stack"].advice


def test_a_bucket_that_somebody_deleted_fails(bootstrapped: Around, refused: Around) -> None:
    found = bootstrapped(s3={"head_bucket": refused("404", "Not Found")})["bootstrap bucket"]

    assert found.status == "failed"
    assert found.expected == "cdk-hnb659fds-assets-111111111111-eu-central-1"


def test_the_repository_is_needed_for_an_own_image_only(
    bootstrapped: Around, refused: Around
) -> None:
    gone = {"ecr": {"describe_repositories": refused("RepositoryNotFoundException")}}

    assert "bootstrap repository" not in bootstrapped(**gone)
    assert bootstrapped(changes=OWN_IMAGE, **gone)["bootstrap repository"].status == "failed"


def test_a_qualifier_of_ones_own_is_looked_for(around: Around) -> None:
    asked: list[str] = []

    def head_bucket(Bucket: str) -> dict[str, Any]:  # noqa: N803 - as AWS calls it
        asked.append(Bucket)
        return {}

    def get_parameter(Name: str) -> dict[str, Any]:  # noqa: N803 - as AWS calls it
        asked.append(Name)
        return {"Parameter": {"Value": "31"}}

    surroundings = around(
        ssm={"get_parameter": get_parameter},
        cloudformation={"describe_stacks": {"Stacks": [{"StackStatus": "CREATE_COMPLETE"}]}},
        s3={"head_bucket": head_bucket},
    )
    context = {"context": {"@aws-cdk/core:bootstrapQualifier": "produce"}}
    (surroundings.root / "cdk.json").write_text(json.dumps(context))

    list(look_at_bootstrap(surroundings))

    assert asked == [
        "/cdk-bootstrap/produce/version",
        "cdk-produce-assets-111111111111-eu-central-1",
    ]
