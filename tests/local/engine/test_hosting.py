"""Endpoints: real model servers behind the SageMaker APIs."""

import http.server
import json
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hosted import invoke, metric_sum

from forecast_local.sagemaker.fleet import FleetError, ModelServer, ServerPlan
from forecast_local.sagemakerruntime.serving import ask_model

Hosting = Callable[..., dict[str, Any]]
CAPTURE = {
    "EnableCapture": True,
    "InitialSamplingPercentage": 100,
    "DestinationS3Uri": "s3://engine-tests/captured",
    "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
    "CaptureContentTypeHeader": {"JsonContentTypes": ["application/json"]},
}


@pytest.fixture
def deployed(account: Any, stack: str, endpoint_name: str, hosting: Hosting) -> str:
    template = hosting(endpoint_name, account.upload("1"), Config={"DataCaptureConfig": CAPTURE})
    assert account.deploy(stack, template) == "CREATE_COMPLETE", account.events(stack)
    return endpoint_name


def test_invocation_reaches_the_model_from_the_archive(account: Any, deployed: str) -> None:
    found = invoke(account, deployed, b"price?", ContentType="text/csv", Accept="application/json")
    assert found["InvokedProductionVariant"] == "main"
    assert found["ContentType"] == "application/json"
    answer = found["Answer"]
    assert answer["version"] == "1"
    assert (answer["got"], answer["content_type"], answer["accept"]) == (
        "price?",
        "text/csv",
        "application/json",
    )
    assert answer["greeting"] == "hello"


def test_model_gets_no_credentials_and_starts_elsewhere(account: Any, deployed: str) -> None:
    answer = invoke(account, deployed)["Answer"]
    assert answer["credentials"] == []
    assert Path(answer["folder"]).name == "empty"


@pytest.mark.parametrize(
    ("body", "status", "side"), [(b"bad", 400, "client"), (b"broken", 500, "server")]
)
def test_model_error_is_passed_on_as_424(
    account: Any, deployed: str, body: bytes, status: int, side: str
) -> None:
    with pytest.raises(ClientError, match=f"Received {side} error") as failure:
        invoke(account, deployed, body)
    answer = failure.value.response
    assert answer["Error"]["Code"] == "ModelError"
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 424
    assert answer["OriginalStatusCode"] == status
    assert json.loads(answer["OriginalMessage"])["got"] == body.decode()
    assert answer["LogStreamArn"].endswith(f"/aws/sagemaker/Endpoints/{deployed}")


def test_missing_endpoint_is_a_validation_error(account: Any) -> None:
    with pytest.raises(ClientError, match=r"Endpoint nobody of account \d{12} not found") as error:
        invoke(account, "nobody")
    assert error.value.response["Error"]["Code"] == "ValidationError"


def test_body_over_the_limit_is_refused_before_the_model(account: Any, deployed: str) -> None:
    assert invoke(account, deployed, b"x" * 6_291_456)["Answer"]["version"] == "1"
    with pytest.raises(ClientError, match="6291456") as error:
        invoke(account, deployed, b"x" * 6_291_457)
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 413


def test_model_that_takes_too_long_times_out() -> None:
    class Silent(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            time.sleep(1)

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Silent) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        answer = ask_model(server.server_address[1], b"", {}, timeout_seconds=0.2)
        server.shutdown()
    assert answer.status is None
    assert b"timed out while waiting" in answer.body


def test_crashed_model_server_is_an_error_and_starts_again(account: Any, deployed: str) -> None:
    with pytest.raises(ClientError, match="closed the connection"):
        invoke(account, deployed, b"die")
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            assert invoke(account, deployed)["Answer"]["version"] == "1"
        except ClientError:
            time.sleep(0.2)
        else:
            return
    pytest.fail("the model server did not come back")


def test_invocations_show_up_as_metrics_of_variant_and_configuration(
    account: Any, deployed: str
) -> None:
    for body in (b"a", b"b", b"bad", b"broken"):
        try:
            invoke(account, deployed, body)
        except ClientError:
            assert body in {b"bad", b"broken"}
    described = account.client("sagemaker").describe_endpoint(EndpointName=deployed)
    variant = {"VariantName": "main", "EndpointName": deployed}
    config = {**variant, "EndpointConfigName": described["EndpointConfigName"]}
    for dimensions in (variant, config):
        assert metric_sum(account, "Invocations", dimensions) == 4
        assert metric_sum(account, "InvocationsPerInstance", dimensions) == 2
        assert metric_sum(account, "Invocation4XXErrors", dimensions) == 1
        assert metric_sum(account, "Invocation5XXErrors", dimensions) == 1
        assert metric_sum(account, "InvocationModelErrors", dimensions) == 2
        assert 10 < metric_sum(account, "ModelLatency", dimensions, "Average") < 5e6
        assert metric_sum(account, "OverheadLatency", dimensions, "Minimum") > 0
    assert metric_sum(account, "Invocations", {"EndpointName": deployed}) == 0


def test_metric_data_does_not_depend_on_the_order_of_dimensions(
    account: Any, deployed: str
) -> None:
    invoke(account, deployed)
    now = datetime.now(UTC)
    for names in (("EndpointName", "VariantName"), ("VariantName", "EndpointName")):
        values = {"EndpointName": deployed, "VariantName": "main"}
        metric = {
            "Namespace": "AWS/SageMaker",
            "MetricName": "Invocations",
            "Dimensions": [{"Name": name, "Value": values[name]} for name in names],
        }
        found = account.client("cloudwatch").get_metric_data(
            MetricDataQueries=[
                {"Id": "m", "MetricStat": {"Metric": metric, "Period": 3600, "Stat": "Sum"}}
            ],
            StartTime=now - timedelta(minutes=5),
            EndTime=now + timedelta(minutes=1),
        )
        assert found["MetricDataResults"][0]["Values"] == [1.0]


def test_requests_and_answers_are_captured(account: Any, deployed: str) -> None:
    invoke(account, deployed, b'{"a":1}', ContentType="application/json", InferenceId="i-1")
    s3, found = account.client("s3"), []
    prefix = f"captured/{deployed}/main/"
    deadline = time.monotonic() + 10
    while not found and time.monotonic() < deadline:
        found = s3.list_objects_v2(Bucket="engine-tests", Prefix=prefix).get("Contents", [])
    key = found[0]["Key"]
    hour = datetime.now(UTC).strftime("%Y/%m/%d/")
    assert key.startswith(prefix + hour)
    assert key.endswith(".jsonl")
    lines = s3.get_object(Bucket="engine-tests", Key=key)["Body"].read().splitlines()
    record = json.loads(lines[0])
    assert len(lines) == 1
    assert record["captureData"]["endpointInput"] == {
        "observedContentType": "application/json",
        "mode": "INPUT",
        "data": '{"a":1}',
        "encoding": "JSON",
    }
    assert json.loads(record["captureData"]["endpointOutput"]["data"])["version"] == "1"
    assert record["eventMetadata"]["inferenceId"] == "i-1"
    assert record["eventVersion"] == "0"


def test_new_model_replaces_model_and_config_and_keeps_the_endpoint(
    account: Any, stack: str, endpoint_name: str, hosting: Hosting
) -> None:
    account.deploy(stack, hosting(endpoint_name, account.upload("1")))
    before = {key: account.physical_id(stack, key) for key in ("Model", "Config", "Endpoint")}
    assert account.deploy(stack, hosting(endpoint_name, account.upload("2"))) == "UPDATE_COMPLETE"
    after = {key: account.physical_id(stack, key) for key in before}
    assert before["Endpoint"] == after["Endpoint"]
    assert before["Model"] != after["Model"]
    assert before["Config"] != after["Config"]
    assert invoke(account, endpoint_name)["Answer"]["version"] == "2"
    described = account.client("sagemaker").describe_endpoint(EndpointName=endpoint_name)
    assert after["Config"].endswith(described["EndpointConfigName"])
    names = [item["ModelName"] for item in account.client("sagemaker").list_models()["Models"]]
    assert before["Model"].rpartition("/")[2] not in names


def test_old_fleet_answers_until_the_new_one_is_healthy(
    account: Any, stack: str, endpoint_name: str, hosting: Hosting, archive: Callable[..., bytes]
) -> None:
    server = Path(__file__).with_name("tiny_server.py").read_text(encoding="utf-8")
    late = archive("2", server.replace("import argparse", "import argparse, time\ntime.sleep(2)"))
    account.deploy(stack, hosting(endpoint_name, account.upload("1")))
    template = hosting(endpoint_name, account.upload("2", late))
    account.client("cloudformation").update_stack(
        StackName=stack, TemplateBody=json.dumps(template)
    )
    assert invoke(account, endpoint_name)["Answer"]["version"] == "1"
    assert account.settle(stack) == "UPDATE_COMPLETE"
    assert invoke(account, endpoint_name)["Answer"]["version"] == "2"


def test_model_server_that_ends_fails_the_stack_with_its_log(
    account: Any, stack: str, endpoint_name: str, hosting: Hosting, archive: Callable[..., bytes]
) -> None:
    broken = account.upload("1", archive("1", "raise SystemExit('no model in here')"))
    assert account.deploy(stack, hosting(endpoint_name, broken)) == "ROLLBACK_COMPLETE"
    reason = account.failure(stack, "Endpoint")
    assert "no model in here" in reason
    assert ".log" in reason
    with pytest.raises(ClientError, match="Could not find endpoint"):
        account.client("sagemaker").describe_endpoint(EndpointName=endpoint_name)


def test_failed_update_keeps_the_old_model_serving(
    account: Any, stack: str, endpoint_name: str, hosting: Hosting, archive: Callable[..., bytes]
) -> None:
    account.deploy(stack, hosting(endpoint_name, account.upload("1")))
    broken = account.upload("2", archive("2", "raise SystemExit('no model in here')"))
    assert account.deploy(stack, hosting(endpoint_name, broken)) == "UPDATE_ROLLBACK_COMPLETE"
    assert "no model in here" in account.failure(stack, "Endpoint")
    assert invoke(account, endpoint_name)["Answer"]["version"] == "1"
    described = account.client("sagemaker").describe_endpoint(EndpointName=endpoint_name)
    assert described["EndpointStatus"] == "InService"


def test_server_that_never_answers_the_ping_times_out(
    account: Any, stack: str, endpoint_name: str, archive: Callable[..., bytes]
) -> None:
    # The API's shortest time-out is 60 seconds: the fleet is asked directly.
    uri = account.upload("1", archive("1", "import time; time.sleep(60)"))
    plan = ServerPlan(endpoint_name, f"c-{stack}", "main", uri, {}, timeout_seconds=1)
    server = ModelServer(plan, account.aws.root / ".forecast" / "local")
    with pytest.raises(FleetError, match="did not pass the ping health check within 1 seconds"):
        server.start(account.client("s3"))


def test_hostile_archive_fails_the_endpoint(
    account: Any, stack: str, endpoint_name: str, hosting: Hosting
) -> None:
    uri = account.upload("1", b"this is no archive")
    assert account.deploy(stack, hosting(endpoint_name, uri)) == "ROLLBACK_COMPLETE"
    assert "is not a sound archive" in account.failure(stack, "Endpoint")


@pytest.mark.parametrize(("retain", "count"), [(True, 4), (False, 2)])
def test_scaled_out_count_is_kept_only_when_asked_for(  # noqa: PLR0917 - fixtures and cases
    account: Any, stack: str, endpoint_name: str, hosting: Hosting, retain: object, count: int
) -> None:
    extra = {"RetainAllVariantProperties": retain}
    account.deploy(stack, hosting(endpoint_name, account.upload("1"), Endpoint=extra))
    sagemaker = account.client("sagemaker")
    sagemaker.update_endpoint_weights_and_capacities(
        EndpointName=endpoint_name,
        DesiredWeightsAndCapacities=[{"VariantName": "main", "DesiredInstanceCount": 4}],
    )
    account.deploy(stack, hosting(endpoint_name, account.upload("2"), Endpoint=extra))
    described = sagemaker.describe_endpoint(EndpointName=endpoint_name)
    assert described["ProductionVariants"][0]["DesiredInstanceCount"] == count
    assert described["ProductionVariants"][0]["DesiredWeight"] == 1.0


@pytest.mark.parametrize("retain", [True, False])
def test_capture_follows_the_configuration_whatever_is_retained(
    account: Any, stack: str, endpoint_name: str, hosting: Hosting, retain: object
) -> None:
    uri = account.upload("1")

    def deploy(**config: Any) -> Any:
        extra = {"RetainAllVariantProperties": retain}
        template = hosting(endpoint_name, uri, Config=config, Endpoint=extra)
        assert account.deploy(stack, template) in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}
        described = account.client("sagemaker").describe_endpoint(EndpointName=endpoint_name)
        return described.get("DataCaptureConfig")

    for percent in (100, 25):
        capture = {**CAPTURE, "InitialSamplingPercentage": percent}
        assert deploy(DataCaptureConfig=capture)["CurrentSamplingPercentage"] == percent
    assert deploy() is None


def test_everything_given_is_described(
    account: Any, stack: str, endpoint_name: str, hosting: Hosting
) -> None:
    template = hosting(
        endpoint_name,
        account.upload("1"),
        Variant={"ContainerStartupHealthCheckTimeoutInSeconds": "120"},
        Config={"KmsKeyId": "alias/aws/sagemaker", "DataCaptureConfig": CAPTURE},
        Endpoint={"Tags": [{"Key": "model_version", "Value": "1"}]},
    )
    assert account.deploy(stack, template) == "CREATE_COMPLETE"
    sagemaker = account.client("sagemaker")
    endpoint = sagemaker.describe_endpoint(EndpointName=endpoint_name)
    config = sagemaker.describe_endpoint_config(EndpointConfigName=endpoint["EndpointConfigName"])
    variant = config["ProductionVariants"][0]
    assert variant["ContainerStartupHealthCheckTimeoutInSeconds"] == 120
    assert config["KmsKeyId"] == "alias/aws/sagemaker"
    assert config["DataCaptureConfig"]["InitialSamplingPercentage"] == 100
    model = sagemaker.describe_model(ModelName=variant["ModelName"])
    assert model["PrimaryContainer"]["Environment"] == {"GREETING": "hello"}
    tags = sagemaker.list_tags(ResourceArn=endpoint["EndpointArn"])["Tags"]
    assert tags == [{"Key": "model_version", "Value": "1"}]
    for name in (variant["ModelName"], endpoint["EndpointConfigName"]):
        assert name.startswith(f"{stack}-")
        assert len(name) <= 63


def test_tags_of_a_model_change_in_place(
    account: Any, stack: str, endpoint_name: str, hosting: Hosting
) -> None:
    uri = account.upload("1")

    def tagged(value: str) -> dict[str, Any]:
        return hosting(endpoint_name, uri, Model={"Tags": [{"Key": "k", "Value": value}]})

    account.deploy(stack, tagged("a"))
    before = account.physical_id(stack, "Model")
    account.deploy(stack, tagged("b"))
    assert account.physical_id(stack, "Model") == before
    tags = account.client("sagemaker").list_tags(ResourceArn=before)["Tags"]
    assert tags == [{"Key": "k", "Value": "b"}]
