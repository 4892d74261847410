"""Model data below a prefix: listed, fetched file by file, and refused where AWS refuses it."""

import json
import os
import subprocess
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from forecast_local import lifecycle

PROJECT = Path(__file__).parents[3]
APP = Path(__file__).parent / "app" / "by_files.py"
SERVER = Path(__file__).with_name("tiny_server.py").read_text(encoding="utf-8")
BUCKET = "engine-tests"
READS = [
    {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{BUCKET}/models/*"},
    {"Effect": "Allow", "Action": ["s3:ListBucket"], "Resource": f"arn:aws:s3:::{BUCKET}"},
]

Hosting = Callable[..., dict[str, Any]]


def files(version: str) -> dict[str, str]:
    return {
        "code/forecast_inference/__init__.py": "",
        "code/forecast_inference/server.py": SERVER,
        "version": version,
    }


@pytest.fixture
def prefix(account: Any) -> str:
    name = f"models/{uuid.uuid4()}/"
    for path, text in files("by files").items():
        account.client("s3").put_object(Bucket=BUCKET, Key=f"{name}{path}", Body=text.encode())
    return name


def template(
    hosting: Hosting, endpoint: str, uri: str, statements: list[dict[str, Any]], **source: str
) -> dict[str, Any]:
    data = {"S3Uri": uri, "S3DataType": "S3Prefix", "CompressionType": "None", **source}
    policy = {
        "PolicyName": "read",
        "PolicyDocument": {"Version": "2012-10-17", "Statement": statements},
    }
    made = hosting(
        endpoint,
        uri,
        Container={"ModelDataSource": {"S3DataSource": data}},
        Role={"Policies": [policy] if statements else []},
    )
    del made["Resources"]["Model"]["Properties"]["PrimaryContainer"]["ModelDataUrl"]
    return made


def test_the_files_below_the_prefix_are_served(
    account: Any, stack: str, endpoint_name: str, hosting: Hosting, prefix: str
) -> None:
    made = template(hosting, endpoint_name, f"s3://{BUCKET}/{prefix}", READS)
    assert account.deploy(stack, made) == "CREATE_COMPLETE", account.events(stack)
    runtime = account.client("sagemaker-runtime")
    answer = runtime.invoke_endpoint(EndpointName=endpoint_name, Body=b"price?")
    assert json.loads(answer["Body"].read())["version"] == "by files"


@pytest.mark.parametrize(
    ("statements", "missing"),
    [
        ([], "s3:ListBucket"),
        (READS[:1], "s3:ListBucket"),
        (READS[1:], "s3:GetObject"),
        ([READS[0], {**READS[1], "Resource": "arn:aws:s3:::another"}], "s3:ListBucket"),
        ([READS[0], {**READS[1], "Effect": "Deny"}], "s3:ListBucket"),
    ],
)
def test_a_role_that_may_not_list_or_read_is_refused(
    account: Any,
    stack: str,
    hosting: Hosting,
    prefix: str,
    *,
    statements: list[dict[str, Any]],
    missing: str,
) -> None:
    made = template(hosting, "unused", f"s3://{BUCKET}/{prefix}", statements)
    assert account.deploy(stack, made) == "ROLLBACK_COMPLETE"
    reason = account.failure(stack, "Model")
    assert f"Could not access model data at s3://{BUCKET}/{prefix}" in reason
    assert f'"{missing}" permissions' in reason


@pytest.mark.parametrize(
    ("uri", "source", "message"),
    [
        ("{prefix}nothing/", {}, "Could not access model data"),
        ("{prefix}version", {}, "a prefix ends with a forward slash"),
        ("{prefix}", {"S3DataType": "S3Object", "CompressionType": "Gzip"}, "a prefix ends with"),
        ("{prefix}", {"CompressionType": "Gzip"}, "S3Prefix and None, got"),
    ],
)
def test_what_is_no_prefix_of_files_is_refused(
    account: Any,
    stack: str,
    hosting: Hosting,
    prefix: str,
    *,
    uri: str,
    source: dict[str, str],
    message: str,
) -> None:
    address = f"s3://{BUCKET}/{uri.format(prefix=prefix)}"
    made = template(hosting, "unused", address, READS, **source)
    assert account.deploy(stack, made) == "ROLLBACK_COMPLETE"
    assert message in account.failure(stack, "Model")


@pytest.mark.parametrize("path", ["version/more", "a/../b", "VERSION"])
def test_a_name_that_clashes_or_climbs_fails_the_endpoint(
    account: Any, stack: str, hosting: Hosting, prefix: str, path: str
) -> None:
    account.client("s3").put_object(Bucket=BUCKET, Key=f"{prefix}{path}", Body=b"x")
    made = template(hosting, f"e-{uuid.uuid4().hex[:8]}", f"s3://{BUCKET}/{prefix}", READS)
    assert account.deploy(stack, made) == "ROLLBACK_COMPLETE"
    assert "the prefix holds" in account.failure(stack, "Endpoint")


class Cli:
    """The CDK CLI beside an app whose model is a folder of files."""

    def __init__(self, root: Path) -> None:
        context = json.loads((PROJECT / "cdk.json").read_text(encoding="utf-8"))["context"]
        config = (PROJECT / "tests/data/minimal.yaml").read_text(encoding="utf-8")
        (root / "forecast.yaml").write_text(config, encoding="utf-8")
        settings = {
            "app": f"{PROJECT / '.venv' / 'bin' / 'python'} {APP}",
            "context": {**context, "forecast": str(root / "forecast.yaml")},
        }
        (root / "cdk.json").write_text(json.dumps(settings), encoding="utf-8")
        self.root = root
        self.aws = lifecycle.up(root)

    def run(self, command: str, version: str, *options: str) -> str:
        """Run a command of the CLI with the files of a version, and return what it wrote."""
        folder = self.root / version
        for path, text in files(version).items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text, encoding="utf-8")
        done = subprocess.run(
            [
                str(PROJECT / "node_modules" / ".bin" / "cdk"),
                *(command, *options),
                *("-c", f"files={folder}", "-c", f"digest={version * 64}"),
            ],
            cwd=self.root,
            env={**os.environ, **self.aws.environment(), "CI": "true"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    def client(self, service: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=self.aws.endpoint_url,
            region_name="eu-central-1",
            aws_access_key_id="local",
            aws_secret_access_key="local",  # noqa: S106 - the local AWS takes any
        )

    def objects(self, bucket: str, prefix: str) -> dict[str, Any]:
        """When each object below a prefix was written."""
        found = self.client("s3").list_objects_v2(Bucket=bucket, Prefix=prefix)["Contents"]
        return {item["Key"].removeprefix(prefix): item["LastModified"] for item in found}

    def ask(self, endpoint: str) -> Any:
        answer = self.client("sagemaker-runtime").invoke_endpoint(
            EndpointName=endpoint, Body=b"price?"
        )
        return json.loads(answer["Body"].read())["version"]


@pytest.fixture
def cli(tmp_path: Path) -> Iterator[Cli]:
    yield Cli(tmp_path)
    lifecycle.down(tmp_path)


@pytest.mark.local
@pytest.mark.slow
def test_the_cdk_cli_publishes_file_by_file_what_is_new(cli: Cli) -> None:
    cli.run("bootstrap", "1")
    deploy = ("--all", "--require-approval", "never", "--method=direct")
    text = cli.run("deploy", "1", *deploy)
    (endpoint,) = cli.client("sagemaker").list_endpoints()["Endpoints"]
    assert cli.ask(endpoint["EndpointName"]) == "1"
    (model,) = cli.client("sagemaker").list_models()["Models"]
    described = cli.client("sagemaker").describe_model(ModelName=model["ModelName"])
    source = described["PrimaryContainer"]["ModelDataSource"]["S3DataSource"]
    assert (source["S3DataType"], source["CompressionType"]) == ("S3Prefix", "None")
    bucket, _, prefix = source["S3Uri"].removeprefix("s3://").partition("/")
    assert prefix == f"models/{'1' * 64}/"
    listed = cli.objects(bucket, prefix)
    assert set(listed) == set(files("1"))

    assert "There were no differences" in cli.run("diff", "1", "--fail")
    cli.run("deploy", "1", *deploy)
    again = cli.objects(bucket, prefix)
    # The CLI takes an object of up to 22 bytes for a broken upload, and publishes it again.
    server = "code/forecast_inference/server.py"
    assert again[server] == listed[server]

    text = cli.run("deploy", "2", *deploy)
    assert cli.ask(endpoint["EndpointName"]) == "2", text
    assert set(cli.objects(bucket, prefix)) == set(files("1"))
