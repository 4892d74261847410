"""What is replaced follows from create-only properties, through whatever refers to it."""

from __future__ import annotations

from typing import Any

import pytest

from forecast_operations.synthesis.replacement import renewed_exports, replacements
from forecast_operations.updates.identities import find_identity_obstacles
from forecast_operations.updates.obstacles import Templates


def _template(**resources: Any) -> dict[str, Any]:
    return {
        "Resources": {
            logical_id: {"Type": f"AWS::{kind}", "Properties": properties}
            for logical_id, (kind, properties) in resources.items()
        }
    }


def _network(cidr: str) -> dict[str, Any]:
    template = _template(
        Vpc=("EC2::VPC", {"CidrBlock": cidr}),
        Subnet=("EC2::Subnet", {"VpcId": {"Ref": "Vpc"}, "CidrBlock": "10.0.0.0/24"}),
        Routes=(
            "EC2::SubnetRouteTableAssociation",
            {"SubnetId": {"Fn::GetAtt": ["Subnet", "SubnetId"]}, "RouteTableId": "rtb-1"},
        ),
        Function=("Lambda::Function", {"VpcConfig": {"SubnetIds": [{"Ref": "Subnet"}]}}),
    )
    outputs = {"A": "Subnet", "B": "Function"}
    template["Outputs"] = {
        key: {"Value": {"Ref": logical_id}, "Export": {"Name": f"Network:{logical_id}"}}
        for key, logical_id in outputs.items()
    }
    return template


def test_a_replacement_goes_through_references_and_stops_where_it_may_change() -> None:
    found = replacements(_network("10.0.0.0/22"), _network("10.1.0.0/22"))

    assert {key: each.properties for key, each in found.items()} == {
        "Vpc": ("CidrBlock",),
        "Subnet": ("VpcId",),
        "Routes": ("SubnetId",),
    }
    assert renewed_exports(_network("10.0.0.0/22"), _network("10.1.0.0/22")) == {"Network:Subnet"}


def test_nothing_is_replaced_where_nothing_changes() -> None:
    assert replacements(_network("10.0.0.0/22"), _network("10.0.0.0/22")) == {}
    assert renewed_exports(_network("10.0.0.0/22"), _network("10.0.0.0/22")) == set()


def test_another_value_of_an_import_replaces_too() -> None:
    template = _template(
        Config=("SageMaker::EndpointConfig", {"KmsKeyId": {"Fn::ImportValue": "Artifacts:Key"}}),
        Topic=("SNS::Topic", {"KmsMasterKeyId": {"Fn::ImportValue": "Artifacts:Key"}}),
    )

    found = replacements(template, template, {"Artifacts:Key"})

    assert found.keys() == {"Config"}
    assert replacements(template, template, {"Artifacts:Other"}) == {}


@pytest.mark.parametrize("new", ["dedicated", None])
def test_a_conditional_property_replaces_perhaps(new: str | None) -> None:
    before = _template(Vpc=("EC2::VPC", {"CidrBlock": "10.0.0.0/22", "InstanceTenancy": "default"}))
    after = _template(Vpc=("EC2::VPC", {"CidrBlock": "10.0.0.0/22", "InstanceTenancy": new}))

    assert not replacements(before, after)["Vpc"].certain


def test_a_property_below_another_replaces_by_itself() -> None:
    before = _template(Budget=("Budgets::Budget", {"Budget": {"BudgetName": "a", "Limit": 1}}))
    limit = _template(Budget=("Budgets::Budget", {"Budget": {"BudgetName": "a", "Limit": 2}}))
    name = _template(Budget=("Budgets::Budget", {"Budget": {"BudgetName": "b", "Limit": 1}}))

    assert replacements(before, limit) == {}
    assert replacements(before, name)["Budget"].properties == ("Budget/BudgetName",)


def _obstacles(before: dict[str, Any], after: dict[str, Any]) -> list[Any]:
    return find_identity_obstacles(Templates(None, before), Templates(None, after))


def test_what_has_a_name_of_its_own_is_not_replaced_under_it() -> None:
    before = _template(Role=("IAM::Role", {"RoleName": "serving", "Path": "/"}))
    path = _template(Role=("IAM::Role", {"RoleName": "serving", "Path": "/forecast/"}))
    both = _template(Role=("IAM::Role", {"RoleName": "other", "Path": "/forecast/"}))
    unnamed = _template(Role=("IAM::Role", {"Path": "/"}))
    unnamed_path = _template(Role=("IAM::Role", {"Path": "/forecast/"}))

    (obstacle,) = _obstacles(before, path)

    assert (obstacle.kind, obstacle.permission, obstacle.resources) == ("named", None, ("Role",))
    assert obstacle.reason.startswith("AWS::IAM::Role serving would be replaced as Path changes")
    assert _obstacles(before, both) == []
    assert _obstacles(unnamed, unnamed_path) == []


def test_a_scaling_policy_keeps_its_name_on_another_target() -> None:
    def template(resource_id: str) -> dict[str, Any]:
        return _template(
            Target=("ApplicationAutoScaling::ScalableTarget", {"ResourceId": resource_id}),
            Policy=(
                "ApplicationAutoScaling::ScalingPolicy",
                {"PolicyName": "cpu", "ScalingTargetId": {"Ref": "Target"}},
            ),
        )

    before, after = template("endpoint/a/variant/A"), template("endpoint/a/variant/B")

    assert replacements(before, after).keys() == {"Target", "Policy"}
    assert _obstacles(before, after) == []


def test_the_type_of_a_logical_id_does_not_change() -> None:
    before = _template(Alerts=("SNS::Topic", {}))
    after = _template(Alerts=("SQS::Queue", {}))

    (obstacle,) = _obstacles(before, after)

    assert obstacle.kind == "retyped"
    assert "is a AWS::SNS::Topic and would become a AWS::SQS::Queue" in obstacle.reason
