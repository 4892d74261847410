"""Stacks of raw templates: what is refused, what fails, and how values are evaluated."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

TOPIC = {"Type": "AWS::SNS::Topic", "Properties": {}}


def parameter(value: Any, **attributes: Any) -> dict[str, Any]:
    return {
        "Type": "AWS::SSM::Parameter",
        "Properties": {"Type": "String", "Value": value},
        **attributes,
    }


def value_of(account: Any, stack: str, logical_id: str) -> str:
    name = account.physical_id(stack, logical_id)
    return str(account.client("ssm").get_parameter(Name=name)["Parameter"]["Value"])


def test_unknown_resource_type_fails_the_stack_and_names_itself(account: Any, stack: str) -> None:
    template = {"Resources": {"Topic": TOPIC, "Queue": {"Type": "AWS::Braket::Device"}}}
    assert account.deploy(stack, template) == "ROLLBACK_COMPLETE"
    reason = account.failure(stack, "Queue")
    assert "AWS::Braket::Device" in reason
    assert "Queue" in reason
    assert ("Topic", "CREATE_IN_PROGRESS", "") not in account.events(stack)


def test_custom_resource_fails_the_stack(account: Any, stack: str) -> None:
    template = {"Resources": {"Thing": {"Type": "Custom::AutoDelete", "Properties": {}}}}
    assert account.deploy(stack, template) == "ROLLBACK_COMPLETE"


def test_resource_behind_a_false_condition_is_not_needed(account: Any, stack: str) -> None:
    template = {
        "Conditions": {"Never": {"Fn::Equals": ["a", "b"]}},
        "Resources": {
            "Topic": TOPIC,
            "Other": {"Type": "AWS::Braket::Device", "Condition": "Never"},
        },
    }
    assert account.deploy(stack, template) == "CREATE_COMPLETE"


def test_property_that_is_not_applied_fails(account: Any, stack: str) -> None:
    template = {
        "Resources": {"Topic": {"Type": "AWS::SNS::Topic", "Properties": {"ArchivePolicy": {}}}}
    }
    assert account.deploy(stack, template) == "ROLLBACK_COMPLETE"
    assert "extraneous key [ArchivePolicy]" in account.failure(stack, "Topic")


def test_missing_required_property_fails(account: Any, stack: str) -> None:
    template = {"Resources": {"Policy": {"Type": "AWS::S3::BucketPolicy", "Properties": {}}}}
    assert account.deploy(stack, template) == "ROLLBACK_COMPLETE"
    assert "required key [Bucket] not found" in account.failure(stack, "Policy")


@pytest.mark.parametrize(
    ("template", "message"),
    [
        (
            {"Resources": {"A": parameter({"Fn::GetAtt": ["T", "Nope"]}), "T": TOPIC}},
            "does not support attribute type Nope",
        ),
        ({"Resources": {"A": parameter({"Ref": "Missing"})}}, r"dependencies \[Missing\]"),
        ({"Resources": {"A": parameter("x", DependsOn="Missing")}}, r"dependencies \[Missing\]"),
        ({"Resources": {"A": parameter({"Fn::Sub": "${Missing.Arn}"})}}, r"\[Missing\]"),
        (
            {"Resources": {"A": parameter({"Ref": "B"}), "B": parameter({"Ref": "A"})}},
            "Circular dependency",
        ),
        ({"Resources": {}}, "At least one Resources member"),
        ({"Resources": {"A": {"Properties": {}}}}, "must contain a Type"),
        ({"Resources": {"T": TOPIC}, "Transform": "AWS::Serverless"}, "Transform"),
        (
            {"Resources": {"T": TOPIC}, "Parameters": {"P": {"Type": "String"}}},
            "must have values",
        ),
        (
            {
                "Resources": {"T": TOPIC},
                "Outputs": {"O": {"Value": {"Fn::GetAtt": ["T", "Nope"]}}},
            },
            "does not support attribute type Nope",
        ),
    ],
)
def test_template_is_refused_before_anything_happens(
    account: Any, stack: str, template: dict[str, Any], message: str
) -> None:
    with pytest.raises(ClientError, match=message) as refusal:
        account.deploy(stack, template)
    assert refusal.value.response["Error"]["Code"] == "ValidationError"
    assert not account.exists(stack)


def test_unknown_function_fails_the_resource(account: Any, stack: str) -> None:
    template = {"Resources": {"A": parameter({"Fn::Length": [1]})}}
    assert account.deploy(stack, template) == "ROLLBACK_COMPLETE"
    assert "Fn::Length" in account.failure(stack, "A")


def test_values_are_evaluated(account: Any, stack: str) -> None:
    template = {
        "Parameters": {
            "Stage": {"Type": "String", "Default": "dev"},
            "Zones": {"Type": "CommaDelimitedList", "Default": "a,b"},
        },
        "Mappings": {"Accounts": {"us-east-1": {"images": "683313688378"}}},
        "Conditions": {
            "IsDev": {"Fn::Equals": [{"Ref": "Stage"}, "dev"]},
            "IsProd": {"Fn::Not": [{"Condition": "IsDev"}]},
        },
        "Resources": {
            "Topic": TOPIC,
            "Sub": parameter(
                {"Fn::Sub": ["${!x}-${Stage}-${v}-${AWS::Region}-${Topic.TopicName}", {"v": 1}]}
            ),
            "Map": parameter({"Fn::FindInMap": ["Accounts", {"Ref": "AWS::Region"}, "images"]}),
            "If": parameter({"Fn::If": ["IsProd", {"Ref": "Nowhere"}, "no"]}),
            "Select": parameter({"Fn::Select": [1, {"Ref": "Zones"}]}),
            "Join": parameter({"Fn::Join": ["-", [{"Ref": "AWS::AccountId"}, True, 3]]}),
            "None": {
                "Type": "AWS::SSM::Parameter",
                "Properties": {
                    "Type": "String",
                    "Value": "x",
                    "Description": {"Ref": "AWS::NoValue"},
                },
            },
        },
        "Outputs": {
            "Suffix": {"Value": {"Ref": "AWS::URLSuffix"}},
            "Hidden": {"Value": "x", "Condition": "IsProd"},
        },
    }
    assert account.deploy(stack, template) == "CREATE_COMPLETE"
    topic = account.physical_id(stack, "Topic").rpartition(":")[2]
    assert value_of(account, stack, "Sub") == f"${{x}}-dev-1-us-east-1-{topic}"
    assert value_of(account, stack, "Map") == "683313688378"
    assert value_of(account, stack, "If") == "no"
    assert value_of(account, stack, "Select") == "b"
    assert value_of(account, stack, "Join") == "123456789012-true-3"
    assert account.outputs(stack) == {"Suffix": "amazonaws.com"}


def test_policy_condition_is_data_and_no_template_condition(account: Any, stack: str) -> None:
    document = {"Condition": {"Bool": {"aws:SecureTransport": "false"}}}
    template = {"Resources": {"A": parameter({"Fn::Sub": json.dumps(document)})}}
    assert account.deploy(stack, template) == "CREATE_COMPLETE"


def test_generated_names_carry_stack_and_logical_id(account: Any, stack: str) -> None:
    assert account.deploy(stack, {"Resources": {"Topic": TOPIC}}) == "CREATE_COMPLETE"
    assert f":{stack}-Topic-" in account.physical_id(stack, "Topic")


def test_stack_tags_reach_resources_and_follow_updates(account: Any, stack: str) -> None:
    template = {"Resources": {"Topic": {"Type": "AWS::SNS::Topic", "Properties": {}}}}
    account.deploy(stack, template, Tags=[{"Key": "team", "Value": "a"}])
    arn = account.physical_id(stack, "Topic")
    account.deploy(stack, template, Tags=[{"Key": "cost", "Value": "b"}])
    tags = account.client("sns").list_tags_for_resource(ResourceArn=arn)["Tags"]
    assert tags == [{"Key": "cost", "Value": "b"}]


def test_export_in_use_can_neither_change_nor_go(account: Any, stack: str) -> None:
    def exporting(name: str) -> dict[str, Any]:
        return {
            "Resources": {"Topic": TOPIC},
            "Outputs": {"Name": {"Value": name, "Export": {"Name": f"{stack}-name"}}},
        }

    user = f"{stack}User"
    account.deploy(stack, exporting("one"))
    importing = {"Resources": {"A": parameter({"Fn::ImportValue": f"{stack}-name"})}}
    assert account.deploy(user, importing) == "CREATE_COMPLETE"
    assert value_of(account, user, "A") == "one"
    assert account.deploy(stack, exporting("two")) == "UPDATE_ROLLBACK_COMPLETE"
    with pytest.raises(ClientError, match="in use by"):
        account.destroy(stack)
    assert account.destroy(user) == "DELETE_COMPLETE"
    assert account.deploy(stack, exporting("two")) == "UPDATE_COMPLETE"


def test_import_of_nothing_fails(account: Any, stack: str) -> None:
    template = {"Resources": {"A": parameter({"Fn::ImportValue": "nobody-exports-this"})}}
    assert account.deploy(stack, template) == "ROLLBACK_COMPLETE"
    assert "No export named nobody-exports-this" in account.failure(stack, "A")


def test_ssm_parameter_type_reads_the_store(account: Any, stack: str) -> None:
    account.client("ssm").put_parameter(Name="/t/version", Value="21", Type="String")
    template = {
        "Parameters": {
            "V": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/t/version"}
        },
        "Rules": {
            "New": {
                "Assertions": [
                    {"Assert": {"Fn::Not": [{"Fn::Contains": [["1", "2"], {"Ref": "V"}]}]}}
                ]
            }
        },
        "Resources": {"A": parameter({"Ref": "V"})},
    }
    assert account.deploy(stack, template) == "CREATE_COMPLETE"
    assert value_of(account, stack, "A") == "21"


def test_termination_protection_refuses_deletion(account: Any, stack: str) -> None:
    cloudformation = account.client("cloudformation")
    account.deploy(stack, {"Resources": {"Topic": TOPIC}}, EnableTerminationProtection=True)
    with pytest.raises(ClientError, match="TerminationProtection is enabled"):
        account.destroy(stack)
    cloudformation.update_termination_protection(StackName=stack, EnableTerminationProtection=False)
    assert account.destroy(stack) == "DELETE_COMPLETE"


def test_bucket_with_objects_fails_the_deletion_with_the_reason(account: Any, stack: str) -> None:
    s3 = account.client("s3")
    account.deploy(stack, {"Resources": {"Bucket": {"Type": "AWS::S3::Bucket"}}})
    bucket = account.physical_id(stack, "Bucket")
    s3.put_object(Bucket=bucket, Key="a", Body=b"")
    assert account.destroy(stack) == "DELETE_FAILED"
    assert "not empty" in account.failure(stack, "Bucket")
    s3.delete_object(Bucket=bucket, Key="a")


@pytest.mark.parametrize("policy", ["Retain", "RetainExceptOnCreate"])
def test_retained_resource_survives_its_stack(account: Any, stack: str, policy: str) -> None:
    template = {"Resources": {"Bucket": {"Type": "AWS::S3::Bucket", "DeletionPolicy": policy}}}
    account.deploy(stack, template)
    bucket = account.physical_id(stack, "Bucket")
    assert account.destroy(stack) == "DELETE_COMPLETE"
    account.client("s3").delete_bucket(Bucket=bucket)


@pytest.mark.parametrize(
    ("policy", "retried"),
    [("Retain", "ROLLBACK_COMPLETE"), ("RetainExceptOnCreate", "CREATE_COMPLETE")],
)
def test_failed_creation_can_be_retried_unless_it_retains_a_name(
    account: Any, stack: str, policy: str, retried: str
) -> None:
    group = {
        "Type": "AWS::Logs::LogGroup",
        "DeletionPolicy": policy,
        "Properties": {"LogGroupName": stack},
    }
    broken = {
        "Type": "AWS::S3::BucketPolicy",
        "DependsOn": "Group",
        "Properties": {"Bucket": "no-such-bucket", "PolicyDocument": {}},
    }
    failed = {"Resources": {"Group": group, "Broken": broken}}
    assert account.deploy(stack, failed) == "ROLLBACK_COMPLETE"
    account.destroy(stack)
    assert account.deploy(stack, {"Resources": {"Group": group}}) == retried
    account.destroy(stack)
    account.client("logs").delete_log_group(logGroupName=stack)


def test_yaml_with_short_forms_is_understood(account: Any, stack: str) -> None:
    body = """
AWSTemplateFormatVersion: 2010-09-09
Resources:
  Topic:
    Type: AWS::SNS::Topic
  A:
    Type: AWS::SSM::Parameter
    Properties: {Type: String, Value: !Sub "${Topic.TopicName}!"}
Outputs:
  Arn: {Value: !GetAtt Topic.TopicArn}
  Ref: {Value: !Ref Topic}
"""
    account.client("cloudformation").create_stack(StackName=stack, TemplateBody=body)
    assert account.settle(stack) == "CREATE_COMPLETE"
    outputs = account.outputs(stack)
    assert outputs["Arn"] == outputs["Ref"]
    got = account.client("cloudformation").get_template(StackName=stack)["TemplateBody"]
    assert "Topic" in str(got)


def test_creation_that_fails_half_way_leaves_nothing_behind(account: Any, stack: str) -> None:
    role = {
        "RoleName": f"{stack}-role",
        "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": []},
        "ManagedPolicyArns": ["arn:aws:iam::aws:policy/NoSuchPolicy"],
    }
    template = {"Resources": {"R": {"Type": "AWS::IAM::Role", "Properties": role}}}
    assert account.deploy(stack, template) == "ROLLBACK_COMPLETE"
    assert "NoSuchPolicy" in account.failure(stack, "R")
    roles = [item["RoleName"] for item in account.client("iam").list_roles()["Roles"]]
    assert f"{stack}-role" not in roles


def test_resource_type_of_a_logical_id_cannot_change(account: Any, stack: str) -> None:
    account.deploy(stack, {"Resources": {"A": TOPIC}})
    with pytest.raises(ClientError, match="Update of resource type is not permitted"):
        account.deploy(stack, {"Resources": {"A": parameter("x")}})


def test_deny_without_tls_does_not_deny_uploads(account: Any, stack: str) -> None:
    s3 = account.client("s3")
    statement = {
        "Effect": "Deny",
        "Principal": {"AWS": "*"},
        "Action": "s3:*",
        "Resource": [{"Fn::Sub": "${B.Arn}/*"}],
    }
    insecure = {**statement, "Condition": {"Bool": {"aws:SecureTransport": "false"}}}

    def template(rule: dict[str, Any]) -> dict[str, Any]:
        policy = {"Version": "2012-10-17", "Statement": [rule]}
        return {
            "Resources": {
                "B": {"Type": "AWS::S3::Bucket"},
                "P": {
                    "Type": "AWS::S3::BucketPolicy",
                    "Properties": {"Bucket": {"Ref": "B"}, "PolicyDocument": policy},
                },
            }
        }

    account.deploy(stack, template(insecure))
    bucket = account.physical_id(stack, "B")
    s3.put_object(Bucket=bucket, Key="a", Body=b"")
    s3.delete_object(Bucket=bucket, Key="a")
    account.deploy(stack, template(statement))
    with pytest.raises(ClientError, match=r"Forbidden|Access ?Denied"):
        s3.put_object(Bucket=bucket, Key="a", Body=b"")
