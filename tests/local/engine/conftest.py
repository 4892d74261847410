"""One local AWS for the tests of this folder, and what they deploy to it."""

import io
import json
import tarfile
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from forecast_local import lifecycle

SERVER = Path(__file__).with_name("tiny_server.py").read_text(encoding="utf-8")
BUCKET = "engine-tests"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "sagemaker.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}


def build_archive(version: str, server: str = SERVER) -> bytes:
    """Return a model archive whose server answers with a version."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, text in {
            "code/forecast_inference/__init__.py": "",
            "code/forecast_inference/server.py": server,
            "version": version,
        }.items():
            content = text.encode()
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


class Account:
    """The default account of a running local AWS, with shortcuts for tests."""

    def __init__(self, aws: lifecycle.LocalAws) -> None:
        self.aws = aws
        self._clients: dict[str, Any] = {}

    def client(self, service: str) -> Any:
        if service not in self._clients:
            self._clients[service] = boto3.client(
                service,
                region_name="us-east-1",
                endpoint_url=self.aws.endpoint_url,
                aws_access_key_id="local",
                aws_secret_access_key="local",  # noqa: S106 - the local AWS takes any
                config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}),
            )
        return self._clients[service]

    def deploy(self, stack: str, template: dict[str, Any], **options: Any) -> str:
        """Create or update a stack and return its final status."""
        cloudformation = self.client("cloudformation")
        body = json.dumps(template)
        if self.exists(stack):
            cloudformation.update_stack(StackName=stack, TemplateBody=body, **options)
        else:
            cloudformation.create_stack(StackName=stack, TemplateBody=body, **options)
        return self.settle(stack)

    def destroy(self, stack: str) -> str:
        """Delete a stack and return its final status."""
        stack_id = self.describe(stack)["StackId"]
        self.client("cloudformation").delete_stack(StackName=stack)
        return self.settle(stack_id)

    def settle(self, stack: str) -> str:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            status = str(self.describe(stack)["StackStatus"])
            if not status.endswith("_IN_PROGRESS"):
                return status
            time.sleep(0.1)
        raise TimeoutError(stack)

    def exists(self, stack: str) -> bool:
        found = self.client("cloudformation").describe_stacks()["Stacks"]
        return stack in [item["StackName"] for item in found]

    def describe(self, stack: str) -> dict[str, Any]:
        found = self.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
        return dict(found)

    def outputs(self, stack: str) -> dict[str, str]:
        found = self.describe(stack).get("Outputs", [])
        return {item["OutputKey"]: item["OutputValue"] for item in found}

    def events(self, stack: str) -> list[tuple[str, str, str]]:
        """Return (logical id, status, reason) of the events, oldest first."""
        found = self.client("cloudformation").describe_stack_events(StackName=stack)
        return [
            (
                item["LogicalResourceId"],
                item["ResourceStatus"],
                item.get("ResourceStatusReason", ""),
            )
            for item in reversed(found["StackEvents"])
        ]

    def physical_id(self, stack: str, logical_id: str) -> str:
        found = self.client("cloudformation").describe_stack_resource(
            StackName=stack, LogicalResourceId=logical_id
        )
        return str(found["StackResourceDetail"]["PhysicalResourceId"])

    def failure(self, stack: str, logical_id: str) -> str:
        """Return the reason of the last failure of a resource."""
        return next(
            reason
            for name, status, reason in reversed(self.events(stack))
            if name == logical_id and status.endswith("_FAILED")
        )

    def upload(self, version: str, content: bytes | None = None) -> str:
        """Put a model archive into the bucket of the tests and return its S3 URI."""
        key = f"models/{uuid.uuid4()}.gz"
        body = build_archive(version) if content is None else content
        self.client("s3").put_object(Bucket=BUCKET, Key=key, Body=body)
        return f"s3://{BUCKET}/{key}"


def hosting_template(endpoint: str, model_data: str, **changes: dict[str, Any]) -> dict[str, Any]:
    """Return a template of an endpoint.

    Args:
        endpoint: Name of the endpoint.
        model_data: S3 URI of the archive.
        changes: Properties to merge in by logical id; "Variant" and "Container" are parts.
    """
    container = {
        "Image": "683313688378.dkr.ecr.us-east-1.amazonaws.com/serving:1",
        "Environment": {"GREETING": "hello"},
        "ModelDataUrl": model_data,
        **changes.get("Container", {}),
    }
    variant = {
        "VariantName": "main",
        "ModelName": {"Fn::GetAtt": ["Model", "ModelName"]},
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 2,
        "InitialVariantWeight": 1,
        **changes.get("Variant", {}),
    }
    properties: dict[str, dict[str, Any]] = {
        "Role": {"AssumeRolePolicyDocument": TRUST},
        "Model": {
            "ExecutionRoleArn": {"Fn::GetAtt": ["Role", "Arn"]},
            "PrimaryContainer": container,
        },
        "Config": {"ProductionVariants": [variant]},
        "Endpoint": {
            "EndpointName": endpoint,
            "EndpointConfigName": {"Fn::GetAtt": ["Config", "EndpointConfigName"]},
        },
    }
    types = {
        "Role": "AWS::IAM::Role",
        "Model": "AWS::SageMaker::Model",
        "Config": "AWS::SageMaker::EndpointConfig",
        "Endpoint": "AWS::SageMaker::Endpoint",
    }
    return {
        "Resources": {
            name: {"Type": types[name], "Properties": {**value, **changes.get(name, {})}}
            for name, value in properties.items()
        }
    }


@pytest.fixture(scope="session")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    root = tmp_path_factory.mktemp("local-aws")
    aws = lifecycle.up(root)
    account = Account(aws)
    account.client("s3").create_bucket(Bucket=BUCKET)
    yield account
    lifecycle.down(root)


@pytest.fixture
def stack(account: Account) -> Iterator[str]:
    """A name for a stack; whatever was deployed under it is deleted afterwards."""
    name = f"Test{uuid.uuid4().hex[:8]}"
    yield name
    if account.exists(name):
        account.destroy(name)


@pytest.fixture
def endpoint_name() -> str:
    return f"endpoint-{uuid.uuid4().hex[:8]}"


@pytest.fixture
def hosting() -> Callable[..., dict[str, Any]]:
    return hosting_template


@pytest.fixture
def archive() -> Callable[..., bytes]:
    return build_archive
