from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from forecast_config import LockedModel
from forecast_local.simulation import Simulation
from forecast_operations.cloud.cloud import Cloud
from forecast_operations.records.record import Check, DeploymentRecord, ModelCard
from forecast_operations.records.store import RecordStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture
def record_of() -> Callable[..., DeploymentRecord]:
    """A record of a moment of a day, verified unless told otherwise."""

    def make(hour: int, **members: Any) -> DeploymentRecord:
        version = members.pop("version", "1")
        at = datetime(2027, 1, 4, hour, tzinfo=UTC)
        known = {
            "record_id": f"{at:%Y%m%dT%H%M%SZ}-{hour:08x}",
            "environment": "prod",
            "endpoint_name": "produce",
            "account": "111111111111",
            "region": "eu-central-1",
            "outcome": "verified",
            "started_at": at,
            "seconds": 1.5,
            "caller": "arn:aws:sts::111111111111:assumed-role/deployer/anna",
            "commit": "c" * 40,
            "deployed_at": at,
            "endpoint_config_name": f"config-{hour}",
            "archive_digest": f"sha256:{hour:064x}",
            "lock": LockedModel(
                name="forecaster",
                version=version,
                run_id="a" * 32,
                model_digest=f"sha256:{'0' * 64}",
                signature_digest=f"sha256:{'1' * 64}",
                libraries={"python": "3.12.1"},
            ),
            "card": ModelCard(metrics={"wape": 0.25}),
            "variants": (),
            "checks": (Check(name="stack", passed=True, expected="a", found="a"),),
            "exchanges": (),
        }
        return DeploymentRecord(**{**known, **members})

    return make


@pytest.fixture
def aws() -> Iterator[Simulation]:
    with Simulation(region="eu-central-1") as simulation:
        simulation.client("s3").create_bucket(
            Bucket="store", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
        )
        yield simulation


@pytest.fixture
def store(aws: Simulation) -> RecordStore:
    cloud = Cloud("eu-central-1", clients={"s3": aws.client("s3")})
    return RecordStore(cloud, "store", "prod")
