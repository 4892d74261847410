"""File stores behind a network, as MLflow reaches them; imported once a registry is asked."""

from __future__ import annotations

import posixpath
import tempfile
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository
from mlflow.store.artifact.http_artifact_repo import HttpArtifactRepository
from mlflow.utils.credentials import get_default_host_creds
from mlflow.utils.rest_utils import http_request
from requests import RequestException

from forecast_packaging.manifest import CHUNK_BYTES
from forecast_packaging.registry.transfer import StoredFile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_LOOK_SECONDS = 0.5
_OK_PARTIAL = 206


def remote_store(root: str, uri: str) -> RemoteStore:
    """The store of an artifact root.

    Args:
        root: The artifact root, such as `mlflow-artifacts:/…` or `s3://…`.
        uri: URI of the tracking server, through which some stores are reached.
    """
    repository = get_artifact_repository(root, tracking_uri=uri, registry_uri=uri)
    if isinstance(repository, HttpArtifactRepository):
        return HttpStore(root, repository)
    return RemoteStore(root, repository)


class RemoteStore:
    """A store that hands over whole files, such as S3: an interrupted file begins anew.

    Args:
        root: The artifact root.
        repository: What MLflow reaches it with.
    """

    def __init__(self, root: str, repository: Any) -> None:
        self.root = root
        self._repository = repository

    def files(self, path: str, shown: str) -> list[StoredFile]:  # noqa: ARG002  # as other stores
        """The files at a path below the root; a file is known by its size alone."""
        return sorted(self._files(path), key=lambda file: file.path)

    def fetch(self, file: StoredFile, part: Path, arrived: Callable[[int], None]) -> None:
        """Let MLflow fetch a file that is not here, and watch it grow."""
        if part.exists() and file.size is not None:
            return
        with (
            tempfile.TemporaryDirectory(dir=part.parent) as folder,
            ThreadPoolExecutor(max_workers=1) as worker,
        ):
            work = worker.submit(self._repository.download_artifacts, file.path, dst_path=folder)
            while not wait([work], _LOOK_SECONDS).done:
                arrived(min(_bytes_in(Path(folder)), file.size or 0))
            Path(work.result()).replace(part)

    def _files(self, path: str) -> Iterator[StoredFile]:
        for item in self._repository.list_artifacts(path or None):
            if item.is_dir:
                yield from self._files(item.path)
            else:
                yield StoredFile(item.path, item.file_size)


class HttpStore(RemoteStore):
    """A store that MLflow's server hands over by HTTP.

    The server of MLflow 3.15 and later answers a request for a range of bytes when its own files
    are in a folder (Starlette's FileResponse); what it fetches from a store of its own, and what
    older servers send, begins anew. RFC 9110, 13.1.5: `If-Range` gives the whole file when it is no
    longer the one that the part is of.
    """

    def fetch(self, file: StoredFile, part: Path, arrived: Callable[[int], None]) -> None:
        """Fetch a file, going on behind what has arrived before, also when the line breaks."""
        tag = part.with_suffix(".etag")
        while True:
            before = _size(part)
            if before == file.size and not tag.exists():
                return
            try:
                self._continue(file, part, tag, arrived)
            except RequestException:
                if _size(part) <= before:
                    raise
            else:
                return

    def _continue(
        self, file: StoredFile, part: Path, tag: Path, arrived: Callable[[int], None]
    ) -> None:
        size = _size(part) if tag.exists() else 0
        # Of a file that is all here the last byte is asked for: whether it is still the same.
        start = size - 1 if size == file.size else size
        headers = {"Accept-Encoding": "identity"}
        if start > 0:
            headers |= {"Range": f"bytes={start}-", "If-Range": tag.read_text()}
        host = get_default_host_creds(self._repository.artifact_uri)  # type: ignore[no-untyped-call]
        path = posixpath.join("/", file.path)
        with http_request(  # type: ignore[no-untyped-call]  # MLflow leaves both untyped
            host, path, "GET", stream=True, extra_headers=headers
        ) as response:
            response.raise_for_status()
            goes_on = response.status_code == _OK_PARTIAL
            if goes_on and not response.headers.get("Content-Range", "").startswith(
                f"bytes {start}-"
            ):
                raise RequestException("the server sent other bytes than it was asked for")
            if goes_on and size == file.size:
                return
            if not goes_on:
                _note(tag, response.headers.get("ETag"))
            with part.open("ab" if goes_on else "wb") as copy:
                for data in response.iter_content(CHUNK_BYTES):
                    copy.write(data)
                    arrived(copy.tell())


def _note(tag: Path, etag: str | None) -> None:
    # A weak one does not promise the same bytes, and If-Range does not take it.
    if etag is None or etag.startswith("W/"):
        tag.unlink(missing_ok=True)
    else:
        tag.write_text(etag)


def _size(part: Path) -> int:
    return part.stat().st_size if part.exists() else -1


def _bytes_in(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
