"""What is known of a version comes from records, archives, lock and cache, in that order."""

from __future__ import annotations

import json
from dataclasses import asdict
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from forecast_config import LockedModel, ModelsLock, lock_text
from forecast_operations.changes.knowledge import Sources
from forecast_operations.changes.versions import TaggedVersion
from forecast_operations.cloud.refusals import CloudError
from forecast_operations.records.record import ModelCard
from forecast_packaging.building.archive import write_archive
from forecast_packaging.building.kept import BuildRecord

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

MODEL_DIGEST = f"sha256:{'a' * 64}"


class Records:
    """A store of records, or of none that can be read."""

    def __init__(self, *records: Any, refusal: str | None = None) -> None:
        self._records, self._refusal = records, refusal

    def records(self, _: int) -> Iterator[Any]:
        if self._refusal is not None:
            raise CloudError(self._refusal)
        yield from self._records


def _record(record_id: str, digest: str, trained_at: str | None = None) -> Any:
    return SimpleNamespace(
        record_id=record_id,
        archive_digest=digest,
        card=ModelCard(metrics={record_id: 1.0}),
        lock=SimpleNamespace(trained_at=trained_at),
    )


@pytest.fixture
def packed(tmp_path: Path) -> TaggedVersion:
    """A version whose archive is on this machine."""
    stage, archives = tmp_path / "stage", tmp_path / ".forecast" / "archives"
    documents = {
        "artifacts/metrics.json": {"wape": 0.2},
        "artifacts/feature_schema.json": {
            "inputs": [{"name": "price", "type": "double", "nullable": True}],
            "outputs": [{"name": "forecasted_price", "unit": "RMB/kg"}],
        },
    }
    for path, document in documents.items():
        (stage / path).parent.mkdir(parents=True, exist_ok=True)
        (stage / path).write_text(json.dumps(document))
    (archives / "builds").mkdir(parents=True)
    written = write_archive(stage, archives / "model.tar.gz")
    record = BuildRecord(
        archive="model.tar.gz",
        archive_digest=written.archive_digest,
        file_sha256=written.file_sha256,
        files_digest="",
        unpacked_bytes=0,
        model_bytes=0,
        runs_code_on_load=False,
    )
    (archives / "builds" / "key.json").write_text(json.dumps(asdict(record)))
    return TaggedVersion(
        "16",
        run_id="run-16",
        model_digest=MODEL_DIGEST,
        archive_digest=written.archive_digest,
    )


@pytest.fixture
def sources(tmp_path: Path) -> Callable[..., Sources]:
    def make(records: Any = None) -> Sources:
        return Sources(tmp_path, tmp_path / "models.lock.json", records)

    return make


def _lock(path: Path, *, run_id: str, trained_at: str | None) -> None:
    model = LockedModel(
        name="forecaster",
        version="16",
        run_id=run_id,
        model_digest=MODEL_DIGEST,
        signature_digest=MODEL_DIGEST,
        libraries={},
        trained_at=trained_at,
    )
    path.write_text(lock_text(ModelsLock(environments={"prod": model})))


def test_the_newest_record_of_the_archive_goes_first(
    packed: TaggedVersion, sources: Callable[..., Sources]
) -> None:
    digest = str(packed.archive_digest)
    records = Records(
        _record("another", "sha256:0"),
        _record("newest", digest, "2027-01-04T08:00:00Z"),
        _record("oldest", digest),
    )

    found = sources(records).deployed(packed)

    assert found.source == "deployment record newest"
    assert found.card == ModelCard(metrics={"newest": 1.0})
    assert found.trained_at == "2027-01-04T08:00:00Z"


def test_without_a_record_the_archive_on_this_machine_tells(
    packed: TaggedVersion, sources: Callable[..., Sources]
) -> None:
    for found in (sources(Records()).deployed(packed), sources().wanted(packed)):
        assert found.source == "archive model.tar.gz"
        assert found.card == ModelCard(
            metrics={"wape": 0.2},
            inputs={"price": "double?"},
            outputs={"forecasted_price": "RMB/kg"},
        )


def test_what_is_nowhere_is_said_to_be_so_with_what_to_do(
    sources: Callable[..., Sources],
) -> None:
    version = TaggedVersion("16", archive_digest="sha256:0")

    found = sources(Records()).deployed(version)

    assert found.card is None
    assert found.source.startswith("not known here: no deployment record is of this archive")
    assert "forecast verify writes a record" in found.source
    assert "forecast package" in sources().wanted(version).source


def test_records_that_may_not_be_read_are_done_without(
    packed: TaggedVersion, sources: Callable[..., Sources]
) -> None:
    refused = Records(refusal="the permission s3:GetObject is missing")

    assert sources(refused).deployed(packed).source == (
        "archive model.tar.gz (the deployment records cannot be read: the permission s3:GetObject "
        "is missing)"
    )
    elsewhere = TaggedVersion("16", archive_digest="sha256:0")
    assert "the permission s3:GetObject is missing" in sources(refused).deployed(elsewhere).source


def test_a_damaged_archive_is_as_good_as_none(
    packed: TaggedVersion, sources: Callable[..., Sources], tmp_path: Path
) -> None:
    (tmp_path / ".forecast" / "archives" / "model.tar.gz").write_bytes(b"no archive")

    assert sources().wanted(packed).card is None


def test_the_time_of_training_is_that_of_the_lock_or_of_the_cache(
    packed: TaggedVersion, sources: Callable[..., Sources], tmp_path: Path
) -> None:
    snapshot = tmp_path / ".forecast" / "cache" / ("a" * 64)
    snapshot.mkdir(parents=True)
    (snapshot / "run.json").write_text('{"trained_at": "2027-02-02T00:00:00Z"}')
    lock = tmp_path / "models.lock.json"

    _lock(lock, run_id="run-16", trained_at="2027-01-01T00:00:00Z")
    assert sources().wanted(packed).trained_at == "2027-01-01T00:00:00Z"
    # Of another run of the same content, and of a time before that was noted.
    for run_id, trained_at in (("run-17", "2027-01-01T00:00:00Z"), ("run-16", None)):
        _lock(lock, run_id=run_id, trained_at=trained_at)
        assert sources().wanted(packed).trained_at == "2027-02-02T00:00:00Z"
    (snapshot / "run.json").write_text("{}")
    assert sources().wanted(packed).trained_at is None
