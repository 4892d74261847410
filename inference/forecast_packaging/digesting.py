"""Digests computed beside other work: sha256 on a second core while bytes are read or packed."""

from __future__ import annotations

import hashlib
import queue
import threading
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Iterable
    from hashlib import _Hash
    from types import TracebackType

_WAITING_CHUNKS = 4
"""Chunks that wait for their turn at most, so that memory is bounded."""


class Digests:
    """A thread that computes any number of sha256 digests.

    What they are is known once the `with` block has ended.
    """

    def __init__(self) -> None:
        self._waiting: queue.Queue[tuple[_Hash, Iterable[bytes | memoryview]] | None] = queue.Queue(
            _WAITING_CHUNKS
        )
        self._thread = threading.Thread(target=self._work, daemon=True)

    def __enter__(self) -> Self:
        """Start the thread."""
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Wait until everything is digested."""
        self._waiting.put(None)
        self._thread.join()

    def new(self) -> _Hash:
        """A digest of nothing yet."""
        return hashlib.sha256()

    def update(self, digest: _Hash, pieces: Iterable[bytes | memoryview]) -> None:
        """Let a digest take in more bytes, in the order of the calls."""
        self._waiting.put((digest, pieces))

    def _work(self) -> None:
        while (item := self._waiting.get()) is not None:
            digest, pieces = item
            for piece in pieces:
                digest.update(piece)
