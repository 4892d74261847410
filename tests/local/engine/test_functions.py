"""Functions, schedules and state machines that really run."""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from forecast_local.awslambda.output import embedded_metrics

TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": ["lambda.amazonaws.com", "states.amazonaws.com"]},
            "Action": "sts:AssumeRole",
        }
    ],
}
CODE = """
import json, boto3

def handler(event, context):
    if event.get("fail"):
        raise ValueError("as asked")
    account = boto3.client("sts").get_caller_identity()["Account"]
    print("seen", event["word"])
    print(json.dumps({
        "_aws": {"Timestamp": 0, "CloudWatchMetrics": [{
            "Namespace": "Functions", "Dimensions": [["Word"]],
            "Metrics": [{"Name": "Calls", "Unit": "Count"}]}]},
        "Word": event["word"], "Calls": 1}))
    return {"account": account, "word": event["word"], "name": context.function_name}
"""
ROLE = {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": TRUST}}


def arn(name: str) -> dict[str, Any]:
    return {"Fn::GetAtt": [name, "Arn"]}


def function(code: str = CODE, **properties: Any) -> dict[str, Any]:
    return {
        "Type": "AWS::Lambda::Function",
        "Properties": {
            "Code": {"ZipFile": code},
            "Handler": "index.handler",
            "Role": arn("Role"),
            "Runtime": "python3.14",
            "Architectures": ["arm64"],
            "Timeout": 20,
            "MemorySize": 256,
            "ReservedConcurrentExecutions": 1,
            **properties,
        },
    }


def eventually(check: Callable[[], Any], seconds: float = 20.0) -> Any:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = check()
        if found:
            return found
        time.sleep(0.2)
    raise AssertionError(f"{check} did not come true within {seconds} s")


def invoked(account: Any, name: str, event: dict[str, Any]) -> dict[str, Any]:
    answer = account.client("lambda").invoke(FunctionName=name, Payload=json.dumps(event))
    return {"error": answer.get("FunctionError"), **json.loads(answer["Payload"].read())}


def test_function_runs_with_the_local_endpoint_and_leaves_logs_and_metrics(
    account: Any, stack: str
) -> None:
    group = {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": f"/{stack}"}}
    code = function(LoggingConfig={"LogGroup": {"Ref": "Logs"}})
    template = {"Resources": {"Role": ROLE, "Logs": group, "F": code}}
    assert account.deploy(stack, template) == "CREATE_COMPLETE", account.events(stack)
    name = account.physical_id(stack, "F")
    answer = invoked(account, name, {"word": stack})
    assert answer == {"error": None, "account": "123456789012", "word": stack, "name": name}
    logs = account.client("logs").filter_log_events(logGroupName=f"/{stack}")["events"]
    assert f"seen {stack}" in [item["message"] for item in logs]
    now = datetime.now(UTC)
    points = account.client("cloudwatch").get_metric_statistics(
        Namespace="Functions",
        MetricName="Calls",
        Dimensions=[{"Name": "Word", "Value": stack}],
        StartTime=now - timedelta(minutes=5),
        EndTime=now + timedelta(minutes=1),
        Period=3600,
        Statistics=["Sum"],
    )["Datapoints"]
    assert [point["Sum"] for point in points] == [1.0]


def test_changed_code_is_run(account: Any, stack: str) -> None:
    def template(word: str) -> dict[str, Any]:
        code = f"def handler(event, context):\n    return {{'word': {word!r}}}\n"
        return {"Resources": {"Role": ROLE, "F": function(code)}}

    account.deploy(stack, template("one"))
    name = account.physical_id(stack, "F")
    assert account.deploy(stack, template("two")) == "UPDATE_COMPLETE", account.events(stack)
    assert account.physical_id(stack, "F") == name
    assert invoked(account, name, {})["word"] == "two"


def test_failure_of_an_asynchronous_invocation_reaches_the_dead_letter_queue(
    account: Any, stack: str
) -> None:
    template = {
        "Resources": {
            "Role": ROLE,
            "Dead": {"Type": "AWS::SQS::Queue", "Properties": {"MessageRetentionPeriod": 1209600}},
            "Deny": {
                "Type": "AWS::SQS::QueuePolicy",
                "Properties": {
                    "Queues": [{"Ref": "Dead"}],
                    "PolicyDocument": {"Version": "2012-10-17", "Statement": []},
                },
            },
            "F": function(DeadLetterConfig={"TargetArn": arn("Dead")}),
            "Invoke": {
                "Type": "AWS::Lambda::EventInvokeConfig",
                "Properties": {
                    "FunctionName": {"Ref": "F"},
                    "Qualifier": "$LATEST",
                    "MaximumRetryAttempts": 0,
                },
            },
        }
    }
    assert account.deploy(stack, template) == "CREATE_COMPLETE", account.events(stack)
    account.client("lambda").invoke(
        FunctionName=account.physical_id(stack, "F"),
        InvocationType="Event",
        Payload=json.dumps({"fail": True}),
    )
    url = account.physical_id(stack, "Dead")
    sqs = account.client("sqs")
    found = eventually(lambda: sqs.receive_message(QueueUrl=url).get("Messages"))
    assert json.loads(found[0]["Body"]) == {"fail": True}


def test_error_of_a_function_is_answered(account: Any, stack: str) -> None:
    account.deploy(stack, {"Resources": {"Role": ROLE, "F": function()}})
    answer = invoked(account, account.physical_id(stack, "F"), {"fail": True})
    assert (answer["error"], answer["errorType"]) == ("Unhandled", "ValueError")
    assert answer["errorMessage"] == "as asked"


def test_schedule_sets_a_call_off(account: Any, stack: str) -> None:
    soon = datetime.now(UTC) + timedelta(seconds=3)
    target = {
        "Arn": "arn:aws:scheduler:::aws-sdk:ssm:putParameter",
        "RoleArn": arn("Role"),
        "Input": json.dumps({"Name": f"/{stack}", "Value": "done", "Type": "String"}),
    }
    template = {
        "Resources": {
            "Role": ROLE,
            "Group": {"Type": "AWS::Scheduler::ScheduleGroup"},
            "S": {
                "Type": "AWS::Scheduler::Schedule",
                "Properties": {
                    "GroupName": {"Ref": "Group"},
                    "FlexibleTimeWindow": {"Mode": "OFF"},
                    "ScheduleExpression": f"at({soon:%Y-%m-%dT%H:%M:%S})",
                    "Target": target,
                },
            },
        }
    }
    assert account.deploy(stack, template) == "CREATE_COMPLETE", account.events(stack)
    ssm = account.client("ssm")

    def value() -> str | None:
        found = ssm.get_parameters(Names=[f"/{stack}"])["Parameters"]
        return str(found[0]["Value"]) if found else None

    assert eventually(value) == "done"


@pytest.mark.parametrize("resource", ["schedule", "rule"])
def test_wrong_schedule_fails_the_stack(account: Any, stack: str, resource: str) -> None:
    schedule = {
        "Type": "AWS::Scheduler::Schedule",
        "Properties": {
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "ScheduleExpression": "cron(0 20 * * MON *)",
            "Target": {
                "Arn": "arn:aws:sns:us-east-1:123456789012:t",
                "RoleArn": "arn:aws:iam::1:role/r",
            },
        },
    }
    rule = {"Type": "AWS::Events::Rule", "Properties": {"ScheduleExpression": "rate(1 minutes)"}}
    template = {"Resources": {"S": schedule if resource == "schedule" else rule}}
    assert account.deploy(stack, template) == "ROLLBACK_COMPLETE"
    assert "expected" in account.failure(stack, "S")


def machine(states: dict[str, Any], **properties: Any) -> dict[str, Any]:
    definition = {"StartAt": next(iter(states)), "States": states}
    return {
        "Type": "AWS::StepFunctions::StateMachine",
        "Properties": {
            "RoleArn": arn("Role"),
            "DefinitionString": json.dumps(definition),
            **properties,
        },
    }


def test_state_machine_calls_this_aws(account: Any, stack: str) -> None:
    states = {
        "Note": {
            "Type": "Task",
            "Resource": "arn:aws:states:::aws-sdk:ssm:putParameter",
            "Parameters": {"Name": "${Name}", "Value.$": "$.word", "Type": "String"},
            "Next": "Done",
        },
        "Done": {"Type": "Succeed"},
    }
    template = {
        "Resources": {
            "Role": ROLE,
            "M": machine(states, DefinitionSubstitutions={"Name": f"/{stack}"}),
        }
    }
    assert account.deploy(stack, template) == "CREATE_COMPLETE", account.events(stack)
    client = account.client("stepfunctions")
    execution = client.start_execution(
        stateMachineArn=account.physical_id(stack, "M"), input=json.dumps({"word": "noted"})
    )["executionArn"]

    def ended() -> str | None:
        status = str(client.describe_execution(executionArn=execution)["status"])
        return None if status == "RUNNING" else status

    assert eventually(ended) == "SUCCEEDED"
    found = account.client("ssm").get_parameter(Name=f"/{stack}")["Parameter"]
    assert found["Value"] == "noted"


def test_state_that_does_not_exist_fails_the_stack(account: Any, stack: str) -> None:
    states = {"A": {"Type": "Pass", "Next": "Nowhere"}}
    template = {"Resources": {"Role": ROLE, "M": machine(states)}}
    assert account.deploy(stack, template) == "ROLLBACK_COMPLETE"
    assert "Nowhere" in account.failure(stack, "M")


def test_budget_and_chat_channels(account: Any, stack: str) -> None:
    def template(amount: int) -> dict[str, Any]:
        notification = {
            "Notification": {
                "ComparisonOperator": "GREATER_THAN",
                "NotificationType": "ACTUAL",
                "Threshold": 80,
            },
            "Subscribers": [{"SubscriptionType": "SNS", "Address": {"Ref": "T"}}],
        }
        return {
            "Resources": {
                "Role": ROLE,
                "T": {"Type": "AWS::SNS::Topic"},
                "B": {
                    "Type": "AWS::Budgets::Budget",
                    "Properties": {
                        "Budget": {
                            "BudgetType": "COST",
                            "TimeUnit": "MONTHLY",
                            "BudgetLimit": {"Amount": amount, "Unit": "USD"},
                        },
                        "NotificationsWithSubscribers": [notification],
                    },
                },
                "Slack": {
                    "Type": "AWS::Chatbot::SlackChannelConfiguration",
                    "Properties": {
                        "ConfigurationName": stack,
                        "SlackChannelId": "C1",
                        "SlackWorkspaceId": "T1",
                        "IamRoleArn": arn("Role"),
                        "SnsTopicArns": [{"Ref": "T"}],
                    },
                },
            }
        }

    assert account.deploy(stack, template(100)) == "CREATE_COMPLETE", account.events(stack)
    assert account.deploy(stack, template(200)) == "UPDATE_COMPLETE", account.events(stack)
    budget = account.client("budgets").describe_budget(
        AccountId="123456789012", BudgetName=account.physical_id(stack, "B")
    )["Budget"]
    assert budget["BudgetLimit"] == {"Amount": "200", "Unit": "USD"}


def test_lines_that_are_no_metrics_are_text() -> None:
    assert list(embedded_metrics("hello\n[1]\n{}\n{broken")) == []
