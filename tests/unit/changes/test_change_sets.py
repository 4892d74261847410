"""What the plan says of each resource is what a change set of the local AWS says of it.

The two know nothing of each other: the plan compares templates by the schemas' create-only
properties, the local AWS evaluates them against resources that it made.
"""

from __future__ import annotations

import copy
import itertools
import json
from typing import TYPE_CHECKING, Any

import pytest

from forecast_local.simulation import Simulation
from forecast_operations.changes.resources import resource_changes
from forecast_operations.updates.obstacles import Templates

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Change = Callable[[dict[str, Any]], None]
    Reviewed = Callable[[str], dict[str, Any]]

ARTIFACTS, ENDPOINT = "ForecastProdArtifacts", "ForecastProd"
ACTIONS = {
    ("Add", None): "new",
    ("Remove", None): "gone",
    ("Modify", "False"): "in place",
    ("Modify", "True"): "replaced",
}
GONE = {"kept": "gone", "removed": "gone"}


@pytest.fixture(scope="module")
def account(reviewed: Reviewed) -> Iterator[Simulation]:
    """An account in which prod is deployed."""
    with Simulation(region="ap-southeast-1") as aws:
        for stack in (ARTIFACTS, ENDPOINT):
            outcome = aws.deploy(stack, reviewed(stack))
            assert outcome.status == "CREATE_COMPLETE", outcome
        yield aws


_numbers = itertools.count()


def _change_set(account: Simulation, stack: str, template: dict[str, Any]) -> dict[str, str]:
    cloudformation = account.client("cloudformation")
    name = f"comparison-{next(_numbers)}"
    cloudformation.create_change_set(
        StackName=stack,
        ChangeSetName=name,
        ChangeSetType="UPDATE",
        TemplateBody=json.dumps(template),
    )
    found = cloudformation.describe_change_set(StackName=stack, ChangeSetName=name)
    changes = [each["ResourceChange"] for each in found["Changes"]]
    return {
        each["LogicalResourceId"]: ACTIONS[each["Action"], each.get("Replacement")]
        for each in changes
    }


def _of(template: dict[str, Any], kind: str) -> dict[str, Any]:
    """Properties of the first resource of a type."""
    for resource in template["Resources"].values():
        if resource["Type"] == f"AWS::{kind}":
            properties: dict[str, Any] = resource["Properties"]
            return properties
    raise AssertionError(kind)


def _other_type(template: dict[str, Any]) -> None:
    _of(template, "SageMaker::EndpointConfig")["ProductionVariants"][0]["InstanceType"] = (
        "ml.c5.xlarge"
    )


def _other_key(template: dict[str, Any]) -> None:
    _of(template, "SageMaker::EndpointConfig")["KmsKeyId"] = (
        "arn:aws:kms:ap-southeast-1:123456789012:key/11111111-2222-3333-4444-555555555555"
    )


def _more_rollback(template: dict[str, Any]) -> None:
    config = _of(template, "SageMaker::Endpoint")["DeploymentConfig"]
    config["BlueGreenUpdatePolicy"]["TerminationWaitInSeconds"] = 60


def _no_dashboard(template: dict[str, Any]) -> None:
    for name in [key for key in template["Resources"] if key.startswith("Dashboard")]:
        del template["Resources"][name]


def _another_alarm(template: dict[str, Any]) -> None:
    name = next(key for key in template["Resources"] if key.startswith("AlarmsNoTraffic"))
    alarm = copy.deepcopy(template["Resources"][name])
    alarm["Properties"]["AlarmName"] = "another"
    template["Resources"]["Another"] = alarm


def _renamed_topic(template: dict[str, Any]) -> None:
    _of(template, "SNS::Topic")["TopicName"] = "other-alerts"


def _other_role_path(template: dict[str, Any]) -> None:
    _of(template, "IAM::Role")["Path"] = "/other/"


def _wider_bounds(template: dict[str, Any]) -> None:
    _of(template, "ApplicationAutoScaling::ScalableTarget")["MaxCapacity"] = 12


@pytest.mark.parametrize(
    "change",
    [
        _other_type,
        _other_key,
        _more_rollback,
        _no_dashboard,
        _another_alarm,
        _renamed_topic,
        _other_role_path,
        _wider_bounds,
    ],
)
def test_the_endpoint_s_stack_changes_as_its_change_set_says(
    change: Change, account: Simulation, reviewed: Reviewed
) -> None:
    wanted = reviewed(ENDPOINT)
    change(wanted)

    _compare(account, ENDPOINT, reviewed(ENDPOINT), wanted)


def test_another_version_changes_what_its_change_set_says(
    account: Simulation,
    reviewed: Reviewed,
    version_17: Callable[[dict[str, Any]], dict[str, Any]],
) -> None:
    _compare(account, ENDPOINT, reviewed(ENDPOINT), version_17(reviewed(ENDPOINT)))


def _other_range(template: dict[str, Any]) -> None:
    _of(template, "EC2::VPC")["CidrBlock"] = "10.9.0.0/22"


def _other_retention(template: dict[str, Any]) -> None:
    _of(template, "Logs::LogGroup")["RetentionInDays"] = 14


def _other_bucket(template: dict[str, Any]) -> None:
    _of(template, "S3::Bucket")["BucketName"] = "another-bucket-for-logs"


def _other_log_group(template: dict[str, Any]) -> None:
    _of(template, "Logs::LogGroup")["LogGroupName"] = "/aws/sagemaker/Endpoints/other"


@pytest.mark.parametrize(
    "change", [_other_range, _other_retention, _other_bucket, _other_log_group]
)
def test_the_stateful_stack_changes_as_its_change_set_says(
    change: Change, account: Simulation, reviewed: Reviewed
) -> None:
    wanted = reviewed(ARTIFACTS)
    change(wanted)

    _compare(account, ARTIFACTS, reviewed(ARTIFACTS), wanted)


def _compare(
    account: Simulation, stack: str, deployed: dict[str, Any], wanted: dict[str, Any]
) -> None:
    sides = [
        Templates(each, None) if stack == ARTIFACTS else Templates(None, each)
        for each in (deployed, wanted)
    ]
    found = {
        each.logical_id: GONE.get(each.action, each.action)
        for each in resource_changes(*sides, (), (ARTIFACTS, ENDPOINT))
        if each.action != "unchanged"
    }

    assert found == _change_set(account, stack, wanted)
    assert found
