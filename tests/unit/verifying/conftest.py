"""A deployed endpoint in a simulated account, whose answers a test chooses."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from served_template import BUCKET, NAME, endpoint_template

from forecast_config import LockedModel, PackagedModel, load_config
from forecast_local.simulation import Simulation
from forecast_operations.cloud.cloud import Cloud
from forecast_operations.deployed.live import Live
from forecast_operations.records.place import archive_keys
from forecast_operations.verifying.subject import Subject, look_at_stack
from forecast_operations.verifying.verify import Patience, verify
from forecast_packaging.building.archive import write_archive

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from forecast_operations.records.record import Check, DeploymentRecord

REGION = "eu-central-1"
JSON = "application/json"
SERVICES = ("cloudformation", "cloudwatch", "sagemaker", "s3", "sts")


def golden_of(version: str) -> list[dict[str, Any]]:
    """A forecast in each of two forms, and a refusal."""
    price = float(version) + 0.5
    answer = {"predictions": [{"price": price, "model_version": version}]}
    refusal = {"error": {"code": "missing_feature", "message": "no", "row": 0, "feature": "day"}}
    parts: list[tuple[str, str, int, Any]] = [
        ("example", JSON, 200, answer),
        ("csv", "text/csv", 200, f"price,model_version\n{price},{version}\n"),
        ("missing_feature", JSON, 400, refusal),
    ]
    return [
        {
            "name": name,
            "content_type": accept,
            "accept": accept,
            "body": f"{name} of {version}",
            "status": status,
            "answer": answer,
        }
        for name, accept, status, answer in parts
    ]


class Runtime:
    """Answers golden requests as they are recorded, unless a test changes an answer."""

    def __init__(self) -> None:
        self.changed: dict[str, tuple[int, str]] = {}
        self.targets: list[str | None] = []

    def invoke_endpoint(self, **asked: Any) -> dict[str, Any]:
        assert asked["InferenceId"].startswith("verification-")
        self.targets.append(asked.get("TargetVariant"))
        name, _, version = asked["Body"].decode().partition(" of ")
        (request,) = [each for each in golden_of(version) if each["name"] == name]
        answer = request["answer"]
        text = answer if isinstance(answer, str) else json.dumps(answer)
        status, text = self.changed.get(name, (request["status"], text))
        if status != 200:
            from botocore.exceptions import ClientError  # noqa: PLC0415

            error = {"Code": "ModelError", "Message": f"Received client error ({status})"}
            raise ClientError(
                {"Error": error, "OriginalStatusCode": status, "OriginalMessage": text},
                "InvokeEndpoint",
            )
        return {"Body": io.BytesIO(text.encode()), "ContentType": request["accept"]}


class Changed:
    """A client some of whose answers a test changes."""

    def __init__(self, client: Any, **changes: Callable[[dict[str, Any]], Any]) -> None:
        self._client = client
        self._changes = changes

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._client, name)
        change = self._changes.get(name)
        if change is None:
            return found
        return lambda **arguments: change(found(**arguments))


@dataclass
class World:
    """The simulated account with one environment, prod."""

    aws: Simulation
    root: Path
    runtime: Runtime = field(default_factory=Runtime)
    clients: dict[str, Any] = field(default_factory=dict)
    environment: dict[str, Any] = field(default_factory=dict)

    def packaged(self, version: str) -> PackagedModel:
        """An archive of a version, as it was packed here."""
        folder = self.root / f"stage-{version}"
        if not folder.exists():
            schema = {
                "inputs": [{"name": "day", "type": "date", "nullable": False}],
                "outputs": [{"name": "price", "unit": "RMB/kg"}],
            }
            documents: dict[str, Any] = {
                "artifacts/feature_schema.json": schema,
                "artifacts/golden_requests.json": {
                    "schema_version": 2,
                    "requests": golden_of(version),
                },
                "artifacts/metrics.json": {"wape": 0.25},
                "model-info.json": {"version": version},
            }
            for path, document in documents.items():
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                (folder / path).write_text(json.dumps(document))
            write_archive(folder, self.root / f"{version}.tar.gz")
        written = write_archive(folder, self.root / f"{version}.tar.gz")
        return PackagedModel(
            archive=self.root / f"{version}.tar.gz",
            archive_digest=written.archive_digest,
            model=_lock(version),
            golden=folder / "artifacts/golden_requests.json",
        )

    def template(self, version: str, **changes: Any) -> dict[str, Any]:
        """The stack of the endpoint that serves a version."""
        return endpoint_template(self.packaged(version), version, changes)

    def deploy(self, version: str, alarm: str | None = None, **changes: Any) -> Any:
        for packaged in (self.packaged(version), *map(changes.get, ("shadow", "split"))):
            if packaged is not None:
                key, _, _ = archive_keys(packaged.archive_digest)
                self.aws.client("s3").put_object(Bucket=BUCKET, Key=key, Body=b"archive")
        return self.aws.deploy("ForecastProd", self.template(version, **changes), alarm=alarm)

    def subject(self, version: str = "1", *, challenger: str | None = None) -> Subject:
        """What there is to verify when the lock pins a version."""
        path = self.root / "forecast.yaml"
        path.write_text(yaml.safe_dump(_document(self.environment)))
        config = load_config(path)
        settings = config.environments["prod"]
        clients = {name: self.aws.client(name) for name in SERVICES}
        clients |= {"sagemaker-runtime": self.runtime, **self.clients}
        live = Live(Cloud(REGION, clients=clients))
        other = None if challenger is None else self.packaged(challenger)
        return Subject(
            project=config,
            settings=settings,
            live=live,
            account=live.account(),
            deployed=look_at_stack(live, settings),
            lock=_lock(version),
            champion=self.packaged(version),
            challenger_lock=None if challenger is None else _lock(challenger),
            challenger=other,
        )

    def verify(self, version: str = "1", **options: Any) -> DeploymentRecord:
        said: list[str] = []
        challenger = options.pop("challenger", None)
        patience = Patience(wait_seconds=0, sleep=lambda _: None)
        subject = self.subject(version, challenger=challenger)
        return verify(subject, replace(patience, **options), said.append)


def failed(record: DeploymentRecord) -> dict[str, Check]:
    """The checks that failed, by name."""
    return {check.name: check for check in record.checks if not check.passed}


def _lock(version: str) -> LockedModel:
    return LockedModel(
        name="forecaster",
        version=version,
        run_id="a" * 32,
        model_digest=f"sha256:{'0' * 64}",
        signature_digest=f"sha256:{'1' * 64}",
        libraries={"python": "3.12.1"},
    )


def _document(environment: dict[str, Any]) -> dict[str, Any]:
    prod = {
        "region": REGION,
        "endpoint": {
            "kind": "realtime",
            "name": NAME,
            "instance_type": "ml.m5.large",
            "initial_instance_count": 2,
        },
        "image": {"kind": "aws", "framework": "xgboost", "version": "3.2-0"},
        "tags": {"team": "forecasting", "cost_centre": "CC-1"},
        **environment,
    }
    return {
        "model": {"name": "forecaster"},
        "allowed_regions": [REGION],
        "environments": {"prod": prod},
    }


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """The account with its bucket, and nothing deployed."""
    with Simulation(region=REGION) as aws:
        bucket = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": BUCKET}}
        artifacts = {
            "Resources": {"Bucket": bucket},
            "Outputs": {"ArtifactBucketName": {"Value": {"Ref": "Bucket"}}},
        }
        assert aws.deploy("ForecastProdArtifacts", artifacts).succeeded
        yield World(aws, tmp_path)


@pytest.fixture
def deployed(world: World) -> World:
    """Version 1, served."""
    outcome = world.deploy("1")
    assert outcome.succeeded, outcome.reason
    return world


@pytest.fixture
def checks_failed() -> Callable[[DeploymentRecord], dict[str, Check]]:
    return failed


@pytest.fixture
def changed() -> type[Changed]:
    return Changed
