"""Several processes that serve one port: each has its own copy of the model.

The parent listens, gives every new connection to the worker that has fewest, and starts a worker
again that has died. It has no model and answers nothing itself.
"""

from __future__ import annotations

import contextlib
import json
import logging
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from forecast_inference.server.serving import (
    DRAIN_SECONDS,
    ModelServer,
    listen,
    run_until,
    stop_signal,
)
from forecast_inference.telemetry.recorder import RequestRecorder
from forecast_inference.telemetry.totals import Totals, plus

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_RESTARTS: Final = 5
"""Workers that may die within a minute; more, and the server ends, so that it is seen."""

_MINUTE: Final = 60.0
_POLL_SECONDS: Final = 0.2
_CONNECTION, _ALL_READY = b"c", b"r"  # from the parent
_WARM, _CLOSED = b"w", b"x"  # from a worker
_LOG = logging.getLogger(__name__)


class _Worker:
    """A worker, seen from the parent."""

    def __init__(self, slot: int, model_dir: Path, folder: Path) -> None:
        self.slot = slot
        self.control, theirs = socket.socketpair()
        self.control.settimeout(0)
        command = [sys.executable, "-m", "forecast_inference.server", "--model-dir", str(model_dir)]
        options = ["--worker", f"{theirs.fileno()},{slot},{folder}"]
        self.process = subprocess.Popen([*command, *options], pass_fds=[theirs.fileno()])
        theirs.close()
        self.connections = 0
        self.is_warm = False

    def give(self, connection: socket.socket) -> bool:
        """Whether the worker has taken a connection."""
        if self.process.poll() is not None:
            return False
        try:
            socket.send_fds(self.control, [_CONNECTION], [connection.fileno()])
        except OSError:
            return False
        self.connections += 1
        return True

    def hear(self) -> None:
        """Take what it has told."""
        with contextlib.suppress(OSError):
            told = self.control.recv(4096)
            self.connections -= told.count(_CLOSED)
            self.is_warm = self.is_warm or _WARM in told

    def end(self) -> None:
        """Ask it to stop."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)


class Workers:
    """The parent of the workers of one port.

    Args:
        model_dir: the extracted archive.
        address: host and port.
        count: how many workers.

    Raises:
        OSError: the port is taken.
    """

    def __init__(self, model_dir: Path, address: tuple[str, int], count: int) -> None:
        self._model_dir = model_dir
        self._began = time.monotonic()
        self._listener = listen(address)
        self._listener.settimeout(0)
        self._url = f"http://{address[0]}:{self._listener.getsockname()[1]}"
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._count = count
        self._workers: dict[int, _Worker] = {}
        self._deaths: deque[float] = deque(maxlen=MAX_RESTARTS + 1)
        self._was_ready = False

    def run(self) -> int:
        """Serve until SIGTERM; returns the exit status."""
        stopped = stop_signal()
        with tempfile.TemporaryDirectory(prefix="forecast-server-") as name:
            folder = Path(name)
            for slot in range(self._count):
                self._start(slot, folder)
            failed = False
            while not stopped.is_set() and not failed:
                for key, _ in self._selector.select(_POLL_SECONDS):
                    if isinstance(key.data, _Worker):
                        key.data.hear()
                    else:
                        self._accept()
                self._announce()
                failed = not self._replace_dead(folder)
            return self._end() or int(failed)

    def _start(self, slot: int, folder: Path) -> None:
        worker = self._workers[slot] = _Worker(slot, self._model_dir, folder)
        self._selector.register(worker.control, selectors.EVENT_READ, worker)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # none is left, or its client has gone
            while True:
                connection, _ = self._listener.accept()
                with connection:
                    any(worker.give(connection) for worker in self._by_load())

    def _by_load(self) -> Iterator[_Worker]:
        workers = self._workers.values()
        return iter(sorted(workers, key=lambda worker: (not worker.is_warm, worker.connections)))

    def _announce(self) -> None:
        """Tell the workers, and who started the server, once all of them are warm."""
        if self._was_ready or not all(worker.is_warm for worker in self._workers.values()):
            return
        self._was_ready = True
        for worker in self._workers.values():
            worker.control.send(_ALL_READY)
        info = json.loads((self._model_dir / "model-info.json").read_text(encoding="utf-8"))
        ready = {
            "event": "ready",
            "url": self._url,
            "model": info["name"],
            "model_version": info["version"],
            "workers": self._count,
            "load_seconds": round(time.monotonic() - self._began, 3),
        }
        print(json.dumps(ready), flush=True)  # noqa: T201 - who starts the server waits for this line

    def _replace_dead(self, folder: Path) -> bool:
        """Start workers again that have died; false when the server has to end."""
        for worker in list(self._workers.values()):
            status = worker.process.poll()
            if status is None:
                continue
            self._selector.unregister(worker.control)
            worker.control.close()
            if not self._was_ready:
                return False  # the worker has said why
            now = time.monotonic()
            self._deaths.append(now)
            _LOG.error("worker %s ended with status %s and is started again", worker.slot, status)
            if len(self._deaths) > MAX_RESTARTS and now - self._deaths[0] < _MINUTE:
                _LOG.error("more than %s workers ended within a minute", MAX_RESTARTS)
                return False
            self._start(worker.slot, folder)
            self._workers[worker.slot].control.send(_ALL_READY)
        return True

    def _end(self) -> int:
        """Let the workers finish; 1 when one has not."""
        self._selector.close()
        self._listener.close()
        for worker in self._workers.values():
            worker.end()
        deadline = time.monotonic() + DRAIN_SECONDS + 1
        clean = True
        for worker in self._workers.values():
            try:
                status = worker.process.wait(max(0.0, deadline - time.monotonic()))
                # By the signal itself: it was still loading, and had no request.
                clean = clean and status in {0, -signal.SIGTERM}
            except subprocess.TimeoutExpired:
                worker.process.kill()
                worker.process.wait()
                clean = False
            worker.control.close()
        return 0 if clean else 1


def serve_shared(model_dir: Path, host: str, port: int, count: int) -> int:
    """Serve an extracted archive by several processes until SIGTERM; returns the exit status."""
    try:
        workers = Workers(model_dir, (host, port), count)
    except OSError as problem:
        _LOG.error("cannot listen on %s:%s: %s", host, port, problem)
        return 1
    return workers.run()


def run_worker(model_dir: Path, place: str) -> int:
    """The life of one worker; returns its exit status.

    Args:
        model_dir: the extracted archive.
        place: what the parent passes on: the number of the control socket, the worker's own number
            and the folder in which the workers leave their totals for one another.
    """
    number, slot, name = place.split(",", 2)
    control = socket.socket(fileno=int(number))
    stopped = stop_signal()
    totals = _SharedTotals(Path(name), slot)
    recorder = RequestRecorder.from_environment(before=totals.own(), on_totals=totals.publish)
    server = ModelServer(None, recorder, on_close=lambda: _tell(control, _CLOSED))
    server.routes.peers_ready = False
    server.routes.totals = lambda: plus(recorder.totals(), totals.of_others())

    def hear() -> None:
        told, numbers, _, _ = socket.recv_fds(control, 1, 1)
        for received in numbers:
            server.loop.adopt(socket.socket(fileno=received))
        if told == _ALL_READY:
            server.routes.peers_ready = True
        elif not told:
            stopped.set()  # the parent is gone

    server.loop.listen(control, hear)
    return run_until(stopped, server, model_dir, lambda *_: _tell(control, _WARM))


def _tell(control: socket.socket, what: bytes) -> None:
    with contextlib.suppress(OSError):
        control.send(what)


class _SharedTotals:
    """The totals of all workers: each leaves its own in a file, some times a second."""

    def __init__(self, folder: Path, slot: str) -> None:
        self._folder = folder
        self._file = folder / f"{slot}.json"

    def own(self) -> Totals | None:
        """What a worker that this one replaces has left."""
        return _read(self._file)

    def publish(self, totals: Totals) -> None:
        written = self._file.with_suffix(".new")
        written.write_text(json.dumps(totals), encoding="utf-8")
        written.replace(self._file)

    def of_others(self) -> Totals:
        found: Any = {}
        for file in sorted(self._folder.glob("*.json")):
            if file != self._file:
                found = plus(found, _read(file) or {})
        return dict(found)


def _read(file: Path) -> Totals | None:
    try:
        return dict(json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return None
