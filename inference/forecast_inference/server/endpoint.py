"""One connection to the model server: the HTTP of ``/ping`` and ``/invocations``."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import time
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any, Final, cast

from forecast_inference.handler import Response
from forecast_inference.requests.content import JSON, MAX_BODY_BYTES
from forecast_inference.server.connection import DeadlineReader, linger

if TYPE_CHECKING:
    from forecast_inference.server.serving import ModelServer

_LOG = logging.getLogger(__name__)
_ANSWER_TIMEOUT_SECONDS: Final = 30.0
_METHODS: Final = {"/ping": "GET", "/invocations": "POST"}


class _RefusedError(Exception):
    """A request that is answered without looking at its body."""

    def __init__(self, status: HTTPStatus, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class EndpointHandler(BaseHTTPRequestHandler):
    """Answers the requests of one connection, one after the other."""

    protocol_version = "HTTP/1.1"
    server_version = "forecast"
    sys_version = ""
    disable_nagle_algorithm = True
    _began = 0.0

    def setup(self) -> None:
        """Read through a deadline instead of a timeout per read."""
        super().setup()
        self._input = DeadlineReader(self.connection, lambda: self._model_server.draining)
        self._reader = io.BufferedReader(self._input)
        self.rfile = self._reader

    @property
    def _model_server(self) -> ModelServer:
        return cast("ModelServer", self.server)

    def handle(self) -> None:
        """Answer requests until the client closes, is too slow, or the server stops."""
        try:
            super().handle()
        except (ConnectionError, TimeoutError):
            self.close_connection = True

    def handle_one_request(self) -> None:
        """Wait for one request and answer it."""
        self._input.await_request()
        if not self._reader.peek(1):
            self.close_connection = True
            return
        self._began = time.monotonic()
        super().handle_one_request()

    def handle_expect_100(self) -> bool:
        """Ask for the body only if it will be read."""
        try:
            self._check_request()
        except _RefusedError as refused:
            self._refuse(refused)
            return False
        return super().handle_expect_100()

    def _dispatch(self) -> None:
        try:
            length = self._check_request()
            if self._path() == "/ping":
                self._ping(length)
            else:
                self._invoke(length)
        except _RefusedError as refused:
            self._refuse(refused)

    # The names under which the base class looks up a request's method.
    do_GET = do_POST = do_HEAD = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _dispatch  # noqa: N815 - theirs

    def _path(self) -> str:
        return self.path.partition("?")[0]

    def _check_request(self) -> int:
        """The length of the body of a request that is for one of the two paths."""
        method = _METHODS.get(self._path())
        if method is None:
            raise _RefusedError(
                HTTPStatus.NOT_FOUND, "not_found", "expected the path /ping or /invocations"
            )
        if self.command != method:
            raise _RefusedError(
                HTTPStatus.METHOD_NOT_ALLOWED, "method_not_allowed", f"expected {method}"
            )
        if method == "POST":
            self._check_encoding()
        return self._body_length(required=method == "POST")

    def _check_encoding(self) -> None:
        encodings = self.headers.get_all("Content-Encoding") or ()
        if any(encoding.strip().lower() != "identity" for encoding in encodings):
            raise _RefusedError(
                HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
                "unsupported_content_encoding",
                "unsupported content encoding, send the body as it is",
            )

    def _body_length(self, *, required: bool) -> int:
        lengths = set(self.headers.get_all("Content-Length") or ())
        if self.headers.get("Transfer-Encoding") is not None or (required and not lengths):
            raise _RefusedError(
                HTTPStatus.LENGTH_REQUIRED, "length_required", "expected a Content-Length"
            )
        length = lengths.pop().strip() if lengths else "0"
        if lengths or not (length.isascii() and length.isdigit()):
            raise _RefusedError(
                HTTPStatus.BAD_REQUEST, "invalid_length", "Content-Length is not one whole number"
            )
        # Compared as text first: Python refuses to read numbers of thousands of digits.
        if len(length.lstrip("0")) > len(str(MAX_BODY_BYTES)) or int(length) > MAX_BODY_BYTES:
            raise _RefusedError(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                "payload_too_large",
                f"expected a body of at most {MAX_BODY_BYTES} bytes: send fewer rows",
            )
        return int(length)

    def _ping(self, length: int) -> None:
        if length:
            self.close_connection = True
        ready = self._model_server.predictor is not None and not self._model_server.draining
        self._answer(Response(HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE, b"", ""))

    def _invoke(self, length: int) -> None:
        predictor = self._model_server.predictor
        if predictor is None:
            raise _RefusedError(
                HTTPStatus.SERVICE_UNAVAILABLE, "model_not_ready", "the model is still loading"
            )
        try:
            body = self.rfile.read(length)
        except TimeoutError:
            raise _RefusedError(
                HTTPStatus.REQUEST_TIMEOUT, "request_timeout", "the body took too long to arrive"
            ) from None
        if len(body) < length:
            raise ConnectionError("the client went away within its request")
        self._answer(
            predictor.respond(body, self.headers.get("Content-Type"), self.headers.get("Accept")),
            length,
        )

    def _refuse(self, refused: _RefusedError) -> None:
        """Answer a request whose body stays unread: the connection cannot be used again."""
        self.close_connection = True
        document = {"error": {"code": refused.code, "message": str(refused)}}
        self._answer(Response(refused.status, json.dumps(document).encode(), JSON))
        with contextlib.suppress(OSError):
            linger(self.connection)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer what is no HTTP request at all; the base class would send HTML."""
        del message, explain  # they repeat what the client sent
        status = HTTPStatus(code)
        if status is HTTPStatus.NOT_IMPLEMENTED:
            status = HTTPStatus.METHOD_NOT_ALLOWED
        self._refuse(_RefusedError(status, "invalid_request", status.phrase.lower()))

    def _answer(self, response: Response, received: int = 0) -> None:
        status = HTTPStatus(response.status)
        self.close_connection = self.close_connection or self._model_server.draining
        lines = [
            f"HTTP/1.1 {status.value} {status.phrase}",
            f"Date: {self.date_time_string()}",
            f"Content-Length: {len(response.body)}",
        ]
        if response.content_type:
            lines.append(f"Content-Type: {response.content_type}")
        if status is HTTPStatus.METHOD_NOT_ALLOWED and self._known_path() != "other":
            lines.append(f"Allow: {_METHODS[self._known_path()]}")
        if self.close_connection:
            lines.append("Connection: close")
        head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
        body = b"" if self.command == "HEAD" else response.body
        self.connection.settimeout(_ANSWER_TIMEOUT_SECONDS)
        self.wfile.write(head + body)
        self._log(status, received, len(response.body))

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Drop the base class's own lines: they hold what the client wrote."""

    def _known_path(self) -> str:
        path = self._path() if getattr(self, "path", None) else ""
        return path if path in _METHODS else "other"

    def _log(self, status: HTTPStatus, received: int, sent: int) -> None:
        """One line per request; what the client wrote, a path included, is never part of it."""
        request: dict[str, Any] = {
            "method": self.command if self.command in {"GET", "POST"} else "other",
            "path": self._known_path(),
            "status": status.value,
            "bytes_in": received,
            "bytes_out": sent,
            "duration_ms": round((time.monotonic() - self._began) * 1000, 3),
        }
        _LOG.info("request", extra={"request": request})
