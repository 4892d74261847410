"""A function asks each variant every minute, with no more rights than it needs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from forecast_config import ForecastError
from forecast_constructs.monitoring.golden_check import (
    MAX_GOLDEN_CHARACTERS,
    choose_golden,
    render_check,
    render_code,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from forecast_config import PackagedModel

EXAMPLE = {
    "name": "example",
    "content_type": "application/json",
    "accept": "application/json",
    "body": "{}",
    "status": 200,
    "answer": {"predictions": []},
}


def _function(built: Any) -> dict[str, Any]:
    (function,) = built.of("Lambda::Function").values()
    return dict(function)


def _statements(built: Any) -> list[dict[str, Any]]:
    (policy,) = built.of("IAM::ManagedPolicy").values()
    return list(policy["PolicyDocument"]["Statement"])


def _run(code: str) -> dict[str, Any]:
    """The one file, as AWS Lambda imports it."""
    scope: dict[str, Any] = {"__name__": "index"}
    exec(compile(code, "index.py", "exec"), scope)  # noqa: S102 - it is the deployed code
    return scope


@pytest.fixture
def golden(packaged: Callable[..., PackagedModel], tmp_path: Path) -> Callable[..., PackagedModel]:
    """A packed model with golden requests of its own."""

    def make(*requests: dict[str, Any]) -> PackagedModel:
        path = tmp_path / "golden_requests.json"
        path.write_text(json.dumps({"schema_version": 2, "requests": list(requests)}))
        return packaged().model_copy(update={"golden": path})

    return make


def test_the_deployed_file_asks_every_variant_its_golden_request(
    watched: Callable[[str], Any],
) -> None:
    check = _run(_function(watched("split"))["Code"]["ZipFile"])["CHECK"]

    assert check["endpoint_name"] == "forecast"
    assert list(check["variants"]) == ["AllTraffic", "AllTraffic-challenger"]
    for request in check["variants"].values():
        assert request["name"] == "example"
        assert "predictions" in request["answer"]


def test_the_code_depends_on_the_golden_request_alone(
    watched: Callable[[str], Any], packaged: Callable[..., PackagedModel]
) -> None:
    settings = watched("realtime").settings
    code = render_code(render_check(settings, {"AllTraffic": packaged()}))

    assert _function(watched("realtime"))["Code"]["ZipFile"] == code
    assert _run(code)["handler"]


def test_a_large_example_gives_way_to_the_smallest_request(
    golden: Callable[..., PackagedModel],
) -> None:
    large = {**EXAMPLE, "body": "x" * MAX_GOLDEN_CHARACTERS}
    refused = {**EXAMPLE, "name": "refused", "status": 400, "body": ""}
    small = {**EXAMPLE, "name": "csv", "body": "a,b"}
    larger = {**EXAMPLE, "name": "columns", "body": "a,b,c"}

    assert choose_golden(golden(large, refused, larger, small))["name"] == "csv"
    assert choose_golden(golden(EXAMPLE, small))["name"] == "example"


def test_a_model_without_golden_requests_is_refused(
    golden: Callable[..., PackagedModel], packaged: Callable[..., PackagedModel]
) -> None:
    with pytest.raises(ForecastError, match="that is answered with 200, got none of 1"):
        choose_golden(golden({**EXAMPLE, "status": 400}))
    with pytest.raises(ForecastError, match=r"set alarms\.endpoint_down to null"):
        choose_golden(packaged().model_copy(update={"golden": None}))


def test_it_runs_every_minute_and_never_again_for_the_same_minute(
    watched: Callable[[str], Any],
) -> None:
    built = watched("realtime")
    (rule,) = built.of("Events::Rule").values()
    (invocation,) = built.of("Lambda::EventInvokeConfig").values()
    (permission,) = built.of("Lambda::Permission").values()
    (target,) = rule["Targets"]

    assert rule["ScheduleExpression"] == "rate(1 minute)"
    assert target["RetryPolicy"]["MaximumRetryAttempts"] == 0
    assert invocation["MaximumRetryAttempts"] == 0
    assert invocation["MaximumEventAgeInSeconds"] == 60
    assert permission["Principal"] == "events.amazonaws.com"
    assert "Fn::GetAtt" in permission["SourceArn"]


@pytest.mark.parametrize(("name", "timeout"), [("realtime", 15), ("split", 25), ("serverless", 55)])
def test_it_waits_for_every_answer_within_the_minute(
    name: str, timeout: int, watched: Callable[[str], Any]
) -> None:
    function = _function(watched(name))
    check = _run(function["Code"]["ZipFile"])["CHECK"]

    assert function["Timeout"] == timeout
    assert len(check["variants"]) * check["read_timeout_seconds"] < timeout < 60


def test_it_may_ask_this_endpoint_and_write_its_own_logs(watched: Callable[[str], Any]) -> None:
    statements = _statements(watched("realtime"))
    by_action = {action: each for each in statements for action in each["Action"]}

    assert set(by_action) == {
        "sagemaker:InvokeEndpoint",
        "logs:CreateLogStream",
        "logs:PutLogEvents",
        "sqs:SendMessage",
        "kms:Decrypt",
        "kms:GenerateDataKey",
    }
    assert by_action["sagemaker:InvokeEndpoint"]["Resource"].endswith(":endpoint/forecast")
    assert "*" not in {json.dumps(each["Resource"]).strip('"') for each in statements}
    assert "kms:ViaService" in json.dumps(by_action["kms:Decrypt"]["Condition"])


def test_its_logs_and_dead_letters_are_encrypted(watched: Callable[[str], Any]) -> None:
    built = watched("realtime")
    (group,) = built.of("Logs::LogGroup").values()
    (queue,) = built.of("SQS::Queue").values()

    assert group["LogGroupName"] == f"/aws/lambda/{_function(built)['FunctionName']}"
    assert group["RetentionInDays"] == built.settings.log_retention_days
    assert "KmsKeyId" in group
    assert "KmsMasterKeyId" in queue
    assert "DeadLetterConfig" in _function(built)


def test_it_comes_after_the_endpoint_and_before_what_counts_its_beats(
    watched: Callable[[str], Any],
) -> None:
    resources = watched("realtime").resources
    (function,) = [each for each in resources.values() if each["Type"] == "AWS::Lambda::Function"]
    (down,) = [
        each
        for each in resources.values()
        if "endpoint-down" in each["Properties"].get("AlarmName", "")
    ]

    after = {resources[name]["Type"] for name in function["DependsOn"]}
    assert {"AWS::SageMaker::Endpoint", "AWS::IAM::ManagedPolicy", "AWS::Logs::LogGroup"} <= after
    assert {resources[name]["Type"] for name in down["DependsOn"]} == {"AWS::Events::Rule"}


def test_in_a_network_it_runs_in_the_subnets_of_the_functions(
    watched: Callable[[str], Any],
) -> None:
    placed, free = watched("placed"), watched("realtime")
    actions = {action for each in _statements(placed) for action in each["Action"]}

    assert _function(placed)["VpcConfig"] == {
        "SecurityGroupIds": ["sg-0123456789abcdef0"],
        "SubnetIds": ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"],
    }
    assert "ec2:CreateNetworkInterface" in actions
    assert "VpcConfig" not in _function(free)


def test_an_asynchronous_endpoint_is_left_asleep(watched: Callable[[str], Any]) -> None:
    built = watched("async")

    assert not built.of("Lambda::Function")
    assert not built.of("Events::Rule")
