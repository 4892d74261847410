"""A packed archive on this machine: unpacked once, and served by the process of the container."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from forecast_config import ForecastError
from forecast_packaging import ContractError, open_archive
from forecast_packaging.manifest import file_sha256

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PROBE_SECONDS = 2.0
"""SageMaker's own limit for an answer to `/ping`."""

INVOCATION_SECONDS = 60.0
"""SageMaker's own limit for an answer to `/invocations`."""

_STOP_SECONDS = 30.0


@dataclass(frozen=True)
class Running:
    """A server that `forecast serve` has started.

    Attributes:
        url: Where it listens.
        pid: Its process.
        archive: What it serves.
    """

    url: str
    pid: int
    archive: str


@dataclass(frozen=True)
class Answer:
    """An HTTP answer of any status.

    Attributes:
        status: Its status; 200 is success.
        body: Its body.
        content_type: The type of the body.
    """

    status: int
    body: bytes
    content_type: str


def serve_folder(root: Path) -> Path:
    """The folder below which archives are unpacked."""
    return root / ".forecast" / "serve"


def unpacked(archive: Path, root: Path) -> Path:
    """The folder of an archive's files, which is made once for each content.

    Raises:
        ForecastError: There is no such archive, or it is damaged or hostile.
    """
    if not archive.is_file():
        raise ForecastError(
            f"there is no archive {archive}; make it with: forecast package, "
            "or name another with --archive"
        )
    folder = serve_folder(root) / file_sha256(archive)[:16]
    if folder.is_dir():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(dir=folder.parent, prefix="unpacking-"))
    try:
        open_archive(archive, scratch)
        # Another process may have been faster; its files are the same.
        with contextlib.suppress(OSError):
            scratch.rename(folder)
    except ContractError as error:
        raise ForecastError(f"{archive} is not served: {error}") from None
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return folder


@contextlib.contextmanager
def server(
    model_dir: Path, *, port: int, workers: int, variables: Mapping[str, str] | None = None
) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A running model server and its URL, ready to answer; it is stopped at the end.

    Args:
        model_dir: The extracted archive.
        port: Where it listens; 0 takes a free port.
        workers: How many processes answer.
        variables: Environment variables besides this process's own.

    Raises:
        ForecastError: It did not start; its own words are on standard error.
    """
    command = [sys.executable, "-m", "forecast_inference.server", "--model-dir", str(model_dir)]
    process = subprocess.Popen(
        [*command, "--port", str(port), "--workers", str(workers)],
        stdout=subprocess.PIPE,
        text=True,
        env={
            **os.environ,
            **(variables or {}),
            "PYTHONPATH": str(model_dir / "code"),
            "PYTHONUNBUFFERED": "1",
        },
    )
    try:
        assert process.stdout is not None  # noqa: S101 - it is a pipe
        line = process.stdout.readline()
        if not line:
            raise ForecastError(
                "the model server did not start; the reason is above, "
                "and another port is taken with: --port"
            )
        yield process, str(json.loads(line)["url"])
    finally:
        _stop(process)


def _stop(process: subprocess.Popen[str]) -> None:
    process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(_STOP_SECONDS)
    process.kill()
    process.wait()
    if process.stdout is not None:
        process.stdout.close()


def remember(root: Path, running: Running) -> Path:
    """Note that a server runs, so that `forecast invoke --local` finds it."""
    file = serve_folder(root) / "running.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(asdict(running)), encoding="utf-8")
    return file


def find_running(root: Path) -> Running | None:
    """The server that `forecast serve` has started last, when it still answers."""
    try:
        file = serve_folder(root) / "running.json"
        running = Running(**json.loads(file.read_text(encoding="utf-8")))
        answer = ask(running.url, "GET", "/ping", seconds=PROBE_SECONDS)
    except (OSError, ValueError, TypeError, ForecastError):
        return None
    return running if answer.status == http.HTTPStatus.OK else None


def ask(
    url: str,
    method: str,
    path: str,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    *,
    seconds: float = INVOCATION_SECONDS,
) -> Answer:
    """Send one request to a model server.

    Raises:
        ForecastError: The URL is none, nobody answers there, or not in time.
    """
    parts = urlsplit(url)
    if parts.scheme != "http" or parts.hostname is None:
        raise ForecastError(f"expected a URL like http://127.0.0.1:8080, got '{url}'")
    connection = http.client.HTTPConnection(parts.hostname, parts.port or 80, timeout=seconds)
    try:
        connection.request(method, path, body, dict(headers or {}))
        response = connection.getresponse()
        content_type: Any = response.headers["Content-Type"]
        return Answer(response.status, response.read(), str(content_type or ""))
    except (OSError, http.client.HTTPException) as error:
        raise ForecastError(
            f"{url} does not answer ({error or type(error).__name__}); "
            "start it with: forecast serve"
        ) from None
    finally:
        connection.close()
