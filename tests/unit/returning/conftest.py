"""A project with two environments in a simulated account, in which versions come and go."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from small_archive import small_archive
from small_stacks import artifacts_template, endpoint_template, write_assembly

from forecast_config import ForecastError, LockedModel, read_lock
from forecast_config.names import artifact_bucket
from forecast_local.simulation import Simulation
from forecast_operations.cloud.cloud import Cloud
from forecast_operations.deployed.live import Live
from forecast_operations.promoting import promotion
from forecast_operations.records.place import archive_keys
from forecast_operations.records.record import Check, DeploymentRecord, ModelCard, ServedVariant
from forecast_operations.records.store import RecordStore
from forecast_operations.returning import carrying_out
from forecast_operations.synthesis import cdk as cdk_cli
from forecast_operations.updates import proposal
from forecast_operations.updates.steps import without_update_policy
from forecast_packaging import write_lock

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from forecast_operations.verifying.subject import Subject

REGION = "eu-central-1"
ACCOUNT = "123456789012"
BEGIN = datetime(2027, 1, 4, 8, 0, 0, tzinfo=UTC)


@dataclass
class World:
    """The project and the account.

    Attributes:
        root: The project.
        aws: The account.
        cloud: The same, as commands see it.
        versions: Archive and lock entry by version.
        calls: Subcommands of the CDK CLI that were run.
        flags: Arguments of the last synth.
        breaks: What the next deployment ends with instead of being done.
        records: How many records were written.
    """

    root: Path
    aws: Simulation
    cloud: Cloud
    versions: dict[str, tuple[Path, LockedModel]] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    flags: list[str] = field(default_factory=list)
    breaks: BaseException | None = None
    records: int = 0

    @property
    def config(self) -> Path:
        return self.root / "forecast.yaml"

    @property
    def lock(self) -> Path:
        return self.root / "models.lock.json"

    def bucket(self, environment: str = "prod") -> str:
        return artifact_bucket(f"forecast-{environment}", ACCOUNT, REGION)

    def digest(self, version: str) -> str:
        digest = self.versions[version][1].archive_digest
        assert digest is not None
        return digest

    def configure(self, environment: str, **settings: Any) -> None:
        document = yaml.safe_load(self.config.read_text())
        document["environments"][environment].update(settings)
        self.config.write_text(yaml.safe_dump(document))

    def train(self, version: str) -> LockedModel:
        """Make a version and pack it; its archive is outside the project."""
        self.versions[version] = made = small_archive(self.root.parent, version)
        return made[1]

    def publish(self, version: str, environment: str = "prod") -> str:
        """Put an archive where the CDK publishes it."""
        key = archive_keys(self.digest(version))[0]
        self.aws.client("s3").put_object(
            Bucket=self.bucket(environment), Key=key, Body=self.versions[version][0].read_bytes()
        )
        return key

    def deploy(self, version: str, challenger: str | None = None) -> None:
        """Lock, publish and deploy, as it was done before."""
        self.publish(version)
        rival = None if challenger is None else self.versions[challenger][1]
        write_lock(self.lock, "prod", self.versions[version][1], rival)
        template = self.template()
        if challenger is not None:
            # Variants come all at once.
            template = without_update_policy(template)
        outcome = self.aws.deploy("ForecastProd", template)
        assert outcome.succeeded, outcome

    def template(self) -> dict[str, Any]:
        """What is synthesized of the lock."""
        lock = read_lock(self.lock)
        models = {"AllTraffic": lock.environments["prod"]}
        if "prod" in lock.challengers:
            models["AllTraffic-challenger"] = lock.challengers["prod"]
        return endpoint_template(self.bucket(), models)

    def record(self, version: str, outcome: str = "verified", **options: Any) -> DeploymentRecord:
        """Write what a verification would have found."""
        self.records += 1
        record = self.made(version, outcome, **options)
        RecordStore(self.cloud, self.bucket(record.environment), record.environment).keep(record)
        return record

    def made(
        self,
        version: str,
        outcome: str = "verified",
        *,
        environment: str = "prod",
        challenger: str | None = None,
    ) -> DeploymentRecord:
        at = BEGIN + timedelta(minutes=self.records)
        served = {"AllTraffic": version}
        if challenger is not None:
            served["AllTraffic-challenger"] = challenger
        passed = outcome == "verified"
        return DeploymentRecord.model_validate(
            {
                "record_id": f"{at:%Y%m%dT%H%M%SZ}-{self.records:08x}",
                "environment": environment,
                "endpoint_name": f"forecast-{environment}",
                "account": ACCOUNT,
                "region": REGION,
                "outcome": outcome,
                "started_at": at,
                "seconds": 1.0,
                "caller": "arn:aws:iam::123456789012:user/somebody",
                "commit": None,
                "deployed_at": None,
                "endpoint_config_name": "config",
                "archive_digest": self.digest(version),
                "lock": self.versions[version][1].model_copy(update={"archive_digest": None}),
                "challenger": None if challenger is None else self.versions[challenger][1],
                "card": ModelCard(metrics={"wape": float(version) / 10}),
                "variants": tuple(
                    ServedVariant(
                        name=name,
                        model_version=each,
                        archive_digest=self.digest(each),
                        model_data="s3://bucket/models/x.gz",
                        image="image",
                    )
                    for name, each in served.items()
                ),
                "checks": (Check(name="endpoint", passed=passed, expected="a", found="b"),),
                "exchanges": (),
            }
        )

    def served(self) -> dict[str, str]:
        """Digest that each variant of the endpoint serves."""
        sagemaker = self.aws.client("sagemaker")
        live = sagemaker.describe_endpoint(EndpointName="forecast-prod")
        config = sagemaker.describe_endpoint_config(EndpointConfigName=live["EndpointConfigName"])
        return {
            each["VariantName"]: sagemaker.describe_model(ModelName=each["ModelName"])[
                "PrimaryContainer"
            ]["ModelDataSource"]["S3DataSource"]["S3Uri"]
            for each in config["ProductionVariants"]
        }

    def serves(self, version: str) -> bool:
        """Whether one variant answers, with a version's archive."""
        (uri,) = self.served().values()
        return uri.endswith(f"/{archive_keys(self.digest(version))[0]}")

    def cdk(self, _: Path, arguments: Sequence[str]) -> None:
        """What the CDK CLI would do."""
        self.calls.append(arguments[0])
        if arguments[0] == "synth":
            self.flags = list(arguments)
            templates = {
                "ForecastProdArtifacts": artifacts_template(self.bucket()),
                "ForecastProd": self.template(),
            }
            folder = Path(arguments[arguments.index("--output") + 1])
            write_assembly(folder, templates, f"aws://{ACCOUNT}/{REGION}")
            return
        if self.breaks is not None:
            raised, self.breaks = self.breaks, None
            raise raised
        assembly = Path(arguments[arguments.index("--app") + 1])
        template = json.loads((assembly / f"{arguments[1]}.template.json").read_text())
        outcome = self.aws.deploy(arguments[1], template)
        if not outcome.succeeded and outcome.status != "UNCHANGED":
            raise ForecastError("cdk deploy ended with status 1")


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """An account with the artifact stacks of staging and prod, and versions 1 and 2."""
    root = tmp_path / "project"
    root.mkdir()
    document = {
        "model": {"name": "forecaster", "tracking_uri": "sqlite:///gone.db"},
        "allowed_regions": [REGION],
        "defaults": {
            "region": REGION,
            "account": ACCOUNT,
            "image": {"kind": "aws", "framework": "scikit-learn", "version": "1.9-0"},
            "tags": {"team": "forecasting", "cost_centre": "CC-1"},
        },
        "environments": {
            name: {
                "endpoint": {
                    "kind": "realtime",
                    "name": f"forecast-{name}",
                    "instance_type": "ml.m5.large",
                }
            }
            for name in ("staging", "prod")
        },
    }
    (root / "forecast.yaml").write_text(yaml.safe_dump(document))
    with Simulation(region=REGION) as aws:
        services = ("s3", "sagemaker", "cloudformation", "sts")
        cloud = Cloud(REGION, clients={each: aws.client(each) for each in services})
        made = World(root, aws, cloud)
        for name in ("staging", "prod"):
            stack = f"Forecast{name.capitalize()}Artifacts"
            assert aws.deploy(stack, artifacts_template(made.bucket(name))).succeeded
        monkeypatch.setattr(Live, "in_region", lambda _: Live(cloud))
        monkeypatch.setattr(proposal, "run_cdk", made.cdk)
        monkeypatch.setattr(cdk_cli, "run_cdk", made.cdk)
        made.train("1")
        made.train("2")
        yield made


@pytest.fixture
def moved_on(world: World) -> World:
    """Version 1 was verified, then version 2; neither archive is in the project."""
    world.deploy("1")
    world.record("1")
    world.deploy("2")
    world.record("2")
    return world


@pytest.fixture
def proving(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Verifications that look at the digest of what is served, and ask nothing."""

    def verify(subject: Subject, *_: Any) -> DeploymentRecord:
        world.records += 1
        version = subject.lock.version
        return world.made(version, "verified" if world.serves(version) else "failed")

    monkeypatch.setattr(carrying_out, "verify", verify)


@pytest.fixture
def aliases(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The aliases of a registry that is not there."""
    known = {"champion": "1"}

    class Registry:
        def __init__(self, *_: Any) -> None:
            pass

        def move_alias(self, _: str, alias: str, version: str, _run_id: str) -> str | None:
            before = known.get(alias)
            known[alias] = version
            return before

    monkeypatch.setattr(promotion, "Registry", Registry)
    return known


@pytest.fixture
def proved(world: World) -> World:
    """Version 2 was verified in staging, and prod runs version 1."""
    world.publish("1")
    world.publish("2", "staging")
    world.record("2", environment="staging")
    write_lock(world.lock, "prod", world.versions["1"][1])
    return world
