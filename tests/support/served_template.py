"""The template of an endpoint that serves an archive, for the simulated account."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from forecast_operations.records.place import archive_keys

if TYPE_CHECKING:
    from forecast_config import PackagedModel

BUCKET = "produce-artifacts"
NAME = "produce"
ALARM = f"{NAME}-rollback-failed-requests"
IMAGE = "683313688378.dkr.ecr.${AWS::Region}.${AWS::URLSuffix}/serving:1"


def _model(packaged: PackagedModel, version: str) -> dict[str, Any]:
    key, _, _ = archive_keys(packaged.archive_digest)
    source = {
        "S3Uri": f"s3://{BUCKET}/{key}",
        "S3DataType": "S3Object",
        "CompressionType": "Gzip",
    }
    tags = {"model_version": version, "archive_digest": packaged.archive_digest}
    return {
        "Type": "AWS::SageMaker::Model",
        "UpdateReplacePolicy": "Retain",
        "Properties": {
            "ExecutionRoleArn": {"Fn::GetAtt": ["Role", "Arn"]},
            "PrimaryContainer": {
                "Image": {"Fn::Sub": IMAGE},
                "ModelDataSource": {"S3DataSource": source},
            },
            "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
        },
    }


def _variant(name: str, model: str, **changes: Any) -> dict[str, Any]:
    return {
        "VariantName": name,
        "ModelName": {"Fn::GetAtt": [model, "ModelName"]},
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 2,
        "InitialVariantWeight": 1,
        **changes,
    }


def endpoint_template(
    packaged: PackagedModel, version: str, changes: dict[str, Any]
) -> dict[str, Any]:
    """The template of an endpoint with a rollout that an alarm undoes.

    Args:
        packaged: What it serves.
        version: The version of that.
        changes: `shadow` or `split`: what is compared with it; `outputs`: more of them.
    """
    shadow: PackagedModel | None = changes.pop("shadow", None)
    split: PackagedModel | None = changes.pop("split", None)
    config: dict[str, Any] = {"ProductionVariants": [_variant("AllTraffic", "Model")]}
    models = {"Model": _model(packaged, version)}
    if shadow is not None:
        models["ShadowModel"] = _model(shadow, shadow.model.version)
        config["ShadowProductionVariants"] = [_variant("AllTraffic-challenger", "ShadowModel")]
    if split is not None:
        models["SplitModel"] = _model(split, split.model.version)
        config["ProductionVariants"].append(_variant("AllTraffic-challenger", "SplitModel"))
    configuration = {"Fn::GetAtt": ["Config", "EndpointConfigName"]}
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "sagemaker.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
    allowed = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": ["cloudwatch:*", "s3:*"], "Resource": "*"}],
    }
    outputs = {"EndpointConfigName": configuration, **changes.pop("outputs", {})}
    return {
        "Resources": {
            "Role": {
                "Type": "AWS::IAM::Role",
                "Properties": {"AssumeRolePolicyDocument": trust},
            },
            "Policy": {
                "Type": "AWS::IAM::ManagedPolicy",
                "Properties": {"PolicyDocument": allowed, "Roles": [{"Ref": "Role"}]},
            },
            **models,
            "Config": {
                "Type": "AWS::SageMaker::EndpointConfig",
                "UpdateReplacePolicy": "Retain",
                "Properties": config,
            },
            "Errors": _alarm(configuration),
            "Endpoint": {
                "Type": "AWS::SageMaker::Endpoint",
                "DependsOn": ["Errors", "Policy"],
                "Properties": {
                    "EndpointName": NAME,
                    "EndpointConfigName": configuration,
                    "DeploymentConfig": {
                        "BlueGreenUpdatePolicy": {
                            "TrafficRoutingConfiguration": {
                                "Type": "ALL_AT_ONCE",
                                "WaitIntervalInSeconds": 60,
                            },
                            "MaximumExecutionTimeoutInSeconds": 1200,
                        },
                        "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": ALARM}]},
                    },
                },
            },
        },
        "Outputs": {name: {"Value": value} for name, value in outputs.items()},
    }


def _alarm(configuration: Any) -> dict[str, Any]:
    values = {
        "EndpointName": NAME,
        "VariantName": "AllTraffic",
        "EndpointConfigName": configuration,
    }
    return {
        "Type": "AWS::CloudWatch::Alarm",
        "Properties": {
            "AlarmName": ALARM,
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
