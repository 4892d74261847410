from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from forecast_operations.costing.estimate import Estimate, estimate
from forecast_operations.costing.usage import Usage
from forecast_operations.updates.obstacles import Templates

if TYPE_CHECKING:
    from collections.abc import Callable

    from forecast_operations.costing.prices import Prices

REGION = "eu-central-1"


def least(found: Estimate, item: str) -> float | None:
    return next(each.low for each in found.lines if each.item == item)


def test_captures_cost_by_sampling_size_and_retention(
    templates: Callable[..., Templates], prices: Prices
) -> None:
    bucket = {
        "Type": "AWS::S3::Bucket",
        "Properties": {
            "LifecycleConfiguration": {
                "Rules": [
                    {"Prefix": "data-capture/", "ExpirationInDays": 73, "Status": "Enabled"},
                    {"Prefix": "data-capture/", "ExpirationInDays": 1, "Status": "Disabled"},
                    {"Prefix": "async/", "ExpirationInDays": 7, "Status": "Enabled"},
                ]
            }
        },
    }
    capture = {"EnableCapture": True, "InitialSamplingPercentage": 50}
    usage = Usage(requests=1024 * 1024, kib=10, kib_from="given")

    found = estimate(
        templates(config={"DataCaptureConfig": capture}, artifacts={"Bucket": bucket}),
        REGION,
        prices=prices,
        usage=usage,
    )

    stored_gb = 10 * 0.5 * 1.4 * 73 / (730 / 24)
    assert least(found, "captured requests") == pytest.approx(stored_gb * 0.02)
    assert least(found, "requests and answers") == pytest.approx(10 * 0.02)


def test_capture_that_is_switched_off_costs_nothing(
    templates: Callable[..., Templates], prices: Prices
) -> None:
    bucket = {"Type": "AWS::S3::Bucket"}

    found = estimate(
        templates(config={"DataCaptureConfig": {"EnableCapture": False}}, artifacts={"B": bucket}),
        REGION,
        prices=prices,
    )

    assert "captured requests" not in {each.item for each in found.lines}


def test_alarms_cost_by_the_metrics_that_they_read(
    templates: Callable[..., Templates], prices: Prices
) -> None:
    def alarm(**properties: Any) -> dict[str, Any]:
        return {"Type": "AWS::CloudWatch::Alarm", "Properties": properties}

    three = [{"MetricStat": {"Period": 60}}] * 3 + [{"Expression": "a+b+c"}]
    found = estimate(
        templates(
            One=alarm(Period=300),
            Three=alarm(Metrics=three),
            Fast=alarm(Period=10),
            Composite={"Type": "AWS::CloudWatch::CompositeAlarm", "Properties": {}},
            Policy={
                "Type": "AWS::ApplicationAutoScaling::ScalingPolicy",
                "Properties": {
                    "TargetTrackingScalingPolicyConfiguration": {
                        "PredefinedMetricSpecification": {
                            "PredefinedMetricType": (
                                "SageMakerVariantConcurrentRequestsPerModelHighResolution"
                            )
                        }
                    }
                },
            },
        ),
        REGION,
        prices=prices,
    )

    assert least(found, "alarms") == pytest.approx(0.4)
    assert least(found, "alarms within a minute") == pytest.approx(0.3)
    assert least(found, "alarms of scaling within a minute") == pytest.approx(0.6)
    assert least(found, "composite alarms") == pytest.approx(0.5)


def test_interface_endpoints_cost_in_each_zone_and_gateways_nothing(
    templates: Callable[..., Templates], prices: Prices
) -> None:
    def endpoint(kind: str) -> dict[str, Any]:
        properties = {"VpcEndpointType": kind, "SubnetIds": ["subnet-1", "subnet-2", "subnet-3"]}
        return {"Type": "AWS::EC2::VPCEndpoint", "Properties": properties}

    found = estimate(
        templates(artifacts={"Interface": endpoint("Interface"), "Gateway": endpoint("Gateway")}),
        REGION,
        prices=prices,
    )

    assert least(found, "interface endpoints") == pytest.approx(3 * 7.3)


def test_a_rotated_key_costs_up_to_three_times_as_much(
    templates: Callable[..., Templates], prices: Prices
) -> None:
    key = {"Type": "AWS::KMS::Key", "Properties": {"EnableKeyRotation": True}}

    found = estimate(templates(artifacts={"Key": key}), REGION, prices=prices)

    assert [(each.low, each.high) for each in found.lines if each.item == "keys"] == [(1, 3)]


def test_a_type_that_is_not_known_is_a_line_of_its_own(
    templates: Callable[..., Templates], prices: Prices
) -> None:
    gateway = {"Type": "AWS::EC2::NatGateway", "Properties": {}}

    found = estimate(templates(Gateway=gateway), REGION, prices=prices)

    assert "AWS::EC2::NatGateway" in found.unknown


def test_every_type_of_the_samples_is_priced_or_known_to_be_free(
    reviewed: dict[str, dict[str, Any]], prices: Prices
) -> None:
    for stack, artifacts in reviewed.items():
        if stack.endswith("Artifacts"):
            name = stack.removesuffix("Artifacts")
            both = Templates(artifacts, reviewed[name])
            unknown = estimate(both, REGION, prices=prices).unknown
            assert not [item for item in unknown if item.startswith("AWS::")], name
