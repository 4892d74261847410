"""Calls to AWS: answers as they are, refusals as one sentence that says what to do."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError, NoCredentialsError
from botocore.stub import Stubber

from forecast_operations.cloud.cloud import Cloud, permission_of
from forecast_operations.cloud.refusals import CloudError, NotAllowedError

ARN = "arn:aws:sagemaker:eu-central-1:111111111111:endpoint/x"
ACTION = "sagemaker:DescribeEndpoint"
WHO = "arn:aws:sts::111111111111:assumed-role/ci/run"
DENIED = (
    f"User: {WHO} is not authorized to perform: {ACTION} on resource: {ARN} because no "
    f"identity-based policy allows the {ACTION} action"
)


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_RETRY_MODE", "AWS_MAX_ATTEMPTS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")


@pytest.fixture
def cloud() -> Cloud:
    return Cloud("eu-central-1")


def _refuse(cloud: Cloud, code: str, message: str) -> Any:
    client = cloud.client("sagemaker")
    stub = Stubber(client)
    stub.add_client_error("describe_endpoint", code, message)
    stub.activate()
    return stub


def _describe(cloud: Cloud, missing: str | None = None) -> Any:
    return cloud.ask("sagemaker", "describe_endpoint", missing=missing, EndpointName="x")


def test_a_missing_permission_is_named_with_whom_and_what(cloud: Cloud) -> None:
    _refuse(cloud, "AccessDeniedException", DENIED)

    with pytest.raises(NotAllowedError) as caught:
        _describe(cloud)

    assert caught.value.permission == "sagemaker:DescribeEndpoint"
    sentence = f"the permission {ACTION} on {ARN} is missing; allow it to {WHO} ("
    assert str(caught.value).startswith(sentence)


def test_a_permission_that_aws_does_not_name_is_that_of_the_call(cloud: Cloud) -> None:
    _refuse(cloud, "AccessDenied", "Access Denied")

    with pytest.raises(NotAllowedError, match=r"permission sagemaker:DescribeEndpoint is missing"):
        _describe(cloud)


@pytest.mark.parametrize(
    ("code", "advice"),
    [
        ("ExpiredTokenException", "have expired; sign in again"),
        ("InvalidClientTokenId", "does not know the credentials .* sign in again"),
        ("ThrottlingException", "for now .* wait a minute"),
        ("ValidationException", r"refuses sagemaker:DescribeEndpoint: words \(ValidationException"),
    ],
)
def test_a_refusal_says_what_to_do(cloud: Cloud, code: str, advice: str) -> None:
    # A throttled call is tried again as often as botocore does by itself.
    stub = _refuse(cloud, code, "words")
    for _ in range(4):
        stub.add_client_error("describe_endpoint", code, "words")

    with pytest.raises(CloudError, match=advice) as caught:
        _describe(cloud)

    assert caught.value.code == code


def test_what_is_not_there_is_none_and_any_other_refusal_an_error(cloud: Cloud) -> None:
    _refuse(cloud, "ValidationException", 'Could not find endpoint "x".')
    assert _describe(cloud, missing="Could not find") is None

    other = Cloud("eu-central-1")
    _refuse(other, "ValidationException", "something else")
    with pytest.raises(CloudError, match="something else"):
        _describe(other, missing="Could not find")


def test_nobody_answering_points_to_the_local_aws(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://localhost:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")

    with pytest.raises(CloudError, match=r"cannot ask AWS: .*localhost:9.*forecast local env"):
        _describe(cloud)


def test_missing_credentials_and_an_unknown_profile_are_sentences(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Silent:
        def get_caller_identity(self) -> None:
            raise NoCredentialsError

    with pytest.raises(CloudError, match=r"there are no AWS credentials; .*AWS_PROFILE"):
        Cloud("eu-central-1", clients={"sts": Silent()}).account()

    monkeypatch.setenv("AWS_PROFILE", "nowhere")
    with pytest.raises(CloudError, match=r"\(nowhere\).*aws configure list-profiles"):
        Cloud("eu-central-1").account()


def test_the_surroundings_decide_endpoint_and_retries(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://localhost:4711")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "7")

    client = Cloud("eu-central-1").client("sagemaker")

    assert client.meta.endpoint_url == "http://localhost:4711"
    assert client.meta.region_name == "eu-central-1"
    assert client.meta.config.retries["total_max_attempts"] == 7


def test_every_page_of_a_list_is_asked_for(cloud: Cloud) -> None:
    stub = Stubber(cloud.client("cloudwatch"))
    stub.add_response("describe_alarms", {"MetricAlarms": [{"AlarmName": "a"}], "NextToken": "2"})
    stub.add_response("describe_alarms", {"MetricAlarms": [{"AlarmName": "b"}]})
    stub.activate()

    found = cloud.pages("cloudwatch", "describe_alarms", "MetricAlarms", AlarmNamePrefix="x")

    assert [alarm["AlarmName"] for alarm in found] == ["a", "b"]


def test_a_page_that_is_refused_is_an_error(cloud: Cloud) -> None:
    class Refusing:
        def get_paginator(self, _: str) -> Refusing:
            return self

        def paginate(self, **_: Any) -> None:
            error = {"Code": "AccessDenied", "Message": "no"}
            raise ClientError({"Error": error}, "DescribeAlarms")

    cloud = Cloud("eu-central-1", clients={"cloudwatch": Refusing()})
    with pytest.raises(NotAllowedError, match="cloudwatch:DescribeAlarms"):
        list(cloud.pages("cloudwatch", "describe_alarms", "MetricAlarms"))


def test_permissions_are_called_after_operations() -> None:
    assert permission_of("sagemaker-runtime", "invoke_endpoint") == "sagemaker:InvokeEndpoint"
    assert permission_of("s3", "put_object") == "s3:PutObject"


def test_some_permissions_are_called_otherwise() -> None:
    assert permission_of("s3", "list_objects_v2") == "s3:ListBucket"
    assert permission_of("s3", "head_object") == "s3:GetObject"


def test_a_refusal_without_a_body_is_one_by_its_status() -> None:
    class Refusing:
        def head_object(self, **_: Any) -> None:
            error = {"Code": "403", "Message": "Forbidden"}
            raise ClientError({"Error": error}, "HeadObject")

    cloud = Cloud("eu-central-1", clients={"s3": Refusing()})
    with pytest.raises(NotAllowedError, match="the permission s3:GetObject is missing"):
        cloud.ask("s3", "head_object", missing="404", Bucket="b", Key="k")


def test_what_a_container_answered_stays_with_the_error() -> None:
    class Refusing:
        def invoke_endpoint(self, **_: Any) -> None:
            error = {"Code": "ModelError", "Message": "Received client error (400)"}
            raise ClientError({"Error": error, "OriginalStatusCode": 400}, "InvokeEndpoint")

    cloud = Cloud("eu-central-1", clients={"sagemaker-runtime": Refusing()})
    with pytest.raises(CloudError) as caught:
        cloud.ask("sagemaker-runtime", "invoke_endpoint", EndpointName="e")
    assert caught.value.answer["OriginalStatusCode"] == 400
