"""Transfers: files fetched from a store so that an interrupted one goes on where it stopped."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING, Protocol

from forecast_packaging.documents import canonical, sha256_of
from forecast_packaging.errors import RegistryError
from forecast_packaging.manifest import check_path
from forecast_packaging.progress import Meter
from forecast_packaging.workspace import place_file

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from forecast_packaging.progress import Progress


@dataclass(frozen=True)
class StoredFile:
    """A file of a store.

    Attributes:
        path: Path below the store's root, with forward slashes.
        size: Bytes; None where the store does not say.
        stamp: What changes when the file does, as far as the store's listing tells.
    """

    path: str
    size: int | None
    stamp: str = ""


class Store(Protocol):
    """Where the files of a model or of a run are kept.

    Attributes:
        root: The store's address.
    """

    root: str

    def files(self, path: str, shown: str) -> list[StoredFile]:
        """The files at a path below the root, or all of them when it is empty.

        Args:
            path: A folder; one that is missing has no files.
            shown: What the files are, in error messages.
        """

    def fetch(self, file: StoredFile, part: Path, arrived: Callable[[int], None]) -> None:
        """Write a file's content, going on behind what an earlier call has written.

        Args:
            file: The file.
            part: What there is of it on this machine; it may not exist.
            arrived: Told how many bytes of it there are.
        """


def transfer(
    store: Store, path: str, into: Path, parts: Path, *, shown: str, progress: Progress
) -> None:
    """Bring the files at a path of a store into a folder.

    A file that was fetched before, wholly or in part, is not fetched again as long as the store
    says the same of it. What has arrived is kept in `parts` until the caller removes it.

    Args:
        store: The store.
        path: Folder of the store, which the files keep in their paths.
        into: Where the files go.
        parts: A folder on the same file system, kept from one attempt to the next.
        shown: What the files are, in error messages.
        progress: Told the bytes fetched, those of earlier attempts among them.

    Raises:
        RegistryError: A file ended before its end.
        ModelError: A file's name is not safe.
    """
    files = store.files(path, shown)
    if not files:
        return
    for file in files:
        check_path(file.path, shown)
    parts.mkdir(parents=True, exist_ok=True)
    meter = Meter(progress, "download", sum(file.size or 0 for file in files))
    done = 0

    def arrived(count: int) -> None:
        meter.reach(done + count)

    for file in files:
        part = parts / sha256_of(canonical([store.root, *astuple(file)])).removeprefix("sha256:")
        store.fetch(file, part, arrived)
        found = part.stat().st_size
        if file.size is not None and found != file.size:
            raise RegistryError(
                f"{file.path} of {shown} ended after {found} of {file.size} bytes: run it again"
            )
        done += file.size or 0
        meter.reach(done)
        place_file(part, into / file.path)
