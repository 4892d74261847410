"""Limits of the real APIs that a deployment must run into here as well."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

Hosting = Callable[..., dict[str, Any]]
DIMENSION = "sagemaker:variant:DesiredInstanceCount"


def blue_green(**routing: Any) -> dict[str, Any]:
    return {
        "DeploymentConfig": {
            "BlueGreenUpdatePolicy": {
                "TrafficRoutingConfiguration": {
                    "Type": "CANARY",
                    "WaitIntervalInSeconds": 60,
                    "CanarySize": {"Type": "CAPACITY_PERCENT", "Value": 50},
                    **routing,
                }
            }
        }
    }


def canary(value: int, kind: str = "CAPACITY_PERCENT") -> dict[str, Any]:
    return blue_green(CanarySize={"Type": kind, "Value": value})


def rollback(*names: str) -> dict[str, Any]:
    alarms = [{"AlarmName": name} for name in names]
    return {
        "DeploymentConfig": {
            **canary(50)["DeploymentConfig"],
            "AutoRollbackConfiguration": {"Alarms": alarms},
        }
    }


def timed(**policy: int) -> dict[str, Any]:
    found = canary(50)
    found["DeploymentConfig"]["BlueGreenUpdatePolicy"].update(policy)
    return found


ROLLING = {
    "RollingUpdatePolicy": {
        "MaximumBatchSize": {"Type": "CAPACITY_PERCENT", "Value": 50},
        "WaitIntervalInSeconds": 60,
    }
}

CASES = {
    "canary over 50 percent": ({"Endpoint": canary(60)}, "Endpoint", "between 0 and 50"),
    "canary count over half": ({"Endpoint": canary(2, "INSTANCE_COUNT")}, "Endpoint", "2 of the 2"),
    "canary with one instance": (
        {"Endpoint": canary(10), "Variant": {"InitialInstanceCount": 1}},
        "Endpoint",
        r"1 of the 1 instance",
    ),
    "linear under 10 percent": (
        {
            "Endpoint": blue_green(
                Type="LINEAR", LinearStepSize={"Type": "CAPACITY_PERCENT", "Value": 5}
            )
        },
        "Endpoint",
        "between 10 and 50|not allowed",
    ),
    "canary without size": (
        {
            "Endpoint": {
                "DeploymentConfig": {
                    "BlueGreenUpdatePolicy": {
                        "TrafficRoutingConfiguration": {
                            "Type": "CANARY",
                            "WaitIntervalInSeconds": 60,
                        }
                    }
                }
            }
        },
        "Endpoint",
        "CanarySize is required",
    ),
    "no wait interval": (
        {
            "Endpoint": {
                "DeploymentConfig": {
                    "BlueGreenUpdatePolicy": {
                        "TrafficRoutingConfiguration": {"Type": "ALL_AT_ONCE"}
                    }
                }
            }
        },
        "Endpoint",
        "WaitIntervalInSeconds",
    ),
    "wait over an hour": (
        {"Endpoint": blue_green(WaitIntervalInSeconds=3601)},
        "Endpoint",
        "less than or equal to 3600",
    ),
    "execution time under 600 s": (
        {"Endpoint": timed(MaximumExecutionTimeoutInSeconds=599)},
        "Endpoint",
        "greater than or equal to 600",
    ),
    "execution time under the waits": (
        {"Endpoint": timed(MaximumExecutionTimeoutInSeconds=600, TerminationWaitInSeconds=600)},
        "Endpoint",
        "larger than the sum",
    ),
    "blue/green and rolling": (
        {"Endpoint": {"DeploymentConfig": {**canary(50)["DeploymentConfig"], **ROLLING}}},
        "Endpoint",
        "not both",
    ),
    "rollback alarm missing": ({"Endpoint": rollback("nobody")}, "Endpoint", "alarms do not exist"),
    "eleven rollback alarms": (
        {"Endpoint": rollback(*[f"a{i}" for i in range(11)])},
        "Endpoint",
        "less than or equal to 10",
    ),
    "no rollback alarm": ({"Endpoint": rollback()}, "Endpoint", "greater than or equal to 1"),
    "name of 64 characters": (
        {"Endpoint": {"EndpointName": "e" * 64}},
        "Endpoint",
        "less than or equal to 63",
    ),
    "name with an underscore": (
        {"Endpoint": {"EndpointName": "my_endpoint"}},
        "Endpoint",
        "regular expression",
    ),
    "config that does not exist": (
        {"Endpoint": {"EndpointConfigName": "nobody"}},
        "Endpoint",
        "Could not find endpoint configuration",
    ),
    "model that does not exist": (
        {"Variant": {"ModelName": "nobody"}},
        "Config",
        "Could not find model",
    ),
    "unknown instance type": (
        {"Variant": {"InstanceType": "ml.z9.huge"}},
        "Config",
        "enum value set",
    ),
    "startup time-out under 60 s": (
        {"Variant": {"ContainerStartupHealthCheckTimeoutInSeconds": 30}},
        "Config",
        "greater than or equal to 60",
    ),
    "serverless memory": (
        {
            "Config": {
                "ProductionVariants": [
                    {
                        "VariantName": "v",
                        "ModelName": {"Fn::GetAtt": ["Model", "ModelName"]},
                        "ServerlessConfig": {"MemorySizeInMB": 1500, "MaxConcurrency": 1},
                    }
                ]
            }
        },
        "Config",
        "multiple of 1024",
    ),
    "exclusion that is not supported": (
        {
            "Endpoint": {
                "RetainAllVariantProperties": True,
                "ExcludeRetainedVariantProperties": [{"VariantPropertyType": "DataCaptureConfig"}],
            }
        },
        "Endpoint",
        "DataCaptureConfig is not currently supported",
    ),
    "misspelt member": ({"Variant": {"InstanceTyp": "x"}}, "Config", "InstanceTyp"),
    "model data that does not exist": (
        {"Container": {"ModelDataUrl": "s3://engine-tests/nothing.tar.gz"}},
        "Model",
        "Could not access model data at s3://engine-tests/nothing.tar.gz",
    ),
    "role that does not exist": (
        {"Model": {"ExecutionRoleArn": "arn:aws:iam::123456789012:role/nobody"}},
        "Model",
        "Could not assume role",
    ),
    "role that SageMaker may not assume": (
        {"Role": {"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": []}}},
        "Model",
        "Could not assume role",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_hosting_limit_fails_the_stack(
    account: Any, stack: str, endpoint_name: str, hosting: Hosting, case: str
) -> None:
    changes, resource, message = CASES[case]
    template = hosting(endpoint_name, account.upload("1"), **changes)
    assert account.deploy(stack, template) == "ROLLBACK_COMPLETE"
    reason = account.failure(stack, resource)
    assert re.search(message, reason), reason


def test_exclusion_that_the_api_does_not_support_fails_the_update_too(
    account: Any, stack: str, endpoint_name: str, hosting: Hosting
) -> None:
    account.deploy(stack, hosting(endpoint_name, account.upload("1")))
    sagemaker = account.client("sagemaker")
    config = sagemaker.describe_endpoint(EndpointName=endpoint_name)["EndpointConfigName"]

    with pytest.raises(ClientError, match="DataCaptureConfig is not currently supported") as error:
        sagemaker.update_endpoint(
            EndpointName=endpoint_name,
            EndpointConfigName=config,
            RetainAllVariantProperties=True,
            ExcludeRetainedVariantProperties=[{"VariantPropertyType": "DataCaptureConfig"}],
        )

    assert error.value.response["Error"]["Code"] == "ValidationException"


def target(endpoint: str, **changes: Any) -> dict[str, Any]:
    return {
        "Type": "AWS::ApplicationAutoScaling::ScalableTarget",
        "DependsOn": "Endpoint",
        "Properties": {
            "MinCapacity": 2,
            "MaxCapacity": 10,
            "ResourceId": f"endpoint/{endpoint}/variant/main",
            "ScalableDimension": DIMENSION,
            "ServiceNamespace": "sagemaker",
            **changes,
        },
    }


@pytest.mark.parametrize(
    ("changes", "variant", "message"),
    [
        ({"MinCapacity": 11}, {}, "cannot be less than minimum"),
        ({"MinCapacity": 0}, {}, "at least 1"),
        ({"ResourceId": "endpoint/nobody/variant/main"}, {}, "endpoint not found"),
        ({"ResourceId": "endpoint/{}/variant/other"}, {}, "Variant other"),
        ({"ResourceId": "endpoint/{}/main/variant"}, {}, "Unsupported|Invalid resource"),
        ({}, {"InstanceType": "ml.t2.medium"}, "burstable"),
    ],
)
def test_scaling_target_limit_fails_the_stack(  # noqa: PLR0917 - fixtures and cases
    account: Any,
    stack: str,
    endpoint_name: str,
    hosting: Hosting,
    changes: dict[str, Any],
    variant: dict[str, Any],
    message: str,
) -> None:
    template = hosting(endpoint_name, account.upload("1"), Variant=variant)
    named = {
        key: value.format(endpoint_name) if isinstance(value, str) else value
        for key, value in changes.items()
    }
    template["Resources"]["Target"] = target(endpoint_name, **named)
    assert account.deploy(stack, template) == "ROLLBACK_COMPLETE"
    assert re.search(message, account.failure(stack, "Target"))


def test_instance_type_of_a_scaled_variant_cannot_change(
    account: Any, stack: str, endpoint_name: str, hosting: Hosting
) -> None:
    uri = account.upload("1")
    template = hosting(endpoint_name, uri)
    template["Resources"]["Target"] = target(endpoint_name)
    assert account.deploy(stack, template) == "CREATE_COMPLETE"
    bigger = hosting(endpoint_name, uri, Variant={"InstanceType": "ml.m5.xlarge"})
    bigger["Resources"]["Target"] = target(endpoint_name)
    assert account.deploy(stack, bigger) == "UPDATE_ROLLBACK_COMPLETE"
    assert "must be deregistered" in account.failure(stack, "Endpoint")


def test_policy_keeps_metric_math_and_goes_with_its_target(
    account: Any, stack: str, endpoint_name: str, hosting: Hosting
) -> None:
    metrics = [
        {
            "Id": "cpu",
            "ReturnData": False,
            "MetricStat": {
                "Stat": "Average",
                "Metric": {
                    "Namespace": "/aws/sagemaker/Endpoints",
                    "MetricName": "CPUUtilization",
                    "Dimensions": [{"Name": "EndpointName", "Value": endpoint_name}],
                },
            },
        },
        {"Id": "per_core", "Expression": "cpu / 4", "ReturnData": True},
    ]

    def template(value: str) -> dict[str, Any]:
        found = hosting(endpoint_name, uri)
        found["Resources"]["Target"] = target(endpoint_name)
        found["Resources"]["Policy"] = {
            "Type": "AWS::ApplicationAutoScaling::ScalingPolicy",
            "Properties": {
                "PolicyName": "cpu",
                "PolicyType": "TargetTrackingScaling",
                "ScalingTargetId": {"Ref": "Target"},
                "TargetTrackingScalingPolicyConfiguration": {
                    "TargetValue": value,
                    "CustomizedMetricSpecification": {"Metrics": metrics},
                },
            },
        }
        return found

    uri = account.upload("1")
    scaling = account.client("application-autoscaling")
    account.deploy(stack, template("60"))
    before = account.physical_id(stack, "Policy")
    account.deploy(stack, template("70"))
    assert account.physical_id(stack, "Policy") == before
    policies = scaling.describe_scaling_policies(
        ServiceNamespace="sagemaker", ResourceId=f"endpoint/{endpoint_name}/variant/main"
    )["ScalingPolicies"]
    configuration = policies[0]["TargetTrackingScalingPolicyConfiguration"]
    assert configuration["TargetValue"] == 70.0
    assert configuration["CustomizedMetricSpecification"]["Metrics"] == metrics
    account.destroy(stack)
    assert not scaling.describe_scalable_targets(
        ServiceNamespace="sagemaker", ResourceIds=[f"endpoint/{endpoint_name}/variant/main"]
    )["ScalableTargets"]


def test_limits_hold_for_direct_api_calls_too(account: Any) -> None:
    with pytest.raises(ClientError, match="Could not find endpoint configuration") as error:
        account.client("sagemaker").create_endpoint(
            EndpointName="direct", EndpointConfigName="nobody"
        )
    assert error.value.response["Error"]["Code"] == "ValidationException"


def test_composite_alarm_needs_its_alarms(account: Any, stack: str) -> None:
    alarm = {
        "Type": "AWS::CloudWatch::CompositeAlarm",
        "Properties": {"AlarmRule": 'ALARM("nobody")'},
    }
    assert account.deploy(stack, {"Resources": {"A": alarm}}) == "ROLLBACK_COMPLETE"
    assert "do not exist" in account.failure(stack, "A")


def test_instance_type_that_is_sold_but_not_enumerated_is_taken(
    account: Any, stack: str, endpoint_name: str, hosting: Hosting
) -> None:
    template = hosting(endpoint_name, account.upload("1"), Variant={"InstanceType": "ml.t3.medium"})
    assert account.deploy(stack, template) == "CREATE_COMPLETE"


def test_new_alarm_has_insufficient_data(account: Any, stack: str) -> None:
    alarm = {
        "Type": "AWS::CloudWatch::Alarm",
        "Properties": {
            "Namespace": "AWS/SageMaker",
            "MetricName": "ModelLatency",
            "ExtendedStatistic": "p99",
            "Period": "60",
            "EvaluationPeriods": 3,
            "Threshold": 2000000,
            "ComparisonOperator": "GreaterThanThreshold",
        },
    }
    assert account.deploy(stack, {"Resources": {"A": alarm}}) == "CREATE_COMPLETE"
    name = account.physical_id(stack, "A")
    found = account.client("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"][0]
    assert found["StateValue"] == "INSUFFICIENT_DATA"
    assert found["ExtendedStatistic"] == "p99"
