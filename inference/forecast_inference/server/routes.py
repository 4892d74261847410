"""What each path of the model server answers."""

from __future__ import annotations

import itertools
import json
import os
import re
import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from forecast_inference.handler import Response
from forecast_inference.requests.content import JSON
from forecast_inference.server.head import RefusedError
from forecast_inference.server.limits import within_limit
from forecast_inference.telemetry import prometheus
from forecast_inference.telemetry.observation import Observation

if TYPE_CHECKING:
    from collections.abc import Callable

    from forecast_inference.handler import Predictor
    from forecast_inference.server.head import Head
    from forecast_inference.telemetry.recorder import RequestRecorder
    from forecast_inference.telemetry.totals import Totals

INVOCATIONS: Final = "/invocations"
METHODS: Final = {
    "/ping": "GET", INVOCATIONS: "POST",
    "/health": "GET", "/metadata": "GET", "/metrics": "GET",
}  # fmt: skip

_REQUEST_ID: Final = re.compile(r"[0-9A-Za-z._:+/=@-]{1,128}")
_ID_PREFIX: Final = os.urandom(6).hex()
_NUMBERS: Final = itertools.count(1)


class Routes:
    """The answers of a server: predictions, and what is asked about the server itself.

    Args:
        recorder: told of requests for predictions that never reach the predictor.

    Attributes:
        predictor: the model, once it has been loaded and warmed up.
        draining: whether the server stops.
        peers_ready: whether the other workers of the same port are ready too.
        totals: the sums to be shown by ``/metrics``.
        metadata: the document of ``/metadata``, once the model is known.
    """

    def __init__(self, recorder: RequestRecorder) -> None:
        self.predictor: Predictor | None = None
        self.draining = False
        self.peers_ready = True
        self.totals: Callable[[], Totals] = recorder.totals
        self.metadata: bytes | None = None
        self._recorder = recorder
        self._began = time.monotonic()
        self._about = {"/ping": self._ping, "/health": self._health, "/metrics": self._metrics}

    def check(self, head: Head) -> None:
        """Check a request before its body is read.

        Raises:
            RefusedError: the path, the method, the length or the encoding is not one of ours.
        """
        method = METHODS.get(head.path)
        if method is None:
            raise RefusedError(
                HTTPStatus.NOT_FOUND, "not_found", f"expected one of the paths {', '.join(METHODS)}"
            )
        if head.method != method:
            raise RefusedError(
                HTTPStatus.METHOD_NOT_ALLOWED, "method_not_allowed", f"expected {method}", method
            )
        if head.path == INVOCATIONS:
            self._check_invocation(head)

    def _check_invocation(self, head: Head) -> None:
        if head.length is None:
            raise RefusedError(
                HTTPStatus.LENGTH_REQUIRED, "length_required", "expected a Content-Length"
            )
        if _encoding(head) not in {None, "gzip"}:
            raise RefusedError(
                HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
                "unsupported_content_encoding",
                "unsupported content encoding, send gzip or the body as it is",
            )
        if self.predictor is None:
            raise RefusedError(
                HTTPStatus.SERVICE_UNAVAILABLE, "model_not_ready", "the model is still loading"
            )

    def invoke(self, head: Head, body: bytes, request_id: str) -> Response:
        """Predict."""
        headers = head.headers
        predictor = self.predictor
        assert predictor is not None  # noqa: S101 - checked before the body was read
        return within_limit(
            predictor.respond(
                body,
                headers.get("content-type"),
                headers.get("accept"),
                encoding=_encoding(head),
                request_id=request_id,
            )
        )

    def about(self, path: str) -> Response:
        """Answer a question about the server itself."""
        return self._about.get(path, self._metadata)()

    def refused(self, refused: RefusedError, request_id: str, *, invocation: bool) -> Response:
        """The answer to a request that was refused, which is recorded if it was to predict."""
        if invocation:
            self._recorder.record(
                Observation(refused.status.value, refused.code, request_id=request_id)
            )
        return Response(refused.status, error_body(refused.code, str(refused)), JSON)

    @property
    def ready(self) -> bool:
        """Whether requests are answered here, and by the other workers."""
        return self.predictor is not None and self.peers_ready and not self.draining

    def _ping(self) -> Response:
        return Response(self._status(), b"", "")

    def _status(self) -> HTTPStatus:
        return HTTPStatus.OK if self.ready else HTTPStatus.SERVICE_UNAVAILABLE

    def _health(self) -> Response:
        state = "draining" if self.draining else "ready" if self.ready else "loading"
        info = self.predictor and self.predictor.info
        document: dict[str, Any] = {
            "state": state,
            "model": info and {"name": info.name, "version": info.version},
            "uptime_seconds": round(time.monotonic() - self._began, 3),
        }
        return Response(self._status(), json.dumps(document).encode(), JSON)

    def _metadata(self) -> Response:
        if self.metadata is None:
            body = error_body("model_not_ready", "the model is still loading")
            return Response(HTTPStatus.SERVICE_UNAVAILABLE, body, JSON)
        return Response(HTTPStatus.OK, self.metadata, JSON)

    def _metrics(self) -> Response:
        info = self.predictor and self.predictor.info
        name, version = (info.name, info.version) if info else ("", "")
        body = prometheus.exposition(self.totals(), name, version)
        return Response(HTTPStatus.OK, body, prometheus.CONTENT_TYPE)


def _encoding(head: Head) -> str | None:
    encoding = head.headers.get("content-encoding", "").lower()
    return None if encoding in {"", "identity"} else encoding


def request_id_of(headers: dict[str, str]) -> str:
    """The caller's id of a request when it is one, else a new one."""
    for name in ("x-amzn-requestid", "x-request-id"):
        given = headers.get(name)
        if given is not None and _REQUEST_ID.fullmatch(given):
            return given
    return f"{_ID_PREFIX}-{next(_NUMBERS):x}"


def error_body(code: str, message: str) -> bytes:
    """The body of an error that no row and no feature is to blame for."""
    return json.dumps({"error": {"code": code, "message": message}}).encode()
