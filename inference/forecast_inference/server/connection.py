"""Reading from clients that may be slow: a deadline for a whole request, not for each read."""

from __future__ import annotations

import io
import socket
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from _typeshed import WriteableBuffer

IDLE_TIMEOUT_SECONDS: Final = 75.0
"""How long a connection may wait for its next request. Above the 60 s for which load balancers and
SageMaker's own front end commonly keep connections, so that they close first."""

REQUEST_TIMEOUT_SECONDS: Final = 30.0
"""How long a client may take to send one request, from its first byte to its last."""

_POLL_SECONDS: Final = 0.25
_LINGER_SECONDS: Final = 2.0
_PIECE: Final = 65_536


class DeadlineReader(io.RawIOBase):
    """A socket's input in which every read must end before the deadline of the request.

    Args:
        connection: the socket.
        is_stopping: whether the server stops; a connection without a request then ends.
    """

    def __init__(self, connection: socket.socket, is_stopping: Callable[[], bool]) -> None:
        super().__init__()
        self._connection = connection
        self._is_stopping = is_stopping
        self._deadline: float | None = None

    def readable(self) -> bool:
        """Whether it can be read: always."""
        return True

    def await_request(self) -> None:
        """Forget the last request: wait for the first byte of the next one."""
        self._deadline = None

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Read what has arrived; 0 at the end of input, and when no further request comes.

        Raises:
            TimeoutError: the client has been too slow with its request.
        """
        if self._deadline is None:
            return self._read_first(buffer)
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("the request took too long to arrive")
        self._connection.settimeout(left)
        return self._connection.recv_into(buffer)

    def _read_first(self, buffer: WriteableBuffer) -> int:
        end = time.monotonic() + IDLE_TIMEOUT_SECONDS
        self._connection.settimeout(_POLL_SECONDS)
        while True:
            try:
                count = self._connection.recv_into(buffer)
            except TimeoutError:
                if self._is_stopping() or time.monotonic() >= end:
                    return 0
            else:
                self._deadline = time.monotonic() + REQUEST_TIMEOUT_SECONDS
                return count


def linger(connection: socket.socket) -> None:
    """Let the client read an answer that was sent before its request had been read.

    Closing a socket with unread input resets the connection, and the answer is lost with it.
    """
    deadline = time.monotonic() + _LINGER_SECONDS
    connection.shutdown(socket.SHUT_WR)
    while (left := deadline - time.monotonic()) > 0:
        connection.settimeout(left)
        if not connection.recv(_PIECE):
            return
