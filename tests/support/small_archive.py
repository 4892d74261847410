"""The smallest archive of a model version that is taken in, and the lock entry that pins it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forecast_config import LockedModel
from forecast_packaging.building.archive import write_archive
from forecast_packaging.documents import readable, sha256_of

if TYPE_CHECKING:
    from pathlib import Path


def small_archive(folder: Path, version: str) -> tuple[Path, LockedModel]:
    """An archive `VERSION.tar.gz`, packed from `stage-VERSION` beside it, and its entry."""
    files = {
        "artifacts/metrics.json": readable({"wape": float(version) / 10}),
        "code/inference.py": b"VERSION = 1\n",
        "model/model.txt": f"tree {version}\n".encode() * 100,
    }
    lock = LockedModel(
        name="forecaster",
        version=version,
        alias="champion",
        run_id=version * 32,
        model_digest=sha256_of(f"model {version}".encode()),
        signature_digest=sha256_of(b"signature"),
        libraries={"python": "3.12.1", "scikit-learn": "1.9.0"},
    )
    info = {
        "schema_version": 2,
        **lock.model_dump(
            include={"name", "version", "run_id", "model_digest", "signature_digest"}
        ),
        "models": [{"flavor": "lightgbm", "file": "model/model.txt"}],
        "runs_code_on_load": False,
        "vendored": {},
        "files": {
            path: {"size": len(data), "sha256": sha256_of(data).removeprefix("sha256:")}
            for path, data in files.items()
        },
    }
    stage = folder / f"stage-{version}"
    for path, data in {**files, "model-info.json": readable(info)}.items():
        (stage / path).parent.mkdir(parents=True, exist_ok=True)
        (stage / path).write_bytes(data)
    archive = folder / f"{version}.tar.gz"
    digest = write_archive(stage, archive).archive_digest
    return archive, lock.model_copy(update={"archive_digest": digest})
