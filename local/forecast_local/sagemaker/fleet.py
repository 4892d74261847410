"""The model servers of an endpoint: one process for each variant of its configuration.

The container contract is SageMaker's: ``/ping`` answers within two seconds, a server is healthy
when it says 200, ends on SIGTERM and is killed thirty seconds later.
https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-inference-code.html
"""

import contextlib
import http.client
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from forecast_local.processes import ProcessRecord, spawn
from forecast_local.sagemaker import container_logs
from forecast_local.sagemaker.archive import ArchiveError
from forecast_local.sagemaker.model_data import fetch

PING_TIMEOUT_SECONDS = 2.0
STOP_TIMEOUT_SECONDS = 30.0
_POLL_SECONDS = 0.1
_LOG_LINES = 15
_INHERITED = ("HOME", "LANG", "LC_ALL", "PATH", "TMPDIR", "TZ")


class FleetError(Exception):
    """A model server that did not become healthy, with the reason and its log file."""


@dataclass(frozen=True)
class ServerPlan:
    """What is needed to start the model server of a variant.

    Attributes:
        endpoint: Name of the endpoint.
        config: Name of the endpoint configuration.
        variant: Name of the variant.
        model_data: S3 URI of the archive, or of the prefix of its files.
        environment: The container's environment variables.
        timeout_seconds: How long it may take until it is healthy.
        account: Whose log group gets what it prints; empty for nobody's.
        region: Where that is.
    """

    endpoint: str
    config: str
    variant: str
    model_data: str
    environment: Mapping[str, str]
    timeout_seconds: float
    account: str = ""
    region: str = ""


class ModelServer:
    """One model server process.

    Args:
        plan: What to run.
        state_dir: Folder of the local AWS.
    """

    def __init__(self, plan: ServerPlan, state_dir: Path) -> None:
        self.plan = plan
        self._folder = state_dir / "endpoints" / plan.config / plan.variant
        self._records = state_dir / "processes"
        self._idle = state_dir / "empty"
        self.log = state_dir / "logs" / f"{plan.endpoint}-{plan.config}-{plan.variant}.log"
        self.port = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._record: ProcessRecord | None = None
        self._lock = threading.Lock()

    @property
    def pid(self) -> int | None:
        """Process id, or None while there is no process."""
        return None if self._process is None else self._process.pid

    def start(self, s3: Any) -> None:
        """Fetch the model data, start the server and wait until it is healthy.

        Args:
            s3: boto3 client of the account's S3.

        Raises:
            FleetError: If the model data is refused, or the server ends or stays unhealthy.
        """
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir(parents=True)
        try:
            fetch(s3, self.plan.model_data, self._folder / "model")
        except ArchiveError as error:
            raise FleetError(f"{self.plan.model_data}: {error}") from error
        self._launch()
        try:
            self._await_health()
        except FleetError:
            self.stop()
            raise

    def restart_if_ended(self) -> bool:
        """Start the server again when its process ended, as SageMaker restarts a container.

        Returns:
            Whether it had ended.
        """
        with self._lock:
            if self._process is None or self._process.poll() is None:
                return False
            self._forget()
            self._launch()
            return True

    def stop(self) -> None:
        """End the process; one that is gone already is no error."""
        record, process = self._record, self._process
        if record is not None and process is not None:
            process.terminate()
            try:
                process.wait(STOP_TIMEOUT_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            self._forget()
        container_logs.finish(self.log)

    def remove_files(self) -> None:
        """Remove the unpacked archive."""
        shutil.rmtree(self._folder, ignore_errors=True)
        with contextlib.suppress(OSError):
            # Other variants of the configuration may still be there.
            self._folder.parent.rmdir()

    def _launch(self) -> None:
        model = self._folder / "model"
        self.port = _free_port()
        self._idle.mkdir(parents=True, exist_ok=True)
        inherited = {key: os.environ[key] for key in _INHERITED if key in os.environ}
        environment = {
            **inherited,
            **self.plan.environment,
            "PYTHONPATH": str(model / "code"),
            "PYTHONUNBUFFERED": "1",
        }
        if self.plan.account:
            container_logs.follow(
                self.log,
                account=self.plan.account,
                region=self.plan.region,
                endpoint=self.plan.endpoint,
                variant=self.plan.variant,
            )
        self._process, self._record = spawn(
            [
                sys.executable,
                "-m",
                "forecast_inference.server",
                "--model-dir",
                str(model),
                "--port",
                str(self.port),
            ],
            role=f"model server of {self.plan.endpoint}",
            log=self.log,
            environment=environment,
            folder=self._idle,
            session=False,
        )
        self._record.save(self._records)

    def _await_health(self) -> None:
        deadline = time.monotonic() + self.plan.timeout_seconds
        while time.monotonic() < deadline:
            if self._process is not None and self._process.poll() is not None:
                raise FleetError(
                    f"the model server of variant {self.plan.variant} ended with exit code "
                    f"{self._process.returncode}; {self._log_tail()}"
                )
            if self._is_healthy():
                return
            time.sleep(_POLL_SECONDS)
        raise FleetError(
            f"The {self.plan.variant} container for production variant {self.plan.variant} did not "
            f"pass the ping health check within {self.plan.timeout_seconds:g} seconds; "
            f"{self._log_tail()}"
        )

    def _is_healthy(self) -> bool:
        connection = http.client.HTTPConnection(
            "127.0.0.1", self.port, timeout=PING_TIMEOUT_SECONDS
        )
        try:
            connection.request("GET", "/ping")
            return connection.getresponse().status == http.HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def _log_tail(self) -> str:
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        return f"log file {self.log}, last lines: " + " | ".join(lines[-_LOG_LINES:])

    def _forget(self) -> None:
        if self._record is not None:
            (self._records / f"{self._record.pid}.json").unlink(missing_ok=True)
        self._process = self._record = None


class Fleet:
    """The model servers of one configuration.

    Args:
        plans: One plan for each variant.
        state_dir: Folder of the local AWS.
    """

    def __init__(self, plans: list[ServerPlan], state_dir: Path) -> None:
        self._servers = {plan.variant: ModelServer(plan, state_dir) for plan in plans}

    def start(self, s3: Any) -> None:
        """Start every server; when one fails, none stays.

        Raises:
            FleetError: With the reason of the first that failed.
        """
        try:
            for server in self._servers.values():
                server.start(s3)
        except Exception:
            self.stop()
            raise

    def stop(self) -> None:
        """End every server and remove its files."""
        for server in self._servers.values():
            server.stop()
            server.remove_files()

    def server(self, variant: str) -> ModelServer:
        """Return the server of a variant."""
        return self._servers[variant]


class ImaginaryFleet(Fleet):
    """Model servers of a simulation: healthy at once, and asked by nobody."""

    def start(self, s3: Any) -> None:
        """Be healthy."""

    def stop(self) -> None:
        """Leave nothing behind."""


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
