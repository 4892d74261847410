"""What happens by itself: schedules that are due."""

import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from forecast_local.applicationautoscaling.capacity import stepped
from forecast_local.simulation import Simulation
from forecast_local.ticker import Ticker

NOW = datetime(2027, 1, 29, 12, 30, tzinfo=UTC)
Hosting = Callable[..., dict[str, Any]]


class Clock:
    """A time that is moved by hand."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def move(self, **by: float) -> None:
        self.now += timedelta(**by)


@pytest.fixture
def aws() -> Iterator[Simulation]:
    with Simulation() as simulation:
        yield simulation


@pytest.fixture
def clock() -> Clock:
    return Clock()


def eventually(check: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        found = check()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"{check} did not come true")


def schedule(aws: Simulation, expression: str, **options: Any) -> str:
    """Put a schedule that sends a message; return the URL of the queue."""
    sqs = aws.client("sqs")
    url = str(sqs.create_queue(QueueName="due")["QueueUrl"])
    aws.client("scheduler").create_schedule(
        Name="tick",
        ScheduleExpression=expression,
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={
            "Arn": "arn:aws:sqs:us-east-1:123456789012:due",
            "RoleArn": "arn:aws:iam::123456789012:role/scheduler",
            "Input": json.dumps({"action": "stop"}),
        },
        **options,
    )
    return url


def received(aws: Simulation, url: str) -> list[str]:
    found = aws.client("sqs").receive_message(QueueUrl=url).get("Messages", [])
    return [item["Body"] for item in found]


def test_schedule_is_due_once_a_period(aws: Simulation, clock: Clock) -> None:
    url, ticker = schedule(aws, "rate(1 minute)"), Ticker(clock)
    ticker.run_schedules()
    clock.move(seconds=59)
    ticker.run_schedules()
    assert received(aws, url) == []
    clock.move(seconds=2)
    for _ in range(3):
        ticker.run_schedules()
    assert eventually(lambda: received(aws, url)) == ['{"action": "stop"}']
    assert received(aws, url) == []


def test_disabled_schedule_is_never_due(aws: Simulation, clock: Clock) -> None:
    url = schedule(aws, "rate(1 minute)", State="DISABLED")
    ticker = Ticker(clock)
    for _ in range(3):
        ticker.run_schedules()
        clock.move(minutes=2)
    time.sleep(0.2)
    assert received(aws, url) == []


def test_scheduled_action_moves_the_bounds_and_the_capacity(
    aws: Simulation, clock: Clock, hosting: Hosting
) -> None:
    template = hosting("produce", "s3://models/1")
    target = {
        "ServiceNamespace": "sagemaker",
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
        "ResourceId": "endpoint/produce/variant/main",
        "MinCapacity": 1,
        "MaxCapacity": 8,
        "ScheduledActions": [
            {
                "ScheduledActionName": "market-day",
                "Schedule": "cron(0 4 ? * SAT *)",
                "Timezone": "Asia/Shanghai",
                "ScalableTargetAction": {"MinCapacity": "5"},
            }
        ],
    }
    template["Resources"]["Target"] = {
        "Type": "AWS::ApplicationAutoScaling::ScalableTarget",
        "DependsOn": "Endpoint",
        "Properties": target,
    }
    outcome = aws.deploy("S", template)
    assert outcome.succeeded, outcome.reason
    ticker = Ticker(clock)
    ticker.run_schedules()
    clock.move(hours=8)
    ticker.run_schedules()

    def count() -> int:
        return int(aws.endpoint("produce")["ProductionVariants"][0]["DesiredInstanceCount"])

    eventually(lambda: count() == 5)
    scaling = aws.client("application-autoscaling")
    found = scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
    assert (found[0]["MinCapacity"], found[0]["MaxCapacity"]) == (5, 8)


@pytest.mark.parametrize(
    ("kind", "adjustment", "distance", "expected"),
    [
        ("ChangeInCapacity", 2, 0.0, 6),
        ("ExactCapacity", 1, 0.0, 1),
        ("PercentChangeInCapacity", 50, 0.0, 6),
        ("PercentChangeInCapacity", 10, 0.0, 5),
        ("PercentChangeInCapacity", -50, 0.0, 2),
        ("ChangeInCapacity", 2, -1.0, 4),
        ("ChangeInCapacity", 2, 10.0, 4),
    ],
)
def test_step(kind: str, adjustment: int, distance: float, expected: int) -> None:
    step = {
        "MetricIntervalLowerBound": 0,
        "MetricIntervalUpperBound": 10,
        "ScalingAdjustment": adjustment,
    }
    configuration = {"AdjustmentType": kind, "StepAdjustments": [step]}
    assert stepped(configuration, 4, distance) == expected
