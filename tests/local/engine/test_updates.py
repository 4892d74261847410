"""Updates: replacement, propagation, order, roll-back and change sets."""

import json
import time
from typing import Any

import pytest
from botocore.exceptions import ClientError


def topic(name: str | None = None, **properties: Any) -> dict[str, Any]:
    named = {} if name is None else {"TopicName": name}
    return {"Type": "AWS::SNS::Topic", "Properties": {**named, **properties}}


def parameter(value: Any, **properties: Any) -> dict[str, Any]:
    return {
        "Type": "AWS::SSM::Parameter",
        "Properties": {"Type": "String", "Value": value, **properties},
    }


def value_of(account: Any, stack: str, logical_id: str) -> str:
    name = account.physical_id(stack, logical_id)
    return str(account.client("ssm").get_parameter(Name=name)["Parameter"]["Value"])


def statuses(account: Any, stack: str, logical_id: str) -> list[str]:
    return [status for name, status, _ in account.events(stack) if name == logical_id]


def test_changed_create_only_property_creates_first_and_deletes_last(
    account: Any, stack: str
) -> None:
    account.deploy(stack, {"Resources": {"T": topic(f"{stack}-a"), "P": parameter({"Ref": "T"})}})
    template = {"Resources": {"T": topic(f"{stack}-b"), "P": parameter({"Ref": "T"})}}
    assert account.deploy(stack, template) == "UPDATE_COMPLETE"
    events = account.events(stack)
    replaced = next(i for i, event in enumerate(events) if "new physical resource" in event[2])
    later = [(name, status) for name, status, _ in events[replaced:]]
    assert later == [
        ("T", "UPDATE_IN_PROGRESS"),
        ("T", "UPDATE_COMPLETE"),
        ("P", "UPDATE_IN_PROGRESS"),
        ("P", "UPDATE_COMPLETE"),
        (stack, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"),
        ("T", "DELETE_IN_PROGRESS"),
        ("T", "DELETE_COMPLETE"),
        (stack, "UPDATE_COMPLETE"),
    ]


@pytest.mark.parametrize(
    "reference",
    [{"Ref": "T"}, {"Fn::GetAtt": ["T", "TopicName"]}, {"Fn::Sub": "x${T.TopicArn}"}],
)
def test_replacement_reaches_dependents_whose_text_did_not_change(
    account: Any, stack: str, reference: dict[str, Any]
) -> None:
    account.deploy(stack, {"Resources": {"T": topic(f"{stack}-a"), "P": parameter(reference)}})
    account.deploy(stack, {"Resources": {"T": topic(f"{stack}-b"), "P": parameter(reference)}})
    assert value_of(account, stack, "P").endswith(f"{stack}-b")


def test_dependent_is_replaced_itself_when_the_reference_is_create_only(
    account: Any, stack: str
) -> None:
    def template(name: str) -> dict[str, Any]:
        subscription = {
            "Type": "AWS::SNS::Subscription",
            "Properties": {
                "TopicArn": {"Ref": "T"},
                "Protocol": "email",
                "Endpoint": "ops@example.com",
            },
        }
        return {"Resources": {"S": subscription, "T": topic(name)}}

    account.deploy(stack, template(f"{stack}-a"))
    before = account.physical_id(stack, "S")
    assert account.deploy(stack, template(f"{stack}-b")) == "UPDATE_COMPLETE"
    after = account.physical_id(stack, "S")
    assert before != after
    assert f"{stack}-b" in after


def test_other_properties_are_updated_in_place(account: Any, stack: str) -> None:
    account.deploy(stack, {"Resources": {"T": topic(DisplayName="one")}})
    before = account.physical_id(stack, "T")
    account.deploy(stack, {"Resources": {"T": topic(DisplayName="two")}})
    assert account.physical_id(stack, "T") == before
    attributes = account.client("sns").get_topic_attributes(TopicArn=before)["Attributes"]
    assert attributes["DisplayName"] == "two"


def test_fixed_name_on_a_resource_that_must_be_replaced_fails(account: Any, stack: str) -> None:
    def template(path: str) -> dict[str, Any]:
        role = {
            "RoleName": f"{stack}-role",
            "Path": path,
            "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": []},
        }
        return {"Resources": {"R": {"Type": "AWS::IAM::Role", "Properties": role}}}

    account.deploy(stack, template("/"))
    assert account.deploy(stack, template("/other/")) == "UPDATE_ROLLBACK_COMPLETE"
    assert "already exists" in account.failure(stack, "R")
    role = account.client("iam").get_role(RoleName=f"{stack}-role")["Role"]
    assert role["Path"] == "/"


def test_failed_update_restores_everything(account: Any, stack: str) -> None:
    account.deploy(
        stack,
        {"Resources": {"T": topic(f"{stack}-a"), "P": parameter({"Ref": "T"}), "Old": topic()}},
    )
    before = {name: account.physical_id(stack, name) for name in ("T", "P", "Old")}
    broken = {
        "Resources": {
            "T": topic(f"{stack}-b"),
            "P": parameter({"Ref": "T"}),
            "New": topic(),
            "Z": {
                "Type": "AWS::S3::BucketPolicy",
                "DependsOn": ["New", "P"],
                "Properties": {"Bucket": "no-such-bucket", "PolicyDocument": {}},
            },
        }
    }
    assert account.deploy(stack, broken) == "UPDATE_ROLLBACK_COMPLETE"
    assert "NoSuchBucket" in account.failure(stack, "Z")
    assert {name: account.physical_id(stack, name) for name in before} == before
    assert value_of(account, stack, "P").endswith(f"{stack}-a")
    arns = [item["TopicArn"] for item in account.client("sns").list_topics()["Topics"]]
    assert not [arn for arn in arns if arn.endswith(f"{stack}-b")]
    assert not [arn for arn in arns if f"{stack}-New" in arn]
    assert account.deploy(stack, {"Resources": {"T": topic(f"{stack}-c")}}) == "UPDATE_COMPLETE"


def test_retained_predecessor_is_kept(account: Any, stack: str) -> None:
    def template(name: str) -> dict[str, Any]:
        return {"Resources": {"T": {**topic(name), "UpdateReplacePolicy": "Retain"}}}

    account.deploy(stack, template(f"{stack}-a"))
    old = account.physical_id(stack, "T")
    account.deploy(stack, template(f"{stack}-b"))
    assert "DELETE_SKIPPED" in statuses(account, stack, "T")
    account.client("sns").delete_topic(TopicArn=old)


def test_removed_resources_go_last_and_newest_first(account: Any, stack: str) -> None:
    account.deploy(
        stack, {"Resources": {"T": topic(), "P": parameter({"Ref": "T"}), "Keep": topic()}}
    )
    account.deploy(stack, {"Resources": {"Keep": topic()}})
    gone = [name for name, status, _ in account.events(stack) if status == "DELETE_COMPLETE"]
    assert gone == ["P", "T"]


def test_update_without_changes_is_refused(account: Any, stack: str) -> None:
    template = {"Resources": {"T": topic()}}
    account.deploy(stack, template)
    with pytest.raises(ClientError, match="No updates are to be performed"):
        account.deploy(stack, template)


def test_stack_that_rolled_back_its_creation_cannot_be_updated(account: Any, stack: str) -> None:
    account.deploy(stack, {"Resources": {"X": {"Type": "AWS::Braket::Device"}}})
    with pytest.raises(ClientError, match="ROLLBACK_COMPLETE state and can not be updated"):
        account.deploy(stack, {"Resources": {"T": topic()}})


def test_changed_parameter_alone_is_an_update(account: Any, stack: str) -> None:
    template = {
        "Parameters": {"V": {"Type": "String", "Default": "a"}},
        "Resources": {"P": parameter({"Ref": "V"})},
    }
    account.deploy(stack, template)
    given = [{"ParameterKey": "V", "ParameterValue": "b"}]
    assert account.deploy(stack, template, Parameters=given) == "UPDATE_COMPLETE"
    assert value_of(account, stack, "P") == "b"
    kept = [{"ParameterKey": "V", "UsePreviousValue": True}]
    template["Resources"]["Q"] = topic()
    account.deploy(stack, template, Parameters=kept)
    assert value_of(account, stack, "P") == "b"


def change_set(account: Any, stack: str, kind: str, template: dict[str, Any]) -> dict[str, Any]:
    cloudformation = account.client("cloudformation")
    name = f"c{time.monotonic_ns()}"
    cloudformation.create_change_set(
        StackName=stack,
        ChangeSetName=name,
        ChangeSetType=kind,
        TemplateBody=json.dumps(template),
    )
    found: dict[str, Any] = cloudformation.describe_change_set(StackName=stack, ChangeSetName=name)
    return found


def test_change_sets_create_and_update(account: Any, stack: str) -> None:
    cloudformation = account.client("cloudformation")
    first = {"Resources": {"T": topic(f"{stack}-a"), "P": parameter({"Ref": "T"})}}
    created = change_set(account, stack, "CREATE", first)
    assert account.describe(stack)["StackStatus"] == "REVIEW_IN_PROGRESS"
    cloudformation.execute_change_set(StackName=stack, ChangeSetName=created["ChangeSetName"])
    assert account.settle(stack) == "CREATE_COMPLETE"

    second = {"Resources": {"T": topic(f"{stack}-b"), "P": parameter({"Ref": "T"})}}
    update = change_set(account, stack, "UPDATE", second)
    changes = {
        item["ResourceChange"]["LogicalResourceId"]: item["ResourceChange"]["Replacement"]
        for item in update["Changes"]
    }
    assert changes == {"T": "True", "P": "False"}
    assert value_of(account, stack, "P").endswith("-a")
    cloudformation.execute_change_set(StackName=stack, ChangeSetName=update["ChangeSetId"])
    assert account.settle(stack) == "UPDATE_COMPLETE"
    assert value_of(account, stack, "P").endswith("-b")

    same = change_set(account, stack, "UPDATE", second)
    assert same["Status"] == "FAILED"
    assert "didn't contain changes" in same["StatusReason"]
    with pytest.raises(ClientError, match="cannot be executed"):
        cloudformation.execute_change_set(StackName=stack, ChangeSetName=same["ChangeSetName"])
