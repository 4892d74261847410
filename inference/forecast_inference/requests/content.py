"""What a request may be: its media type, its encoding and its size."""

from __future__ import annotations

import zlib
from functools import lru_cache
from typing import Final, NamedTuple

from forecast_inference.errors import (
    PayloadTooLargeError,
    RequestError,
    UnsupportedMediaTypeError,
)

MAX_BODY_BYTES: Final = 6_291_456
"""Largest request body: "Maximum length of 6291456", InvokeEndpoint in the Amazon SageMaker API
Reference (https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html).
A compressed body has the same limit once it is decompressed.
"""

MAX_ROWS: Final = 10_000
"""Most rows in one request. The answer has the same limit in bytes as the request (same page): this
many rows leave each of them more than 600 bytes of answer."""

JSON: Final = "application/json"
JSON_LINES: Final = "application/jsonlines"
CSV: Final = "text/csv"
GZIP: Final = "application/gzip"
MEDIA_TYPES: Final = {
    JSON: JSON,
    JSON_LINES: JSON_LINES,
    "application/x-ndjson": JSON_LINES,
    "application/jsonl": JSON_LINES,
    CSV: CSV,
}
"""The formats by every name that requests and answers may give them."""

_GZIP_ENCODINGS: Final = frozenset({"gzip", "x-gzip"})
_GZIP_FORMAT: Final = 16 + zlib.MAX_WBITS
_REPLACEMENT_CHARACTER: Final = "\N{REPLACEMENT CHARACTER}"
_BYTE_ORDER_MARK: Final = "\N{ZERO WIDTH NO-BREAK SPACE}"
_TYPES_KEPT: Final = 64


class Content(NamedTuple):
    """What the headers say of a body: its media type, and whether it is compressed."""

    media: str
    compressed: bool


PLAIN_JSON: Final = Content(JSON, compressed=False)


@lru_cache(_TYPES_KEPT)
def content_of(content_type: str | None, encoding: str | None = None) -> Content:
    """What the Content-Type and the Content-Encoding of a request say.

    A request without a content type is read as JSON, as AWS's own serving stacks do. The type
    ``application/gzip`` stands for a compressed body where a serving stack hands over no
    encoding; its parameter ``content`` names the type within, JSON by default.

    Raises:
        UnsupportedMediaTypeError: any other type or encoding, or a charset other than UTF-8.
    """
    name, parameters = _parse(content_type or JSON)
    compressed = _is_compressed(encoding)
    if name == GZIP:
        compressed = True
        name, inner = _parse(parameters.get("content", JSON))
        parameters.update(inner)
    media = MEDIA_TYPES.get(name)
    if media is None:
        raise UnsupportedMediaTypeError(
            f"unsupported content type, send {JSON}, {JSON_LINES} or {CSV}",
            code="unsupported_content_type",
        )
    if parameters.get("charset", "utf-8").lower() not in {"utf-8", "utf8"}:
        raise UnsupportedMediaTypeError(
            "unsupported charset, send UTF-8", code="unsupported_charset"
        )
    return Content(media, compressed)


def _parse(content_type: str) -> tuple[str, dict[str, str]]:
    name, *entries = content_type.split(";")
    pairs = (entry.partition("=") for entry in entries)
    parameters = {key.strip().lower(): value.strip().strip('"') for key, _, value in pairs}
    return name.strip().lower(), parameters


def _is_compressed(encoding: str | None) -> bool:
    name = (encoding or "identity").strip().lower()
    if name in _GZIP_ENCODINGS:
        return True
    if name != "identity":
        raise UnsupportedMediaTypeError(
            "unsupported content encoding, send gzip or none", code="unsupported_encoding"
        )
    return False


def check_size(body: bytes | str) -> None:
    """Check that the body is as large as an endpoint takes it.

    Raises:
        PayloadTooLargeError: more than ``MAX_BODY_BYTES`` bytes.
    """
    size = len(body)
    if isinstance(body, str) and not body.isascii():
        size = len(body.encode("utf-8", "surrogatepass"))
    if size > MAX_BODY_BYTES:
        raise PayloadTooLargeError(
            f"body of {size} bytes, expected at most {MAX_BODY_BYTES}: send fewer rows",
            code="payload_too_large",
        )


def decompressed(body: bytes | str) -> bytes:
    """The content of a gzip body; no more is decompressed than an endpoint takes.

    Raises:
        PayloadTooLargeError: more than ``MAX_BODY_BYTES`` bytes come out.
        RequestError: the body is no gzip stream, is cut off, or goes on after its end.
    """
    stream = zlib.decompressobj(_GZIP_FORMAT)
    if isinstance(body, str):
        raise _not_gzip()
    try:
        content = stream.decompress(body, MAX_BODY_BYTES + 1)
    except zlib.error:
        raise _not_gzip() from None
    if len(content) > MAX_BODY_BYTES:
        raise PayloadTooLargeError(
            f"more than {MAX_BODY_BYTES} bytes once decompressed: send fewer rows",
            code="payload_too_large",
        )
    # One member only: going from one to the next copies what is left, for each of very many.
    if not stream.eof or stream.unused_data:
        raise _not_gzip()
    return content


def _not_gzip() -> RequestError:
    return RequestError("the body is not one complete gzip stream", code="invalid_gzip")


def text_of(body: bytes | str) -> str:
    """The body as text, without the byte order mark that some programs put before UTF-8.

    AWS's serving stacks decode JSON and CSV bodies themselves, with replacement characters for what
    is not UTF-8: such text is refused like the bytes it came from.

    Raises:
        RequestError: the body is empty or not UTF-8.
    """
    text = _decoded(body).removeprefix(_BYTE_ORDER_MARK)
    if not text:
        raise RequestError("the body is empty, expected instances", code="empty_body")
    return text


def _decoded(body: bytes | str) -> str:
    if isinstance(body, str):
        if _REPLACEMENT_CHARACTER in body:
            raise _not_utf8()
        return body
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        raise _not_utf8() from None


def _not_utf8() -> RequestError:
    return RequestError("the body is not UTF-8", code="invalid_encoding")
