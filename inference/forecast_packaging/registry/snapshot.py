"""Snapshots: everything that is packed from one model version, identified by its content."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from forecast_packaging.documents import read_json
from forecast_packaging.manifest import FileEntry, digest_of, scan
from forecast_packaging.progress import no_progress

if TYPE_CHECKING:
    from pathlib import Path

    from forecast_packaging.progress import Progress

MODEL_FOLDER = "model"
ARTIFACTS_FOLDER = "artifacts"


@dataclass(frozen=True)
class Snapshot:
    """The files of a model version: `model/` of MLflow, the run's `artifacts/`, and `run.json`.

    Attributes:
        folder: Where the files are.
        entries: Their manifest, sorted by path.
    """

    folder: Path
    entries: tuple[FileEntry, ...]

    @classmethod
    def read(cls, folder: Path, progress: Progress = no_progress) -> Snapshot:
        """The snapshot in a folder, every file digested.

        Raises:
            ModelError: The folder holds links or unsafe names.
        """
        return cls(folder, scan(folder, "the model's snapshot", progress))

    @cached_property
    def digest(self) -> str:
        """The `model_digest`: sha256 over the manifest."""
        return digest_of(self.entries)

    @cached_property
    def paths(self) -> frozenset[str]:
        """The paths of all files."""
        return frozenset(entry.path for entry in self.entries)

    @cached_property
    def run(self) -> dict[str, Any]:
        """What is recorded of the run: `metrics`, `data_version`, `code_reference`, `trained_at`.

        A record of before that was noted has no `trained_at`.
        """
        document: dict[str, Any] = read_json(self.folder / "run.json", "run.json")
        return document
