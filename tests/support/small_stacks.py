"""The smallest stacks of an environment that a simulated account takes, and their assembly."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from forecast_operations.records.place import archive_keys

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from forecast_config import LockedModel

IMAGE = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/serving:1"


def endpoint_template(bucket: str, models: Mapping[str, LockedModel]) -> dict[str, Any]:
    """The stack of the endpoint `forecast-prod`, with a variant for each model."""
    configuration = {"Fn::GetAtt": ["Config", "EndpointConfigName"]}
    routing = {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 0}
    resources = {
        "Role": _role(bucket),
        **{_model_id(name): _model(bucket, model) for name, model in models.items()},
        "Config": _config(models),
        "Endpoint": {
            "Type": "AWS::SageMaker::Endpoint",
            "Properties": {
                "EndpointName": "forecast-prod",
                "EndpointConfigName": configuration,
                "DeploymentConfig": {
                    "BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": routing}
                },
            },
        },
    }
    return {"Resources": resources, "Outputs": {"EndpointConfigName": {"Value": configuration}}}


def write_assembly(folder: Path, templates: Mapping[str, dict[str, Any]], environment: str) -> None:
    """Templates as `cdk synth` leaves them, as far as they are read again."""
    folder.mkdir(parents=True)
    artifacts = {}
    for stack, template in templates.items():
        (folder / f"{stack}.template.json").write_text(json.dumps(template))
        (folder / f"{stack}.assets.json").write_text(
            json.dumps({"files": {"0": {"destinations": {"a": {"objectKey": "0.json"}}}}})
        )
        artifacts[stack] = {
            "environment": environment,
            "properties": {"stackTemplateAssetObjectUrl": "s3://bucket/0.json"},
        }
    (folder / "manifest.json").write_text(json.dumps({"artifacts": artifacts}))


def _model_id(variant: str) -> str:
    return f"Model{variant.replace('-', '')}"


def _model(bucket: str, model: LockedModel) -> dict[str, Any]:
    assert model.archive_digest is not None
    source = {
        "S3Uri": f"s3://{bucket}/{archive_keys(model.archive_digest)[0]}",
        "S3DataType": "S3Object",
        "CompressionType": "Gzip",
    }
    return {
        "Type": "AWS::SageMaker::Model",
        "Properties": {
            "ExecutionRoleArn": {"Fn::GetAtt": ["Role", "Arn"]},
            "PrimaryContainer": {"Image": IMAGE, "ModelDataSource": {"S3DataSource": source}},
            "Tags": [
                {"Key": "model_version", "Value": model.version},
                {"Key": "archive_digest", "Value": model.archive_digest},
            ],
        },
        "UpdateReplacePolicy": "Retain",
        "DeletionPolicy": "Retain",
    }


def _config(variants: Iterable[str]) -> dict[str, Any]:
    return {
        "Type": "AWS::SageMaker::EndpointConfig",
        "Properties": {
            "ProductionVariants": [
                {
                    "VariantName": name,
                    "ModelName": {"Fn::GetAtt": [_model_id(name), "ModelName"]},
                    "InstanceType": "ml.m5.large",
                    "InitialInstanceCount": 1,
                    "InitialVariantWeight": 1,
                }
                for name in variants
            ]
        },
        "UpdateReplacePolicy": "Retain",
    }


def _role(bucket: str) -> dict[str, Any]:
    def allow(actions: list[str], resource: str) -> dict[str, Any]:
        return {"Effect": "Allow", "Action": actions, "Resource": resource}

    trust = {"Service": "sagemaker.amazonaws.com"}
    statements = [
        allow(["s3:GetObject"], f"arn:aws:s3:::{bucket}/models/*"),
        allow(["s3:ListBucket"], f"arn:aws:s3:::{bucket}"),
        allow(
            [
                "ecr:GetAuthorizationToken",
                "ecr:BatchCheckLayerAvailability",
                "ecr:BatchGetImage",
                "ecr:GetDownloadUrlForLayer",
            ],
            "*",
        ),
    ]
    return {
        "Type": "AWS::IAM::Role",
        "Properties": {
            "AssumeRolePolicyDocument": {
                "Version": "2012-10-17",
                "Statement": [{"Effect": "Allow", "Principal": trust, "Action": "sts:AssumeRole"}],
            },
            "Policies": [
                {
                    "PolicyName": "serve",
                    "PolicyDocument": {"Version": "2012-10-17", "Statement": statements},
                }
            ],
        },
    }


def artifacts_template(bucket: str) -> dict[str, Any]:
    """The stack of the artifacts: a bucket."""
    return {
        "Resources": {"Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": bucket}}},
        "Outputs": {"ArtifactBucketName": {"Value": {"Ref": "Bucket"}}},
    }
