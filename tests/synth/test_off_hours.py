"""Off hours: two schedules, one state machine, and exactly the permissions that it needs."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from aws_cdk import Stack, Tags
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from forecast_config import load_config
from forecast_config.settings import OffHoursSettings
from forecast_config.settings.rules.scaling import SCALING_RULES
from forecast_config.settings.ruling import broken_rules
from forecast_constructs.scaling.off_hours import OffHours
from forecast_stacks import add_environment
from forecast_stacks.scaling_part import add_off_hours

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from aws_cdk import App

    from forecast_config import PackagedModel

TOPIC = "arn:aws:sns:eu-central-1:111111111111:critical"
CONFIG = "arn:aws:sagemaker:eu-central-1:111111111111:endpoint-config/config-1"
HOURS = OffHoursSettings(
    stop="cron(0 20 ? * MON-FRI *)", start="cron(0 7 ? * MON-FRI *)", timezone="Asia/Shanghai"
)
ALARMS = ("Forecast-Dev-high-latency", "Forecast-Dev-error-rate")


class _Endpoint(Construct):
    """As much of an endpoint as the off hours look at."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        self.endpoint_name = "Forecast-Dev"
        resource = sagemaker.CfnEndpoint(
            self, "Resource", endpoint_name=self.endpoint_name, endpoint_config_name="config-1"
        )
        Tags.of(resource).add("model_version", "16")


@pytest.fixture
def off_hours(
    stack: Stack, rendered: Callable[[Stack], dict[str, Any]]
) -> Callable[[str], list[dict[str, Any]]]:
    """The properties of the resources of one type."""
    endpoint: Any = _Endpoint(stack, "Endpoint")
    variant = {
        "variantName": "AllTraffic",
        "modelName": "model",
        "initialVariantWeight": 1,
        "instanceType": "ml.m5.large",
        "initialInstanceCount": 2,
    }
    config = sagemaker.CfnEndpointConfig(stack, "Config", production_variants=[variant])
    OffHours(
        stack,
        "OffHours",
        endpoint=endpoint,
        endpoint_config_name="config-1",
        endpoint_config_arn=config.ref,
        settings=HOURS,
        encryption_key=kms.Key(stack, "Key"),
        log_retention_days=30,
        topic_arn=TOPIC,
        alarm_names=ALARMS,
    )
    # As an environment's tags: after everything has been defined.
    Tags.of(stack).add("team", "forecasting")
    resources = rendered(stack)

    def get(kind: str) -> list[dict[str, Any]]:
        return [
            {**each["Properties"], "DependsOn": each.get("DependsOn", [])}
            for each in resources.values()
            if each["Type"] == f"AWS::{kind}"
        ]

    return get


def _statements(policies: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [each for policy in policies for each in policy["PolicyDocument"]["Statement"]]


def _resources_of(action: str, policies: list[dict[str, Any]]) -> str:
    return str([each["Resource"] for each in _statements(policies) if action in each["Action"]])


def test_two_schedules_with_a_time_zone_start_one_state_machine(
    off_hours: Callable[[str], list[dict[str, Any]]],
) -> None:
    schedules = off_hours("Scheduler::Schedule")

    assert {each["ScheduleExpressionTimezone"] for each in schedules} == {"Asia/Shanghai"}
    assert {each["Target"]["Input"]: each["ScheduleExpression"] for each in schedules} == {
        '{"action": "stop"}': "cron(0 20 ? * MON-FRI *)",
        '{"action": "start"}': "cron(0 7 ? * MON-FRI *)",
    }
    assert schedules[0]["Target"]["Arn"] == schedules[1]["Target"]["Arn"]
    assert all(each["Target"]["DeadLetterConfig"]["Arn"] for each in schedules)
    assert all(each["KmsKeyArn"] for each in schedules)


def test_the_endpoint_comes_back_with_all_its_tags(
    off_hours: Callable[[str], list[dict[str, Any]]],
) -> None:
    (machine,) = off_hours("StepFunctions::StateMachine")

    assert machine["Definition"]["States"]["Create"]["Parameters"]["Tags"] == [
        {"Key": "model_version", "Value": "16"},
        {"Key": "team", "Value": "forecasting"},
    ]


def test_nothing_is_lost_of_the_definition_on_its_way_into_the_template(
    off_hours: Callable[[str], list[dict[str, Any]]],
) -> None:
    (machine,) = off_hours("StepFunctions::StateMachine")
    states = machine["Definition"]["States"]

    # A null, such as ResultPath may have, is dropped on the way.
    assert all(state["ResultPath"] for state in states.values() if state["Type"] == "Task")
    assert states["ReadWish"]["Parameters"] == {"Name": "${WishParameterName}"}
    assert machine["DefinitionSubstitutions"]["DescribeEndpoint"] == (
        "arn:aws:states:::aws-sdk:sagemaker:describeEndpoint"
    )
    assert machine["DefinitionSubstitutions"]["EndpointConfigName"] == "config-1"
    written = str(machine["Definition"])
    assert all(f"${{{name}}}" in written for name in machine["DefinitionSubstitutions"])


def test_the_state_machine_is_logged_and_traced_and_waits_for_its_permissions(
    off_hours: Callable[[str], list[dict[str, Any]]],
) -> None:
    (machine,) = off_hours("StepFunctions::StateMachine")
    (log,) = off_hours("Logs::LogGroup")

    assert machine["StateMachineName"] == "Forecast-Dev-off-hours"
    assert machine["LoggingConfiguration"]["Level"] == "ALL"
    assert machine["TracingConfiguration"] == {"Enabled": True}
    assert log["LogGroupName"] == "/aws/vendedlogs/states/Forecast-Dev-off-hours"
    assert log["KmsKeyId"]
    assert len(machine["DependsOn"]) == 3


def test_the_role_reaches_this_endpoint_these_alarms_and_nothing_else(
    off_hours: Callable[[str], list[dict[str, Any]]],
) -> None:
    policies = off_hours("IAM::ManagedPolicy")

    deleted = _resources_of("sagemaker:DeleteEndpoint", policies)
    # SageMaker writes names in ARNs in small letters.
    assert "endpoint/forecast-dev" in deleted
    assert "Config" not in deleted
    created = _resources_of("sagemaker:CreateEndpoint", policies)
    assert "{'Ref': 'Config'}" in created
    # The older ones of this stack.
    assert created.count("*") == 1
    assert ":endpoint-config/config-*'" in created
    assert all(
        f"alarm:{name}" in _resources_of("cloudwatch:DisableAlarmActions", policies)
        for name in ALARMS
    )
    everything = [each for each in _statements(policies) if each["Resource"] == ["*"]]
    assert len(everything) == 1
    assert not [a for a in everything[0]["Action"] if not a.startswith(("logs:", "xray:"))]
    assert "iam:PassRole" not in str(policies)
    assert not [each for each in _statements(policies) if "*" in str(each["Action"])]


def test_both_roles_trust_one_caller_only(
    off_hours: Callable[[str], list[dict[str, Any]]],
) -> None:
    trusts = [
        statement
        for role in off_hours("IAM::Role")
        for statement in role["AssumeRolePolicyDocument"]["Statement"]
    ]

    assert sorted(each["Principal"]["Service"] for each in trusts) == [
        "scheduler.amazonaws.com",
        "states.amazonaws.com",
    ]
    for each in trusts:
        assert each["Condition"]["StringEquals"]["aws:SourceAccount"]
        assert "*" not in str(each["Condition"]["ArnEquals"]["aws:SourceArn"])


def test_a_start_that_did_not_happen_is_told(
    off_hours: Callable[[str], list[dict[str, Any]]],
) -> None:
    (queue,) = off_hours("SQS::Queue")
    (alarm,) = off_hours("CloudWatch::Alarm")
    (policy,) = off_hours("SQS::QueuePolicy")

    assert queue["KmsMasterKeyId"]
    assert alarm["AlarmActions"] == [TOPIC]
    assert alarm["TreatMissingData"] == "notBreaching"
    assert policy["PolicyDocument"]["Statement"][0]["Effect"] == "Deny"


@pytest.mark.parametrize(
    ("kind", "autoscaling", "message"),
    [
        ("serverless", None, "a serverless endpoint costs nothing without requests"),
        ("realtime", object(), "delete the endpoint and with it all of its scaling"),
    ],
)
def test_off_hours_that_would_undo_something_are_rejected(
    stack: Stack, kind: str, autoscaling: object, message: str
) -> None:
    environment: Any = SimpleNamespace(
        off_hours=HOURS, endpoint=SimpleNamespace(kind=kind), autoscaling=autoscaling
    )
    anything: Any = SimpleNamespace()

    with pytest.raises(ValueError, match=message):
        add_off_hours(
            stack,
            environment,
            endpoint=anything,
            endpoint_config_name="config-1",
            endpoint_config_arn=CONFIG,
            artifacts=anything,
            topics=anything,
            alarm_names_to_mute=(),
        )


@pytest.mark.parametrize("kind", ["shadow", "split"])
def test_off_hours_are_refused_beside_a_challenger(kind: str) -> None:
    ((where, why),) = broken_rules(SCALING_RULES, {"off_hours": True, "rollout.kind": kind})

    assert where == ("off_hours",)
    assert f"expected null beside a rollout of kind {kind}" in why


@pytest.mark.parametrize(("off_hours", "kind"), [(True, "canary"), (None, "split")])
def test_off_hours_alone_and_a_challenger_alone_are_taken(off_hours: object, kind: str) -> None:
    assert not list(broken_rules(SCALING_RULES, {"off_hours": off_hours, "rollout.kind": kind}))


def test_without_off_hours_nothing_is_made(stack: Stack) -> None:
    anything: Any = SimpleNamespace(off_hours=None)
    add_off_hours(
        stack,
        anything,
        endpoint=anything,
        endpoint_config_name="config-1",
        endpoint_config_arn=CONFIG,
        artifacts=anything,
        topics=anything,
        alarm_names_to_mute=(),
    )

    assert list(stack.node.children) == []


def test_an_environment_with_off_hours_mutes_every_alarm_that_notifies(
    new_app: Callable[..., App],
    packaged: Callable[..., PackagedModel],
    samples: dict[str, Path],
    rendered: Callable[[Stack], dict[str, Any]],
) -> None:
    environment = load_config(samples["minimal"]).environments["only"]
    settings = environment.model_copy(update={"off_hours": HOURS, "autoscaling": None})
    resources = rendered(add_environment(new_app(), settings, packaged()).endpoint)
    (machine,) = (
        each["Properties"]
        for each in resources.values()
        if each["Type"] == "AWS::StepFunctions::StateMachine"
    )
    notifying = {
        each["Properties"]["AlarmName"]
        for each in resources.values()
        if each["Type"] == "AWS::CloudWatch::CompositeAlarm"
    }

    states = machine["Definition"]["States"]
    assert notifying
    assert set(states["MuteBeforeDeletion"]["Parameters"]["AlarmNames"]) == notifying
    (config,) = (
        name for name, each in resources.items() if each["Type"] == "AWS::SageMaker::EndpointConfig"
    )
    assert machine["DefinitionSubstitutions"]["EndpointConfigName"] == {
        "Fn::GetAtt": [config, "EndpointConfigName"]
    }
    tags = {tag["Key"] for tag in states["Create"]["Parameters"]["Tags"]}
    assert {"environment", "team", "model_version"} <= tags
