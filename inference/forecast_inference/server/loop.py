"""The connections of a server: read, answered and watched over by whichever thread leads."""

from __future__ import annotations

import contextlib
import logging
import os
import selectors
import socket
import threading
import time
from collections import deque
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from forecast_inference.handler import Response
from forecast_inference.requests.content import JSON
from forecast_inference.server.channel import Channel, Phase
from forecast_inference.server.head import RefusedError
from forecast_inference.server.leadership import HELD_UP_SECONDS, LeadEndedError, Leadership
from forecast_inference.server.limits import INVOCATION_TIMEOUT_SECONDS
from forecast_inference.server.routes import INVOCATIONS, Routes, error_body, request_id_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from forecast_inference.server.head import Head

MAX_CONNECTIONS: Final = 256
MAX_RESERVED_BYTES: Final = 128 * 1024 * 1024
"""Bytes of bodies that may be under way at once; above it, requests are refused as busy."""

SMALL_BODY_BYTES: Final = 8_192
"""Up to here a prediction commonly takes less than handing the lead over."""

_CHECK_SECONDS: Final = 0.25
_NOT_READING: Final = (Phase.BUSY, Phase.WRITING)
_LOG = logging.getLogger(__name__)


class Loop:
    """Answers the requests of all connections of a process.

    Args:
        routes: what each path answers.
        predicting: how many requests may be predicted at once; one per processor by default.
        on_close: called after each connection's end.
    """

    def __init__(
        self,
        routes: Routes,
        predicting: int | None = None,
        on_close: Callable[[], object] = lambda: None,
    ) -> None:
        self._routes = routes
        self._on_close = on_close
        self._predicting = predicting or max(2, os.cpu_count() or 1)
        self._leadership: Leadership[tuple[Channel, bytes]] = Leadership()
        self._selector = selectors.DefaultSelector()
        self._sources: list[socket.socket] = []
        self._channels: set[Channel] = set()
        self._reserved = 0
        self._answered: deque[Channel] = deque()
        """Connections that another thread has answered, and the leader goes on with."""
        self._handing = threading.Lock()
        """Guards the moment in which a busy connection is either answered or given up."""
        self._draining = False
        self._emptied = threading.Event()
        self._waker, self._woken = socket.socketpair()
        self._waker.settimeout(0)
        self._woken.settimeout(0)
        self._selector.register(self._woken, selectors.EVENT_READ, lambda: self._woken.recv(4096))

    def listen(self, source: socket.socket, action: Callable[[], object]) -> None:
        """Call ``action`` in the leader whenever ``source`` can be read, until the loop stops."""
        source.settimeout(0)
        self._sources.append(source)
        self._selector.register(source, selectors.EVENT_READ, action)

    def adopt(self, connection: socket.socket) -> None:
        """Serve a connection, or turn it away when there are too many."""
        channel = Channel(connection)
        if len(self._channels) < MAX_CONNECTIONS:
            self._channels.add(channel)
            self._watch(channel, selectors.EVENT_READ)
            return
        body = error_body("too_many_connections", f"expected at most {MAX_CONNECTIONS} connections")
        with connection, contextlib.suppress(OSError):
            channel.write(Response(HTTPStatus.SERVICE_UNAVAILABLE, body, JSON), closing=True)

    def run(self) -> None:
        """Serve until `stop`; the calling thread is one of those that serve."""
        threads = [
            threading.Thread(target=self._serve, name="serving", daemon=True)
            for _ in range(self._predicting)
        ]
        for thread in threads:
            thread.start()
        self._serve()
        for thread in threads:
            thread.join(2 * HELD_UP_SECONDS)  # one that still predicts ends with the process
        for channel in tuple(self._channels):
            self._close(channel)
        self._selector.close()
        self._waker.close()
        self._woken.close()

    def stop(self, seconds: float) -> bool:
        """Finish the running requests, close the connections, end; true when all have finished.

        Connections without a request are closed at once.
        """
        self._draining = True
        self._wake()
        finished = self._emptied.wait(seconds)
        self._leadership.stopped = True
        self._wake()
        return finished

    def _wake(self) -> None:
        with contextlib.suppress(OSError):  # full: it wakes up anyway
            self._waker.send(b".")

    def _serve(self) -> None:
        """The life of a thread: stand by, lead, predict what waits."""
        leadership = self._leadership
        while not leadership.stopped:
            term = leadership.take()
            if term:
                self._hold_lead(term)
            while not leadership.stopped and (task := leadership.next_task()) is not None:
                if task[0].phase is Phase.BUSY:  # it has not waited too long
                    self._hand_back(task[0], self._predict(*task))

    def _hold_lead(self, term: int) -> None:
        try:
            self._lead(term)
        except LeadEndedError:
            return
        except Exception:  # noqa: BLE001 - a lead that nobody can take would end the server
            _LOG.exception("the server failed, and goes on")
        self._leadership.give_up()

    def _lead(self, term: int) -> None:
        next_check = 0.0
        while not self._leadership.stopped:
            while self._answered:
                self._resume(self._answered.popleft(), term)
            now = time.monotonic()
            if now >= next_check or self._draining:
                self._check_deadlines(now)
                next_check = now + _CHECK_SECONDS
            for key, events in self._selector.select(_CHECK_SECONDS):
                if isinstance(key.data, Channel):
                    self._advance(key.data, events, term)
                else:
                    key.data()

    def _advance(self, channel: Channel, events: int, term: int) -> None:
        """Read or write what can be."""
        if channel.phase in _NOT_READING and not events & selectors.EVENT_WRITE:
            # Its next request, or its end: it is watched again once it has its answer.
            self._watch(channel, 0)
            return
        try:
            if events & selectors.EVENT_WRITE:
                channel.send()
                self._resume(channel, term)
            elif not channel.receive():
                self._end(channel)
            elif channel.phase is not Phase.LINGERING:
                self._answer_all(channel, term)
        except LeadEndedError:
            raise
        except Exception as problem:  # noqa: BLE001 - one connection must not end the server
            if not isinstance(problem, OSError):
                _LOG.error("a connection failed", exc_info=problem)
            self._close(channel)

    def _end(self, channel: Channel) -> None:
        """Answer a client that has sent all it will, when that is less than it announced."""
        if channel.phase is Phase.READING and channel.head is not None:
            message = "the body is shorter than announced"
            self._refuse(channel, RefusedError(HTTPStatus.BAD_REQUEST, "incomplete_body", message))
        else:
            self._close(channel)

    def _resume(self, channel: Channel, term: int) -> None:
        """Go on with a connection of which an answer was written, as far as it could be."""
        try:
            if self._complete(channel):
                self._answer_all(channel, term)
        except OSError:
            self._close(channel)

    def _complete(self, channel: Channel) -> bool:
        """Whether an answer is out and the connection takes another request."""
        if channel not in self._channels:
            return False
        if channel.has_unsent:
            self._watch(channel, selectors.EVENT_WRITE)
            return False
        self._release(channel)
        if not channel.finish():
            self._close(channel)
            return False
        self._watch(channel, selectors.EVENT_READ)
        return channel.phase is Phase.IDLE

    def _answer_all(self, channel: Channel, term: int) -> None:
        """Answer the requests that have arrived, one after the other."""
        try:
            while (body := channel.read_request(self._check)) is not None:
                if not self._answer(channel, body, term) or not self._complete(channel):
                    return
        except RefusedError as refused:
            self._refuse(channel, refused)

    def _answer(self, channel: Channel, body: bytes, term: int) -> bool:
        """Whether the request is answered; else its turn comes later.

        Raises:
            LeadEndedError: this thread does not lead any more.
        """
        head = channel.head
        if head is not None and head.path != INVOCATIONS:
            channel.write(self._routes.about(head.path), closing=self._draining)
            return True
        channel.deadline = time.monotonic() + INVOCATION_TIMEOUT_SECONDS
        if not self._leadership.begin((channel, body), alone=len(body) > SMALL_BODY_BYTES):
            return False
        response = self._predict(channel, body)
        if not self._leadership.end(term):
            self._hand_back(channel, response)
            raise LeadEndedError
        channel.write(response, closing=self._draining)
        return True

    def _check(self, channel: Channel, head: Head) -> None:
        channel.request_id = request_id_of(head.headers)
        self._routes.check(head)
        length = head.length or 0
        if self._reserved + length > MAX_RESERVED_BYTES:
            raise RefusedError(
                HTTPStatus.SERVICE_UNAVAILABLE, "server_busy", "too many requests are under way"
            )
        channel.reserved = length
        self._reserved += length

    def _release(self, channel: Channel) -> None:
        self._reserved -= channel.reserved
        channel.reserved = 0

    def _predict(self, channel: Channel, body: bytes) -> Response:
        assert channel.head is not None  # noqa: S101 - a body has a head
        try:
            return self._routes.invoke(channel.head, body, channel.request_id)
        except Exception:  # noqa: BLE001 - the predictor raises nothing; a thread must not end if it does
            _LOG.exception("the request failed")
            return Response(500, error_body("internal_error", "the request failed"), JSON)

    def _hand_back(self, channel: Channel, response: Response) -> None:
        """Write an answer without having the lead, and let the leader go on with the rest."""
        with self._handing:
            if channel.phase is not Phase.BUSY:
                return  # it took too long, and was given up
            try:
                channel.write(response, closing=self._draining)
            except OSError:
                channel.give_up()
        self._answered.append(channel)
        self._wake()

    def _refuse(self, channel: Channel, refused: RefusedError) -> None:
        """Answer a request whose body stays unread: the connection cannot be used again."""
        head = channel.head
        invocation = head is None or head.path == INVOCATIONS
        response = self._routes.refused(refused, channel.request_id, invocation=invocation)
        channel.refused = refused
        with self._handing:
            if channel.phase is Phase.WRITING:
                return  # the answer has come at the last moment
            try:
                channel.write(response, closing=True, allow=refused.allow)
            except OSError:
                channel.give_up()
        self._complete(channel)

    def _check_deadlines(self, now: float) -> None:
        if self._draining:
            while self._sources:
                self._selector.unregister(self._sources.pop())
        for channel in tuple(self._channels):
            if channel.deadline < now:
                self._time_out(channel)
            elif self._draining and channel.phase is Phase.IDLE:
                self._close(channel)
        if self._draining and not self._channels:
            self._emptied.set()

    def _time_out(self, channel: Channel) -> None:
        """End what takes too long; a request gets an answer that says so."""
        if channel.phase is Phase.READING and channel.head is not None:
            message = "the body took too long to arrive"
            self._refuse(
                channel, RefusedError(HTTPStatus.REQUEST_TIMEOUT, "request_timeout", message)
            )
        elif channel.phase is Phase.BUSY:
            message = (
                f"the prediction took more than {INVOCATION_TIMEOUT_SECONDS:g} s: "
                "send fewer rows or a shorter horizon"
            )
            self._refuse(
                channel, RefusedError(HTTPStatus.GATEWAY_TIMEOUT, "invocation_timeout", message)
            )
        else:
            self._close(channel)

    def _watch(self, channel: Channel, events: int) -> None:
        if events == channel.watched:
            return
        if not events:
            self._selector.unregister(channel)
        elif not channel.watched:
            self._selector.register(channel, events, channel)
        else:
            self._selector.modify(channel, events, channel)
        channel.watched = events

    def _close(self, channel: Channel) -> None:
        if channel in self._channels:
            self._channels.discard(channel)
            self._watch(channel, 0)
            self._release(channel)
            channel.close()
            self._on_close()
