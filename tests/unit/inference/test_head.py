"""Heads of requests: read as every reader would, or refused; the WSGI application asks the same."""

from __future__ import annotations

import atexit
import gzip
import importlib
import io
import json
import sys
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast_inference.server.head import (
    MAX_HEAD_BYTES,
    Head,
    RefusedError,
    check_unfinished,
    parse_head,
)

if TYPE_CHECKING:
    from pathlib import Path

PIECES = [
    b"GET", b"POST", b" ", b"/ping", b"/invocations?x=1", b" HTTP/1.1", b" HTTP/1.0", b"\r\n",
    b"\n", b"\r", b"Content-Length", b"content-length", b"Transfer-Encoding", b"Host", b":", b": ",
    b"\t", b"0", b"17", b"-1", b"+1", b"chunked", b"\x00", b"\xff",
    b"Connection: close", b"A" * 300,
]  # fmt: skip


@given(st.lists(st.sampled_from(PIECES), max_size=25).map(b"".join) | st.binary(max_size=200))
def test_whatever_arrives_is_a_head_or_refused(data: bytes) -> None:
    try:
        head = parse_head(data)
    except RefusedError as error:
        refused = error
    else:
        check_head(data, head)
        return
    assert 400 <= refused.status < 600
    assert refused.code in {
        "invalid_request", "invalid_length", "length_required", "payload_too_large"
    }  # fmt: skip


def check_head(data: bytes, head: Head) -> None:
    """The head says what the lines say."""
    lines = data.split(b"\r\n")
    # No line was read as more than one, nor two as one.
    assert not any(b"\n" in line or b"\r" in line for line in lines)
    assert lines[0].split(b" ")[0].decode() == head.method
    assert head.path.startswith("/")
    assert "?" not in head.path
    assert {line.partition(b":")[0].decode().lower() for line in lines[1:]} == set(head.headers)
    assert "transfer-encoding" not in head.headers
    stated = [line for line in lines[1:] if line.lower().startswith(b"content-length:")]
    assert len(stated) == (head.length is not None)


@given(st.binary(max_size=100))
def test_what_is_unfinished_is_waited_for_or_refused(data: bytes) -> None:
    received = bytearray(data)
    bare = b"\n" in data.replace(b"\r\n", b"")
    try:
        check_unfinished(received, 0)
    except RefusedError:
        assert bare
    else:
        assert not bare


def test_a_line_feed_is_seen_across_two_arrivals() -> None:
    check_unfinished(bytearray(b"GET / HTTP/1.1\r\n"), 15)  # its \r came before
    with pytest.raises(RefusedError):
        check_unfinished(bytearray(b"GET / HTTP/1.1\n"), 14)
    with pytest.raises(RefusedError):
        check_unfinished(bytearray(b"x" * (MAX_HEAD_BYTES + 1)), MAX_HEAD_BYTES)


@pytest.fixture
def application(market_archive: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The WSGI application, imported as the image's gunicorn does."""
    (tmp_path / "model").symlink_to(market_archive.path)
    monkeypatch.setenv("SAGEMAKER_BASE_DIR", str(tmp_path))
    monkeypatch.setenv("FORECAST_REQUEST_LOG", "none")
    sys.modules.pop("forecast_inference.server.wsgi", None)
    at_exit: list[Any] = []
    monkeypatch.setattr(atexit, "register", at_exit.append)
    yield importlib.import_module("forecast_inference.server.wsgi").application
    for stop in at_exit:
        stop()


def ask(application: Any, method: str, path: str, body: bytes = b"", **more: str) -> Any:
    answered: list[Any] = []
    environ = {
        "REQUEST_METHOD": method, "PATH_INFO": path, "wsgi.input": io.BytesIO(body),
        **({"CONTENT_LENGTH": str(len(body))} if method == "POST" else {}), **more,
    }  # fmt: skip
    answer = b"".join(application(environ, lambda *args: answered.extend(args)))
    return answered[0], dict(answered[1]), answer


def test_wsgi_answers_as_the_server_does(application: Any, row: dict[str, Any]) -> None:
    body = json.dumps({"instances": [row]}).encode()
    status, headers, answer = ask(
        application, "POST", "/invocations", body, HTTP_X_AMZN_REQUESTID="an-id"
    )
    assert (status, headers["X-Request-Id"]) == ("200 OK", "an-id")
    assert headers["Content-Length"] == str(len(answer))
    assert len(json.loads(answer)["predictions"]) == 1
    packed = gzip.compress(body)
    status, _, _ = ask(application, "POST", "/invocations", packed, HTTP_CONTENT_ENCODING="gzip")
    assert status == "200 OK"
    assert ask(application, "GET", "/ping")[0] == "200 OK"
    assert json.loads(ask(application, "GET", "/metadata")[2])["model"]["name"] == "produce"
    metrics = ask(application, "GET", "/metrics")[2]
    assert b'forecast_requests_total{status="200",code="ok"} 2' in metrics


@pytest.mark.parametrize(
    ("method", "path", "more", "refusal"),
    [
        ("GET", "/", {}, ("404 Not Found", "not_found")),
        ("GET", "/invocations", {}, ("405 Method Not Allowed", "method_not_allowed")),
        (
            "POST", "/invocations", {"CONTENT_LENGTH": ""},
            ("411 Length Required", "length_required"),
        ),
        (
            "POST", "/invocations", {"HTTP_TRANSFER_ENCODING": "chunked"},
            ("411 Length Required", "length_required"),
        ),
        ("POST", "/invocations", {"CONTENT_LENGTH": "9"}, ("400 Bad Request", "incomplete_body")),
        (
            "POST", "/invocations", {"CONTENT_LENGTH": "6291457"},
            ("413 Request Entity Too Large", "payload_too_large"),
        ),
        (
            "POST", "/invocations", {"HTTP_CONTENT_ENCODING": "br"},
            ("415 Unsupported Media Type", "unsupported_content_encoding"),
        ),
    ],
)  # fmt: skip
def test_wsgi_refuses_as_the_server_does(
    application: Any, method: str, path: str, more: dict[str, str], refusal: tuple[str, str]
) -> None:
    status, code = refusal
    found, headers, answer = ask(application, method, path, b"{}", **more)
    assert (found, json.loads(answer)["error"]["code"]) == (status, code)
    assert headers.get("Allow") == ("POST" if status.startswith("405") else None)
