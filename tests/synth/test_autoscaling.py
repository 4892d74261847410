"""Scaling tracks the CPU of all cores, or the requests of each instance."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from forecast_config.settings import AutoscalingSettings, CpuUtilizationTarget
from forecast_constructs import VariantScaling

if TYPE_CHECKING:
    from collections.abc import Callable

    from aws_cdk import Stack

TARGET = "ApplicationAutoScaling::ScalableTarget"
POLICY = "ApplicationAutoScaling::ScalingPolicy"


def _tracking(resources: Callable[..., list[dict[str, Any]]], stack: str) -> dict[str, Any]:
    (policy,) = resources(stack, POLICY)
    tracking: dict[str, Any] = policy["Properties"]["TargetTrackingScalingPolicyConfiguration"]
    return tracking


@pytest.mark.parametrize(
    ("stack", "bounds", "percent", "cores"),
    [("ForecastStaging", (1, 3), 70, 2), ("ForecastProd", (2, 10), 60, 4)],
)
def test_cpu_is_held_over_all_cores(
    stack: str,
    bounds: tuple[int, int],
    percent: int,
    cores: int,
    resources: Callable[..., list[dict[str, Any]]],
) -> None:
    (target,) = resources(stack, TARGET)
    tracking = _tracking(resources, stack)
    metric, expression = tracking["CustomizedMetricSpecification"]["Metrics"]

    assert (target["Properties"]["MinCapacity"], target["Properties"]["MaxCapacity"]) == bounds
    assert tracking["TargetValue"] == percent
    # The raw metric is a sum over the cores.
    assert metric["MetricStat"]["Metric"]["MetricName"] == "CPUUtilization"
    assert metric["MetricStat"]["Metric"]["Namespace"] == "/aws/sagemaker/Endpoints"
    assert metric["ReturnData"] is False
    assert expression["Expression"] == f"{metric['Id']} / {cores}"
    assert expression["ReturnData"] is True


def test_requests_of_each_instance_are_held_with_the_predefined_metric(
    resources: Callable[..., list[dict[str, Any]]],
) -> None:
    tracking = _tracking(resources, "ForecastExisting")

    assert tracking == {
        "PredefinedMetricSpecification": {
            "PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"
        },
        "ScaleInCooldown": 600,
        "ScaleOutCooldown": 30,
        "TargetValue": 600,
    }


def test_the_target_is_the_variant_and_waits_for_the_endpoint(
    resources: Callable[..., list[dict[str, Any]]], template: Callable[[str], dict[str, Any]]
) -> None:
    (target,) = resources("ForecastExisting", TARGET)
    (name,) = target["DependsOn"]

    assert target["Properties"]["ResourceId"] == "endpoint/forecast-existing/variant/Champion"
    assert target["Properties"]["ScalableDimension"] == "sagemaker:variant:DesiredInstanceCount"
    assert "RoleARN" not in target["Properties"]
    assert template("ForecastExisting")["Resources"][name]["Type"] == "AWS::SageMaker::Endpoint"


def test_without_autoscaling_nothing_scales(
    resources: Callable[..., list[dict[str, Any]]],
) -> None:
    assert resources("ForecastDev", TARGET) == []
    assert resources("ForecastDev", POLICY) == []


def test_burstable_instances_are_rejected(stack: Stack) -> None:
    settings = AutoscalingSettings(
        max_instance_count=2, target=CpuUtilizationTarget(kind="cpu_utilization", percent=50)
    )
    endpoint: Any = SimpleNamespace(endpoint_name="endpoint", variant_name="variant")

    with pytest.raises(ValueError, match=r"cannot scale, got ml\.t3\.medium"):
        VariantScaling(
            stack, "Scaling", endpoint=endpoint, instance_type="ml.t3.medium", settings=settings
        )
