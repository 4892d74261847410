"""One client's connection: what has arrived of its request, and what is still to be sent."""

from __future__ import annotations

import contextlib
import socket
import time
from email.utils import formatdate
from enum import Enum, auto
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from forecast_inference.server import head as heads
from forecast_inference.server.head import Head, RefusedError, check_unfinished, parse_head

if TYPE_CHECKING:
    from collections.abc import Callable

    from forecast_inference.handler import Response

IDLE_TIMEOUT_SECONDS: Final = 75.0
"""How long a connection may wait for its next request. Above the 60 s for which load balancers and
SageMaker's own front end commonly keep connections, so that they close first."""

REQUEST_TIMEOUT_SECONDS: Final = 30.0
"""How long a client may take to send one request, from its first byte to its last."""

ANSWER_TIMEOUT_SECONDS: Final = 30.0
"""How long a client may take to read one answer."""

_LINGER_SECONDS: Final = 2.0
_PIECE_BYTES: Final = 65_536
_CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"
_STATUS_LINES: Final = {
    status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n" for status in HTTPStatus
}


class Phase(Enum):
    """What a connection does."""

    IDLE = auto()
    """It waits for the first byte of a request."""
    READING = auto()
    """A request has begun to arrive."""
    BUSY = auto()
    """A whole request is being answered."""
    WRITING = auto()
    """An answer is being sent."""
    LINGERING = auto()
    """The answer was sent before the request was read: closing now would lose it on the way."""


class Channel:
    """A non-blocking connection; one thread at a time works on it.

    Args:
        connection: the socket.

    Attributes:
        head: the request's head, once it is there.
        request_id: the id that its answer carries.
        phase: what the connection does.
        deadline: until when it may do so, on the monotonic clock.
        refused: a refusal that is to be answered instead of a request.
        reserved: bytes of bodies that this connection may fill.
        watched: the events that the selector watches it for; 0 when it is not registered.
    """

    __slots__ = (
        "_body_start", "_closing", "_received", "_scanned", "_unsent",
        "deadline", "head", "phase", "refused", "request_id", "reserved", "socket", "watched",
    )  # fmt: skip

    def __init__(self, connection: socket.socket) -> None:
        connection.settimeout(0)
        with contextlib.suppress(OSError):  # no TCP: a pair of sockets in a test
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = connection
        self.reserved = self.watched = 0
        self._received = bytearray()
        self._unsent = memoryview(b"")
        self._closing = False
        self.await_request()

    def fileno(self) -> int:
        """The socket's number, by which a selector knows the connection."""
        return self.socket.fileno()

    def await_request(self) -> None:
        """Forget the last request: wait for the first byte of the next one."""
        self.head: Head | None = None
        self.refused: RefusedError | None = None
        self.request_id = ""
        self._body_start = self._scanned = 0
        self.phase = Phase.IDLE
        self.deadline = time.monotonic() + IDLE_TIMEOUT_SECONDS

    def receive(self) -> bool:
        """Take what has arrived; false at the end of input.

        Raises:
            OSError: the connection failed.
        """
        try:
            piece = self.socket.recv(_PIECE_BYTES)
        except BlockingIOError:
            return True
        if self.phase is not Phase.LINGERING:
            self._received += piece
        return bool(piece)

    def read_request(self, check: Callable[[Channel, Head], None]) -> bytes | None:
        """The body of the next request, once all of it is there.

        Args:
            check: called with the head when it is there; it may refuse the request.

        Raises:
            RefusedError: the request gets no answer of the model.
        """
        if self.phase is Phase.IDLE:
            if not self._received:
                return None
            self.phase = Phase.READING
            self.deadline = time.monotonic() + REQUEST_TIMEOUT_SECONDS
        if self.head is None and not self._read_head(check):
            return None
        end = self._body_start + (self.head.length or 0 if self.head else 0)
        if len(self._received) < end:
            return None
        body = bytes(memoryview(self._received)[self._body_start : end])
        del self._received[:end]
        self.phase = Phase.BUSY
        return body

    def _read_head(self, check: Callable[[Channel, Head], None]) -> bool:
        received = self._received
        end = received.find(heads.END, max(0, self._scanned - 3), heads.MAX_HEAD_BYTES)
        if end < 0:
            check_unfinished(received, self._scanned)
            self._scanned = len(received)
            return False
        head = self.head = parse_head(bytes(received[:end]))
        self._body_start = end + len(heads.END)
        check(self, head)
        if "expect" in head.headers and not head.is_old:
            self._expect(head)
        return True

    def _expect(self, head: Head) -> None:
        if head.headers["expect"].lower() != "100-continue":
            raise RefusedError(
                HTTPStatus.EXPECTATION_FAILED, "invalid_request", "expectation failed"
            )
        if len(self._received) - self._body_start < (head.length or 0):
            self.socket.send(_CONTINUE)  # so few bytes fit into an empty buffer

    def write(self, response: Response, *, closing: bool, allow: str = "") -> None:
        """Begin to send an answer.

        Args:
            response: the answer.
            closing: whether the connection ends with it.
            allow: the method that the path takes, for a 405.

        Raises:
            OSError: the connection failed.
        """
        head, body = self.head, response.body
        lines = [
            _STATUS_LINES[response.status],
            f"Date: {_date()}\r\nContent-Length: {len(body)}\r\n",
        ]
        if response.content_type:
            lines.append(f"Content-Type: {response.content_type}\r\n")
        if self.request_id:
            lines.append(f"X-Request-Id: {self.request_id}\r\n")
        if allow:
            lines.append(f"Allow: {allow}\r\n")
        self._closing = closing or head is None or not head.keep_alive
        if self._closing:
            lines.append("Connection: close\r\n")
        elif head is not None and head.is_old:
            lines.append("Connection: keep-alive\r\n")
        lines.append("\r\n")
        if head is not None and head.method == "HEAD":
            body = b""
        self._unsent = memoryview("".join(lines).encode("latin-1") + body)
        self.phase = Phase.WRITING
        self.deadline = time.monotonic() + ANSWER_TIMEOUT_SECONDS
        self.send()

    def send(self) -> None:
        """Send what can be sent now.

        Raises:
            OSError: the connection failed.
        """
        with contextlib.suppress(BlockingIOError):
            self._unsent = self._unsent[self.socket.send(self._unsent) :]

    @property
    def has_unsent(self) -> bool:
        """Whether a part of the answer waits for the client."""
        return bool(self._unsent)

    def finish(self) -> bool:
        """End the exchange whose answer was sent; false when the connection is to be closed."""
        if not self._closing:
            self.await_request()
            return True
        if self.refused is None:
            return False
        self.phase = Phase.LINGERING
        self.deadline = time.monotonic() + _LINGER_SECONDS
        self._received.clear()
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_WR)
            return True
        return False

    def give_up(self) -> None:
        """Drop the answer: the client is gone."""
        self._unsent = memoryview(b"")
        self._closing = True
        self.refused = None

    def close(self) -> None:
        """Close the socket."""
        self.phase = Phase.IDLE
        self.socket.close()


class _Dates:
    """The ``Date`` of answers, made once a second."""

    second = 0
    text = ""


def _date() -> str:
    second = int(time.time())
    if second != _Dates.second:
        _Dates.text = formatdate(second, usegmt=True)
        _Dates.second = second
    return _Dates.text
