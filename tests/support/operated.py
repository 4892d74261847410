"""A deployed environment in a simulated account, small enough to be deployed in no time."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from forecast_config import load_config
from forecast_local.simulation import Simulation
from forecast_operations.cloud.cloud import Cloud
from forecast_operations.deployed.live import Live
from forecast_operations.deployed.place import Place

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

REGION = "eu-central-1"
NAME = "shop-live"
BUCKET = f"{NAME}-artifacts"
DIGEST = "a" * 64
_TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "sagemaker.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}
_SCALING = {
    "min_instance_count": 2,
    "max_instance_count": 6,
    "targets": {"cpu": {"kind": "cpu_utilization", "percent": 60}},
}
_REALTIME = {"kind": "realtime", "instance_type": "ml.m5.large", "initial_instance_count": 4}


def document(**environments: dict[str, Any]) -> dict[str, Any]:
    """A configuration; an environment called `live`, which scales, unless others are named."""
    known = environments or {
        "live": {"endpoint": {"name": NAME, **_REALTIME}, "autoscaling": _SCALING}
    }
    return {
        "model": {
            "name": "forecaster",
            "candidate": {"approval": {"name": "status", "value": "approved"}},
        },
        "allowed_regions": [REGION, "us-east-1"],
        "defaults": {
            "region": REGION,
            "image": {"kind": "aws", "framework": "scikit-learn", "version": "1.9-0"},
            "tags": {"team": "forecasting", "cost_centre": "CC-1"},
        },
        "environments": known,
    }


@pytest.fixture
def write_config(tmp_path: Path) -> Callable[..., Path]:
    """A configuration file of some environments."""

    def make(**environments: dict[str, Any]) -> Path:
        path = tmp_path / "config/forecast.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(yaml.safe_dump(document(**environments)))
        return path

    return make


@pytest.fixture
def config(write_config: Callable[..., Path]) -> Path:
    return write_config()


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Simulation]:
    """A simulated account, which every Cloud of this process is in."""
    with Simulation(region=REGION) as simulation:
        monkeypatch.setattr(Cloud, "client", lambda _, service: simulation.client(service))
        yield simulation


@pytest.fixture
def deployed(aws: Simulation) -> Simulation:
    """The account with both stacks of the environment `live`."""
    deploy(aws)
    return aws


@pytest.fixture
def place(config: Path) -> Place:
    return place_of(config)


def place_of(config: Path, environment: str = "live") -> Place:
    settings = load_config(config).environments[environment]
    return Place(settings, Live(Cloud(settings.region)))


def deploy(aws: Simulation, version: str = "1", **changes: dict[str, Any]) -> None:
    """Deploy both stacks; changes are laid over properties of resources by their logical ids."""
    assert aws.deploy("ForecastLiveArtifacts", artifacts_template()).status != "REFUSED"
    outcome = aws.deploy("ForecastLive", endpoint_template(version, **changes))
    assert outcome.succeeded, outcome.reason


def artifacts_template() -> dict[str, Any]:
    return {
        "Resources": {
            "Bucket": {
                "Type": "AWS::S3::Bucket",
                "DeletionPolicy": "Retain",
                "UpdateReplacePolicy": "Retain",
                "Properties": {
                    "BucketName": BUCKET,
                    "VersioningConfiguration": {"Status": "Enabled"},
                },
            },
            "AccessLogs": {
                "Type": "AWS::S3::Bucket",
                "DeletionPolicy": "Retain",
                "UpdateReplacePolicy": "Retain",
                "Properties": {"BucketName": f"{BUCKET}-access"},
            },
        },
        "Outputs": {"ArtifactBucketName": {"Value": {"Ref": "Bucket"}}},
    }


def endpoint_template(version: str = "1", **changes: dict[str, Any]) -> dict[str, Any]:
    """An endpoint with an alarm, an incident, and scaling."""
    digest = version * 64 if len(version) == 1 else version
    resources = {
        "Role": _resource("AWS::IAM::Role", AssumeRolePolicyDocument=_TRUST),
        "Model": _resource(
            "AWS::SageMaker::Model",
            ExecutionRoleArn={"Fn::GetAtt": ["Role", "Arn"]},
            PrimaryContainer={
                "Image": "1.dkr.ecr.eu-central-1.amazonaws.com/x:1",
                "ModelDataUrl": f"s3://{BUCKET}/models/{digest}/model.tar.gz",
            },
        ),
        "Config": _resource(
            "AWS::SageMaker::EndpointConfig",
            ProductionVariants=[
                {
                    "VariantName": "AllTraffic",
                    "ModelName": {"Fn::GetAtt": ["Model", "ModelName"]},
                    "InstanceType": "ml.m5.large",
                    "InitialInstanceCount": 4,
                    "InitialVariantWeight": 1,
                }
            ],
        ),
        "Endpoint": _resource(
            "AWS::SageMaker::Endpoint",
            EndpointName=NAME,
            EndpointConfigName={"Fn::GetAtt": ["Config", "EndpointConfigName"]},
            Tags=[{"Key": "team", "Value": "forecasting"}],
        ),
        "Errors": _resource("AWS::CloudWatch::Alarm", **alarm(f"{NAME}-errors-high")),
        "Incident": _resource(
            "AWS::CloudWatch::CompositeAlarm",
            AlarmName=f"{NAME}-incident-high",
            AlarmRule=f'ALARM("{NAME}-errors-high")',
            AlarmActions=[f"arn:aws:sns:{REGION}:123456789012:alerts"],
        ),
        "Target": _resource(
            "AWS::ApplicationAutoScaling::ScalableTarget",
            ServiceNamespace="sagemaker",
            ScalableDimension="sagemaker:variant:DesiredInstanceCount",
            ResourceId=f"endpoint/{NAME}/variant/AllTraffic",
            MinCapacity=2,
            MaxCapacity=6,
            ScheduledActions=[
                {
                    "ScheduledActionName": "morning",
                    "Schedule": "cron(0 4 * * ? *)",
                    "Timezone": "Asia/Shanghai",
                    "ScalableTargetAction": {"MinCapacity": 3},
                }
            ],
        ),
        "Steps": _resource(
            "AWS::ApplicationAutoScaling::ScalingPolicy",
            PolicyName="steps",
            PolicyType="StepScaling",
            ScalingTargetId={"Ref": "Target"},
            StepScalingPolicyConfiguration={
                "AdjustmentType": "ChangeInCapacity",
                "StepAdjustments": [{"MetricIntervalLowerBound": 0, "ScalingAdjustment": 1}],
            },
        ),
        "WakeUp": _resource(
            "AWS::CloudWatch::Alarm",
            **alarm(f"{NAME}-wake-up", AlarmActions=[{"Ref": "Steps"}]),
        ),
    }
    for after, before in (("Incident", "Errors"), ("Target", "Endpoint")):
        resources[after]["DependsOn"] = [before]
    for logical_id, change in changes.items():
        resources[logical_id]["Properties"] |= change
    for logical_id in ("Model", "Config"):
        resources[logical_id]["UpdateReplacePolicy"] = "Retain"
    return {
        "Resources": resources,
        "Outputs": {
            "EndpointConfigName": {"Value": {"Fn::GetAtt": ["Config", "EndpointConfigName"]}},
            "ModelVersion": {"Value": version},
        },
    }


def alarm(name: str, endpoint_name: str = NAME, **properties: Any) -> dict[str, Any]:
    """Properties of an alarm on an endpoint, with a runbook in its description."""
    return {
        "AlarmName": name,
        "AlarmDescription": "Errors (high). Runbook: docs/runbooks.md#error-rate",
        "Namespace": "AWS/SageMaker",
        "MetricName": "Invocation5XXErrors",
        "Dimensions": [{"Name": "EndpointName", "Value": endpoint_name}],
        "Statistic": "Sum",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 5,
        "ComparisonOperator": "GreaterThanThreshold",
        "TreatMissingData": "notBreaching",
        **properties,
    }


def publish(aws: Simulation, name: str, now: datetime, *values: float, **more: str) -> None:
    """Put values of an endpoint's metric, one a minute, the last one a minute ago."""
    dimensions = {"EndpointName": NAME, **more}
    namespace = "ForecastEndpoint" if name == "Heartbeat" else "AWS/SageMaker"
    data = [
        {
            "MetricName": name,
            "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions.items()],
            "Timestamp": now - timedelta(minutes=len(values) - number),
            "Value": value,
        }
        for number, value in enumerate(values)
    ]
    aws.client("cloudwatch").put_metric_data(Namespace=namespace, MetricData=data)


def instances(aws: Simulation) -> int:
    """How many instances the endpoint shall have."""
    return int(aws.endpoint(NAME)["ProductionVariants"][0]["DesiredInstanceCount"])


def bounds(aws: Simulation) -> tuple[int, int]:
    """The bounds between which the endpoint scales."""
    client = aws.client("application-autoscaling")
    (target,) = client.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
    return target["MinCapacity"], target["MaxCapacity"]


def muted(aws: Simulation) -> set[str]:
    """Names of the alarms whose actions are off."""
    found = aws.client("cloudwatch").describe_alarms()
    alarms = [*found["MetricAlarms"], *found["CompositeAlarms"]]
    return {alarm["AlarmName"] for alarm in alarms if not alarm["ActionsEnabled"]}


@contextmanager
def interrupted(monkeypatch: pytest.MonkeyPatch, at: str) -> Iterator[None]:
    """Interrupt what is done within, at the first call of this operation or with this argument."""
    ask = Cloud.ask

    def interrupt(cloud: Cloud, service: str, operation: str, **arguments: Any) -> Any:
        if operation == at or at in arguments:
            raise KeyboardInterrupt
        return ask(cloud, service, operation, **arguments)

    with monkeypatch.context() as patched:
        patched.setattr(Cloud, "ask", interrupt)
        with pytest.raises(KeyboardInterrupt):
            yield


def _resource(kind: str, **properties: Any) -> dict[str, Any]:
    return {"Type": kind, "Properties": properties}
