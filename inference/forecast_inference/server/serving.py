"""The project's own model server: SageMaker's container contract with the standard library alone.

``/ping`` and ``/invocations`` behave as "Use Your Own Inference Code with Hosting Services"
prescribes (https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-inference-code.html).

    python -m forecast_inference.server --model-dir model --port 8080
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import json
import logging
import os
import signal
import sys
import threading
import time
from datetime import UTC, datetime
from http.server import ThreadingHTTPServer
from pathlib import Path
from socketserver import TCPServer
from typing import TYPE_CHECKING, Any, Final

from forecast_inference.handler import Predictor
from forecast_inference.server.endpoint import EndpointHandler

if TYPE_CHECKING:
    import socket
    from collections.abc import Sequence

DRAIN_SECONDS: Final = 25.0
"""How long running requests may take to finish after SIGTERM; SIGKILL follows it after 30 s (same
page)."""

MAX_CONNECTIONS: Final = 256
_MAX_PORT: Final = 65_535
_BUSY: Final = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class ModelServer(ThreadingHTTPServer):
    """An HTTP server for one model, listening from its construction on and ready once it has one.

    Args:
        address: host and port; port 0 takes a free one.
    """

    daemon_threads = True
    block_on_close = False  # stop() has its own, bounded way of waiting
    request_queue_size = 128

    def __init__(self, address: tuple[str, int]) -> None:
        self.predictor: Predictor | None = None
        self.draining = False
        self._connections: set[socket.socket] = set()
        self._changed = threading.Condition()
        super().__init__(address, EndpointHandler)

    def server_bind(self) -> None:
        """Bind without the look-up of the host's name, which can take seconds."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]

    def process_request(self, request: Any, client_address: Any) -> None:
        """Give the connection its thread, or turn it away when there are too many."""
        with self._changed:
            accepted = len(self._connections) < MAX_CONNECTIONS
            if accepted:
                self._connections.add(request)
        if accepted:
            super().process_request(request, client_address)
            return
        with contextlib.suppress(OSError):
            request.sendall(_BUSY)
        self.shutdown_request(request)

    def shutdown_request(self, request: Any) -> None:
        """Close the connection and forget it."""
        super().shutdown_request(request)
        with self._changed:
            self._connections.discard(request)
            self._changed.notify_all()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 - overrides
        """Log what went wrong on a connection, unless its client just went away."""
        failure = sys.exception()
        if not isinstance(failure, OSError):
            logging.getLogger(__name__).error("a connection failed", exc_info=failure)

    def stop(self, drain_seconds: float = DRAIN_SECONDS) -> bool:
        """Stop accepting and let running requests finish; true when all have.

        Connections without a request notice ``draining`` by themselves and end.
        """
        self.draining = True
        self.shutdown()
        self.server_close()
        with self._changed:
            return self._changed.wait_for(lambda: not self._connections, timeout=drain_seconds)


def serve(model_dir: Path, host: str, port: int) -> int:
    """Serve the archive extracted in ``model_dir`` until SIGTERM; returns the exit status."""
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    try:
        server = ModelServer((host, port))
    except OSError as problem:
        logging.getLogger(__name__).error("cannot listen on %s:%s: %s", host, port, problem)  # noqa: TRY400 - no traceback for a taken port
        return 1
    failures: list[BaseException] = []
    listener = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1})
    listener.start()
    loader = threading.Thread(
        target=_load, args=(server, model_dir, failures, stopped), daemon=True
    )
    loader.start()
    stopped.wait()
    finished = server.stop()
    listener.join()
    for failure in failures:
        logging.getLogger(__name__).error("the model cannot be served: %s", failure)
    return 1 if failures or not finished else 0


def _load(
    server: ModelServer,
    model_dir: Path,
    failures: list[BaseException],
    stopped: threading.Event,
) -> None:
    started = time.monotonic()
    try:
        predictor = Predictor.load(model_dir)
        predictor.check_example(model_dir)
    except Exception as failure:  # noqa: BLE001 - whatever it is, the server cannot start
        failures.append(failure)
        stopped.set()
        return
    # What has been loaded stays: the collector need not look through it again for every request.
    gc.collect()
    gc.freeze()
    server.predictor = predictor
    ready = {
        "event": "ready",
        "url": f"http://{server.server_name}:{server.server_port}",
        "model": predictor.info.name,
        "model_version": predictor.info.version,
        "load_seconds": round(time.monotonic() - started, 3),
    }
    print(json.dumps(ready), flush=True)  # noqa: T201 - who starts the server waits for this line


class _JsonLines(logging.Formatter):
    """Log records as JSON, one line each."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
        }
        line.update(getattr(record, "request", {}))
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the model server from the command line; logs go to standard error."""
    parser = argparse.ArgumentParser(
        prog="python -m forecast_inference.server", description="Serve a forecasting model."
    )
    parser.add_argument("--model-dir", type=Path, required=True, help="the extracted archive")
    parser.add_argument("--port", type=_port, default=8080, help="0 takes a free port")
    parser.add_argument("--host", default="127.0.0.1", help="0.0.0.0 within a container")
    options = parser.parse_args(arguments)
    handler = logging.StreamHandler()
    handler.setFormatter(_JsonLines())
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    # Read by the OpenMP of the model's library when that is imported: see models.thread_count.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    return serve(options.model_dir, options.host, options.port)


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) <= _MAX_PORT):
        raise argparse.ArgumentTypeError(f"expected a port from 0 to {_MAX_PORT}, got {text!r}")
    return int(text)
