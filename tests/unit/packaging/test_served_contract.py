"""A packed archive in its own server: the OpenAPI document is true of it, and the clients work.

`FORECAST_SCHEMATHESIS_EXAMPLES=2000` searches for longer than a minute.
"""

from __future__ import annotations

import http.client
import importlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings

from forecast_packaging import Version, open_archive, package, resolve

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

HERE = Path(__file__).parent
EXAMPLES = os.environ.get("FORECAST_SCHEMATHESIS_EXAMPLES", "60")


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory, warm_root: Path, tracking_uri: str) -> Path:
    """The unpacked archive of `produce`."""
    root = tmp_path_factory.mktemp("served")
    shutil.copytree(warm_root, root, dirs_exist_ok=True)
    lock = resolve(
        root=root, tracking_uri=tracking_uri, name="produce", selector=Version("1"), refresh=False
    )
    packaged = package(root=root, tracking_uri=tracking_uri, lock=lock)
    into = root / "opened"
    into.mkdir()
    open_archive(packaged.archive, into)
    return into


@pytest.fixture(scope="module")
def hooks() -> Iterator[ModuleType]:
    """The hooks of schemathesis, here as in its own process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(HERE)
        yield importlib.import_module("schemathesis_hooks")
    schemathesis.hooks.unregister_all()


@pytest.fixture(scope="module")
def url(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the archive's own server, which runs the archive's code alone."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = tmp_path_factory.mktemp("log") / "server.log"
    command = [sys.executable, "-P", "-m", "forecast_inference.server"]
    with log.open("wb") as output:
        server = subprocess.Popen(
            [*command, "--model-dir", str(archive), "--port", str(port)],
            cwd=archive,
            env={**os.environ, "PYTHONPATH": str(archive / "code"), "OMP_NUM_THREADS": "1"},
            stdout=output,
            stderr=output,
        )
        try:
            await_ready(f"http://127.0.0.1:{port}", server, log)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait(30)


def await_ready(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + 60
    while server.poll() is None and time.monotonic() < until:
        connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=5)
        try:
            connection.request("GET", "/ping")
            if connection.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.1)
        finally:
            connection.close()
    pytest.fail(f"the server is not ready: {log.read_text()[-2000:]}")


@pytest.mark.slow
def test_the_server_is_as_its_openapi_document_says(archive: Path, url: str) -> None:
    command = [Path(sys.executable).with_name("schemathesis"), "--config-file"]
    done = subprocess.run(
        [
            *command,
            HERE / "schemathesis.toml",
            "run",
            archive / "artifacts/openapi.json",
            *("--url", url, "--checks", "all", "--max-examples", EXAMPLES),
            *("--generation-deterministic", "--continue-on-failure"),
        ],
        cwd=archive.parent,
        env={
            **os.environ,
            "PYTHONPATH": str(HERE),
            "SCHEMATHESIS_HOOKS": "schemathesis_hooks",
            "NO_COLOR": "1",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, "\n".join(line[:500] for line in done.stdout.splitlines()[:200])
    assert "Operations:       5 selected / 5 total" in done.stdout


def test_a_compressed_body_is_answered(archive: Path, url: str, hooks: ModuleType) -> None:
    api = json.loads((archive / "artifacts/openapi.json").read_bytes())
    content = api["paths"]["/invocations"]["post"]["requestBody"]["content"]
    for media in content.keys() - {hooks.JSON, hooks.GZIP}:
        del content[media]
    schema = schemathesis.openapi.from_dict(api)
    schema.config.update(base_url=url)
    compressed = set()

    @settings(max_examples=40, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(case=schema["/invocations"]["POST"].as_strategy())
    def ask(case: schemathesis.Case) -> None:
        answer = case.call()
        if answer.request.body.startswith(b"\x1f\x8b"):
            compressed.add(case.media_type)
        assert answer.status_code == 200, answer.content

    ask()
    assert compressed == {hooks.JSON, hooks.GZIP}


@pytest.mark.parametrize("client", [["sh", "forecast.sh"], [sys.executable, "forecast.py"]])
def test_a_client_gets_a_forecast(archive: Path, url: str, client: list[str]) -> None:
    done = subprocess.run(
        client,
        cwd=archive / "artifacts/clients",
        env={"PATH": os.environ["PATH"], "FORECAST_URL": url},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    predictions = answer["predictions"] if isinstance(answer, dict) else answer
    golden = json.loads((archive / "artifacts/golden_requests.json").read_bytes())
    expected = golden["requests"][0]["answer"]["predictions"]
    assert [row["forecasted_price"] for row in predictions] == pytest.approx(
        [row["forecasted_price"] for row in expected], rel=1e-6
    )
