"""`forecast verify`, `history` and `show` against the local AWS."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import Project

pytestmark = pytest.mark.local

ENDPOINT = "produce-forecast-prod"
BY_HAND = "made-by-hand"


def _update(project: Project, configuration: str) -> None:
    sagemaker = project.client("sagemaker")
    sagemaker.update_endpoint(
        EndpointName=ENDPOINT, EndpointConfigName=configuration, RetainAllVariantProperties=True
    )


def _settled(project: Project) -> dict[str, Any]:
    sagemaker = project.client("sagemaker")
    for _ in range(300):
        endpoint: dict[str, Any] = sagemaker.describe_endpoint(EndpointName=ENDPOINT)
        if endpoint["EndpointStatus"] == "InService":
            return endpoint
        time.sleep(0.2)
    raise AssertionError(endpoint["EndpointStatus"])


@pytest.fixture(scope="module")
def verified(deployed: Project) -> dict[str, Any]:
    """The record of a deployment that everything is right of."""
    document: dict[str, Any] = json.loads(
        deployed.run("forecast", "verify", "prod", "--json").stdout
    )
    return document


@pytest.fixture
def updated_by_hand(deployed: Project) -> Iterator[Project]:
    """The endpoint with another configuration of the same model, which no stack knows."""
    sagemaker = deployed.client("sagemaker")
    before = _settled(deployed)["EndpointConfigName"]
    config = sagemaker.describe_endpoint_config(EndpointConfigName=before)
    sagemaker.create_endpoint_config(
        EndpointConfigName=BY_HAND, ProductionVariants=config["ProductionVariants"]
    )
    _update(deployed, BY_HAND)
    yield deployed
    _settled(deployed)
    _update(deployed, before)
    _settled(deployed)
    sagemaker.delete_endpoint_config(EndpointConfigName=BY_HAND)


@pytest.fixture
def packed_otherwise(deployed: Project) -> Iterator[Project]:
    """A setting of how models are packed, changed since the deployment; it is put back."""
    path = deployed.root / "config" / "forecast.yaml"
    text = path.read_text()
    path.write_text(f"{text}\nserving: {{row_errors: report_rows}}\n")
    yield deployed
    path.write_text(text)


def test_a_deployment_is_proved_and_written_down(
    deployed: Project, verified: dict[str, Any]
) -> None:
    bucket = f"{ENDPOINT}-artifacts-123456789012-{deployed.region}"
    key = f"deployments/prod/{verified['record_id']}.json"

    stored = deployed.client("s3").get_object(Bucket=bucket, Key=key)

    assert json.loads(stored["Body"].read()) == verified
    assert verified["outcome"] == "verified"
    assert [check["name"] for check in verified["checks"] if not check["passed"]] == []
    assert verified["archive_digest"] == verified["variants"][0]["archive_digest"]
    assert verified["lock"]["version"] == verified["variants"][0]["model_version"] == "1"
    assert verified["variants"][0]["instances"] == 2
    statuses = {each["name"]: each["status"] for each in verified["exchanges"]}
    assert (statuses["example"], statuses["csv"], statuses["missing_feature"]) == (200, 200, 400)


def test_its_record_is_listed_as_live_and_opened_by_its_id(
    deployed: Project, verified: dict[str, Any]
) -> None:
    record_id = verified["record_id"]

    listed = json.loads(deployed.run("forecast", "history", "prod", "--json").stdout)
    shown = deployed.run("forecast", "show", "prod", record_id, "--json").stdout
    lock = json.loads(deployed.run("forecast", "show", "prod", record_id, "--lock").stdout)
    unknown = deployed.run("forecast", "show", "prod", record_id[:-1], check=False)

    assert [row["record_id"] for row in listed if row["live"]] == [record_id]
    assert json.loads(shown) == verified
    entries = json.loads((deployed.root / "config" / "models.lock.json").read_text())
    pinned = {"archive_digest": verified["archive_digest"]}
    assert lock == entries["environments"]["prod"] | pinned
    assert unknown.returncode == 1
    assert f"the closest: {record_id}" in unknown.stderr


def test_an_update_past_the_stack_is_found_and_waited_for(updated_by_hand: Project) -> None:
    done = updated_by_hand.run("forecast", "verify", "prod", "--no-record", check=False)

    assert done.returncode == 1
    assert "1 of 17 checks" in done.stdout
    assert "somebody updated the endpoint past its stack" in done.stdout
    assert f"aws sagemaker update-endpoint --endpoint-name {ENDPOINT}" in done.stdout
    assert "wrote s3://" not in done.stderr


def test_an_archive_that_is_not_the_lock_s_is_not_asked_what_that_would_answer(
    packed_otherwise: Project,
) -> None:
    done = packed_otherwise.run("forecast", "verify", "prod", "--json", check=False)

    record = json.loads(done.stdout)
    failed = {each["name"]: each for each in record["checks"] if not each["passed"]}
    assert done.returncode == 1
    assert list(failed) == ["archive AllTraffic", "golden AllTraffic"]
    assert "packs to other bytes here" in failed["archive AllTraffic"]["advice"]
    assert record["exchanges"] == []
    assert "wrote s3://" in done.stderr
    (newest, *_) = json.loads(packed_otherwise.run("forecast", "history", "prod", "--json").stdout)
    assert newest["record_id"] == record["record_id"]
    assert newest["outcome"] == "failed"
