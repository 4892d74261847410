"""The model server keeps the container contract, with slow and broken clients too."""

from __future__ import annotations

import gzip
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

import forecast_inference
from forecast_inference.handler import Predictor, Response
from forecast_inference.requests.content import MAX_BODY_BYTES
from forecast_inference.server import __main__ as command
from forecast_inference.server import channel, leadership, loop, serving
from forecast_inference.server.serving import ModelServer
from forecast_inference.telemetry.recorder import LOG_NONE, RequestRecorder

if TYPE_CHECKING:
    from collections.abc import Iterator

HALF_A_REQUEST = b"POST /invocations HTTP/1.1\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n{"
SOURCES = str(Path(forecast_inference.__file__).parents[1])


@contextmanager
def running(
    predictor: Predictor | None, recorder: RequestRecorder | None = None
) -> Iterator[ModelServer]:
    server = ModelServer(("127.0.0.1", 0), recorder or RequestRecorder(log=LOG_NONE))
    server.predictor = predictor
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server
    finally:
        if not server.routes.draining:
            server.stop(5)
        thread.join()


@pytest.fixture
def predictor_of(market_archive: Any) -> Any:
    """The market model with a recorder."""
    return lambda recorder: Predictor.load(market_archive.path, recorder=recorder)


@pytest.fixture
def server(predictor: Predictor) -> Iterator[ModelServer]:
    with running(predictor) as started:
        yield started


def connect(server: ModelServer) -> http.client.HTTPConnection:
    return http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=10)


def ask(server: ModelServer, method: str, path: str, **kwargs: Any) -> tuple[int, bytes, Any]:
    client = connect(server)
    try:
        client.request(method, path, **kwargs)
        response = client.getresponse()
        return response.status, response.read(), response.headers
    finally:
        client.close()


def raw(server: ModelServer, *pieces: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", server.server_port), timeout=10) as client:
        for piece in pieces:
            client.sendall(piece)
        answer = b""
        while received := client.recv(65536):
            answer += received
        return answer


def code_of(body: bytes) -> str:
    return str(json.loads(body)["error"]["code"])


def test_an_invocation_gets_the_predictor_s_answer(
    server: ModelServer, predictor: Predictor, row: dict[str, Any]
) -> None:
    body = json.dumps({"instances": [row]}).encode()
    headers = {"Content-Type": "application/json"}
    status, answer, found = ask(server, "POST", "/invocations", body=body, headers=headers)
    assert status == 200
    assert found["Content-Type"] == "application/json"
    expected = json.loads(predictor.respond(body, None).body)["predictions"][0]
    assert json.loads(answer)["predictions"][0]["price"] == expected["price"]


def test_a_connection_answers_many_requests(server: ModelServer, row: dict[str, Any]) -> None:
    client = connect(server)
    body = json.dumps({"instances": [row]})
    for _ in range(3):
        client.request("POST", "/invocations", body=body)
        response = client.getresponse()
        assert response.status == 200
        response.read()
        client.request("GET", "/ping")
        response = client.getresponse()
        assert (response.status, response.read()) == (200, b"")
    client.close()


def test_a_bad_request_keeps_its_connection(server: ModelServer, row: dict[str, Any]) -> None:
    client = connect(server)
    client.request("POST", "/invocations", body=b"{}")
    response = client.getresponse()
    assert (response.status, code_of(response.read())) == (400, "missing_instances")
    client.request("POST", "/invocations", body=json.dumps({"instances": [row]}))
    response = client.getresponse()
    assert (response.status, response.read()[:15]) == (200, b'{"predictions":')
    client.close()


def test_accept_and_content_type_reach_the_predictor(server: ModelServer) -> None:
    headers = {"Content-Type": "text/csv", "Accept": "text/csv"}
    body = b"date,item,quantity,cost,stock,boxes,promoted\n2023-06-30,leek,,3.0,40,2,true\n"
    status, answer, found = ask(server, "POST", "/invocations", body=body, headers=headers)
    assert (status, found["Content-Type"]) == (200, "text/csv")
    assert answer.startswith(b"price,price_lower")
    status, answer, _ = ask(
        server, "POST", "/invocations", body=body, headers={"Content-Type": "text/html"}
    )
    assert (status, code_of(answer)) == (415, "unsupported_content_type")


def test_nothing_is_ready_before_the_model_is() -> None:
    with running(None) as server:
        assert ask(server, "GET", "/ping")[0] == 503
        status, body, _ = ask(server, "POST", "/invocations", body=b"{}")
        assert (status, code_of(body)) == (503, "model_not_ready")


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/", 404, "not_found"),
        ("POST", "/ping/", 404, "not_found"),
        ("GET", "/models", 404, "not_found"),
        ("POST", "/ping", 405, "method_not_allowed"),
        ("GET", "/invocations", 405, "method_not_allowed"),
        ("PUT", "/invocations", 405, "method_not_allowed"),
        ("DELETE", "/invocations", 405, "method_not_allowed"),
        ("BREW", "/invocations", 405, "method_not_allowed"),
    ],
)
def test_other_paths_and_methods_are_refused(
    server: ModelServer, method: str, path: str, status: int, code: str
) -> None:
    found, body, headers = ask(server, method, path)
    assert (found, code_of(body)) == (status, code)
    assert headers["Content-Type"] == "application/json"
    if status == 405:
        assert headers["Allow"] == {"/ping": "GET", "/invocations": "POST"}[path]


def test_a_head_request_gets_no_body(server: ModelServer) -> None:
    status, body, headers = ask(server, "HEAD", "/invocations")
    assert (status, body) == (405, b"")
    assert int(headers["Content-Length"]) > 0


@pytest.mark.parametrize(
    ("head", "status", "code"),
    [
        (b"", b"411", "length_required"),
        (b"Transfer-Encoding: chunked\r\n", b"411", "length_required"),
        (b"Transfer-Encoding: chunked\r\nContent-Length: 2\r\n", b"411", "length_required"),
        (b"Content-Length: -1\r\n", b"400", "invalid_length"),
        (b"Content-Length: 2, 2\r\n", b"400", "invalid_length"),
        (b"Content-Length: 0x10\r\n", b"400", "invalid_length"),
        (b"Content-Length: \xb2\r\n", b"400", "invalid_length"),
        (b"Content-Length: \r\n", b"400", "invalid_length"),
        (b"Content-Length: 2\r\nContent-Length: 3\r\n", b"400", "invalid_length"),
        (b"Content-Length: 6291457\r\n", b"413", "payload_too_large"),
        (b"Content-Length: " + b"9" * 5000 + b"\r\n", b"413", "payload_too_large"),
    ],
)
def test_a_body_must_say_how_long_it_is(
    server: ModelServer, head: bytes, status: bytes, code: str
) -> None:
    answer = raw(server, b"POST /invocations HTTP/1.1\r\nHost: x\r\n" + head + b"\r\n{}")
    assert answer.startswith(b"HTTP/1.1 " + status)
    assert b"Connection: close" in answer
    assert code_of(answer.partition(b"\r\n\r\n")[2]) == code


@pytest.mark.parametrize(
    "head",
    [b"br", b"gzip, gzip", b"identity, br", b"identity\r\nContent-Encoding: deflate", b"s3cr3t"],
)
def test_a_body_in_an_unknown_encoding_is_refused(server: ModelServer, head: bytes) -> None:
    answer = raw(
        server,
        b"POST /invocations HTTP/1.1\r\nContent-Length: 2\r\nContent-Encoding: " + head,
        b"\r\n\r\n{}",
    )
    assert answer.startswith(b"HTTP/1.1 415 ")
    assert code_of(answer.partition(b"\r\n\r\n")[2]) == "unsupported_content_encoding"
    assert b"s3cr3t" not in answer


def test_a_body_may_say_that_it_is_not_compressed(server: ModelServer, row: dict[str, Any]) -> None:
    body = json.dumps({"instances": [row]})
    headers = {"Content-Encoding": "Identity"}
    assert ask(server, "POST", "/invocations", body=body, headers=headers)[0] == 200


def test_a_gzip_body_is_read(server: ModelServer, row: dict[str, Any]) -> None:
    body = gzip.compress(json.dumps({"instances": [row]}).encode())
    for encoding in ("gzip", "GZIP"):
        headers = {"Content-Encoding": encoding}
        assert ask(server, "POST", "/invocations", body=body, headers=headers)[0] == 200


def test_an_oversized_body_is_refused_although_it_was_sent(server: ModelServer) -> None:
    status, body, _ = ask(server, "POST", "/invocations", body=b" " * (MAX_BODY_BYTES + 1))
    assert (status, code_of(body)) == (413, "payload_too_large")


def test_a_body_of_the_largest_size_is_read(server: ModelServer) -> None:
    status, body, _ = ask(server, "POST", "/invocations", body=b" " * MAX_BODY_BYTES)
    assert (status, code_of(body)) == (400, "invalid_json")


def test_a_client_that_waits_for_100_is_refused_at_once(server: ModelServer) -> None:
    head = b"POST /invocations HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
    answer = raw(server, head + b"Content-Length: 9999999\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 413")
    with socket.create_connection(("127.0.0.1", server.server_port), timeout=10) as client:
        client.sendall(head + b"Connection: close\r\nContent-Length: 2\r\n\r\n")
        assert client.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(b"{}")
        assert client.recv(65536).startswith(b"HTTP/1.1 400")


@pytest.mark.parametrize(
    "line",
    [
        b"nonsense\r\n\r\n",
        b"GET /ping HTTP/9.9\r\n\r\n",
        b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\n\r\n",
        b"GET /ping HTTP/1.1\r\n" + b"X: y\r\n" * 200 + b"\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    ],
)
def test_what_is_no_http_gets_json_that_repeats_none_of_it(
    server: ModelServer, line: bytes
) -> None:
    head, _, body = raw(server, line).partition(b"\r\n\r\n")
    assert head.startswith((b"HTTP/1.1 4", b"HTTP/1.1 505"))
    assert code_of(body) == "invalid_request"
    assert b"nonsense" not in body


def test_a_slow_body_is_cut_off_by_the_time_of_the_whole_request(
    server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channel, "REQUEST_TIMEOUT_SECONDS", 0.5)
    started = time.monotonic()
    with socket.create_connection(("127.0.0.1", server.server_port), timeout=10) as client:
        client.sendall(b"POST /invocations HTTP/1.1\r\nContent-Length: 100\r\n\r\n")
        for _ in range(6):  # each byte comes well within the time, all of them do not
            time.sleep(0.12)
            client.sendall(b" ")
        answer = client.recv(65536)
    assert answer.startswith(b"HTTP/1.1 408")
    assert time.monotonic() - started < 3


def test_slow_headers_and_idle_connections_are_closed(
    server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channel, "REQUEST_TIMEOUT_SECONDS", 0.2)
    monkeypatch.setattr(channel, "IDLE_TIMEOUT_SECONDS", 0.2)
    assert raw(server, b"POST /invo") == b""
    assert raw(server) == b""


def test_a_client_that_goes_away_harms_nobody(server: ModelServer, row: dict[str, Any]) -> None:
    with socket.create_connection(("127.0.0.1", server.server_port)) as client:
        client.sendall(b"POST /invocations HTTP/1.1\r\nContent-Length: 100\r\n\r\n{")
    status, _, _ = ask(server, "POST", "/invocations", body=json.dumps({"instances": [row]}))
    assert status == 200


def test_a_client_that_sends_less_than_it_announced_is_told(server: ModelServer) -> None:
    with socket.create_connection(("127.0.0.1", server.server_port), timeout=10) as client:
        client.sendall(b"POST /invocations HTTP/1.1\r\nContent-Length: 100\r\n\r\n{")
        client.shutdown(socket.SHUT_WR)
        answer = b""
        while received := client.recv(65536):
            answer += received
    head, body = answer.split(b"\r\n\r\n", 1)
    assert head.startswith(b"HTTP/1.1 400 ")
    assert code_of(body) == "incomplete_body"


def test_too_many_connections_are_turned_away(
    server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "MAX_CONNECTIONS", 1)
    with socket.create_connection(("127.0.0.1", server.server_port), timeout=5) as first:
        first.sendall(b"GET /ping HTTP/1.1\r\n\r\n")
        assert first.recv(100).startswith(b"HTTP/1.1 200")
        assert raw(server).startswith(b"HTTP/1.1 503")


class SlowPredictor:
    """A model that takes until it is let go, for bodies that say so."""

    def __init__(self, predictor: Predictor) -> None:
        self.info = predictor.info
        self.running = threading.Semaphore(0)
        self.go = threading.Event()

    def respond(self, body: bytes, *_: Any, **__: Any) -> Response:
        if body.startswith(b"slow"):
            self.running.release()
            assert self.go.wait(20)
        return Response(200, body[:4], "text/plain")


@pytest.mark.parametrize("body", [b"slow", b"slow" + b" " * 10_000])
def test_a_ping_is_answered_however_many_predictions_take_long(
    predictor: Predictor, monkeypatch: pytest.MonkeyPatch, body: bytes
) -> None:
    monkeypatch.setattr(leadership, "HELD_UP_SECONDS", 0.02)
    slow = SlowPredictor(predictor)
    with running(cast("Predictor", slow)) as server, ThreadPoolExecutor(6) as pool:
        asked = [pool.submit(ask, server, "POST", "/invocations", body=body) for _ in range(6)]
        assert slow.running.acquire(timeout=10)
        assert ask(server, "GET", "/ping")[0] == 200
        assert ask(server, "GET", "/health")[0] == 200
        slow.go.set()
        assert [answer.result()[:2] for answer in asked] == [(200, b"slow")] * 6
        assert ask(server, "POST", "/invocations", body=b"next")[:2] == (200, b"next")


def test_a_prediction_beyond_sagemaker_s_limit_is_answered_in_its_place(
    predictor: Predictor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leadership, "HELD_UP_SECONDS", 0.02)
    monkeypatch.setattr(loop, "INVOCATION_TIMEOUT_SECONDS", 0.1)
    slow = SlowPredictor(predictor)
    with running(cast("Predictor", slow)) as server:
        for body in (b"slow", b"slow" + b" " * 10_000):
            status, answer, headers = ask(server, "POST", "/invocations", body=body)
            assert (status, code_of(answer)) == (504, "invocation_timeout")
            assert headers["Connection"] == "close"
        slow.go.set()
        assert ask(server, "POST", "/invocations", body=b"next")[:2] == (200, b"next")


def test_an_answer_that_sagemaker_would_not_take_is_refused_with_a_way_out(
    predictor: Predictor,
) -> None:
    class Wordy(SlowPredictor):
        def respond(self, body: bytes, *_: Any, **__: Any) -> Response:
            return Response(200, b" " * (MAX_BODY_BYTES + int(body)), "application/json")

    with running(cast("Predictor", Wordy(predictor))) as server:
        assert len(ask(server, "POST", "/invocations", body=b"0")[1]) == MAX_BODY_BYTES
        status, answer, _ = ask(server, "POST", "/invocations", body=b"1")
        assert (status, code_of(answer)) == (413, "answer_too_large")
        assert "send fewer rows" in json.loads(answer)["error"]["message"]


def test_a_model_that_breaks_the_predictor_breaks_neither_server_nor_silence(
    predictor: Predictor, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken(SlowPredictor):
        def respond(self, *_: Any, **__: Any) -> Response:
            raise ZeroDivisionError("s3cr3t")

    with running(cast("Predictor", Broken(predictor))) as server:
        for size in (1, 10_000):
            status, answer, _ = ask(server, "POST", "/invocations", body=b" " * size)
            assert (status, code_of(answer)) == (500, "internal_error")
            assert b"s3cr3t" not in answer
    assert "the request failed" in caplog.text


def test_requests_sent_at_once_are_answered_in_order(
    server: ModelServer, row: dict[str, Any]
) -> None:
    body = json.dumps({"instances": [row]}).encode()
    one = b"POST /invocations HTTP/1.1\r\nX-Request-Id: %%d\r\nContent-Length: %d\r\n\r\n%s" % (
        len(body), body,
    )  # fmt: skip
    many = b"".join(one.replace(b"%d", b"%d" % number) for number in range(30))
    pings = b"GET /ping HTTP/1.1\r\n\r\n" * 3000
    last = b"GET /ping HTTP/1.1\r\nConnection: close\r\n\r\n"
    answer = raw(server, many + pings + last)
    assert answer.count(b"HTTP/1.1 200 OK") == 3031
    found = re.findall(rb"X-Request-Id: (\d+)\r", answer)
    assert found[:30] == [b"%d" % number for number in range(30)]


@pytest.mark.parametrize(
    "head",
    [
        b"GET /ping HTTP/1.1\nHost: x\n\n",  # bare line feeds
        b"GET /ping HTTP/1.1\r\nHost: x\nContent-Length: 5\r\n\r\n",
        b"GET /ping HTTP/1.1\r\nHost: x\rContent-Length: 5\r\n\r\n",
        b"GET /ping HTTP/1.1\r\nHost : x\r\n\r\n",  # space before the colon
        b"GET /ping HTTP/1.1\r\nA: b\r\n folded\r\n\r\n",
        b"GET /ping HTTP/1.1\r\n: x\r\n\r\n",
        b"GET /ping HTTP/1.1\r\nA\x00: x\r\n\r\n",
        b"GET /ping HTTP/1.1\r\nA: \x00\r\n\r\n",
        b"GET  /ping HTTP/1.1\r\n\r\n",
        b"GET\t/ping HTTP/1.1\r\n\r\n",
        b"GET http://x/ping HTTP/1.1\r\n\r\n",
        b"GET /ping\r\n\r\n",
        b"\r\nGET /ping HTTP/1.1\r\n\r\n",
        b"GET /ping HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
        b"GET /p\xc3\xafng HTTP/1.1\r\n\r\n",
    ],
)
def test_a_head_that_readers_could_disagree_on_is_refused(server: ModelServer, head: bytes) -> None:
    answer = raw(server, head)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert answer.count(b"HTTP/1.1") == 1
    assert b"Connection: close" in answer


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"X-Amzn-RequestId": "0a1b-2c"}, "0a1b-2c"),
        ({"X-Request-Id": "A_b.C:9"}, "A_b.C:9"),
        ({"X-Amzn-RequestId": "first", "X-Request-Id": "second"}, "first"),
        ({"X-Request-Id": "x" * 129}, None),
        ({"X-Request-Id": 'quote"'}, None),
        ({"X-Request-Id": ""}, None),
        ({}, None),
    ],
)
def test_a_sane_request_id_is_returned_and_another_is_made(
    server: ModelServer, headers: dict[str, str], expected: str | None
) -> None:
    found = [ask(server, "GET", "/ping", headers=headers)[2]["X-Request-Id"] for _ in range(2)]
    if expected is None:
        assert len(set(found)) == 2
        assert all(re.fullmatch(r"[0-9a-f]+-[0-9a-f]+", made) for made in found)
    else:
        assert found == [expected] * 2


def test_an_old_client_gets_its_answer_and_keeps_its_connection_only_when_it_asks(
    server: ModelServer,
) -> None:
    assert b"Connection: close" in raw(server, b"GET /ping HTTP/1.0\r\n\r\n")
    kept = b"GET /ping HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
    answer = raw(server, kept + b"GET /ping HTTP/1.0\r\n\r\n")
    assert answer.count(b"HTTP/1.1 200 OK") == 2
    assert answer.count(b"Connection: keep-alive") == 1


def test_health_says_what_the_server_does(server: ModelServer) -> None:
    status, body, _ = ask(server, "GET", "/health")
    document = json.loads(body)
    assert (status, document["state"]) == (200, "ready")
    assert document["model"] == {"name": "produce", "version": "7"}
    assert document["uptime_seconds"] >= 0
    with running(None) as loading:
        status, body, _ = ask(loading, "GET", "/health")
        assert (status, json.loads(body)["state"]) == (503, "loading")
        assert ask(loading, "GET", "/metadata")[0] == 503


def test_metrics_count_what_was_asked_and_what_was_refused(
    predictor_of: Any, row: dict[str, Any]
) -> None:
    recorder = RequestRecorder(log=LOG_NONE)
    with running(predictor_of(recorder), recorder) as server:
        for body in (json.dumps({"instances": [row]}), "{}", "{}"):
            ask(server, "POST", "/invocations", body=body)
        ask(server, "POST", "/invocations", headers={"Content-Length": "9999999"})
        status, text, headers = ask(server, "GET", "/metrics")
    assert (status, headers["Content-Type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
    lines = text.decode().splitlines()
    assert 'forecast_model{name="produce",version="7"} 1' in lines
    assert 'forecast_requests_total{status="200",code="ok"} 1' in lines
    assert 'forecast_requests_total{status="400",code="missing_instances"} 2' in lines
    assert 'forecast_requests_total{status="413",code="payload_too_large"} 1' in lines
    assert "forecast_rows_total 1" in lines
    assert 'forecast_duration_seconds_count{stage="predict"} 1' in lines


def test_a_stop_lets_the_running_request_finish(predictor: Predictor) -> None:
    with running(predictor) as server:
        idle = connect(server)
        idle.request("GET", "/ping")
        idle.getresponse().read()
        with socket.create_connection(("127.0.0.1", server.server_port), timeout=10) as client:
            client.sendall(HALF_A_REQUEST)
            assert client.recv(65536).startswith(b"HTTP/1.1 100")
            finished: list[bool] = []
            stopping = threading.Thread(target=lambda: finished.append(server.stop(5)))
            stopping.start()
            time.sleep(0.2)
            assert not finished
            client.sendall(b"}")
            answer = client.recv(65536)
            stopping.join()
        idle.close()
    assert answer.startswith(b"HTTP/1.1 400")
    assert b"Connection: close" in answer
    assert finished == [True]


def test_a_stop_does_not_wait_for_ever(predictor: Predictor) -> None:
    with (
        running(predictor) as server,
        socket.create_connection(("127.0.0.1", server.server_port), timeout=5) as client,
    ):
        client.sendall(HALF_A_REQUEST)
        assert client.recv(65536).startswith(b"HTTP/1.1 100")
        assert server.stop(0.3) is False


@contextmanager
def process(model_dir: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "forecast_inference.server"]
    child = subprocess.Popen(
        [*command, "--model-dir", str(model_dir), "--port", "0", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": SOURCES},
        start_new_session=True,
    )
    try:
        yield child
    finally:
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)  # workers too
        child.communicate()


def test_the_command_serves_until_sigterm_and_logs_no_payload(
    market_archive: Any, row: dict[str, Any]
) -> None:
    with process(market_archive.path) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        ready = json.loads(child.stdout.readline())
        assert (ready["event"], ready["model"], ready["model_version"]) == ("ready", "produce", "7")
        host, _, port = ready["url"].removeprefix("http://").partition(":")
        assert host == "127.0.0.1"
        client = http.client.HTTPConnection(host, int(port), timeout=10)
        client.request("GET", "/ping")
        response = client.getresponse()
        assert (response.status, response.read()) == (200, b"")
        for item, status in (("leek", 200), ("s3cr3t", 400)):
            body = json.dumps({"instances": [{**row, "item": item}]})
            client.request("POST", "/invocations?token=s3cr3t", body=body)
            response = client.getresponse()
            assert response.status == status
            response.read()
        client.close()
        child.send_signal(signal.SIGTERM)
        stdout, stderr = child.communicate(timeout=10)
        assert child.returncode == 0
        assert stderr == ""
        lines = [json.loads(line) for line in stdout.splitlines()]
        assert [(line["message"], line["status"], line["code"]) for line in lines] == [
            ("request", 200, "ok"), ("request", 400, "unknown_category"),
        ]  # fmt: skip
        assert "s3cr3t" not in stdout


def call(port: int, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        client.request(method, path, body)
        response = client.getresponse()
        return response.status, response.read()
    finally:
        client.close()


def workers_of(process_id: int) -> list[int]:
    children = Path(f"/proc/{process_id}/task/{process_id}/children")
    if not children.exists():
        pytest.skip("no /proc, by which the workers are found")
    return [int(child) for child in children.read_text().split()]


def total(port: int) -> int:
    """What `/metrics` says of requests answered with 200, by whichever worker answers."""
    text = call(port, "GET", "/metrics")[1].decode()
    found = re.search(r'requests_total\{status="200",code="ok"\} (\d+)', text)
    return int(found[1]) if found else 0


def wait_until(condition: Any) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_workers_share_a_port_their_metrics_and_a_death_is_made_good(
    market_archive: Any, row: dict[str, Any]
) -> None:
    body = json.dumps({"instances": [row]}).encode()
    with process(market_archive.path, "--workers", "2") as child:
        assert child.stdout is not None
        ready = json.loads(child.stdout.readline())
        assert (ready["event"], ready["workers"], ready["model_version"]) == ("ready", 2, "7")
        port = int(ready["url"].rpartition(":")[2])
        wait_until(lambda: call(port, "GET", "/ping")[0] == 200)
        # Connections that stay go to both workers.
        clients = [http.client.HTTPConnection("127.0.0.1", port, timeout=10) for _ in range(4)]
        for client in clients:
            client.request("POST", "/invocations", body)
            response = client.getresponse()
            assert response.status == 200
            response.read()
        wait_until(lambda: {total(port) for _ in range(6)} == {4})
        first, second = workers_of(child.pid)
        os.kill(first, signal.SIGKILL)
        wait_until(lambda: first not in workers_of(child.pid))
        assert call(port, "POST", "/invocations", body)[0] == 200
        wait_until(lambda: len(set(workers_of(child.pid)) - {first, second}) == 1)
        wait_until(lambda: {total(port) for _ in range(6)} == {5})
        for client in clients:
            client.close()
        child.send_signal(signal.SIGTERM)
        stdout, stderr = child.communicate(timeout=20)
        assert child.returncode == 0
        assert [json.loads(line)["status"] for line in stdout.splitlines()] == [200] * 5
        assert "ended with status -9 and is started again" in stderr


def test_workers_that_cannot_serve_end_the_server(damaged: Path) -> None:
    (damaged / "model/model.ubj").write_bytes(b"")
    with process(damaged, "--workers", "2") as child:
        stdout, stderr = child.communicate(timeout=30)
        assert child.returncode == 1
        assert stdout == ""
        assert "the archive is damaged" in stderr


def test_the_command_ends_when_the_model_cannot_be_served(damaged: Path) -> None:
    (damaged / "model/model.ubj").write_bytes(b"")
    with process(damaged) as child:
        stdout, stderr = child.communicate(timeout=20)
        assert child.returncode == 1
        assert stdout == ""
        assert "the archive is damaged" in stderr


def test_a_taken_port_is_named(server: ModelServer, damaged: Path, caplog: Any) -> None:
    keep = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        assert serving.serve_alone(damaged, "127.0.0.1", server.server_port) == 1
    finally:
        for number, action in keep.items():
            signal.signal(number, action)
    assert f"cannot listen on 127.0.0.1:{server.server_port}" in caplog.text


@pytest.mark.parametrize("port", ["99999", "65536", "-1", "1e3", "", "9" * 5000])
def test_a_port_that_is_none_is_refused(
    damaged: Path, capsys: pytest.CaptureFixture[str], port: str
) -> None:
    with pytest.raises(SystemExit) as caught:
        command.main(["--model-dir", str(damaged), f"--port={port}"])
    assert caught.value.code == 2
    assert "argument --port: " in capsys.readouterr().err


@pytest.mark.parametrize("workers", ["0", "257", "two", "-1"])
def test_a_number_of_workers_that_is_none_is_refused(
    damaged: Path, monkeypatch: pytest.MonkeyPatch, workers: str
) -> None:
    with pytest.raises(SystemExit):
        command.main(["--model-dir", str(damaged), f"--workers={workers}"])
    monkeypatch.setenv("SAGEMAKER_MODEL_SERVER_WORKERS", workers)
    with pytest.raises(SystemExit):
        command.main(["--model-dir", str(damaged)])
