"""Starting, finding and stopping the local AWS of a project.

Its state lives in the memory of its server: stopping it forgets every stack, bucket and endpoint.
"""

import fcntl
import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from forecast_config.errors import ForecastError
from forecast_local.clients import ACCOUNT, Clients
from forecast_local.clock import DEFAULT_SPEED
from forecast_local.processes import ProcessRecord, end_recorded, spawn

REGION = "us-east-1"
_START_SECONDS = 90.0
_STOP_SECONDS = 40.0
_POLL_SECONDS = 0.1
_HEALTH_TIMEOUT_SECONDS = 5.0
_HEALTH_PATH = "/_forecast/health"
_LOG_LINES = 20
_SPEED_VARIABLE = "FORECAST_LOCAL_SPEED"


# The servers that this very process started: kept until they end, so that none stays a zombie.
_CHILDREN: dict[int, subprocess.Popen[bytes]] = {}


class LocalAwsError(ForecastError):
    """The local AWS could not be started or found, with the reason and what to do."""


@dataclass(frozen=True)
class LocalAws:
    """A running local AWS.

    Attributes:
        port: TCP port on the loopback.
        pid: Process id of the server.
        log: Log file of the server.
        root: Project root that it belongs to.
    """

    port: int
    pid: int
    log: Path
    root: Path

    @property
    def endpoint_url(self) -> str:
        """Where it listens; the name localhost matters, moto reads template URLs by it."""
        return f"http://localhost:{self.port}"

    def environment(self, *, account: str = ACCOUNT, region: str = REGION) -> dict[str, str]:
        """Return the environment variables that point CDK CLI, AWS CLI and boto3 here.

        Args:
            account: Account that the CDK takes as its default.
            region: Default region.

        Returns:
            Variables to add to an environment. The credentials are good for this account here and
            for nothing elsewhere, and configuration files of the user are left out, so that no
            real account can be reached.
        """
        nowhere = str(self.root / ".forecast" / "local" / "no-such-file")
        return {
            "AWS_ENDPOINT_URL": self.endpoint_url,
            **Clients(self.endpoint_url).credentials(account=account, region=region),
            "AWS_REGION": region,
            "AWS_DEFAULT_REGION": region,
            "AWS_CONFIG_FILE": nowhere,
            "AWS_SHARED_CREDENTIALS_FILE": nowhere,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_PAGER": "",
            "CDK_DEFAULT_ACCOUNT": account,
            "CDK_DEFAULT_REGION": region,
            "CDK_DISABLE_CLI_TELEMETRY": "true",
        }


def up(root: Path, port: int | None = None, *, speed: float | None = None) -> LocalAws:
    """Start the local AWS of a project, or return the one that runs.

    It starts empty: nothing survives from a server that was stopped.

    Args:
        root: Project root.
        port: TCP port; None takes the last one used here if it is free, else any free one.
        speed: How many seconds of a rollout's waiting times pass in one second; None takes the
            environment variable FORECAST_LOCAL_SPEED, or else clock.DEFAULT_SPEED.

    Returns:
        The running local AWS, ready to answer.

    Raises:
        LocalAwsError: If it does not start, runs already on another port than the one given, or the
            speed is no positive number.
    """
    root, chosen = root.resolve(), _speed(speed)
    with _locked(root):
        running = _running(root)
        if running is not None:
            if port not in {None, running.port}:
                raise LocalAwsError(
                    f"the local AWS of {root} runs on port {running.port}, not on {port}: use that "
                    "one, or stop it first"
                )
            return running
        _clear(root)
        return _start(root, _choose_port(root) if port is None else port, chosen)


def down(root: Path) -> bool:
    """Stop the local AWS of a project with its model servers, and forget all its state.

    Returns:
        Whether one was running. A record of a process that is gone is removed silently, and a
        process that only has the same id is left alone.
    """
    root = root.resolve()
    with _locked(root):
        record = ProcessRecord.load(_server_record(root))
        was_running = record is not None and record.is_running
        _clear(root)
        return was_running


def status(root: Path) -> LocalAws | None:
    """Return the running local AWS of a project, or None."""
    return _running(root.resolve())


def _state_dir(root: Path) -> Path:
    return root / ".forecast" / "local"


def _server_record(root: Path) -> Path:
    return _state_dir(root) / "server.json"


@contextmanager
def _locked(root: Path) -> Iterator[None]:
    """Keep two commands from starting or stopping at the same time."""
    _state_dir(root).mkdir(parents=True, exist_ok=True)
    with (_state_dir(root) / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _running(root: Path) -> LocalAws | None:
    record = ProcessRecord.load(_server_record(root))
    port = _last_port(root)
    if record is None or port is None or not record.is_running or not _answers(port, root):
        return None
    return LocalAws(port=port, pid=record.pid, log=_log(root), root=root)


def _clear(root: Path) -> None:
    """Remove what a server left behind, also one that crashed."""
    record = ProcessRecord.load(_server_record(root))
    if record is not None:
        _end(record)
    _server_record(root).unlink(missing_ok=True)
    end_recorded(_state_dir(root) / "processes", _STOP_SECONDS)
    shutil.rmtree(_state_dir(root) / "endpoints", ignore_errors=True)


def _end(record: ProcessRecord) -> None:
    record.end(_STOP_SECONDS)
    child = _CHILDREN.pop(record.pid, None)
    if child is not None:
        child.wait()


def _speed(given: float | None) -> float:
    text = os.environ.get(_SPEED_VARIABLE, str(DEFAULT_SPEED)) if given is None else str(given)
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not 0 < speed < float("inf"):
        raise LocalAwsError(f"expected a positive number as the speed, got {text}")
    return speed


def _start(root: Path, port: int, speed: float) -> LocalAws:
    log = _log(root)
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text("", encoding="utf-8")
    # -P: the project root holds folders that have the names of packages.
    command = [sys.executable, "-P", "-m", "forecast_local.server"]
    process, record = spawn(
        [*command, "--port", str(port), "--root", str(root), "--speed", str(speed)],
        role="server of the local AWS",
        log=log,
        environment=_server_environment(),
        folder=root,
        session=True,
    )
    _CHILDREN[process.pid] = process
    saved = record.save(_state_dir(root) / "starting")
    saved.replace(_server_record(root))
    (_state_dir(root) / "state.json").write_text(json.dumps({"port": port}), encoding="utf-8")
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        if _answers(port, root):
            return LocalAws(port=port, pid=record.pid, log=log, root=root)
        time.sleep(_POLL_SECONDS)
    _end(record)
    _server_record(root).unlink(missing_ok=True)
    tail = "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-_LOG_LINES:])
    how = (
        f"did not answer within {_START_SECONDS:g} seconds"
        if process.returncode is None
        else f"ended with status {process.returncode}"
    )
    raise LocalAwsError(f"the local AWS on port {port} {how}; see {log}\n{tail}")


def _server_environment() -> dict[str, str]:
    """The server must not inherit what would send its own clients to a real AWS."""
    return {
        key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "MOTO_"))
    }


def _log(root: Path) -> Path:
    return _state_dir(root) / "logs" / "server.log"


def _last_port(root: Path) -> int | None:
    try:
        content = json.loads((_state_dir(root) / "state.json").read_text(encoding="utf-8"))
        return int(content["port"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _choose_port(root: Path) -> int:
    last = _last_port(root)
    for candidate in (last, 0):
        if candidate is None:
            continue
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", candidate))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise LocalAwsError("no free port on the loopback")


def _answers(port: int, root: Path) -> bool:
    """Tell whether this project's server, and not another, answers on the port."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_HEALTH_TIMEOUT_SECONDS)
    try:
        connection.request("GET", _HEALTH_PATH)
        return connection.getresponse().read().decode() == str(root)
    except (OSError, http.client.HTTPException, UnicodeDecodeError):
        return False
    finally:
        connection.close()
