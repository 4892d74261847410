"""Serving modes and rollouts on real model servers."""

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hosted import invoke, metric_sum

Hosting = Callable[..., dict[str, Any]]
MODEL = {"Fn::GetAtt": ["Model", "ModelName"]}
ALARMS = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "cloudwatch:DescribeAlarms", "Resource": "*"}],
}


def variant(name: str, weight: float = 1, **changes: Any) -> dict[str, Any]:
    size = {"InstanceType": "ml.m5.large", "InitialInstanceCount": 2}
    common = {"VariantName": name, "ModelName": MODEL, "InitialVariantWeight": weight}
    return {**common, **(changes or size)}


def eventually(check: Callable[[], Any], seconds: float = 20.0) -> Any:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = check()
        if found:
            return found
        time.sleep(0.2)
    raise AssertionError(f"{check} did not come true within {seconds} s")


def rollout(endpoint: str, wait: int) -> dict[str, Any]:
    """Return properties and resources of a canary that an alarm on the new fleet undoes."""
    size = {"Type": "CAPACITY_PERCENT", "Value": 50}
    routing = {"Type": "CANARY", "CanarySize": size, "WaitIntervalInSeconds": wait}
    values = {
        "EndpointName": endpoint,
        "VariantName": "main",
        "EndpointConfigName": {"Fn::GetAtt": ["Config", "EndpointConfigName"]},
    }
    return {
        "deployment": {
            "BlueGreenUpdatePolicy": {
                "TrafficRoutingConfiguration": routing,
                "TerminationWaitInSeconds": 0,
            },
            "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": f"{endpoint}-errors"}]},
        },
        "alarm": {
            "Type": "AWS::CloudWatch::Alarm",
            "Properties": {
                "AlarmName": f"{endpoint}-errors",
                "Namespace": "AWS/SageMaker",
                "MetricName": "Invocation5XXErrors",
                "Dimensions": [{"Name": key, "Value": value} for key, value in values.items()],
                "Statistic": "Sum",
                "Period": 60,
                "EvaluationPeriods": 2,
                "Threshold": 5,
                "ComparisonOperator": "GreaterThanOrEqualToThreshold",
                "TreatMissingData": "notBreaching",
            },
        },
        "policy": {
            "Type": "AWS::IAM::ManagedPolicy",
            "Properties": {"PolicyDocument": ALARMS, "Roles": [{"Ref": "Role"}]},
        },
    }


@contextmanager
def traffic(account: Any, endpoint: str, body: bytes) -> Iterator[Counter[str]]:
    """Ask an endpoint without a pause; count the answers by version, and the errors."""
    seen: Counter[str] = Counter()
    stop = threading.Event()

    def ask() -> None:
        while not stop.is_set():
            try:
                seen[invoke(account, endpoint, body)["Answer"]["version"]] += 1
            except ClientError as error:
                seen[error.response["OriginalMessage"][13:14]] += 1
            time.sleep(0.02)

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield seen
    finally:
        stop.set()
        thread.join()


@pytest.mark.parametrize(
    ("body", "status"), [(b"hi", "UPDATE_COMPLETE"), (b"broken", "UPDATE_ROLLBACK_COMPLETE")]
)
def test_canary_shares_the_traffic_and_a_sick_new_fleet_is_undone(  # noqa: PLR0917 - fixtures and cases
    account: Any, stack: str, endpoint_name: str, hosting: Hosting, body: bytes, status: str
) -> None:
    def template(version: str, wait: int) -> dict[str, Any]:
        parts = rollout(endpoint_name, wait)
        found = hosting(
            endpoint_name,
            account.upload(version),
            Endpoint={"DeploymentConfig": parts["deployment"]},
        )
        found["Resources"].update(Errors=parts["alarm"], Policy=parts["policy"])
        found["Resources"]["Endpoint"]["DependsOn"] = ["Errors", "Policy"]
        return found

    assert account.deploy(stack, template("1", 0)) == "CREATE_COMPLETE", account.events(stack)
    sagemaker = account.client("sagemaker")
    before = sagemaker.describe_endpoint(EndpointName=endpoint_name)["EndpointConfigName"]
    with traffic(account, endpoint_name, body) as seen:
        account.client("cloudformation").update_stack(
            StackName=stack, TemplateBody=json.dumps(template("2", 600))
        )
        if status == "UPDATE_COMPLETE":
            # A sick fleet may be undone before anybody looks.
            pending = eventually(
                lambda: sagemaker.describe_endpoint(EndpointName=endpoint_name).get(
                    "PendingDeploymentSummary"
                )
            )
            assert pending["EndpointConfigName"] != before
        assert account.settle(stack) == status, account.events(stack)
    assert seen["1"] > 0
    assert seen["2"] > 0
    after = sagemaker.describe_endpoint(EndpointName=endpoint_name)
    assert after["EndpointStatus"] == "InService"
    assert (after["EndpointConfigName"] == before) == (status != "UPDATE_COMPLETE")
    if status != "UPDATE_COMPLETE":
        assert "CloudWatch alarms" in account.failure(stack, "Endpoint")
        assert f"{endpoint_name}-errors" in after["FailureReason"]
        assert invoke(account, endpoint_name)["Answer"]["version"] == "1"


def test_shadow_gets_copies_and_clients_get_the_champion(
    account: Any, stack: str, endpoint_name: str, hosting: Hosting
) -> None:
    config = {"ShadowProductionVariants": [variant("shadow", weight=1)]}
    template = hosting(endpoint_name, account.upload("1"), Config=config)
    assert account.deploy(stack, template) == "CREATE_COMPLETE", account.events(stack)
    for _ in range(5):
        assert invoke(account, endpoint_name)["InvokedProductionVariant"] == "main"
    names = {"EndpointName": endpoint_name, "VariantName": "shadow"}
    eventually(lambda: metric_sum(account, "Invocations", names, "Sum") == 5)
    described = account.client("sagemaker").describe_endpoint(EndpointName=endpoint_name)
    assert [item["VariantName"] for item in described["ShadowProductionVariants"]] == ["shadow"]
    with pytest.raises(ClientError, match="Variant shadow of endpoint"):
        invoke(account, endpoint_name, TargetVariant="shadow")


def test_split_follows_the_weights_and_the_wish(
    account: Any, stack: str, endpoint_name: str, hosting: Hosting
) -> None:
    config = {"ProductionVariants": [variant("main", 1), variant("challenger", 0)]}
    template = hosting(endpoint_name, account.upload("1"), Config=config)
    assert account.deploy(stack, template) == "CREATE_COMPLETE", account.events(stack)
    asked = {invoke(account, endpoint_name)["InvokedProductionVariant"] for _ in range(5)}
    assert asked == {"main"}
    wanted = invoke(account, endpoint_name, TargetVariant="challenger")
    assert wanted["InvokedProductionVariant"] == "challenger"


def test_serverless_throttles_what_is_too_much(
    account: Any, stack: str, endpoint_name: str, hosting: Hosting
) -> None:
    size = {"ServerlessConfig": {"MemorySizeInMB": 1024, "MaxConcurrency": 1}}
    config = {"ProductionVariants": [variant("main", **size)]}
    template = hosting(endpoint_name, account.upload("1"), Config=config)
    assert account.deploy(stack, template) == "CREATE_COMPLETE", account.events(stack)
    slow = threading.Thread(target=invoke, args=(account, endpoint_name, b"slow"))
    slow.start()
    # It answers for three seconds; until it is on its way, another one could take its place.
    time.sleep(0.7)

    def throttled() -> bool:
        try:
            invoke(account, endpoint_name)
        except ClientError as error:
            return bool(error.response["Error"]["Code"] == "ThrottlingException")
        return False

    eventually(throttled, 3.0)
    slow.join()
    invoke(account, endpoint_name)
    names = {"EndpointName": endpoint_name, "VariantName": "main"}
    name = "ServerlessConcurrentExecutionsUtilization"
    assert metric_sum(account, name, names, "Maximum") == 1.0
    assert metric_sum(account, "Invocation4XXErrors", names, "Sum") >= 1


def test_async_wakes_from_zero_answers_by_s3_and_tells_the_topics(
    account: Any, stack: str, endpoint_name: str, hosting: Hosting
) -> None:
    output = {
        "S3OutputPath": "s3://engine-tests/answers",
        "S3FailurePath": "s3://engine-tests/failures",
        "NotificationConfig": {"SuccessTopic": {"Ref": "Done"}, "ErrorTopic": {"Ref": "Failed"}},
    }
    template = hosting(
        endpoint_name,
        account.upload("1"),
        Config={"AsyncInferenceConfig": {"OutputConfig": output}},
    )
    template["Resources"].update(waking(endpoint_name))
    assert account.deploy(stack, template) == "CREATE_COMPLETE", account.events(stack)
    with pytest.raises(ClientError, match="use InvokeEndpointAsync"):
        invoke(account, endpoint_name)
    account.client("sagemaker").update_endpoint_weights_and_capacities(
        EndpointName=endpoint_name,
        DesiredWeightsAndCapacities=[{"VariantName": "main", "DesiredInstanceCount": 0}],
    )
    s3, answers = account.client("s3"), {}
    for body in (b"hi", b"broken"):
        s3.put_object(Bucket="engine-tests", Key=f"in/{body.decode()}", Body=body)
        answers[body] = account.client("sagemaker-runtime").invoke_endpoint_async(
            EndpointName=endpoint_name,
            InputLocation=f"s3://engine-tests/in/{body.decode()}",
            ContentType="text/csv",
        )
    good = key_of(answers[b"hi"]["OutputLocation"])
    time.sleep(1)
    assert not s3.list_objects_v2(Bucket="engine-tests", Prefix=good).get("Contents")
    # The step policy wakes it once the alarm has seen the backlog.
    found = eventually(lambda: read(s3, good), 60.0)
    assert json.loads(found)["content_type"] == "text/csv"
    failed = eventually(lambda: read(s3, key_of(answers[b"broken"]["FailureLocation"])))
    assert json.loads(failed)["got"] == "broken"
    described = account.client("sagemaker").describe_endpoint(EndpointName=endpoint_name)
    assert described["ProductionVariants"][0]["DesiredInstanceCount"] == 1
    told = eventually(lambda: told_of(account, stack, 2))
    assert {item["invocationStatus"] for item in told} == {"Completed", "Failed"}


def key_of(location: str) -> str:
    return location.removeprefix("s3://engine-tests/")


def read(s3: Any, key: str) -> bytes | None:
    if not s3.list_objects_v2(Bucket="engine-tests", Prefix=key).get("Contents"):
        return None
    return bytes(s3.get_object(Bucket="engine-tests", Key=key)["Body"].read())


_TOLD: dict[str, list[dict[str, Any]]] = {}


def told_of(account: Any, stack: str, count: int) -> list[dict[str, Any]] | None:
    sqs, seen = account.client("sqs"), _TOLD.setdefault(stack, [])
    url = account.physical_id(stack, "Inbox")
    found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    seen.extend(json.loads(json.loads(item["Body"])["Message"]) for item in found)
    return seen if len(seen) >= count else None


def waking(endpoint: str) -> dict[str, Any]:
    """Return topics with an inbox, and what wakes an endpoint from zero."""

    def subscription(topic: str) -> dict[str, Any]:
        return {
            "Type": "AWS::SNS::Subscription",
            "Properties": {
                "TopicArn": {"Ref": topic},
                "Protocol": "sqs",
                "Endpoint": {"Fn::GetAtt": ["Inbox", "Arn"]},
            },
        }

    return {
        "Done": {"Type": "AWS::SNS::Topic"},
        "Failed": {"Type": "AWS::SNS::Topic"},
        "Inbox": {"Type": "AWS::SQS::Queue"},
        "DoneInbox": subscription("Done"),
        "FailedInbox": subscription("Failed"),
        "Target": {
            "Type": "AWS::ApplicationAutoScaling::ScalableTarget",
            "DependsOn": "Endpoint",
            "Properties": {
                "ServiceNamespace": "sagemaker",
                "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
                "ResourceId": f"endpoint/{endpoint}/variant/main",
                "MinCapacity": 0,
                "MaxCapacity": 3,
            },
        },
        "Wake": {
            "Type": "AWS::ApplicationAutoScaling::ScalingPolicy",
            "Properties": {
                "PolicyName": "wake",
                "PolicyType": "StepScaling",
                "ScalingTargetId": {"Ref": "Target"},
                "StepScalingPolicyConfiguration": {
                    "AdjustmentType": "ChangeInCapacity",
                    "Cooldown": 300,
                    "StepAdjustments": [{"MetricIntervalLowerBound": 0, "ScalingAdjustment": 1}],
                },
            },
        },
        "Waiting": {
            "Type": "AWS::CloudWatch::Alarm",
            "Properties": {
                "Namespace": "AWS/SageMaker",
                "MetricName": "HasBacklogWithoutCapacity",
                "Dimensions": [{"Name": "EndpointName", "Value": endpoint}],
                "Statistic": "Maximum",
                "Period": 10,
                "EvaluationPeriods": 1,
                "Threshold": 1,
                "ComparisonOperator": "GreaterThanOrEqualToThreshold",
                "TreatMissingData": "missing",
                "AlarmActions": [{"Ref": "Wake"}],
            },
        },
    }
