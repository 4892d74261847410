"""Endpoints of each mode in a stack that holds nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from forecast_config.settings import (
    AllAtOnceRollout,
    AsyncEndpoint,
    Challenger,
    ProvisionedConcurrency,
    RealtimeEndpoint,
    ServerlessEndpoint,
    ShadowRollout,
    SplitRollout,
)
from forecast_config.sizing import ContainerSize
from forecast_constructs import EndpointConfiguration, ForecastEndpoint
from forecast_constructs.hosting.async_topics import AsyncTopics
from forecast_constructs.hosting.variants import champion_variant

if TYPE_CHECKING:
    from collections.abc import Callable

    from aws_cdk import Stack

    from forecast_config import PackagedModel
    from forecast_config.settings import Endpoint, Rollout
    from forecast_constructs import ForecastModel, RollbackAlarms

KEY = "arn:aws:kms:eu-central-1:111111111111:key/12345678-1234-1234-1234-123456789012"

ENDPOINTS: dict[str, Endpoint] = {
    "realtime": RealtimeEndpoint(
        kind="realtime", name="forecast", instance_type="ml.m5.large", initial_instance_count=2
    ),
    "nvme": RealtimeEndpoint(kind="realtime", name="forecast", instance_type="ml.m5d.large"),
    "async": AsyncEndpoint(
        kind="async",
        name="forecast",
        instance_type="ml.m5.large",
        max_concurrent_invocations_per_instance=4,
    ),
    "async-by-default": AsyncEndpoint(kind="async", name="forecast", instance_type="ml.m5.large"),
    "serverless": ServerlessEndpoint(
        kind="serverless", name="forecast", memory_mib=3072, max_concurrency=50
    ),
    "warm": ServerlessEndpoint(
        kind="serverless",
        name="forecast",
        memory_mib=3072,
        provisioned_concurrency=ProvisionedConcurrency(initial=2, maximum=5),
    ),
}

_CHALLENGER = Challenger(alias="challenger")

ROLLOUTS: dict[str, Rollout] = {
    "all_at_once": AllAtOnceRollout(kind="all_at_once"),
    "shadow": ShadowRollout(kind="shadow", challenger=_CHALLENGER),
    "split": SplitRollout(kind="split", challenger=_CHALLENGER, challenger_percent=25),
}

_SIZE = ContainerSize(
    workers=2,
    threads_per_worker=1,
    startup_timeout_seconds=300,
    download_timeout_seconds=600,
    volume_size_gb=None,
)


class Model:
    """A model of which an endpoint configuration knows the name only."""

    model_name = "champion"


class Alarms(Construct):
    """An alarm that undoes a rollout."""

    def __init__(self, scope: Construct) -> None:
        super().__init__(scope, "RollbackAlarms")
        self.alarm_names = ["sick"]
        cloudwatch.CfnAlarm(
            self,
            "Sick",
            alarm_name="sick",
            comparison_operator="GreaterThanThreshold",
            evaluation_periods=1,
            metric_name="Errors",
            namespace="Fleet",
            period=60,
            statistic="Sum",
            threshold=1,
        )


class Hosted:
    """What serves, in a stack that holds nothing else."""

    key_arn = KEY

    def __init__(self, stack: Stack, packaged_model: PackagedModel) -> None:
        self.stack = stack
        self._packaged_model = packaged_model
        self._key = kms.Key.from_key_arn(stack, "Key", KEY)
        self._bucket = s3.Bucket.from_bucket_name(stack, "Bucket", "artifacts")

    def alarms(self) -> RollbackAlarms:
        """What undoes a rollout."""
        return cast("RollbackAlarms", Alarms(self.stack))

    def topics(self) -> AsyncTopics:
        """What an asynchronous endpoint publishes to."""
        return AsyncTopics(self.stack, "Topics", encryption_key=self._key)

    def configure(self, name: str, **options: Any) -> EndpointConfiguration:
        """The configuration of an endpoint with a champion alone."""
        endpoint = ENDPOINTS[name]
        if isinstance(endpoint, AsyncEndpoint) and "async_topics" not in options:
            options["async_topics"] = self.topics()
        champion = champion_variant(
            endpoint,
            model=cast("ForecastModel", Model()),
            packaged_model=self._packaged_model,
            size=_SIZE,
        )
        return EndpointConfiguration(
            self.stack,
            "Config",
            endpoint=endpoint,
            variants=[champion],
            encryption_key=self._key,
            bucket=self._bucket,
            **options,
        )

    def serve(self, name: str, rollout: str = "all_at_once", **options: Any) -> ForecastEndpoint:
        """The endpoint, with an alarm where its mode has any."""
        if "rollback_alarms" not in options:
            guarded = not isinstance(ENDPOINTS[name], ServerlessEndpoint)
            options["rollback_alarms"] = self.alarms() if guarded else None
        return ForecastEndpoint(
            self.stack,
            "Endpoint",
            settings=ENDPOINTS[name],
            endpoint_config=self.configure(name),
            rollout=ROLLOUTS[rollout],
            packaged_model=self._packaged_model,
            **{"scales": False, **options},
        )


@pytest.fixture
def hosted(stack: Stack, packaged: Callable[..., PackagedModel]) -> Hosted:
    return Hosted(stack, packaged())


@pytest.fixture
def properties(
    hosted: Hosted, rendered: Callable[[Stack], dict[str, Any]]
) -> Callable[[str], list[dict[str, Any]]]:
    """Properties of all resources of a type, without their tags."""

    def get(kind: str) -> list[dict[str, Any]]:
        return [
            {key: value for key, value in resource["Properties"].items() if key != "Tags"}
            for resource in rendered(hosted.stack).values()
            if resource["Type"] == f"AWS::{kind}"
        ]

    return get
