"""What an update does to each resource, with the reason and with what it costs somebody."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from forecast_operations.changes import words
from forecast_operations.changes.resources import resource_changes
from forecast_operations.updates.obstacles import Templates

if TYPE_CHECKING:
    from collections.abc import Callable

    from forecast_operations.changes.plan import Plan
    from forecast_operations.changes.resources import ResourceChange

STACKS = ("ForecastProdArtifacts", "ForecastProd")


def _changes(deployed: Templates, wanted: Templates) -> dict[str, ResourceChange]:
    found = resource_changes(deployed, wanted, (), STACKS)
    return {each.logical_id: each for each in found if each.action != "unchanged"}


def _one(before: dict[str, Any] | None, after: dict[str, Any] | None) -> ResourceChange:
    sides = [
        Templates({"Resources": {} if each is None else {"Thing": each}}, None)
        for each in (before, after)
    ]
    return _changes(*sides)["Thing"]


def test_another_version_replaces_its_model_and_nothing_that_clients_know(
    prod: Templates,
    reviewed: Callable[[str], dict[str, Any]],
    version_17: Callable[[dict[str, Any]], dict[str, Any]],
) -> None:
    wanted = Templates(prod.artifacts, version_17(reviewed("ForecastProd")))

    found = {each.name: each.action for each in _changes(prod, wanted).values()}

    assert found == {
        "Model": "replaced",
        "EndpointConfig": "replaced",
        "Endpoint": "in place",
        "RollbackAlarmsFailedRequests": "in place",
        "RollbackAlarmsLatency": "in place",
        "Dashboard": "in place",
    }


def test_a_reason_names_the_property_with_both_values_or_what_it_follows(
    prod: Templates, reviewed: Callable[[str], dict[str, Any]]
) -> None:
    endpoint = reviewed("ForecastProd")
    config = endpoint["Resources"]["EndpointConfigD2044722"]["Properties"]
    config["ProductionVariants"][0]["InstanceType"] = "ml.c5.xlarge"

    found = _changes(prod, Templates(prod.artifacts, endpoint))

    assert words.reasons(found["EndpointConfigD2044722"]) == [
        "ProductionVariants/AllTraffic/InstanceType: ml.m5.xlarge -> ml.c5.xlarge (replaces it)"
    ]
    assert words.reasons(found["EndpointEEF1FD8F"]) == [
        "EndpointConfigName follows EndpointConfig, which is replaced"
    ]


def test_another_key_goes_through_the_exports_into_the_other_stack(
    prod: Templates, reviewed: Callable[[str], dict[str, Any]]
) -> None:
    artifacts, endpoint = reviewed("ForecastProdArtifacts"), reviewed("ForecastProd")
    resources = artifacts["Resources"]
    resources["OtherKey"] = resources.pop("EncryptionKey3A692D6E")
    for output in artifacts["Outputs"].values():
        if output["Value"] == {"Fn::GetAtt": ["EncryptionKey3A692D6E", "Arn"]}:
            output["Value"] = {"Fn::GetAtt": ["OtherKey", "Arn"]}

    found = _changes(prod, Templates(artifacts, endpoint))

    assert found["EncryptionKey3A692D6E"].action == "kept"
    assert found["OtherKey"].action == "new"
    config = found["EndpointConfigD2044722"]
    assert config.action == "replaced"
    follows = {each.follows for each in config.properties if each.path == "KmsKeyId"}
    assert any("EncryptionKey" in str(each) for each in follows)


@pytest.mark.parametrize(
    ("kind", "name", "harm"),
    [
        ("S3::Bucket", "BucketName", "nothing is copied"),
        ("Logs::LogGroup", "LogGroupName", "the events in the old one are lost"),
        ("SageMaker::Endpoint", "EndpointName", "whoever calls the old one is cut off"),
        ("SQS::Queue", "QueueName", "the messages in the old one are lost"),
        ("IAM::Role", "RoleName", ""),
    ],
)
def test_a_replacement_says_what_it_loses(kind: str, name: str, harm: str) -> None:
    found = _one(
        {"Type": f"AWS::{kind}", "Properties": {name: "a"}},
        {"Type": f"AWS::{kind}", "Properties": {name: "b"}},
    )

    assert found.action == "replaced"
    assert found.harm.startswith(harm)
    assert bool(found.harm) == bool(harm)


def test_what_is_kept_on_replacement_is_not_lost() -> None:
    def bucket(name: str) -> dict[str, Any]:
        return {
            "Type": "AWS::S3::Bucket",
            "Properties": {"BucketName": name},
            "UpdateReplacePolicy": "Retain",
        }

    assert _one(bucket("a"), bucket("b")).harm.startswith("the old one is kept")


@pytest.mark.parametrize(
    ("policy", "action"),
    [
        ("Delete", "removed"),
        ("Retain", "kept"),
        ("RetainExceptOnCreate", "kept"),
        (None, "removed"),
    ],
)
def test_what_leaves_a_stack_stays_where_its_policy_says_so(
    policy: str | None, action: str
) -> None:
    bucket: dict[str, Any] = {"Type": "AWS::S3::Bucket"}
    if policy is not None:
        bucket["DeletionPolicy"] = policy

    found = _one(bucket, None)

    assert found.action == action
    assert bool(found.harm) == (action == "removed")


def test_what_is_not_known_is_said_to_be_so() -> None:
    found = _one(
        {"Type": "AWS::Nowhere::Thing", "Properties": {"Size": 1}},
        {"Type": "AWS::Nowhere::Thing", "Properties": {"Size": 2}},
    )

    assert found.action == "unknown"
    assert words.verdict(found) == "changed"
    assert words.reasons(found) == [
        "whether CloudFormation replaces it is not known here for its type",
        "Size: 1 -> 2",
    ]


@pytest.mark.parametrize("policy", ["DeletionPolicy", "UpdateReplacePolicy"])
def test_what_is_no_longer_kept_is_a_change(policy: str) -> None:
    kept = {"Type": "AWS::S3::Bucket", policy: "Retain"}
    let_go = {"Type": "AWS::S3::Bucket", policy: "Delete"}

    found = _one(kept, let_go)

    assert found.action == "in place"
    assert words.reasons(found) == [
        f"{policy}: Retain -> Delete",
        (
            "note: it is no longer kept when its stack is deleted, or it leaves its stack or is "
            "replaced"
        ),
    ]
    assert _one(let_go, kept).harm == ""
    unsaid = Templates({"Resources": {"Thing": {"Type": "AWS::S3::Bucket"}}}, None)
    assert _changes(unsaid, Templates({"Resources": {"Thing": let_go}}, None)) == {}


def test_order_and_metadata_alone_change_no_resource() -> None:
    before = {"Type": "AWS::SNS::Topic", "DependsOn": ["A"], "Metadata": {"a": 1}}
    deployed = Templates({"Resources": {"Thing": before}}, None)
    wanted = Templates({"Resources": {"Thing": {"Type": "AWS::SNS::Topic"}}}, None)

    assert _changes(deployed, wanted) == {}


def test_what_is_in_the_way_is_marked_on_its_resource(
    prod: Templates,
    reviewed: Callable[[str], dict[str, Any]],
    planned: Callable[..., Plan],
) -> None:
    endpoint = reviewed("ForecastProd")
    config = endpoint["Resources"]["EndpointConfigD2044722"]["Properties"]
    config["ProductionVariants"][0]["InstanceType"] = "ml.c5.xlarge"
    role = endpoint["Resources"]["ExecutionRoleCDF74862"]["Properties"]
    role["Path"] = "/other/"

    plan = planned("prod", prod, Templates(prod.artifacts, endpoint))

    blocked = {each.name: each.blocked for each in plan.resources if each.blocked}
    assert blocked == {"Endpoint": ("rescale",)}
    assert not plan.can_be_deployed
    assert words.ordered(plan)[0].name == "Endpoint"
