"""The project's own model server: SageMaker's container contract with the standard library alone.

``/ping`` and ``/invocations`` behave as "Use Your Own Inference Code with Hosting Services"
prescribes (https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-inference-code.html).
"""

from __future__ import annotations

import contextlib
import json
import logging
import signal
import socket
import threading
import time
from typing import TYPE_CHECKING, Any, Final

from forecast_inference.server.documents import metadata
from forecast_inference.server.loop import Loop
from forecast_inference.server.routes import Routes
from forecast_inference.server.startup import load_predictor
from forecast_inference.telemetry.recorder import RequestRecorder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from forecast_inference.handler import Predictor

DRAIN_SECONDS: Final = 25.0
"""How long running requests may take to finish after SIGTERM; SIGKILL follows it after 30 s (same
page)."""

_BACKLOG: Final = 128
_LOG = logging.getLogger(__name__)


class ModelServer:
    """An HTTP server for one model, listening from its construction on and ready once it has one.

    Args:
        address: host and port, where port 0 takes a free one; none for a worker, which is given
            its connections.
        recorder: told of every request.
        on_close: called after each connection's end.

    Attributes:
        routes: what each path answers.
        loop: its connections.
        server_port: the port that it listens on; 0 for a worker.
    """

    def __init__(
        self,
        address: tuple[str, int] | None,
        recorder: RequestRecorder | None = None,
        on_close: Callable[[], object] = lambda: None,
    ) -> None:
        self.recorder = recorder or RequestRecorder()
        self.routes = Routes(self.recorder)
        self._listener = listen(address) if address else None
        self.server_port = self._listener.getsockname()[1] if self._listener else 0
        self.loop = Loop(self.routes, on_close=on_close)
        if self._listener is not None:
            self.loop.listen(self._listener, self._accept)

    @property
    def predictor(self) -> Predictor | None:
        """The model; requests are refused until there is one."""
        return self.routes.predictor

    @predictor.setter
    def predictor(self, predictor: Predictor | None) -> None:
        self.routes.predictor = predictor

    def load(self, model_dir: Path) -> Predictor:
        """Load the model of an extracted archive, and be ready.

        Raises:
            ArtifactError: the archive cannot be served.
        """
        predictor = load_predictor(model_dir, self.recorder)
        self.recorder.set_model(predictor.info.version)
        self.routes.metadata = metadata(model_dir)
        self.routes.predictor = predictor
        return predictor

    def serve_forever(self) -> None:
        """Serve until `stop` is called in another thread."""
        self.recorder.start()
        self.loop.run()

    def stop(self, drain_seconds: float = DRAIN_SECONDS) -> bool:
        """Stop accepting and let running requests finish; true when all have."""
        self.routes.draining = True
        finished = self.loop.stop(drain_seconds)
        if self._listener is not None:
            self._listener.close()
        self.recorder.stop()
        return finished

    def _accept(self) -> None:
        assert self._listener is not None  # noqa: S101 - it called
        with contextlib.suppress(OSError):  # none is left, or its client has gone
            while True:
                self.loop.adopt(self._listener.accept()[0])


def listen(address: tuple[str, int]) -> socket.socket:
    """A socket that listens.

    Raises:
        OSError: the port is taken, or the host is none of this machine.
    """
    return socket.create_server(address, backlog=_BACKLOG)


def stop_signal() -> threading.Event:
    """An event that SIGTERM and SIGINT set; SageMaker ends containers by the first."""
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    return stopped


def serve_alone(model_dir: Path, host: str, port: int) -> int:
    """Serve an extracted archive in this process until SIGTERM; returns the exit status."""
    stopped = stop_signal()
    try:
        server = ModelServer((host, port), RequestRecorder.from_environment())
    except OSError as problem:
        _LOG.error("cannot listen on %s:%s: %s", host, port, problem)
        return 1

    def ready(predictor: Predictor, seconds: float) -> None:
        print_ready(f"http://{host}:{server.server_port}", predictor, seconds)

    return run_until(stopped, server, model_dir, ready)


def run_until(
    stopped: threading.Event,
    server: ModelServer,
    model_dir: Path,
    ready: Callable[[Predictor, float], None],
) -> int:
    """Serve, load the model beside it, and end in order; returns the exit status.

    Args:
        stopped: set when the server is to stop.
        server: the server.
        model_dir: the extracted archive.
        ready: called with the model and the seconds that it took, once it answers.
    """
    failures: list[Exception] = []

    def load() -> None:
        began = time.monotonic()
        try:
            predictor = server.load(model_dir)
        except Exception as failure:  # noqa: BLE001 - whatever it is, the server cannot start
            failures.append(failure)
            stopped.set()
        else:
            ready(predictor, time.monotonic() - began)

    serving = threading.Thread(target=server.serve_forever, name="serving")
    serving.start()
    threading.Thread(target=load, name="loading", daemon=True).start()
    stopped.wait()
    finished = server.stop()
    serving.join()
    for failure in failures:
        _LOG.error("the model cannot be served: %s", failure)
    return 1 if failures or not finished else 0


def print_ready(url: str, predictor: Predictor, seconds: float) -> None:
    """Tell who started the server that it answers: one line on standard output."""
    ready: dict[str, Any] = {
        "event": "ready",
        "url": url,
        "model": predictor.info.name,
        "model_version": predictor.info.version,
        "load_seconds": round(seconds, 3),
    }
    print(json.dumps(ready), flush=True)  # noqa: T201 - who starts the server waits for this line
