"""Reproductions of the serving stacks of AWS's images, in environments of their own.

Each stack's packages are pinned in a requirements file beside this one; they conflict with the
project's own, so nothing is shared.
"""

from __future__ import annotations

import contextlib
import http.client
import importlib.util
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from forecast_inference.handler import Predictor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType

    Install = Callable[..., Path]

HERE = Path(__file__).parent
READY_SECONDS = 90


def _load(name: str) -> ModuleType:
    """A module of the runtime's unit tests: importlib mode puts no test folder on sys.path."""
    path = HERE.parent / f"unit/inference/{name}.py"
    spec = importlib.util.spec_from_file_location(f"images_test_{name}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


archives = _load("archives")
models = _load("models")
MODELS = {"xgboost": models.market, "sklearn": models.sklearn_array}


def _free_port() -> int:
    """A port below 32768: the Multi Model Server takes higher ones for invalid."""
    for port in random.sample(range(20_000, 32_000), 100):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    pytest.fail("no free port between 20000 and 32000")


@dataclass(frozen=True)
class Answer:
    """An HTTP answer of any status."""

    status: int
    body: bytes
    content_type: str


@dataclass(frozen=True)
class Stack:
    """A running serving stack, and the same archive loaded in this process."""

    kind: str
    port: int
    predictor: Predictor
    folder: Path

    def ping(self) -> int:
        return ask(self.port, "GET", "/ping").status

    def log_lines(self) -> list[str]:
        return (self.folder / "server.log").read_text().splitlines()

    def invoke(
        self, body: bytes, content_type: str, accept: str | None = None, **more: str
    ) -> Answer:
        headers = {"Content-Type": content_type} | ({} if accept is None else {"Accept": accept})
        headers |= {name.replace("_", "-"): value for name, value in more.items()}
        return ask(self.port, "POST", "/invocations", body, headers)


def ask(
    port: int, method: str, path: str, body: bytes | None = None, headers: Any = None
) -> Answer:
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    with contextlib.closing(client):
        client.request(method, path, body, headers or {})
        response = client.getresponse()
        return Answer(response.status, response.read(), response.headers["Content-Type"])


def _gunicorn(
    port: int, install: Install, paths: list[Path], application: str, *base: str
) -> list[str]:
    if shutil.which("cc") is None:
        pytest.skip("no C compiler, which sagemaker-containers needs to be installed")
    python = install(HERE / "requirements-flask.txt", *base)
    return [
        str(python.with_name("gunicorn")), "--worker-class", "gevent", "--workers", "1",
        "--bind", f"127.0.0.1:{port}", "--pythonpath", ",".join(map(str, paths)), application,
    ]  # fmt: skip


def _flask_command(
    port: int, folder: Path, install: Install, *base: str
) -> tuple[list[str], dict[str, str]]:
    # As the images do: the submitted code is copied to code/ and put on the Python path.
    shutil.copytree(folder / "model/code", folder / "code")
    command = _gunicorn(port, install, [HERE, folder / "code"], "flask_stack:main", *base)
    return command, {"SAGEMAKER_SUBMIT_DIRECTORY": str(folder / "model/code")}


def _flask_312_command(
    port: int, folder: Path, install: Install
) -> tuple[list[str], dict[str, str]]:
    """The Python of the images, where this machine has one."""
    python = _python_312()
    if python is None:
        pytest.skip("no Python 3.12, which the images have")
    return _flask_command(port, folder, install, python)


def _python_312() -> str | None:
    """A Python 3.12 on the path, or among those of pyenv, whose shim has to be told which."""
    shim, pyenv = shutil.which("python3.12"), shutil.which("pyenv")
    if shim is None:
        return None
    known = _output([pyenv, "versions", "--bare"]) if pyenv else ""
    versions = ["", *(name for name in (known or "").split() if name.startswith("3.12"))]
    for version in versions:
        more = {"PYENV_VERSION": version} if version else {}
        python = _output([shim, "-c", "import sys; print(sys.executable)"], **more)
        if python is not None:
            return python
    return None


def _output(command: list[str], **variables: str) -> str | None:
    done = subprocess.run(
        command, env={**os.environ, **variables}, capture_output=True, text=True, check=False
    )
    return done.stdout.strip() if done.returncode == 0 else None


def _wsgi_command(port: int, folder: Path, install: Install) -> tuple[list[str], dict[str, str]]:
    """As SAGEMAKER_SERVING_MODULE names it: without SAGEMAKER_PROGRAM nothing is installed."""
    application = "forecast_inference.server.wsgi:application"
    return _gunicorn(port, install, [folder / "model/code"], application), {}


def _mms_command(port: int, folder: Path, install: Install) -> tuple[list[str], dict[str, str]]:
    if shutil.which("java") is None:
        pytest.skip("no Java, which the Multi Model Server needs")
    python = install(HERE / "requirements-mms.txt")
    return [str(python), str(HERE / "mms_stack.py"), str(folder)], {
        "SAGEMAKER_BIND_TO_PORT": str(port),
        "SAGEMAKER_MODEL_SERVER_WORKERS": "1",
        "SAGEMAKER_MODEL_SERVER_VMARGS": "-XX:-UseContainerSupport -Xmx256m",
        "TMPDIR": str(folder),  # it keeps its pid file there, and takes a found one for itself
    }


def _own_command(port: int, folder: Path, _: Install) -> tuple[list[str], dict[str, str]]:
    command = [sys.executable, "-m", "forecast_inference.server", "--port", str(port)]
    return [*command, "--model-dir", str(folder / "model")], {
        "PYTHONPATH": str(folder / "model/code")
    }


COMMANDS: dict[str, Callable[[int, Path, Install], tuple[list[str], dict[str, str]]]] = {
    "flask": _flask_command,
    "flask312": _flask_312_command,
    "wsgi": _wsgi_command,
    "mms": _mms_command,
    "own": _own_command,
}


@contextlib.contextmanager
def _running(kind: str, archive: Path, folder: Path, install: Install) -> Iterator[int]:
    """The port of a stack that serves a copy of the archive in ``folder/model``."""
    shutil.copytree(archive, folder / "model")
    port = _free_port()
    command, variables = COMMANDS[kind](port, folder, install)
    plain = {name: os.environ[name] for name in ("PATH", "HOME", "JAVA_HOME") if name in os.environ}
    environment = {
        **plain,
        "SAGEMAKER_BASE_DIR": str(folder),
        "SAGEMAKER_PROGRAM": "inference.py",
        "SAGEMAKER_REGION": "us-east-1",
        **variables,
    }
    with (folder / "server.log").open("wb") as log:
        child = subprocess.Popen(
            command, env=environment, stdout=log, stderr=log, start_new_session=True
        )
    try:
        _await_answer(child, port, folder / "server.log")
        yield port
    finally:
        _end(child)


def _end(child: subprocess.Popen[bytes]) -> None:
    """End the stack's process group: its server starts others, and may leave them behind."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        child.wait(timeout=10)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def _await_answer(child: subprocess.Popen[bytes], port: int, log: Path) -> None:
    """Wait until the stack answers at all; a model may still be loading, or have failed."""
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        if child.poll() is not None:
            break
        try:
            ask(port, "GET", "/ping")
        except (OSError, http.client.HTTPException):
            time.sleep(0.2)
        else:
            return
    pytest.fail(f"the serving stack did not start:\n{log.read_text()[-4000:]}")


@pytest.fixture(
    scope="session", params=[f"{kind}-{model}" for kind in COMMANDS for model in MODELS]
)
def stack(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    pinned_environment: Install,
) -> Iterator[Stack]:
    """Every stack with every model in turn, ready to predict."""
    kind, _, model = request.param.partition("-")
    archive = MODELS[model](archives, tmp_path_factory.mktemp("archive") / "model").path
    folder = tmp_path_factory.mktemp(kind)
    with _running(kind, archive, folder, pinned_environment) as port:
        yield _when_ready(Stack(kind, port, Predictor.load(archive), folder))


def _when_ready(stack: Stack) -> Stack:
    deadline = time.monotonic() + READY_SECONDS
    while stack.ping() != 200 and time.monotonic() < deadline:
        time.sleep(0.2)
    return stack


@pytest.fixture
def serve_folder(tmp_path: Path, pinned_environment: Install) -> Any:
    """Starts a stack with an extracted archive."""

    @contextlib.contextmanager
    def start(kind: str, archive: Path) -> Iterator[Stack]:
        folder = tmp_path / kind
        folder.mkdir()
        with _running(kind, archive, folder, pinned_environment) as port:
            yield Stack(kind, port, Predictor.load(archive), folder)

    return start


@pytest.fixture
def golden() -> Any:
    """The requests that the archive of a stack was asked at packaging, with their answers."""

    def read(stack: Stack) -> list[dict[str, Any]]:
        document = (stack.folder / "model/artifacts/golden_requests.json").read_text()
        requests: list[dict[str, Any]] = json.loads(document)["requests"]
        return requests

    return read


@pytest.fixture
def serve(tmp_path: Path, serve_folder: Any) -> Any:
    """Starts a stack with an archive that the test has changed."""

    def start(kind: str, change: Callable[[Path], None], model: str = "xgboost") -> Any:
        archive = MODELS[model](archives, tmp_path / "archive").path
        change(archive)
        archives.change_info(archive)
        return serve_folder(kind, archive)

    return start
