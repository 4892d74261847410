"""What watches an endpoint of each mode, in a stack that holds little else."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from aws_cdk import App, CfnResource, DefaultStackSynthesizer, Environment, Stack
from aws_cdk import aws_kms as kms
from aws_cdk.assertions import Template
from constructs import Construct

from forecast_config.alerts import production_variant_names
from forecast_config.settings import (
    AlarmSettings,
    AsyncEndpoint,
    AutoscalingSettings,
    AwsImage,
    Budget,
    Challenger,
    CpuUtilizationTarget,
    EmailTarget,
    EndpointDown,
    EnvironmentSettings,
    ErrorRate,
    HighLatency,
    NotificationSettings,
    PagerDutyTarget,
    RealtimeEndpoint,
    RollbackSettings,
    ServerlessEndpoint,
    ShadowRollout,
    SlackTarget,
    SplitRollout,
    TagSettings,
    TeamsTarget,
    WebhookTarget,
)
from forecast_constructs.hosting.network import Placement
from forecast_stacks.monitoring_part import add_monitoring, add_rollback_alarms, add_topics

if TYPE_CHECKING:
    from collections.abc import Callable

    from forecast_config import PackagedModel
    from forecast_constructs.monitoring.monitoring import Monitoring

KEY = "arn:aws:kms:eu-central-1:111111111111:key/12345678-1234-1234-1234-123456789012"
TEAM = "12345678-1234-1234-1234-123456789012"
CHANNEL = "19%3Aabc%40thread.tacv2"

_NAME = "forecast"
_REALTIME = RealtimeEndpoint(
    kind="realtime", name=_NAME, instance_type="ml.m5.xlarge", initial_instance_count=2
)
_SERVERLESS = ServerlessEndpoint(kind="serverless", name=_NAME, memory_mib=3072)
_ASYNC = AsyncEndpoint(kind="async", name=_NAME, instance_type="ml.m5.large")
_CHALLENGER = Challenger(alias="challenger")
_SLACK = SlackTarget(kind="slack", workspace_id="T012ABCDEFG", channel_id="C012ABCDEFG")
_OFF = dict.fromkeys(AlarmSettings.model_fields.keys() - {"rollback", "notifications"})

_PAGER: dict[str, Any] = {"kind": "pagerduty", "secret_name": "oncall/url"}

_TARGETS = NotificationSettings(
    critical={
        "on-call": PagerDutyTarget(**_PAGER),
        "team": _SLACK,
        "phone": EmailTarget(kind="email", address="on-call@example.com"),
    },
    high={"team": _SLACK, "desk": WebhookTarget(kind="webhook", url="https://desk.example.com/a")},
    medium={
        "group": TeamsTarget(kind="teams", tenant_id=TEAM, team_id=TEAM, channel_id=CHANNEL),
    },
)


def environment(**blocks: Any) -> EnvironmentSettings:
    """An environment `prod` with the given blocks."""
    return EnvironmentSettings(
        **{
            "name": "prod",
            "region": "eu-central-1",
            "endpoint": _REALTIME,
            "image": AwsImage(kind="aws", framework="xgboost", version="3.2-0"),
            "tags": TagSettings(team="forecasting", cost_centre="CC-1"),
            **blocks,
        }
    )


ENVIRONMENTS: dict[str, EnvironmentSettings] = {
    "realtime": environment(
        autoscaling=AutoscalingSettings(
            max_instance_count=4,
            targets={"cpu": CpuUtilizationTarget(kind="cpu_utilization", percent=60)},
        )
    ),
    "split": environment(
        rollout=SplitRollout(
            kind="split",
            challenger=_CHALLENGER,
            challenger_percent=20,
            instance_type="ml.m5.2xlarge",
        )
    ),
    "shadow": environment(rollout=ShadowRollout(kind="shadow", challenger=_CHALLENGER)),
    "serverless": environment(endpoint=_SERVERLESS),
    "async": environment(endpoint=_ASYNC),
    "slow": environment(
        endpoint=_ASYNC,
        alarms=AlarmSettings(
            high_latency=HighLatency(thresholds_ms={"medium": 600_000}),
            rollback=RollbackSettings(latency_p99_ms=900_000),
        ),
    ),
    "quiet": environment(alarms=AlarmSettings(**_OFF)),
    "graded": environment(
        alarms=AlarmSettings(
            high_latency=HighLatency(
                thresholds_ms={"medium": 750.5, "critical": 5000},
                runbook_url="https://wiki.example.com/slow",
            ),
            error_rate=ErrorRate(minutes=7),
            endpoint_down=EndpointDown(severity="high", minutes=3),
            runbook_base_url="https://runbooks.example.com/forecast/",
        )
    ),
    "notified": environment(
        alarms=AlarmSettings(notifications=_TARGETS, budget=Budget(monthly_usd=400))
    ),
    "placed": environment(),
}


class Endpoint(Construct):
    """An endpoint of which monitoring knows the ARN only."""

    def __init__(self, scope: Construct, settings: EnvironmentSettings) -> None:
        super().__init__(scope, "Endpoint")
        self.endpoint_arn = (
            f"arn:aws:sagemaker:eu-central-1:111111111111:endpoint/{settings.endpoint.name}"
        )
        CfnResource(
            self,
            "Resource",
            type="AWS::SageMaker::Endpoint",
            properties={
                "EndpointConfigName": "config",
                "EndpointName": settings.endpoint.name,
            },
        )


@dataclass(frozen=True)
class Watched:
    """An endpoint's monitoring, and what it is made of."""

    settings: EnvironmentSettings
    monitoring: Monitoring
    resources: dict[str, dict[str, Any]]

    def of(self, kind: str) -> dict[str, dict[str, Any]]:
        """The properties of the resources of a type, by logical id."""
        return {
            name: resource["Properties"]
            for name, resource in self.resources.items()
            if resource["Type"] == f"AWS::{kind}"
        }

    def alarms(self) -> dict[str, dict[str, Any]]:
        """The alarms on metrics, by what follows the endpoint in their names."""
        return {
            alarm["AlarmName"].removeprefix(f"{self.settings.endpoint.name}-"): alarm
            for alarm in self.of("CloudWatch::Alarm").values()
        }

    def incidents(self) -> dict[str, dict[str, Any]]:
        """The composite alarms, by severity."""
        return {
            alarm["AlarmName"].rpartition("-")[2]: alarm
            for alarm in self.of("CloudWatch::CompositeAlarm").values()
        }


@pytest.fixture(scope="session")
def watch(
    new_app: Callable[..., App], packaged: Callable[..., PackagedModel]
) -> Callable[..., Watched]:
    """Build what watches an environment."""

    def build(settings: EnvironmentSettings, placement: Placement | None = None) -> Watched:
        stack = Stack(
            new_app(),
            "Stack",
            env=Environment(region=settings.region),
            synthesizer=DefaultStackSynthesizer(generate_bootstrap_version_rule=False),
        )
        key = kms.Key.from_key_arn(stack, "Key", KEY)
        topics = add_topics(stack, settings, key)
        variants = production_variant_names(settings)
        add_rollback_alarms(
            stack, settings, endpoint_config_name="the-new-fleet", variant_names=variants
        )
        monitoring = add_monitoring(
            stack,
            settings,
            topics=topics,
            endpoint=Endpoint(stack, settings),  # type: ignore[arg-type]
            packaged_models={name: packaged() for name in variants},
            artifacts=SimpleNamespace(key=key, function_placement=placement),  # type: ignore[arg-type]
        )
        resources: dict[str, dict[str, Any]] = Template.from_stack(stack).to_json()["Resources"]
        return Watched(settings, monitoring, resources)

    return build


@pytest.fixture(scope="session")
def watched(watch: Callable[..., Watched]) -> Callable[[str], Watched]:
    """What watches an environment of `ENVIRONMENTS`, built at most once."""
    built: dict[str, Watched] = {}

    def get(name: str) -> Watched:
        if name not in built:
            placement = Placement(
                ("subnet-0123456789abcdef0", "subnet-0123456789abcdef1"), ("sg-0123456789abcdef0",)
            )
            built[name] = watch(ENVIRONMENTS[name], placement if name == "placed" else None)
        return built[name]

    return get
