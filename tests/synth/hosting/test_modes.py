"""What an endpoint serves in each mode, and what is refused before a template exists."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from forecast_config.settings import DataCaptureSettings

if TYPE_CHECKING:
    from collections.abc import Callable

    Properties = Callable[[str], list[dict[str, Any]]]

CAPTURE = DataCaptureSettings(sampling_percent=20)


def test_a_realtime_endpoint_serves_on_encrypted_instances(
    hosted: Any, properties: Properties
) -> None:
    hosted.configure("realtime")

    assert properties("SageMaker::EndpointConfig") == [
        {
            "KmsKeyId": hosted.key_arn,
            "ProductionVariants": [
                {
                    "ContainerStartupHealthCheckTimeoutInSeconds": 300,
                    "InitialInstanceCount": 2,
                    "InitialVariantWeight": 1,
                    "InstanceType": "ml.m5.large",
                    "ModelDataDownloadTimeoutInSeconds": 600,
                    "ModelName": "champion",
                    "VariantName": "AllTraffic",
                }
            ],
        }
    ]


def test_a_serverless_endpoint_has_nothing_that_its_mode_does_not_support(
    hosted: Any, properties: Properties
) -> None:
    hosted.serve("serverless")

    assert properties("SageMaker::EndpointConfig") == [
        {
            "ProductionVariants": [
                {
                    "InitialVariantWeight": 1,
                    "ModelName": "champion",
                    "ServerlessConfig": {"MaxConcurrency": 50, "MemorySizeInMB": 3072},
                    "VariantName": "AllTraffic",
                }
            ]
        }
    ]
    (endpoint,) = properties("SageMaker::Endpoint")
    assert set(endpoint) == {"EndpointConfigName", "EndpointName", "RetainAllVariantProperties"}


def test_a_serverless_endpoint_is_kept_warm_from_its_first_deployment_on(
    hosted: Any, properties: Properties
) -> None:
    hosted.configure("warm")

    (config,) = properties("SageMaker::EndpointConfig")
    (variant,) = config["ProductionVariants"]
    assert variant["ServerlessConfig"]["ProvisionedConcurrency"] == 2


def test_an_asynchronous_endpoint_says_where_its_answers_are(
    hosted: Any, properties: Properties
) -> None:
    topics = hosted.topics()
    hosted.configure("async", async_topics=topics)

    (config,) = properties("SageMaker::EndpointConfig")
    assert config["KmsKeyId"] == hosted.key_arn
    assert config["AsyncInferenceConfig"] == {
        "ClientConfig": {"MaxConcurrentInvocationsPerInstance": 4},
        "OutputConfig": {
            "KmsKeyId": hosted.key_arn,
            "NotificationConfig": {
                "ErrorTopic": hosted.stack.resolve(topics.error_topic_arn),
                "SuccessTopic": hosted.stack.resolve(topics.success_topic_arn),
            },
            "S3FailurePath": "s3://artifacts/async/failures",
            "S3OutputPath": "s3://artifacts/async/answers",
        },
    }


def test_topics_of_an_asynchronous_endpoint_are_encrypted_and_reached_over_tls_only(
    hosted: Any, properties: Properties
) -> None:
    topics = hosted.topics()

    assert properties("SNS::Topic") == [{"KmsMasterKeyId": hosted.key_arn}] * 2
    policies = properties("SNS::TopicPolicy")
    assert [policy["Topics"] for policy in policies] == [
        [hosted.stack.resolve(arn)] for arn in topics.topic_arns
    ]
    for policy in policies:
        assert policy["PolicyDocument"]["Statement"] == [
            {
                "Sid": "TlsOnly",
                "Effect": "Deny",
                "Principal": "*",
                "Action": "sns:Publish",
                "Resource": policy["Topics"][0],
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            }
        ]


def test_sagemaker_chooses_the_concurrency_that_is_not_set(
    hosted: Any, properties: Properties
) -> None:
    hosted.configure("async-by-default")

    (config,) = properties("SageMaker::EndpointConfig")
    assert set(config["AsyncInferenceConfig"]) == {"OutputConfig"}


def test_disks_that_the_hardware_encrypts_get_no_key(hosted: Any, properties: Properties) -> None:
    config = hosted.configure("nvme")

    (found,) = properties("SageMaker::EndpointConfig")
    assert "KmsKeyId" not in found
    assert not config.encrypts_volumes


def test_capture_is_encrypted_and_below_a_prefix_of_its_own(
    hosted: Any, properties: Properties
) -> None:
    hosted.configure("realtime", data_capture=CAPTURE)

    (config,) = properties("SageMaker::EndpointConfig")
    capture = config["DataCaptureConfig"]
    assert capture["InitialSamplingPercentage"] == 20
    assert capture["DestinationS3Uri"] == "s3://artifacts/data-capture"
    assert capture["KmsKeyId"] == hosted.key_arn


@pytest.mark.parametrize("name", ["serverless", "async"])
def test_rejects_capture_in_a_mode_that_has_none(name: str, hosted: Any) -> None:
    with pytest.raises(ValueError, match=f"on a realtime endpoint only, got {name}"):
        hosted.configure(name, data_capture=CAPTURE)


def test_rejects_an_asynchronous_endpoint_that_tells_nobody(hosted: Any) -> None:
    with pytest.raises(ValueError, match="got none for async"):
        hosted.configure("async", async_topics=None)


def test_rejects_topics_that_nothing_is_published_to(hosted: Any) -> None:
    topics = hosted.topics()

    with pytest.raises(ValueError, match="got topics for realtime"):
        hosted.configure("realtime", async_topics=topics)
