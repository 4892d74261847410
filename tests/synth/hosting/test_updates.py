"""What an update of an endpoint keeps, what guards it, and who may ask the endpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from aws_cdk import aws_iam as iam

if TYPE_CHECKING:
    from collections.abc import Callable

    from aws_cdk import Stack

    Properties = Callable[[str], list[dict[str, Any]]]


def _served(name: str = "realtime", **options: Any) -> dict[str, Any]:
    return {"name": name, **options}


@pytest.mark.parametrize(
    ("served", "excluded"),
    [
        (_served(), ["DesiredInstanceCount", "DesiredWeight"]),
        (_served(scales=True), ["DesiredWeight"]),
        (_served("async", scales=True), ["DesiredWeight"]),
        (_served(rollout="shadow", scales=True), ["DesiredWeight"]),
        (_served(rollout="split", scales=True), None),
        (_served(rollout="split"), ["DesiredInstanceCount"]),
        (_served(rollout="split", scales=True, reset_weights=True), ["DesiredWeight"]),
    ],
)
def test_an_update_keeps_what_was_scaled_or_shifted_and_nothing_else(
    served: dict[str, Any], excluded: list[str] | None, hosted: Any, properties: Properties
) -> None:
    hosted.serve(**served)

    (endpoint,) = properties("SageMaker::Endpoint")
    assert endpoint["RetainAllVariantProperties"] is True
    assert endpoint.get("ExcludeRetainedVariantProperties") == (
        None if excluded is None else [{"VariantPropertyType": kind} for kind in excluded]
    )


@pytest.mark.parametrize("options", [{"scales": True}, {"scales": False}])
def test_warm_capacity_that_scales_survives_an_update_and_a_fixed_one_follows_the_file(
    options: dict[str, bool], hosted: Any, properties: Properties
) -> None:
    hosted.serve("warm", **options)

    (endpoint,) = properties("SageMaker::Endpoint")
    assert endpoint["RetainAllVariantProperties"] is options["scales"]
    assert "ExcludeRetainedVariantProperties" not in endpoint


@pytest.mark.parametrize("name", ["realtime", "async"])
def test_the_endpoint_waits_for_what_undoes_its_rollout(
    name: str, hosted: Any, rendered: Callable[[Stack], dict[str, Any]]
) -> None:
    hosted.serve(name)
    template = rendered(hosted.stack)

    (endpoint,) = (each for each in template.values() if each["Type"] == "AWS::SageMaker::Endpoint")
    assert [template[each]["Type"] for each in endpoint["DependsOn"]] == ["AWS::CloudWatch::Alarm"]
    assert endpoint["Properties"]["DeploymentConfig"]["AutoRollbackConfiguration"] == {
        "Alarms": [{"AlarmName": "sick"}]
    }


def test_rejects_instances_that_nothing_guards(hosted: Any) -> None:
    with pytest.raises(ValueError, match="none for a serverless endpoint, got none for realtime"):
        hosted.serve("realtime", rollback_alarms=None)


def test_rejects_a_guard_that_a_serverless_endpoint_does_not_have(hosted: Any) -> None:
    with pytest.raises(ValueError, match="none for a serverless endpoint, got some for serverless"):
        hosted.serve("serverless", rollback_alarms=hosted.alarms())


@pytest.mark.parametrize("name", ["realtime", "serverless"])
def test_a_client_may_invoke_the_endpoint_and_nothing_else(
    name: str, hosted: Any, properties: Properties
) -> None:
    endpoint = hosted.serve(name)
    client = iam.Role(hosted.stack, "Client", assumed_by=iam.AccountRootPrincipal())

    endpoint.grant_invoke(client).assert_success()

    (policy,) = properties("IAM::Policy")
    assert policy["PolicyDocument"]["Statement"] == [
        {
            "Action": "sagemaker:InvokeEndpoint",
            "Effect": "Allow",
            "Resource": hosted.stack.resolve(endpoint.endpoint_arn),
        }
    ]


def test_a_client_of_an_asynchronous_endpoint_reaches_its_part_of_the_bucket_and_no_more(
    hosted: Any, properties: Properties
) -> None:
    endpoint = hosted.serve("async")
    client = iam.Role(hosted.stack, "Client", assumed_by=iam.AccountRootPrincipal())

    endpoint.grant_invoke(client).assert_success()

    (policy,) = properties("IAM::Policy")
    bucket = "arn:aws:s3:::artifacts"
    fetched = ["async/answers/*", "async/failures/*"]
    assert [
        (each["Action"], each["Resource"], each.get("Condition"))
        for each in policy["PolicyDocument"]["Statement"]
    ] == [
        ("sagemaker:InvokeEndpointAsync", hosted.stack.resolve(endpoint.endpoint_arn), None),
        ("s3:PutObject", f"{bucket}/async/requests/*", None),
        ("s3:GetObject", [f"{bucket}/{prefix}" for prefix in fetched], None),
        ("s3:ListBucket", bucket, {"StringLike": {"s3:prefix": fetched}}),
        (["kms:Decrypt", "kms:GenerateDataKey"], hosted.key_arn, None),
    ]
