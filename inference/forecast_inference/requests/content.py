"""What a request may be: its media type, its encoding and its size."""

from __future__ import annotations

from typing import Final

from forecast_inference.errors import (
    PayloadTooLargeError,
    RequestError,
    UnsupportedMediaTypeError,
)

MAX_BODY_BYTES: Final = 6_291_456
"""Largest request body: "Maximum length of 6291456", InvokeEndpoint in the Amazon SageMaker API
Reference (https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html).
"""

MAX_ROWS: Final = 10_000
"""Most rows in one request. The answer has the same limit in bytes as the request (same page): this
many rows leave each of them more than 600 bytes of answer."""

JSON: Final = "application/json"
CSV: Final = "text/csv"
_REPLACEMENT_CHARACTER: Final = "\N{REPLACEMENT CHARACTER}"
_BYTE_ORDER_MARK: Final = "\N{ZERO WIDTH NO-BREAK SPACE}"


def media_type(content_type: str | None) -> str:
    """The request's media type, ``application/json`` or ``text/csv``.

    A request without a content type is read as JSON, as AWS's own serving stacks do.

    Raises:
        UnsupportedMediaTypeError: any other type, or a charset other than UTF-8.
    """
    if not content_type or content_type == JSON:
        return JSON
    name, _, parameters = content_type.partition(";")
    name = name.strip().lower()
    if name not in {JSON, CSV}:
        raise UnsupportedMediaTypeError(
            f"unsupported content type, send {JSON} or {CSV}", code="unsupported_content_type"
        )
    for parameter in parameters.split(";"):
        key, _, value = parameter.partition("=")
        if key.strip().lower() == "charset" and _charset(value) not in {"utf-8", "utf8"}:
            raise UnsupportedMediaTypeError(
                "unsupported charset, send UTF-8", code="unsupported_charset"
            )
    return name


def _charset(value: str) -> str:
    return value.strip().strip('"').lower()


def text_of(body: bytes | str) -> str:
    """The body as text, without the byte order mark that some programs put before UTF-8.

    AWS's serving stacks decode JSON and CSV bodies themselves, with replacement characters for what
    is not UTF-8: such text is refused like the bytes it came from.

    Raises:
        PayloadTooLargeError: more than ``MAX_BODY_BYTES`` bytes.
        RequestError: the body is empty or not UTF-8.
    """
    if isinstance(body, bytes) or body.isascii():
        size = len(body)
    else:
        size = len(body.encode("utf-8", "surrogatepass"))
    if size > MAX_BODY_BYTES:
        raise PayloadTooLargeError(
            f"body of {size} bytes, expected at most {MAX_BODY_BYTES}: send fewer rows",
            code="payload_too_large",
        )
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
