"""Builds: the archives of a project, and the records of which inputs made which."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from forecast_config import PackagedModel
from forecast_packaging.building.archive import unpack_archive
from forecast_packaging.building.contract import INFO_FILE
from forecast_packaging.building.model_data import fetches_files
from forecast_packaging.building.summary import read_file
from forecast_packaging.documents import canonical, read_json, readable, sha256_of
from forecast_packaging.errors import ModelError
from forecast_packaging.manifest import FileEntry, digest_of, file_sha256, scan
from forecast_packaging.progress import Meter
from forecast_packaging.publishing.golden import GOLDEN_FILE
from forecast_packaging.workspace import publish_file, publish_folder, workspace, write_atomic

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from forecast_config import LockedModel
    from forecast_config.settings import ServingSettings
    from forecast_packaging.building.archive import WrittenArchive
    from forecast_packaging.progress import Progress

LAYOUT_VERSION = 2
"""Raised when archives are made differently from the same inputs, so that old ones are not used."""

_SHORT_DIGEST = 12
_digests: dict[tuple[Path, int, int, int], str] = {}


@dataclass(frozen=True)
class BuildRecord:
    """What is known of an archive that passed its contract check.

    Attributes:
        archive: Name of the archive's file.
        archive_digest: Digest of the uncompressed archive.
        file_sha256: The sha256 of the archive's file.
        files_digest: Digest of the manifest of the archive's files.
        unpacked_bytes: Bytes of the archive's files.
        model_bytes: Bytes of the model's own files.
        runs_code_on_load: Whether loading the model runs code from its file.
    """

    archive: str
    archive_digest: str
    file_sha256: str
    files_digest: str
    unpacked_bytes: int
    model_bytes: int
    runs_code_on_load: bool


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
        return self.root / ".forecast" / "archives"

    @property
    def _record(self) -> Path:
        inputs = [
            LAYOUT_VERSION,
            self.runtime,
            # The alias is how the version was found; the archive does not depend on it.
            self.lock.model_dump(mode="json", exclude={"alias"}),
            # Nor does it depend on the way it takes to an instance.
            self.serving.model_dump(mode="json", exclude={"model_data"}),
            dict(self.vendored),
        ]
        key = sha256_of(canonical(inputs)).removeprefix("sha256:")
        return self.folder / "builds" / f"{key}.json"

    def find(self, progress: Progress) -> PackagedModel | None:
        """The archive of these inputs; None when there is none or when it was changed."""
        try:
            record = BuildRecord(**read_json(self._record, self._record.name))
            archive = self.folder / record.archive
            if _sha256_once(archive, progress) != record.file_sha256:
                return None
        except (OSError, ModelError, TypeError):
            return None
        return self._packaged(record, progress)

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
        short = written.archive_digest.removeprefix("sha256:")[:_SHORT_DIGEST]
        name = re.sub(r"[^A-Za-z0-9._-]+", "-", self.lock.name)
        record = _describe(f"{name}-{self.lock.version}-{short}.tar.gz", written, stage)
        document = archive.with_name("record.json")
        document.write_bytes(readable(asdict(record)))
        self._record.parent.mkdir(parents=True, exist_ok=True)
        publish_file(archive, self.folder / record.archive)
        publish_file(document, self._record)
        return self._packaged(record, progress)

    def _packaged(self, record: BuildRecord, progress: Progress) -> PackagedModel:
        archive = self.folder / record.archive
        by_files = fetches_files(
            self.serving,
            packed_bytes=archive.stat().st_size,
            unpacked_bytes=record.unpacked_bytes,
        )
        return PackagedModel(
            archive=archive,
            archive_digest=record.archive_digest,
            model=self.lock,
            unpacked_bytes=record.unpacked_bytes,
            model_bytes=record.model_bytes,
            runs_code_on_load=record.runs_code_on_load,
            files=self._unpacked(record, progress) if by_files else None,
            golden=self._golden(record),
        )

    def _golden(self, record: BuildRecord) -> Path | None:
        """A file of the archive's golden requests, taken out of the archive each time."""
        content = read_file(self.folder / record.archive, GOLDEN_FILE)
        if content is None:
            return None
        digest = record.archive_digest.removeprefix("sha256:")
        path = self.folder / "golden" / f"{digest}.json"
        if not path.is_file() or path.read_bytes() != content:
            write_atomic(path, content)
        return path

    def _unpacked(self, record: BuildRecord, progress: Progress) -> Path:
        """The folder of the archive's files, every one of them digested."""
        folder = self.folder / "files" / record.archive_digest.removeprefix("sha256:")
        if folder.is_dir() and _manifest_digest(folder, progress) == record.files_digest:
            return folder
        folder.parent.mkdir(parents=True, exist_ok=True)
        with workspace(self.folder) as scratch:
            with suppress(FileNotFoundError):
                folder.rename(scratch / "damaged")
            fresh = scratch / "files"
            fresh.mkdir()
            unpack_archive(self.folder / record.archive, fresh, progress)
            publish_folder(fresh, folder)
        return folder


def _describe(name: str, written: WrittenArchive, stage: Path) -> BuildRecord:
    """The record of an archive whose members are those that its `model-info.json` says."""
    info = read_json(stage / INFO_FILE, INFO_FILE)
    files = {path: FileEntry(path, f["size"], f["sha256"]) for path, f in info["files"].items()}
    size = (stage / INFO_FILE).stat().st_size
    members = [*files.values(), FileEntry(INFO_FILE, size, file_sha256(stage / INFO_FILE))]
    return BuildRecord(
        archive=name,
        archive_digest=written.archive_digest,
        file_sha256=written.file_sha256,
        files_digest=digest_of(members),
        unpacked_bytes=sum(member.size for member in members),
        model_bytes=sum(files[model["file"]].size for model in info["models"]),
        runs_code_on_load=info["runs_code_on_load"],
    )


def _manifest_digest(folder: Path, progress: Progress) -> str | None:
    try:
        return digest_of(scan(folder, "the unpacked archive", progress))
    except (ModelError, OSError):
        return None


def _sha256_once(archive: Path, progress: Progress) -> str:
    """The sha256 of a file, which one process reads once however many environments ask for it."""
    status = archive.stat()
    key = (archive, status.st_ino, status.st_size, status.st_mtime_ns)
    if key not in _digests:
        _digests[key] = file_sha256(archive, Meter(progress, "digest", status.st_size))
    return _digests[key]
