"""Deployments in a simulated account: the limits of AWS, rollouts and roll-backs, in no time."""

import copy
import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from forecast_local.simulation import ANY_ALARM, REFUSED, Outcome, Simulation

Hosting = Callable[..., dict[str, Any]]
NAME = "produce"
URI = "s3://models/1.tar.gz"
POLICY = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "cloudwatch:DescribeAlarms", "Resource": "*"}],
}


@pytest.fixture
def aws() -> Iterator[Simulation]:
    with Simulation() as simulation:
        yield simulation


def canary(percent: int = 50, wait: int = 300, **policy: Any) -> dict[str, Any]:
    return {
        "BlueGreenUpdatePolicy": {
            "TrafficRoutingConfiguration": {
                "Type": "CANARY",
                "WaitIntervalInSeconds": wait,
                "CanarySize": {"Type": "CAPACITY_PERCENT", "Value": percent},
            },
            "TerminationWaitInSeconds": 120,
            **policy,
        }
    }


def rolling(percent: int = 25) -> dict[str, Any]:
    size = {"Type": "CAPACITY_PERCENT", "Value": percent}
    return {"RollingUpdatePolicy": {"MaximumBatchSize": size, "WaitIntervalInSeconds": 60}}


ALL_AT_ONCE = {
    "BlueGreenUpdatePolicy": {
        "TrafficRoutingConfiguration": {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 60}
    }
}
WATCHED = {"AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "errors"}]}}


def template(
    hosting: Hosting,
    version: str,
    deployment: dict[str, Any] | None = None,
    **changes: dict[str, Any],
) -> dict[str, Any]:
    """Return an endpoint with an alarm on its newest fleet."""
    endpoint = {**({} if deployment is None else {"DeploymentConfig": deployment})}
    found = hosting(
        NAME,
        URI,
        **{
            **changes,
            "Container": {"Environment": {"VERSION": version}},
            "Endpoint": {**endpoint, **changes.get("Endpoint", {})},
        },
    )
    found["Resources"]["Policy"] = {
        "Type": "AWS::IAM::ManagedPolicy",
        "Properties": {"PolicyDocument": POLICY, "Roles": [{"Ref": "Role"}]},
    }
    found["Resources"]["Errors"] = alarm({"Fn::GetAtt": ["Config", "EndpointConfigName"]})
    found["Resources"]["Endpoint"]["DependsOn"] = ["Errors", "Policy"]
    return found


def alarm(config: Any) -> dict[str, Any]:
    values = {"EndpointName": NAME, "VariantName": "main", "EndpointConfigName": config}
    return {
        "Type": "AWS::CloudWatch::Alarm",
        "Properties": {
            "AlarmName": "errors",
            "Namespace": "AWS/SageMaker",
            "MetricName": "Invocation5XXErrors",
            "Dimensions": [{"Name": key, "Value": value} for key, value in values.items()],
            "Statistic": "Sum",
            "Period": 60,
            "EvaluationPeriods": 1,
            "Threshold": 5,
            "ComparisonOperator": "GreaterThanOrEqualToThreshold",
            "TreatMissingData": "notBreaching",
        },
    }


def scaled(document: dict[str, Any], **properties: Any) -> dict[str, Any]:
    found = copy.deepcopy(document)
    found["Resources"]["Target"] = {
        "Type": "AWS::ApplicationAutoScaling::ScalableTarget",
        "DependsOn": ["Endpoint"],
        "Properties": {
            "ServiceNamespace": "sagemaker",
            "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
            "ResourceId": f"endpoint/{NAME}/variant/main",
            "MinCapacity": 1,
            "MaxCapacity": 8,
            **properties,
        },
    }
    return found


def variants(*given: dict[str, Any]) -> list[dict[str, Any]]:
    model = {"Fn::GetAtt": ["Model", "ModelName"]}
    size = {"InstanceType": "ml.m5.large", "InitialInstanceCount": 2}
    return [
        {
            "ModelName": model,
            "InitialVariantWeight": 1,
            **({} if "ServerlessConfig" in item else size),
        }
        | item
        for item in given
    ]


def serverless(**settings: int) -> list[dict[str, Any]]:
    config = {"MemorySizeInMB": 2048, "MaxConcurrency": 10, **settings}
    return variants({"VariantName": "main", "ServerlessConfig": config})


ASYNC = {"AsyncInferenceConfig": {"OutputConfig": {"S3OutputPath": "s3://models/out"}}}


def update(aws: Simulation, first: dict[str, Any], second: dict[str, Any], **how: Any) -> Outcome:
    created = aws.deploy("S", first)
    assert created.status == "CREATE_COMPLETE", created.reason
    return aws.deploy("S", second, **how)


@pytest.mark.parametrize(
    ("deployment", "waited"),
    [(None, 0), (ALL_AT_ONCE, 60), (canary(), 720), (rolling(), 120)],
)
def test_rollout_waits_as_long_as_on_aws(
    aws: Simulation, hosting: Hosting, deployment: Any, waited: int
) -> None:
    second = template(hosting, "2", deployment)
    outcome = update(aws, template(hosting, "1", deployment), second)
    assert outcome.status == "UPDATE_COMPLETE", outcome.reason
    assert outcome.waited_seconds == waited


@pytest.mark.parametrize("deployment", [ALL_AT_ONCE, canary(), rolling(50)])
def test_alarm_brings_the_old_configuration_back(
    aws: Simulation, hosting: Hosting, deployment: dict[str, Any]
) -> None:
    given = {**deployment, **WATCHED}
    assert aws.deploy("S", template(hosting, "1", given)).succeeded
    before = aws.endpoint(NAME)["EndpointConfigName"]
    outcome = aws.deploy("S", template(hosting, "2", given), alarm=ANY_ALARM)
    assert outcome.status == "UPDATE_ROLLBACK_COMPLETE"
    assert outcome.tripped == ("errors",)
    assert "CloudWatch alarms" in str(outcome.reason)
    endpoint = aws.endpoint(NAME)
    assert (endpoint["EndpointStatus"], endpoint["EndpointConfigName"]) == ("InService", before)
    # Only what the failed deployment made is gone.
    configs = aws.client("sagemaker").list_endpoint_configs()["EndpointConfigs"]
    assert [item["EndpointConfigName"] for item in configs] == [before]
    assert aws.deploy("S", template(hosting, "3", given)).succeeded


def test_alarm_that_goes_off_too_late_undoes_nothing(aws: Simulation, hosting: Hosting) -> None:
    given = {**canary(), **WATCHED}
    first, second = template(hosting, "1", given), template(hosting, "2", given)
    outcome = update(aws, first, second, alarm="Errors", after_seconds=721)
    assert (outcome.succeeded, outcome.tripped) == (True, ())


def test_alarm_that_no_rollout_watches_undoes_nothing(aws: Simulation, hosting: Hosting) -> None:
    first, second = template(hosting, "1", canary()), template(hosting, "2", canary())
    outcome = update(aws, first, second, alarm="errors")
    assert (outcome.succeeded, outcome.tripped) == (True, ("errors",))


def test_update_is_quick(aws: Simulation, hosting: Hosting) -> None:
    given = {**canary(), **WATCHED}
    assert aws.deploy("S", template(hosting, "0", given)).succeeded
    started = time.perf_counter()
    for version in range(1, 6):
        assert aws.deploy("S", template(hosting, str(version), given)).succeeded
    assert (time.perf_counter() - started) / 5 < 1.0


def test_simulations_do_not_see_each_other(hosting: Hosting) -> None:
    for _ in range(2):
        with Simulation() as aws:
            assert aws.deploy("S", template(hosting, "1")).status == "CREATE_COMPLETE"


def test_unchanged_and_impossible_templates(aws: Simulation, hosting: Hosting) -> None:
    assert update(aws, template(hosting, "1"), template(hosting, "1")).status == "UNCHANGED"
    refused = aws.deploy("S", {"Resources": {"A": {"Type": "AWS::SNS::Topic", "DependsOn": "B"}}})
    assert refused.status == REFUSED
    assert "Unresolved resource dependencies [B]" in str(refused.reason)


def test_imports_are_made_up_unless_they_exist(aws: Simulation) -> None:
    topic = {"DisplayName": {"Fn::ImportValue": "Other:ExportsOutputRefBucket"}}
    resources = {"Resources": {"T": {"Type": "AWS::SNS::Topic", "Properties": topic}}}
    assert aws.deploy("S", resources).succeeded
    with Simulation(made_up_imports=False) as strict:
        assert "No export named" in str(strict.deploy("S", resources).reason)


def test_secret_is_resolved_for_the_handler_alone(aws: Simulation) -> None:
    def document(name: str) -> dict[str, Any]:
        value = f"{{{{resolve:secretsmanager:{name}:SecretString:url}}}}"
        parameter = {"Type": "String", "Value": value}
        return {"Resources": {"P": {"Type": "AWS::SSM::Parameter", "Properties": parameter}}}

    secrets = aws.client("secretsmanager")
    secrets.create_secret(Name="oncall", SecretString='{"url": "https://example.org/x"}')
    assert aws.deploy("S", document("oncall")).succeeded
    name = aws.resources("S")["P"]
    found = aws.client("ssm").get_parameter(Name=name)["Parameter"]["Value"]
    assert found == "https://example.org/x"


# What an update is refused for: first and second template, and the words of the refusal.
Pair = tuple[Callable[[Hosting], dict[str, Any]], Callable[[Hosting], dict[str, Any]], str]
UPDATES: dict[str, Pair] = {
    "instance type of a scaled variant": (
        lambda h: scaled(template(h, "1")),
        lambda h: scaled(template(h, "2", Variant={"InstanceType": "ml.m5.xlarge"})),
        "must be deregistered as scalable targets",
    ),
    "scaled variant is gone": (
        lambda h: scaled(template(h, "1")),
        lambda h: scaled(template(h, "2", Variant={"VariantName": "other"})),
        "must be deregistered as scalable targets",
    ),
    "other variant name with a policy": (
        lambda h: template(h, "1", ALL_AT_ONCE),
        lambda h: template(h, "2", ALL_AT_ONCE, Variant={"VariantName": "other"}),
        r"Variant names must be the same.*main.*other",
    ),
    "from instances to serverless": (
        lambda h: template(h, "1"),
        lambda h: template(h, "2", Config={"ProductionVariants": serverless()}),
        "cannot be changed from realtime to serverless",
    ),
    "from real time to asynchronous": (
        lambda h: template(h, "1"),
        lambda h: template(h, "2", Config=ASYNC),
        "cannot be changed from realtime to async",
    ),
    "canary that rounds to more than half": (
        lambda h: template(h, "1", canary(40), Variant={"InitialInstanceCount": 5}),
        lambda h: template(h, "2", canary(40), Variant={"InitialInstanceCount": 3}),
        "2 of the 3 instance",
    ),
    "rolling with several variants": (
        lambda h: template(h, "1", Config={"ProductionVariants": two()}),
        lambda h: template(h, "2", rolling(50), Config={"ProductionVariants": two()}),
        "not supported for endpoints with several variants",
    ),
    "way back over the whole fleet": (
        lambda h: template(h, "1"),
        lambda h: template(
            h,
            "2",
            {
                "RollingUpdatePolicy": {
                    **rolling(50)["RollingUpdatePolicy"],
                    "RollbackMaximumBatchSize": {"Type": "INSTANCE_COUNT", "Value": 3},
                }
            },
        ),
        "RollbackMaximumBatchSize",
    ),
}


def two() -> list[dict[str, Any]]:
    return variants({"VariantName": "main"}, {"VariantName": "challenger"})


@pytest.mark.parametrize("case", UPDATES)
def test_update_that_sagemaker_refuses(aws: Simulation, hosting: Hosting, case: str) -> None:
    first, second, message = UPDATES[case]
    outcome = update(aws, first(hosting), second(hosting))
    assert outcome.status == "UPDATE_ROLLBACK_COMPLETE"
    assert outcome.failure is not None
    assert outcome.failure.logical_id == "Endpoint"
    assert re.search(message, str(outcome.reason)), outcome.reason


def test_other_variant_name_without_a_policy_is_taken(aws: Simulation, hosting: Hosting) -> None:
    second = template(hosting, "2", Variant={"VariantName": "other"})
    assert update(aws, template(hosting, "1"), second).succeeded


def test_retained_counts_decide_about_the_size_of_a_canary(
    aws: Simulation, hosting: Hosting
) -> None:
    keep = {"Endpoint": {"RetainAllVariantProperties": True}}
    many = template(hosting, "1", Variant={"InitialInstanceCount": 5}, **keep)
    assert aws.deploy("S", many).succeeded
    aws.client("sagemaker").update_endpoint_weights_and_capacities(
        EndpointName=NAME,
        DesiredWeightsAndCapacities=[{"VariantName": "main", "DesiredInstanceCount": 1}],
    )
    second = template(hosting, "2", canary(20), Variant={"InitialInstanceCount": 5}, **keep)
    assert "1 of the 1 instance" in str(aws.deploy("S", second).reason)


# What a creation is refused for: the logical id that fails, changes, and the words.
CREATIONS: dict[str, tuple[str, Callable[[Hosting], dict[str, Any]], str]] = {
    "serverless with a policy": (
        "Endpoint",
        lambda h: template(h, "1", ALL_AT_ONCE, Config={"ProductionVariants": serverless()}),
        "DeploymentConfig is not supported for serverless",
    ),
    "serverless with several variants": (
        "Config",
        lambda h: template(
            h,
            "1",
            Config={
                "ProductionVariants": [*serverless(), *variants({"VariantName": "challenger"})]
            },
        ),
        "Multiple variants",
    ),
    "serverless with a key": (
        "Config",
        lambda h: template(h, "1", Config={"ProductionVariants": serverless(), "KmsKeyId": "k"}),
        "KmsKeyId is not supported for serverless",
    ),
    "serverless in a VPC": (
        "Config",
        lambda h: template(
            h,
            "1",
            Model={"VpcConfig": {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1"]}},
            Config={"ProductionVariants": serverless()},
        ),
        "VPC configuration is not supported",
    ),
    "serverless in isolation": (
        "Config",
        lambda h: template(
            h,
            "1",
            Model={"EnableNetworkIsolation": True},
            Config={"ProductionVariants": serverless()},
        ),
        "Network isolation is not supported",
    ),
    "more provisioned than there is": (
        "Config",
        lambda h: template(
            h, "1", Config={"ProductionVariants": serverless(ProvisionedConcurrency=11)}
        ),
        "at most its MaxConcurrency 10",
    ),
    "concurrency over 200": (
        "Config",
        lambda h: template(h, "1", Config={"ProductionVariants": serverless(MaxConcurrency=201)}),
        "less than or equal to 200",
    ),
    "shadow beside two": (
        "Config",
        lambda h: template(
            h,
            "1",
            Config={
                "ProductionVariants": two(),
                "ShadowProductionVariants": variants({"VariantName": "shadow"}),
            },
        ),
        "exactly one production variant",
    ),
    "shadow of an asynchronous endpoint": (
        "Config",
        lambda h: template(
            h,
            "1",
            Config={"ShadowProductionVariants": variants({"VariantName": "shadow"}), **ASYNC},
        ),
        "real-time endpoints only",
    ),
    "asynchronous with two variants": (
        "Config",
        lambda h: template(h, "1", Config={"ProductionVariants": two(), **ASYNC}),
        "exactly one production variant",
    ),
    "role that may not describe the alarms": (
        "Endpoint",
        lambda h: without_policy(template(h, "1", {**ALL_AT_ONCE, **WATCHED})),
        r"cloudwatch:DescribeAlarms.*errors",
    ),
    "real-time variant that scales to zero": (
        "Target",
        lambda h: scaled(template(h, "1"), MinCapacity=0),
        "must be at least 1",
    ),
    "burstable instances that scale": (
        "Target",
        lambda h: scaled(template(h, "1", Variant={"InstanceType": "ml.t3.medium"})),
        "burstable",
    ),
    "provisioned concurrency of instances": (
        "Target",
        lambda h: scaled(
            template(h, "1"), ScalableDimension="sagemaker:variant:DesiredProvisionedConcurrency"
        ),
        "no provisioned concurrency",
    ),
    "scheduled action with five fields": (
        "Target",
        lambda h: scaled(template(h, "1"), ScheduledActions=[scheduled("cron(0 4 ? * FRI)")]),
        "six fields",
    ),
    "scheduled action in no time zone": (
        "Target",
        lambda h: scaled(
            template(h, "1"), ScheduledActions=[{**scheduled("rate(1 day)"), "Timezone": "Mars"}]
        ),
        "IANA",
    ),
    "scheduled action whose bounds cross": (
        "Target",
        lambda h: scaled(
            template(h, "1"), ScheduledActions=[scheduled("rate(1 day)", MaxCapacity=1)]
        ),
        "cannot be less than minimum",
    ),
    "metric of another dimension": (
        "Scaling",
        lambda h: with_policy(
            scaled(template(h, "1")), "SageMakerVariantProvisionedConcurrencyUtilization"
        ),
        "is not supported for sagemaker:variant:DesiredInstanceCount",
    ),
}


def scheduled(expression: str, **action: int) -> dict[str, Any]:
    return {
        "ScheduledActionName": "peak",
        "Schedule": expression,
        "ScalableTargetAction": {"MinCapacity": 2, **action},
    }


def with_policy(document: dict[str, Any], metric: str) -> dict[str, Any]:
    document["Resources"]["Scaling"] = {
        "Type": "AWS::ApplicationAutoScaling::ScalingPolicy",
        "Properties": {
            "PolicyName": "p",
            "PolicyType": "TargetTrackingScaling",
            "ScalingTargetId": {"Ref": "Target"},
            "TargetTrackingScalingPolicyConfiguration": {
                "TargetValue": 0.7,
                "PredefinedMetricSpecification": {"PredefinedMetricType": metric},
            },
        },
    }
    return document


def without_policy(document: dict[str, Any]) -> dict[str, Any]:
    del document["Resources"]["Policy"]
    document["Resources"]["Endpoint"]["DependsOn"] = ["Errors"]
    return document


@pytest.mark.parametrize("case", CREATIONS)
def test_creation_that_aws_refuses(aws: Simulation, hosting: Hosting, case: str) -> None:
    failing, build, message = CREATIONS[case]
    outcome = aws.deploy("S", build(hosting))
    assert outcome.status == "ROLLBACK_COMPLETE", outcome.events
    assert outcome.failure is not None
    assert outcome.failure.logical_id == failing, outcome.reason
    assert re.search(message, str(outcome.reason)), outcome.reason


MODES: dict[str, Callable[[Hosting], dict[str, Any]]] = {
    "serverless": lambda h: scaled(
        template(h, "1", Config={"ProductionVariants": serverless(ProvisionedConcurrency=2)}),
        ScalableDimension="sagemaker:variant:DesiredProvisionedConcurrency",
        MaxCapacity=10,
    ),
    "asynchronous from zero": lambda h: scaled(template(h, "1", Config=ASYNC), MinCapacity=0),
    "shadow": lambda h: template(
        h,
        "1",
        ALL_AT_ONCE,
        Config={"ShadowProductionVariants": variants({"VariantName": "shadow"})},
    ),
    "split": lambda h: template(h, "1", canary(), Config={"ProductionVariants": two()}),
}


@pytest.mark.parametrize("mode", MODES)
def test_modes_that_work(aws: Simulation, hosting: Hosting, mode: str) -> None:
    outcome = aws.deploy("S", MODES[mode](hosting))
    assert outcome.status == "CREATE_COMPLETE", outcome.reason
    assert aws.destroy("S").status == "DELETE_COMPLETE"


def test_deleted_endpoint_takes_its_scaling_with_it(aws: Simulation, hosting: Hosting) -> None:
    assert aws.deploy("S", scaled(template(hosting, "1"))).succeeded
    aws.client("sagemaker").delete_endpoint(EndpointName=NAME)
    scaling = aws.client("application-autoscaling")
    assert not scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]


def test_bounds_of_scaling_set_the_count(aws: Simulation, hosting: Hosting) -> None:
    def count() -> int:
        return int(aws.endpoint(NAME)["ProductionVariants"][0]["DesiredInstanceCount"])

    assert aws.deploy("S", scaled(template(hosting, "1"), MinCapacity=3)).succeeded
    assert count() == 3
    scaling = aws.client("application-autoscaling")
    key = {
        "ServiceNamespace": "sagemaker",
        "ResourceId": f"endpoint/{NAME}/variant/main",
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
    }
    suspended = dict.fromkeys(
        (
            "DynamicScalingInSuspended",
            "DynamicScalingOutSuspended",
            "ScheduledScalingSuspended",
        ),
        True,
    )

    scaling.register_scalable_target(**key, MinCapacity=5, SuspendedState=suspended)
    assert count() == 5
    scaling.register_scalable_target(**key, MinCapacity=1, MaxCapacity=2)
    assert count() == 2
    scaling.register_scalable_target(**key, MaxCapacity=8)
    assert count() == 2
    causes = [
        each["Cause"]
        for each in scaling.describe_scaling_activities(ServiceNamespace="sagemaker")[
            "ScalingActivities"
        ]
    ]
    assert causes[0] == "the bounds of the target were set, changing from 5"
