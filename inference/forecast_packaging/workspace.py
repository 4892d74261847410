"""Workspaces: folders that appear under their final name complete, or not at all."""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from forecast_packaging.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Iterator

_PREFIX = ".tmp-"
_OWNED = ".owned"
_GATE = ".gate"
_COPY_BYTES = 1024 * 1024


@contextmanager
def workspace(folder: Path) -> Iterator[Path]:
    """A private temporary folder inside `folder`, on the same file system as what it becomes.

    It is removed at the end. One left behind by a process that was killed is removed by the
    next call: its owner held a file lock, which dies with the process.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / _GATE).open("w") as gate:
        # The gate keeps a sweep from seeing a new folder between its making and its locking.
        fcntl.flock(gate, fcntl.LOCK_EX)
        _sweep(folder)
        path = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=folder))
        owner = (folder / f"{path.name}{_OWNED}").open("w")
        fcntl.flock(owner, fcntl.LOCK_EX)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
        Path(owner.name).unlink(missing_ok=True)
        owner.close()


def publish_folder(source: Path, target: Path) -> None:
    """Move a complete folder to its final name; another process may have done so before.

    Only for content-addressed targets: whoever was first, the content is the same.
    """
    try:
        source.rename(target)
    except OSError:
        if not target.is_dir():
            raise


def publish_file(source: Path, target: Path) -> None:
    """Move a complete file to its final name, on disk before it can be seen there."""
    with source.open("rb") as file:
        os.fsync(file.fileno())
    source.replace(target)


def write_atomic(path: Path, data: bytes) -> None:
    """Write a small file so that a reader sees the old content or the new, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o644)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def alone_with(path: Path) -> Iterator[None]:
    """Hold a file for the time of reading it and writing it anew; others wait.

    Its folder is what is locked, as the file itself is replaced and may not be there yet. A file
    system that locks no folders (NFS) does without.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    folder = os.open(path.parent, os.O_RDONLY | os.O_CLOEXEC)
    try:
        with suppress(OSError):
            fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def place_file(source: Path, target: Path) -> None:
    """Give a file a second place: as a hard link where the file system allows it, else as a copy.

    A hard link costs no time and no space, whatever the size, and shares its content with the
    source: to change the target, remove it first and write it anew. Folders above the target are
    made. A source that is a link is not followed.

    Raises:
        FileExistsError: There is a target already.
        ModelError: The source is no regular file.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    # Opened once, so that what was checked is what is copied; a pipe would block without NONBLOCK.
    try:
        handle = os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if source.is_symlink():
            raise _no_file(source) from error
        raise
    with os.fdopen(handle, "rb") as content:
        known = os.fstat(content.fileno())
        if not stat.S_ISREG(known.st_mode):
            raise _no_file(source)
        if _link(source, target, known):
            return
        with target.open("xb") as copy:
            shutil.copyfileobj(content, copy, _COPY_BYTES)


def _link(source: Path, target: Path, known: os.stat_result) -> bool:
    """Whether the target is now a link to the file that was opened, and not to a later one."""
    try:
        os.link(source, target, follow_symlinks=False)
    except FileExistsError:
        raise
    except OSError:
        return False
    if os.path.samestat(target.lstat(), known):
        return True
    target.unlink()
    return False


def _no_file(source: Path) -> ModelError:
    return ModelError(f"expected {source} to be a regular file, and it is not: log the file itself")


def _sweep(folder: Path) -> None:
    for path in folder.glob(f"{_PREFIX}*"):
        if path.name.endswith(_OWNED):
            _sweep_if_abandoned(path, path.with_name(path.name.removesuffix(_OWNED)))
        elif not path.with_name(f"{path.name}{_OWNED}").exists():
            shutil.rmtree(path, ignore_errors=True)


def _sweep_if_abandoned(owner: Path, path: Path) -> None:
    try:
        with owner.open("r+") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(path, ignore_errors=True)
            owner.unlink(missing_ok=True)
    except OSError:
        return
