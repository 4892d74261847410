"""The errors of the runtime: one base that carries what a client may be told."""

from __future__ import annotations

import json
from typing import Any


class ArtifactError(Exception):
    """A model archive that cannot be served: damaged, incomplete or contradicting itself."""


class InferenceError(Exception):
    """A request that gets no prediction.

    Args:
        message: one sentence for the client; it never holds a value of the payload.
        code: the machine-readable reason, such as ``missing_feature``.
        row: zero-based index into the instances, when one row is to blame.
        feature: name of the feature, or an unexpected key that looks like one, when it is to
            blame.
    """

    status = 500

    def __init__(
        self, message: str, *, code: str, row: int | None = None, feature: str | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.row = row
        self.feature = feature

    def document(self) -> dict[str, Any]:
        """The JSON document that tells the client: code, message, and row and feature if known."""
        error: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.row is not None:
            error["row"] = self.row
        if self.feature is not None:
            error["feature"] = self.feature
        return {"error": error}

    def body(self) -> bytes:
        """The document as UTF-8 JSON."""
        return json.dumps(self.document()).encode()


class RequestError(InferenceError):
    """A request whose body or values are wrong (400)."""

    status = 400


class PayloadTooLargeError(InferenceError):
    """A request with more bytes or rows than the endpoint takes (413)."""

    status = 413


class UnsupportedMediaTypeError(InferenceError):
    """A request in a content type that the endpoint does not read (415)."""

    status = 415


class PredictionError(InferenceError):
    """A model that failed on a valid request (500)."""

    status = 500
