"""Builds: the archives of a project, and the records of which inputs made which."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from forecast_packaging.building.kept import Archives, archive_name, describe_archive
from forecast_packaging.documents import canonical, readable, sha256_of
from forecast_packaging.workspace import publish_file

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from forecast_config import LockedModel, PackagedModel
    from forecast_config.settings import ServingSettings
    from forecast_packaging.building.archive import WrittenArchive
    from forecast_packaging.progress import Progress

LAYOUT_VERSION = 2
"""Raised when archives are made differently from the same inputs, so that old ones are not used."""


@dataclass(frozen=True)
class Builds:
    """The archives of a project, seen by the inputs of one of them.

    Attributes:
        root: The project's root; archives are in `.forecast/archives` below it.
        lock: The model version that is packed.
        serving: How the model is packed and answers.
        runtime: Digest of the runtime that is packed.
        vendored: Digests of the vendored files by their path in the archive.
    """

    root: Path
    lock: LockedModel
    serving: ServingSettings
    runtime: str
    vendored: Mapping[str, str]

    @property
    def folder(self) -> Path:
        """Where the archives are."""
        return self._archives.folder

    @property
    def _archives(self) -> Archives:
        return Archives(self.root)

    @property
    def _record(self) -> Path:
        inputs = [
            LAYOUT_VERSION,
            self.runtime,
            # How and when the version came about, and which archive of it must be served; the
            # archive does not depend on it.
            self.lock.model_dump(mode="json", exclude={"alias", "archive_digest", "trained_at"}),
            # Nor does it depend on the way it takes to an instance.
            self.serving.model_dump(mode="json", exclude={"model_data"}),
            dict(self.vendored),
        ]
        key = sha256_of(canonical(inputs)).removeprefix("sha256:")
        return self.folder / "builds" / f"{key}.json"

    def find(self, progress: Progress) -> PackagedModel | None:
        """The archive of these inputs; None when there is none or when it was changed."""
        record = self._archives.read(self._record, progress)
        if record is None:
            return None
        return self._archives.packaged(record, self.lock, self.serving, progress)

    def publish(
        self, archive: Path, written: WrittenArchive, stage: Path, progress: Progress
    ) -> PackagedModel:
        """Give an accepted archive its name, and then record it.

        Args:
            archive: The archive, on the file system of its final place.
            written: What is known of it since it was written.
            stage: Folder of the files that it was made from.
            progress: Told how far each stage is.
        """
        digest = written.archive_digest
        name = archive_name(self.lock.name, self.lock.version, digest)
        record = describe_archive(name, digest, written.file_sha256, stage)
        document = archive.with_name("record.json")
        document.write_bytes(readable(asdict(record)))
        self._record.parent.mkdir(parents=True, exist_ok=True)
        publish_file(archive, self.folder / record.archive)
        publish_file(document, self._record)
        return self._archives.packaged(record, self.lock, self.serving, progress)
