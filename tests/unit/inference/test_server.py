"""The model server keeps the container contract, with slow and broken clients too."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import forecast_inference
from forecast_inference.requests.content import MAX_BODY_BYTES
from forecast_inference.server import connection as connection_module
from forecast_inference.server import serving as server_module
from forecast_inference.server.serving import ModelServer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forecast_inference.handler import Predictor

HALF_A_REQUEST = b"POST /invocations HTTP/1.1\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n{"
SOURCES = str(Path(forecast_inference.__file__).parents[1])


@contextmanager
def running(predictor: Predictor | None) -> Iterator[ModelServer]:
    server = ModelServer(("127.0.0.1", 0))
    server.predictor = predictor
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        if not server.draining:
            server.stop(5)
        thread.join()


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
        ("BREW", "/invocations", 405, "invalid_request"),
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
    "head", [b"gzip", b"GZIP", b"identity, br", b"identity\r\nContent-Encoding: deflate", b"s3cr3t"]
)
def test_a_compressed_body_is_refused(server: ModelServer, head: bytes) -> None:
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
    answer = raw(server, head + b"Connection: close\r\nContent-Length: 2\r\n\r\n", b"{}")
    assert answer.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 400")


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
    monkeypatch.setattr(connection_module, "REQUEST_TIMEOUT_SECONDS", 0.5)
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
    monkeypatch.setattr(connection_module, "REQUEST_TIMEOUT_SECONDS", 0.2)
    monkeypatch.setattr(connection_module, "IDLE_TIMEOUT_SECONDS", 0.2)
    assert raw(server, b"POST /invo") == b""
    assert raw(server) == b""


def test_a_client_that_goes_away_harms_nobody(server: ModelServer, row: dict[str, Any]) -> None:
    with socket.create_connection(("127.0.0.1", server.server_port)) as client:
        client.sendall(b"POST /invocations HTTP/1.1\r\nContent-Length: 100\r\n\r\n{")
    status, _, _ = ask(server, "POST", "/invocations", body=json.dumps({"instances": [row]}))
    assert status == 200


def test_too_many_connections_are_turned_away(
    server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_module, "MAX_CONNECTIONS", 1)
    with socket.create_connection(("127.0.0.1", server.server_port), timeout=5) as first:
        first.sendall(b"GET /ping HTTP/1.1\r\n\r\n")
        assert first.recv(100).startswith(b"HTTP/1.1 200")
        assert raw(server).startswith(b"HTTP/1.1 503")


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
def process(model_dir: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "forecast_inference.server"]
    child = subprocess.Popen(
        [*command, "--model-dir", str(model_dir), "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": SOURCES},
    )
    try:
        yield child
    finally:
        if child.poll() is None:
            child.kill()
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
        assert stdout == ""
        lines = [json.loads(line) for line in stderr.splitlines()]
        requests = [line for line in lines if line["message"] == "request"]
        assert [(line["path"], line["status"]) for line in requests] == [
            ("/ping", 200), ("/invocations", 200), ("/invocations", 400),
        ]  # fmt: skip
        assert "s3cr3t" not in stderr


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
        assert server_module.serve(damaged, "127.0.0.1", server.server_port) == 1
    finally:
        for number, action in keep.items():
            signal.signal(number, action)
    assert f"cannot listen on 127.0.0.1:{server.server_port}" in caplog.text


@pytest.mark.parametrize("port", ["99999", "65536", "-1", "1e3", "", "9" * 5000])
def test_a_port_that_is_none_is_refused(
    damaged: Path, capsys: pytest.CaptureFixture[str], port: str
) -> None:
    with pytest.raises(SystemExit) as caught:
        server_module.main(["--model-dir", str(damaged), f"--port={port}"])
    assert caught.value.code == 2
    assert "argument --port: " in capsys.readouterr().err
