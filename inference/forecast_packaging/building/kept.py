"""Kept archives: found by what they are, whatever packed them, and taken in from elsewhere."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from forecast_config import PackagedModel
from forecast_packaging.building.archive import digest_archive, unpack_archive
from forecast_packaging.building.contract import INFO_FILE, open_archive
from forecast_packaging.building.model_data import fetches_files
from forecast_packaging.building.summary import read_file, read_info
from forecast_packaging.documents import read_json, readable
from forecast_packaging.errors import ContractError, LockMismatchError, ModelError
from forecast_packaging.manifest import FileEntry, digest_of, file_sha256, scan
from forecast_packaging.progress import Meter, no_progress
from forecast_packaging.publishing.golden import GOLDEN_FILE
from forecast_packaging.workspace import (
    place_file,
    publish_file,
    publish_folder,
    workspace,
    write_atomic,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from forecast_config import LockedModel
    from forecast_config.settings import ServingSettings
    from forecast_packaging.progress import Progress

_SAID_BY_ARCHIVE = ("name", "version", "run_id", "model_digest", "signature_digest")
"""Keys of a lock entry that the archive says of itself."""

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
class Archives:
    """The archives of a project.

    Attributes:
        root: The project's root; archives are in `.forecast/archives` below it.
    """

    root: Path

    @property
    def folder(self) -> Path:
        """Where the archives are."""
        return self.root / ".forecast" / "archives"

    def read(self, record: Path, progress: Progress = no_progress) -> BuildRecord | None:
        """A record whose archive is there, byte by byte; None when it is not."""
        try:
            found = BuildRecord(**read_json(record, record.name))
            if _sha256_once(self.folder / found.archive, progress) != found.file_sha256:
                return None
        except (OSError, ModelError, TypeError):
            return None
        return found

    def find(self, digest: str, progress: Progress = no_progress) -> BuildRecord | None:
        """The archive of a digest, whatever packed it; None when it is not here."""
        for path in self._records(digest):
            record = self.read(path, progress)
            if record is not None and record.archive_digest == digest:
                return record
        return None

    def adopt(self, file: Path, digest: str, progress: Progress = no_progress) -> BuildRecord:
        """Take in an archive from elsewhere, under its name, and then record it.

        Its content is that of the digest, and nothing of it is unpacked before that is sure. It
        proved itself when it was packed: its model is not asked again.

        Args:
            file: The archive, on the file system of the project; it is left where it is.
            digest: Digest of the uncompressed archive that it must have.
            progress: Told how far each stage is.

        Raises:
            ContractError: It is another archive, damaged, or no archive of this project.
        """
        found = digest_archive(file, progress)
        if found != digest:
            raise ContractError(f"{file.name} holds the archive {found}, expected {digest}")
        with workspace(self.folder) as scratch:
            unpacked = scratch / "files"
            unpacked.mkdir()
            try:
                info = open_archive(file, unpacked, progress)
                name = archive_name(info["name"], info["version"], digest)
                record = describe_archive(name, digest, file_sha256(file), unpacked)
            except (KeyError, TypeError) as error:
                raise ContractError(
                    f"the {INFO_FILE} of {file.name} is not one that is read here ({error}); it "
                    "was packed by another version of this project"
                ) from None
            copy = scratch / "model.tar.gz"
            place_file(file, copy)
            publish_file(copy, self.folder / record.archive)
        write_atomic(self._adopted(digest), readable(asdict(record)))
        return record

    def packaged(
        self,
        record: BuildRecord,
        lock: LockedModel,
        serving: ServingSettings,
        progress: Progress = no_progress,
    ) -> PackagedModel:
        """An archive that is here as what is deployed.

        Args:
            record: What is known of it.
            lock: The model version inside.
            serving: How it takes to an instance.
            progress: Told how far each stage is.
        """
        archive = self.folder / record.archive
        by_files = fetches_files(
            serving,
            packed_bytes=archive.stat().st_size,
            unpacked_bytes=record.unpacked_bytes,
        )
        return PackagedModel(
            archive=archive,
            archive_digest=record.archive_digest,
            model=lock,
            unpacked_bytes=record.unpacked_bytes,
            model_bytes=record.model_bytes,
            runs_code_on_load=record.runs_code_on_load,
            files=self._unpacked(record, progress) if by_files else None,
            golden=self._golden(record),
        )

    def read_info(self, record: BuildRecord, lock: LockedModel, environment: str) -> dict[str, Any]:
        """What an archive says of itself, which is what a lock entry says of the version inside.

        Args:
            record: What is known of the archive.
            lock: The entry.
            environment: The environment that the entry is of.

        Raises:
            LockMismatchError: The entry was edited.
        """
        info = read_info(self.folder / record.archive)
        for key in _SAID_BY_ARCHIVE:
            locked, found = getattr(lock, key), info.get(key)
            if locked != found:
                raise LockMismatchError(
                    f"the lock pins the archive {record.archive_digest} for version "
                    f"{lock.version} of model {lock.name!r} with the {key} {locked}, and the "
                    f"archive says {found}: put models.lock.json back as it was (git checkout), or "
                    f"lock version {lock.version} again: forecast rollback {environment} --to "
                    f"{lock.version}, or forecast promote {lock.version} --from ENV --to "
                    f"{environment} as it came there"
                )
        return info

    def _records(self, digest: str) -> Iterator[Path]:
        yield self._adopted(digest)
        for path in sorted((self.folder / "builds").glob("*.json")):
            with suppress(OSError):
                # Digests of whole archives are not computed for records of others.
                if digest.encode() in path.read_bytes():
                    yield path

    def _adopted(self, digest: str) -> Path:
        return self.folder / "adopted" / f"{digest.removeprefix('sha256:')}.json"

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


def archive_name(model: str, version: str, digest: str) -> str:
    """Name of an archive's file: model, version, and enough of the digest to tell archives."""
    short = digest.removeprefix("sha256:")[:_SHORT_DIGEST]
    return f"{_safe(model)}-{_safe(version)}-{short}.tar.gz"


def describe_archive(name: str, digest: str, sha256: str, files: Path) -> BuildRecord:
    """The record of an archive whose members are those that its `model-info.json` says.

    Args:
        name: Name of the archive's file.
        digest: Digest of the uncompressed archive.
        sha256: The sha256 of the archive's file.
        files: Folder of its files.
    """
    info = read_json(files / INFO_FILE, INFO_FILE)
    members = {path: FileEntry(path, f["size"], f["sha256"]) for path, f in info["files"].items()}
    size = (files / INFO_FILE).stat().st_size
    entries = [*members.values(), FileEntry(INFO_FILE, size, file_sha256(files / INFO_FILE))]
    return BuildRecord(
        archive=name,
        archive_digest=digest,
        file_sha256=sha256,
        files_digest=digest_of(entries),
        unpacked_bytes=sum(entry.size for entry in entries),
        model_bytes=sum(members[model["file"]].size for model in info["models"]),
        runs_code_on_load=info["runs_code_on_load"],
    )


def _safe(part: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "-", part)


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
