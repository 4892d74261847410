"""The head of an HTTP request, read strictly: what readers could disagree on is refused.

Only what the container contract needs is taken: HTTP/1.0 and 1.1 (RFC 9112), lines ended by CRLF,
bodies with one ``Content-Length``. Bare line feeds, folded lines, spaces around a header's name,
repeated framing headers and ``Transfer-Encoding`` are how requests are smuggled past a proxy.
"""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Final, NamedTuple

from forecast_inference.requests.content import MAX_BODY_BYTES

END: Final = b"\r\n\r\n"
MAX_HEAD_BYTES: Final = 32_768
MAX_LINE_BYTES: Final = 8_192
MAX_HEADERS: Final = 100

_REQUEST_LINE: Final = re.compile(rb"([A-Za-z]{1,16}) (/[!-~]*) HTTP/1\.([01])")
_OTHER_VERSION: Final = re.compile(rb"[A-Za-z]{1,16} [!-~]+ HTTP/(?!1\.[01])[0-9]\.[0-9]")
_HEADERS: Final = re.compile(rb"(?:\r\n[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t\x20-\x7e\x80-\xff]*)*")
_BARE_LINE_FEED: Final = re.compile(rb"(?<!\r)\n")
_ONCE: Final = frozenset({"content-length", "content-type", "expect", "host", "transfer-encoding"})


class RefusedError(Exception):
    """A request that is answered without looking at its body.

    Args:
        status: of the answer.
        code: the machine-readable reason.
        message: one sentence for the client, which repeats nothing of what it sent.
        allow: the method that the path takes, for a 405.
    """

    def __init__(self, status: HTTPStatus, code: str, message: str, allow: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.allow = allow


class Head(NamedTuple):
    """A request without its body.

    Attributes:
        method: as sent.
        path: the target without its query.
        headers: values by name in lower case.
        length: bytes of the body; none when the client did not say.
        keep_alive: whether the connection is to be used again.
        is_old: whether it is HTTP/1.0.
    """

    method: str
    path: str
    headers: dict[str, str]
    length: int | None
    keep_alive: bool
    is_old: bool


def parse_head(head: bytes) -> Head:
    """Read a head, given without the empty line that ends it.

    Raises:
        RefusedError: it is no head that every HTTP reader reads alike, or beyond the limits.
    """
    line_end = head.find(b"\r\n")
    if line_end < 0:
        line_end = len(head)
    if line_end > MAX_LINE_BYTES:
        raise _invalid(HTTPStatus.REQUEST_URI_TOO_LONG)
    line = _REQUEST_LINE.fullmatch(head, 0, line_end)
    if line is None:
        if _OTHER_VERSION.fullmatch(head, 0, line_end):
            raise _invalid(HTTPStatus.HTTP_VERSION_NOT_SUPPORTED)
        raise _invalid(HTTPStatus.BAD_REQUEST)
    if not _HEADERS.fullmatch(head, line_end):
        raise _invalid(HTTPStatus.BAD_REQUEST)
    headers = _read_headers(head[line_end + 2 :].decode("latin-1"))
    method, target, minor = line.groups()
    options = headers.get("connection", "").lower()
    is_old = minor == b"0"
    return Head(
        method.decode(),
        target.partition(b"?")[0].decode(),
        headers,
        body_length(headers),
        "keep-alive" in options if is_old else "close" not in options,
        is_old,
    )


def check_unfinished(received: bytearray, start: int) -> None:
    """Refuse what cannot become a head any more, instead of waiting for the rest of it.

    Args:
        received: what there is of it.
        start: from where on it is new.

    Raises:
        RefusedError: it is too long already, or has a line that does not end in CRLF.
    """
    if len(received) > MAX_HEAD_BYTES:
        raise _invalid(
            HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
            if b"\r\n" in received[:MAX_LINE_BYTES]
            else HTTPStatus.REQUEST_URI_TOO_LONG
        )
    if _BARE_LINE_FEED.search(received, start):
        raise _invalid(HTTPStatus.BAD_REQUEST)


def _invalid(status: HTTPStatus) -> RefusedError:
    return RefusedError(status, "invalid_request", status.phrase.lower())


def _read_headers(text: str) -> dict[str, str]:
    headers: dict[str, str] = {}
    lines = text.split("\r\n") if text else []
    if len(lines) > MAX_HEADERS:
        raise _invalid(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
    for line in lines:
        name, _, value = line.partition(":")
        name = name.lower()
        value = value.strip(" \t")
        if name not in headers:
            headers[name] = value
        elif name == "content-length":
            raise _invalid_length()
        elif name in _ONCE:
            raise _invalid(HTTPStatus.BAD_REQUEST)
        else:
            headers[name] += f", {value}"
    return headers


def body_length(headers: dict[str, str]) -> int | None:
    """The length that a request announces; none when it announces none.

    Raises:
        RefusedError: it is no length, too large, or the body comes in chunks.
    """
    if "transfer-encoding" in headers:
        raise RefusedError(
            HTTPStatus.LENGTH_REQUIRED, "length_required", "expected a Content-Length"
        )
    text = headers.get("content-length")
    if text is None:
        return None
    if not (text.isascii() and text.isdigit()):
        raise _invalid_length()
    # Compared as text first: Python refuses to read numbers of thousands of digits.
    if len(text.lstrip("0")) > len(str(MAX_BODY_BYTES)) or int(text) > MAX_BODY_BYTES:
        raise RefusedError(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            "payload_too_large",
            f"expected a body of at most {MAX_BODY_BYTES} bytes: send fewer rows",
        )
    return int(text)


def _invalid_length() -> RefusedError:
    return RefusedError(
        HTTPStatus.BAD_REQUEST, "invalid_length", "Content-Length is not one whole number"
    )
