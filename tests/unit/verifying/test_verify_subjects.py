"""What is verified is what the lock packs to, in the account that the settings name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml

from forecast_config import ForecastError, ModelsLock
from forecast_config.lock import lock_text
from forecast_operations.deployed.live import Live
from forecast_operations.records import fetching
from forecast_operations.verifying.answers import golden_requests
from forecast_operations.verifying.subject import find_subject
from forecast_packaging.building import environment as building

if TYPE_CHECKING:
    from collections.abc import Callable

    from forecast_operations.verifying.subject import Subject


def _serverless(current: int, desired: int) -> Callable[[dict[str, Any]], Any]:
    def change(answer: dict[str, Any]) -> dict[str, Any]:
        for variant in answer["ProductionVariants"]:
            variant["CurrentServerlessConfig"] = {"ProvisionedConcurrency": current}
            variant["DesiredServerlessConfig"] = {"ProvisionedConcurrency": desired}
        return answer

    return change


def _as_serverless(answer: dict[str, Any]) -> dict[str, Any]:
    for variant in answer["ProductionVariants"]:
        variant["ServerlessConfig"] = {"MemorySizeInMB": 1024}
        variant.pop("InstanceType")
    return answer


@pytest.fixture
def found(deployed: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Subject]:
    """Finds the subject as the command does; packing is left out."""

    def make(**environment: Any) -> Subject:
        subject = deployed.subject()
        document = yaml.safe_load((deployed.root / "forecast.yaml").read_text())
        document["environments"]["prod"] |= environment
        (deployed.root / "forecast.yaml").write_text(yaml.safe_dump(document))
        lock = ModelsLock(environments={"prod": subject.lock})
        subject.project.lock_path.write_text(lock_text(lock))
        monkeypatch.setattr(Live, "in_region", lambda _: subject.live)
        monkeypatch.setattr(fetching, "provide", lambda *_: subject.champion)
        monkeypatch.setattr(building, "package_challenger_for", lambda *_: None)
        return find_subject(deployed.root / "forecast.yaml", "prod", lambda *_: None)

    return make


def test_the_subject_is_the_lock_s_entry_and_what_it_packs_to(
    deployed: Any, found: Callable[..., Subject]
) -> None:
    subject = found()

    assert subject.lock.version == "1"
    assert subject.champion.archive_digest == deployed.packaged("1").archive_digest
    assert subject.challenger_lock is subject.challenger is None
    assert subject.deployed.configuration == deployed.aws.endpoint("produce")["EndpointConfigName"]


def test_credentials_of_another_account_are_refused(found: Callable[..., Subject]) -> None:
    with pytest.raises(ForecastError, match=r"expected credentials of account 111111111111"):
        found(account="111111111111")


def test_the_same_version_packed_otherwise_is_said(deployed: Any, checks_failed: Any) -> None:
    other = deployed.packaged("2").model_copy(update={"model": deployed.packaged("1").model})
    deployed.packaged = lambda _: other

    found = checks_failed(deployed.verify("1"))

    assert "the lock's version 1 packs to other bytes here" in found["archive AllTraffic"].advice


@pytest.mark.parametrize(("current", "passes"), [(3, True), (1, False)])
def test_warm_capacity_must_be_there(
    deployed: Any, changed: Any, checks_failed: Any, current: int, *, passes: bool
) -> None:
    deployed.clients["sagemaker"] = changed(
        deployed.aws.client("sagemaker"),
        describe_endpoint=_serverless(current, 3),
        describe_endpoint_config=_as_serverless,
    )

    failed = checks_failed(deployed.verify())

    assert ("instances AllTraffic" not in failed) is passes
    if not passes:
        assert failed["instances AllTraffic"].found == "serverless, 1 kept warm"


def _elsewhere(answer: dict[str, Any]) -> dict[str, Any]:
    answer["PrimaryContainer"]["ModelDataSource"]["S3DataSource"]["S3Uri"] = "s3://x/model.tar.gz"
    return answer


def test_model_data_that_are_no_archive_of_ours_are_named(
    deployed: Any, changed: Any, checks_failed: Any
) -> None:
    sagemaker = deployed.aws.client("sagemaker")
    deployed.clients["sagemaker"] = changed(sagemaker, describe_model=_elsewhere)

    record = deployed.verify()

    failed = checks_failed(record)
    assert failed["archive AllTraffic"].found == "version 1, s3://x/model.tar.gz"
    assert "object AllTraffic" not in [check.name for check in record.checks]
    assert record.variants[0].archive_digest is None


def _gone(answer: dict[str, Any]) -> dict[str, Any]:
    stack = answer["Stacks"][0]
    return {"Stacks": [{**stack, "Outputs": [], "StackStatus": "UPDATE_IN_PROGRESS"}]}


def test_a_stack_without_its_output_proves_nothing(
    deployed: Any, changed: Any, checks_failed: Any
) -> None:
    cloudformation = deployed.aws.client("cloudformation")
    deployed.clients["cloudformation"] = changed(cloudformation, describe_stacks=_gone)

    found = checks_failed(deployed.verify())

    assert found["stack"].advice.startswith("a deployment is under way")
    assert found["configuration"].advice.startswith("look at the stack ForecastProd")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "version 1 has no golden requests; package the model again"),
        ('{"schema_version": 2, "requests": []}', "golden requests of version 1, got none"),
        ('{"schema_version": 3, "requests": []}', r"schema_version 3.*package version 1 again"),
        ("{", "package version 1 again"),
    ],
)
def test_golden_requests_that_cannot_be_asked_are_an_error(
    deployed: Any, content: str | None, message: str
) -> None:
    packaged = deployed.packaged("1")
    golden = None
    if content is not None:
        golden = deployed.root / "golden.json"
        golden.write_text(content)

    with pytest.raises(ForecastError, match=message):
        golden_requests(packaged.model_copy(update={"golden": golden}))
