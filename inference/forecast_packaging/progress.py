"""Progress: what a long step is doing, and how many bytes of it are done."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from typing import TextIO

STEP_BYTES = 1024 * 1024
"""Bytes between two calls: whoever draws a bar need not draw it for every read."""

TOLD_FROM_BYTES = 16 * 1024 * 1024
"""Smallest stage, in bytes, that is worth a line; smaller ones are over before it is read."""

_DOING = {
    "download": "downloading",
    "digest": "verifying",
    "pack": "packing",
    "unpack": "unpacking",
}


class Progress(Protocol):
    """Something that is told how far a long step is.

    The stages are `download`, `digest` (files are read and compared with their digests), `predict`
    (the model is loaded and asked), `pack` and `unpack`. Each begins with `done_bytes` 0.
    """

    def __call__(self, stage: str, done_bytes: int, total_bytes: int) -> None:
        """Take note that `done_bytes` of `total_bytes` are done; both are 0 when none are known."""


def no_progress(stage: str, done_bytes: int, total_bytes: int) -> None:
    """A progress that nobody watches."""


def progress_lines(stream: TextIO) -> Progress:
    """A progress that writes a line, such as `packing 512 MB`, for each large stage that begins.

    Args:
        stream: Where the lines go. Stages below `TOLD_FROM_BYTES` get none.
    """

    def tell(stage: str, done_bytes: int, total_bytes: int) -> None:
        if done_bytes == 0 and total_bytes >= TOLD_FROM_BYTES:
            stream.write(f"{_DOING.get(stage, stage)} {total_bytes / 1e6:,.0f} MB\n")
            stream.flush()

    return tell


class Meter:
    """The bytes of one stage, told as they are done.

    Args:
        progress: Who is told.
        stage: The stage, which begins now.
        total_bytes: Its bytes.
    """

    def __init__(self, progress: Progress, stage: str, total_bytes: int) -> None:
        self._progress = progress
        self._stage = stage
        self._total = total_bytes
        self._done = 0
        self._told = 0
        progress(stage, 0, total_bytes)

    def add(self, count: int) -> None:
        """Take note that so many more bytes are done."""
        self.reach(self._done + count)

    def reach(self, done_bytes: int) -> None:
        """Take note that so many bytes are done in all."""
        self._done = done_bytes
        new = done_bytes - self._told
        if new >= STEP_BYTES or (new and done_bytes == self._total):
            self._told = done_bytes
            self._progress(self._stage, done_bytes, self._total)


class MeteredReader:
    """A file whose bytes are done as soon as they are read."""

    def __init__(self, file: IO[bytes], meter: Meter) -> None:
        self._file = file
        self._meter = meter

    def read(self, size: int = -1) -> bytes:
        """The next bytes, at most `size` of them."""
        data = self._file.read(size)
        self._meter.add(len(data))
        return data
