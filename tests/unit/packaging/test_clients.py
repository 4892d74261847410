"""The example clients: what they send, to this machine and to SageMaker, and what they print."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import pytest

from forecast_packaging.publishing.clients import example_clients

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SCHEMA: dict[str, Any] = {
    "row_errors": "report_rows",
    "inputs": [
        {"name": "date", "type": "date", "nullable": False},
        {"name": "cost", "type": "double", "nullable": True},
        {"name": "promoted", "type": "boolean", "nullable": False, "missing": "impute"},
    ],
    "outputs": [{"name": "price"}],
    "intervals": {},
    "horizon": {"date_input": "date"},
}
EXAMPLE = {
    "instances": [
        {"date": "2023-06-30", "cost": None, "promoted": True},
        {"date": "$(date)", "cost": 1.5, "promoted": "\"'\"'\\ 菜"},
    ]
}
ANSWER = {"predictions": [{"price": 5.2}]}
REFUSAL = {"error": {"code": "invalid_date", "message": "expected a date"}}
CREDENTIALS = {
    "AWS_REGION": "eu-west-1",
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_SESSION_TOKEN": "token",
}
COMMANDS = {
    "forecast.sh": ["sh"],
    "forecast.py": [sys.executable],
    "forecast.ts": ["node", "--no-warnings"],
}
NODE = shutil.which("node")
clients = pytest.mark.parametrize(
    "client",
    [
        "forecast.sh",
        "forecast.py",
        pytest.param("forecast.ts", marks=pytest.mark.skipif(NODE is None, reason="no node")),
    ],
)


class Recorder(BaseHTTPRequestHandler):
    requests: list[tuple[str, dict[str, str], bytes]]
    status = 200

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.requests.append((self.path, {k.lower(): v for k, v in self.headers.items()}, body))
        answer = json.dumps(ANSWER if self.status == 200 else REFUSAL).encode()
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *args: object) -> None:
        pass


@contextmanager
def recording(status: int = 200) -> Iterator[tuple[str, list[tuple[str, dict[str, str], bytes]]]]:
    """The address of a server, and the requests that it got."""
    handler = type("Handler", (Recorder,), {"requests": [], "status": status})
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", handler.requests
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    files = example_clients(SCHEMA, EXAMPLE, name='weird """ */ \\ name', version="16")
    for path, text in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text, encoding="utf-8")
    return tmp_path / "artifacts/clients"


def run(
    folder: Path, client: str, *arguments: str, **environment: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMANDS[client], client, *arguments],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(folder), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@clients
def test_a_client_sends_the_example_and_prints_the_predictions(folder: Path, client: str) -> None:
    with recording() as (url, requests):
        done = run(folder, client, FORECAST_URL=url)
    assert done.returncode == 0, done.stderr
    (path, headers, body), *more = requests
    assert (path, headers["content-type"], more) == ("/invocations", "application/json", [])
    assert json.loads(body) == EXAMPLE
    assert '"price": 5.2' in done.stdout


@clients
def test_a_client_sends_the_request_of_a_file(folder: Path, client: str) -> None:
    request = {"instances": [{"date": "2024-01-01"}]}
    (folder / "request.json").write_text(json.dumps(request))
    with recording() as (url, requests):
        done = run(folder, client, "request.json", FORECAST_URL=url)
    assert done.returncode == 0, done.stderr
    assert json.loads(requests[0][2]) == request


@clients
def test_a_client_ends_with_an_error_when_it_is_refused(folder: Path, client: str) -> None:
    with recording(status=400) as (url, _):
        done = run(folder, client, FORECAST_URL=url)
    assert done.returncode != 0
    assert "invalid_date" in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


@clients
def test_a_client_says_what_it_needs(folder: Path, client: str) -> None:
    done = run(folder, client)
    assert done.returncode != 0
    assert "set FORECAST_URL or FORECAST_ENDPOINT" in done.stderr


@pytest.mark.parametrize("client", ["forecast.sh", "forecast.py"])
def test_a_request_to_sagemaker_is_signed(folder: Path, client: str) -> None:
    with recording() as (url, requests):
        done = run(folder, client, FORECAST_ENDPOINT="prices", AWS_ENDPOINT_URL=url, **CREDENTIALS)
    assert done.returncode == 0, done.stderr
    path, headers, body = requests[0]
    assert path == "/endpoints/prices/invocations"
    assert json.loads(body) == EXAMPLE
    assert headers["x-amz-security-token"] == "token"
    assert headers["authorization"] == signed_again(f"{url}{path}", headers, body)
    assert "secret" not in str(requests)


def signed_again(url: str, headers: dict[str, str], body: bytes) -> str:
    """The Authorization header that botocore makes of a request at the time it was made."""
    given = re.search(r"SignedHeaders=([^,]+)", headers["authorization"])
    assert given is not None
    names = given[1].split(";")
    request = botocore.awsrequest.AWSRequest("POST", url, data=body)
    for name in names:
        request.headers[name] = headers[name]
    request.context["timestamp"] = headers["x-amz-date"]
    signer = botocore.auth.SigV4Auth(
        botocore.credentials.Credentials("AKIDEXAMPLE", "secret"), "sagemaker", "eu-west-1"
    )
    canonical = signer.canonical_request(request)
    return (
        f"AWS4-HMAC-SHA256 Credential={signer.scope(request)}, SignedHeaders={given[1]}, "
        f"Signature={signer.signature(signer.string_to_sign(request, canonical), request)}"
    )


def test_the_types_of_a_row_follow_the_schema(folder: Path) -> None:
    text = (folder / "forecast.ts").read_text()
    assert '  "cost": number | null | Array<number | null>;' in text
    assert '  "promoted"?: boolean | null | Array<boolean | null>;' in text
    assert '  "price"?: number;' in text


def test_a_client_holds_nothing_of_an_environment(folder: Path) -> None:
    for file in folder.iterdir():
        assert "forecast-prod" not in file.read_text(encoding="utf-8")
        assert "$request" not in file.read_text(encoding="utf-8")
