"""Scaling holds what the settings name, by policies that Application Auto Scaling takes."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from forecast_config.settings import (
    AsyncEndpoint,
    AutoscalingSettings,
    BacklogTarget,
    ConcurrentRequestsTarget,
    CpuUtilizationTarget,
    CustomMetricTarget,
    InvocationsTarget,
    LatencyTarget,
    ProvisionedConcurrency,
    RealtimeEndpoint,
    ScheduledAction,
    ServerlessEndpoint,
)
from forecast_constructs.scaling.variant_scaling import check_scaling, scales_to_zero
from forecast_stacks.scaling_part import add_scaling

if TYPE_CHECKING:
    from collections.abc import Callable

    from aws_cdk import Stack

    from forecast_config.settings import Endpoint

REALTIME = RealtimeEndpoint(
    kind="realtime", name="forecast", instance_type="ml.m5.xlarge", variant_name="Champion"
)
ASYNC = AsyncEndpoint(kind="async", name="forecast", instance_type="ml.m5.large")
CPU = CpuUtilizationTarget(kind="cpu_utilization", percent=60)
BACKLOG = BacklogTarget(kind="backlog_per_instance", requests=5)
INVOCATIONS = InvocationsTarget(kind="invocations_per_instance", per_minute=600)


def _custom(number: int) -> CustomMetricTarget:
    return CustomMetricTarget(
        kind="custom_metric", namespace="Market", metric_name=f"Waiting{number}", value=1
    )


@pytest.fixture
def scaled(
    stack: Stack, rendered: Callable[[Stack], dict[str, Any]]
) -> Callable[..., dict[str, dict[str, Any]]]:
    """The resources that scale an endpoint, by the end of their type."""

    class Served(Construct):
        def __init__(self, settings: Endpoint) -> None:
            super().__init__(stack, "Endpoint")
            self.endpoint_name = settings.name
            self.variant_name = settings.variant_name
            sagemaker.CfnEndpoint(self, "Resource", endpoint_config_name="config")

    def get(
        endpoint: Endpoint, autoscaling: AutoscalingSettings | None
    ) -> dict[str, dict[str, Any]]:
        environment: Any = SimpleNamespace(endpoint=endpoint, autoscaling=autoscaling)
        served: Any = Served(endpoint)
        add_scaling(stack, environment, served)
        found: dict[str, dict[str, Any]] = {}
        for name, each in rendered(stack).items():
            found.setdefault(each["Type"].rpartition("::")[2], {})[name] = each
        return found

    return get


def _policies(resources: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    found = [each["Properties"] for each in resources["ScalingPolicy"].values()]
    return {
        each["PolicyName"]: each.get("TargetTrackingScalingPolicyConfiguration", each)
        for each in found
    }


def _queries(policy: dict[str, Any]) -> list[dict[str, Any]]:
    queries: list[dict[str, Any]] = policy["CustomizedMetricSpecification"]["Metrics"]
    return queries


def test_each_target_is_a_policy_named_after_its_key(
    scaled: Callable[..., dict[str, dict[str, Any]]],
) -> None:
    settings = AutoscalingSettings(
        min_instance_count=2,
        max_instance_count=8,
        targets={
            "cpu": CPU,
            "requests": INVOCATIONS,
            "at-once": ConcurrentRequestsTarget(kind="concurrent_requests", per_instance=4),
            "latency": LatencyTarget(kind="latency_p90", milliseconds=250),
            "queue": CustomMetricTarget(
                kind="custom_metric",
                namespace="Market",
                metric_name="Waiting",
                dimensions={"Region": "south"},
                statistic="Maximum",
                value=7,
            ),
        },
        scale_out_cooldown_seconds=30,
        scale_in_cooldown_seconds=0,
    )
    resources = scaled(REALTIME, settings)
    policies = _policies(resources)

    assert {name.removesuffix(name[-8:]) for name in resources["ScalingPolicy"]} == {
        "ScalingCpu",
        "ScalingRequests",
        "ScalingAtOnce",
        "ScalingLatency",
        "ScalingQueue",
    }
    # Cooldowns are common to all, and 0 is a cooldown.
    assert {(each["ScaleOutCooldown"], each["ScaleInCooldown"]) for each in policies.values()} == {
        (30, 0)
    }
    # The raw CPU metric is a sum over the cores, of which ml.m5.xlarge has 4.
    cores, utilization = _queries(policies["cpu"])
    assert cores["MetricStat"]["Metric"]["MetricName"] == "CPUUtilization"
    assert cores["MetricStat"]["Metric"]["Namespace"] == "/aws/sagemaker/Endpoints"
    assert cores["ReturnData"] is False
    assert (utilization["Expression"], utilization["ReturnData"]) == (f"{cores['Id']} / 4", True)
    assert policies["cpu"]["TargetValue"] == 60
    assert policies["requests"]["TargetValue"] == 600
    assert policies["requests"]["PredefinedMetricSpecification"] == {
        "PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"
    }
    assert policies["at-once"]["TargetValue"] == 4
    assert policies["at-once"]["PredefinedMetricSpecification"] == {
        "PredefinedMetricType": "SageMakerVariantConcurrentRequestsPerModelHighResolution"
    }
    # ModelLatency is in microseconds.
    (latency,) = _queries(policies["latency"])
    assert (latency["MetricStat"]["Stat"], policies["latency"]["TargetValue"]) == ("p90", 250_000)
    assert latency["MetricStat"]["Metric"]["Dimensions"] == [
        {"Name": "EndpointName", "Value": "forecast"},
        {"Name": "VariantName", "Value": "Champion"},
    ]
    assert policies["queue"]["CustomizedMetricSpecification"] == {
        "Namespace": "Market",
        "MetricName": "Waiting",
        "Dimensions": [{"Name": "Region", "Value": "south"}],
        "Statistic": "Maximum",
    }


def test_the_target_is_the_champions_variant_and_waits_for_the_endpoint(
    scaled: Callable[..., dict[str, dict[str, Any]]],
) -> None:
    settings = AutoscalingSettings(max_instance_count=3, targets={"cpu": CPU})
    resources = scaled(REALTIME, settings)
    (target,) = resources["ScalableTarget"].values()

    assert target["DependsOn"] == list(resources["Endpoint"])
    properties = target["Properties"]
    assert properties["ResourceId"] == "endpoint/forecast/variant/Champion"
    assert properties["ScalableDimension"] == "sagemaker:variant:DesiredInstanceCount"
    assert (properties["MinCapacity"], properties["MaxCapacity"]) == (1, 3)
    # The L2 target makes a role that nothing uses.
    assert "RoleARN" not in properties
    assert set(resources) == {"Endpoint", "ScalableTarget", "ScalingPolicy"}


def test_known_peaks_are_scheduled_in_their_time_zone(
    scaled: Callable[..., dict[str, dict[str, Any]]],
) -> None:
    settings = AutoscalingSettings(
        max_instance_count=6,
        targets={"cpu": CPU},
        scheduled={
            "market-days": ScheduledAction(
                schedule="cron(0 4 ? * FRI *)", timezone="Asia/Shanghai", min_instance_count=4
            ),
            "spring-festival": ScheduledAction(
                schedule="cron(0 0 30 JAN ? 2027)",
                timezone="Asia/Shanghai",
                start="2027-01-01T00:00:00Z",
                end="2027-02-28T00:00:00Z",
                min_instance_count=6,
                max_instance_count=12,
            ),
        },
    )
    (target,) = scaled(REALTIME, settings)["ScalableTarget"].values()
    market, festival = target["Properties"]["ScheduledActions"]

    assert market == {
        "ScheduledActionName": "market-days",
        "Schedule": "cron(0 4 ? * FRI *)",
        "Timezone": "Asia/Shanghai",
        "ScalableTargetAction": {"MinCapacity": 4},
    }
    assert festival["ScalableTargetAction"] == {"MinCapacity": 6, "MaxCapacity": 12}
    assert festival["StartTime"].startswith("2027-01-01T00:00:00")
    assert festival["EndTime"].startswith("2027-02-28T00:00:00")


def test_an_asynchronous_endpoint_goes_to_zero_and_is_woken_by_its_queue(
    scaled: Callable[..., dict[str, dict[str, Any]]],
) -> None:
    settings = AutoscalingSettings(
        min_instance_count=0, max_instance_count=5, targets={"backlog": BACKLOG}
    )
    resources = scaled(ASYNC, settings)
    policies = _policies(resources)
    (alarm,) = (each["Properties"] for each in resources["Alarm"].values())
    (wake_up,) = (name for name in resources["ScalingPolicy"] if name.startswith("WakeUp"))

    assert policies["backlog"]["CustomizedMetricSpecification"] == {
        "Namespace": "AWS/SageMaker",
        "MetricName": "ApproximateBacklogSizePerInstance",
        "Dimensions": [{"Name": "EndpointName", "Value": "forecast"}],
        "Statistic": "Average",
    }
    assert policies["wake-up"]["PolicyType"] == "StepScaling"
    assert policies["wake-up"]["StepScalingPolicyConfiguration"]["StepAdjustments"] == [
        {"MetricIntervalLowerBound": 0, "ScalingAdjustment": 1}
    ]
    assert alarm["MetricName"] == "HasBacklogWithoutCapacity"
    assert alarm["AlarmActions"] == [{"Ref": wake_up}]
    assert (alarm["Threshold"], alarm["ComparisonOperator"]) == (
        1,
        "GreaterThanOrEqualToThreshold",
    )


def test_an_asynchronous_endpoint_that_keeps_an_instance_needs_no_waking(
    scaled: Callable[..., dict[str, dict[str, Any]]],
) -> None:
    settings = AutoscalingSettings(max_instance_count=5, targets={"backlog": BACKLOG})

    assert "Alarm" not in scaled(ASYNC, settings)


def test_a_scheduled_minimum_of_zero_needs_waking_too() -> None:
    night = ScheduledAction(schedule="cron(0 20 ? * * *)", min_instance_count=0)
    settings = AutoscalingSettings(
        max_instance_count=5, targets={"backlog": BACKLOG}, scheduled={"night": night}
    )

    assert scales_to_zero(settings)


def _serverless(minimum: int, maximum: int) -> ServerlessEndpoint:
    return ServerlessEndpoint(
        kind="serverless",
        name="forecast",
        memory_mib=2048,
        provisioned_concurrency=ProvisionedConcurrency(
            initial=minimum, minimum=minimum, maximum=maximum, utilization_percent=75
        ),
    )


def test_warm_capacity_scales_by_its_utilization_as_a_share(
    scaled: Callable[..., dict[str, dict[str, Any]]],
) -> None:
    resources = scaled(_serverless(2, 10), None)
    (target,) = (each["Properties"] for each in resources["ScalableTarget"].values())

    assert target["ScalableDimension"] == "sagemaker:variant:DesiredProvisionedConcurrency"
    assert (target["MinCapacity"], target["MaxCapacity"]) == (2, 10)
    assert _policies(resources)["utilization"] == {
        "PredefinedMetricSpecification": {
            "PredefinedMetricType": "SageMakerVariantProvisionedConcurrencyUtilization"
        },
        "TargetValue": 0.75,
    }


@pytest.mark.parametrize("endpoint", [_serverless(3, 3), REALTIME])
def test_what_has_no_range_does_not_scale(
    endpoint: Endpoint, scaled: Callable[..., dict[str, dict[str, Any]]]
) -> None:
    assert set(scaled(endpoint, None)) == {"Endpoint"}


@pytest.mark.parametrize(
    ("endpoint", "changes", "message"),
    [
        (
            REALTIME.model_copy(update={"instance_type": "ml.t3.medium"}),
            {},
            r"burstable instance types cannot scale, got ml\.t3\.medium",
        ),
        (REALTIME, {"min_instance_count": 0}, "expected at least one instance, got 0"),
        (REALTIME, {"targets": {"backlog": BACKLOG}}, "only asynchronous endpoints have a backlog"),
        (ASYNC, {"targets": {"requests": INVOCATIONS}}, "got invocations_per_instance"),
        (
            REALTIME,
            {"targets": {f"metric-{number}": _custom(number) for number in range(51)}},
            "expected at most 50 targets, got 51",
        ),
    ],
)
def test_what_could_not_scale_is_rejected(
    endpoint: RealtimeEndpoint | AsyncEndpoint, changes: dict[str, Any], message: str
) -> None:
    known: dict[str, Any] = {"max_instance_count": 3, "targets": {"cpu": CPU}}
    settings = AutoscalingSettings(**{**known, **changes})

    with pytest.raises(ValueError, match=message):
        check_scaling(endpoint, settings)


def test_a_serverless_endpoint_has_no_instances_to_scale(
    scaled: Callable[..., dict[str, dict[str, Any]]],
) -> None:
    settings = AutoscalingSettings(max_instance_count=3, targets={"cpu": CPU})

    with pytest.raises(ValueError, match="a serverless endpoint has no instances to scale"):
        scaled(_serverless(1, 2), settings)
