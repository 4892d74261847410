"""Our model server for minutes or hours at 80 % of what it can, with 1 % hostile requests.

    python benchmarks/soak.py --minutes 30 [--workers 2] [--rows 1]

The capacity is measured first. Fails, with exit status 1, when a good request got anything but 200,
a hostile one a 5xx or no end, when memory grew, or when the slowest hundredth of the good requests
became slower. A minute of it is for CI, where the last two say little on a busy machine: there they
are printed, and fail from 10 minutes on.
"""

from __future__ import annotations

import argparse
import gzip
import itertools
import json
import shutil
import socket
import statistics
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from served_model import ROOT, Launch, build_model, launches
from servers import load, memory_mib, running

if TYPE_CHECKING:
    from collections.abc import Iterator

CONNECTIONS: Final = 8
SHARE_OF_CAPACITY: Final = 0.8
HOSTILE_SHARE: Final = 0.01
MAX_GROWTH_MIB: Final = 8.0
MAX_SLOWDOWN: Final = 1.5
LONG_MINUTES: Final = 10.0


def hostile_requests() -> Iterator[bytes]:
    """Requests of every kind that must get a 4xx, or nothing but the end of the connection."""
    bodies = [
        b"", b"{", b"[" * 5000, b"null", b'{"instances": []}', b'{"instances": [{}]}',
        b'{"instances": [{"feature_00": NaN}]}', b'{"instances": [{"feature_00": 1e999}]}',
        b'{"instances": [{"feature_00": "1"}]}', b'{"instances": [' + b"[]," * 2000 + b"[]]}",
        b'{"instances": [{"a": 1, "a": 2}]}', b'{"instances": "' + b"x" * 200_000 + b'"}',
        b"\xff\xfe\x00", b'{"instances": [{"feature_00": ' + b"9" * 5000 + b"}]}",
    ]  # fmt: skip
    for body in bodies:
        yield post(body)
        yield post(body, b"Content-Type: text/csv")
    bomb = gzip.compress(b" " * 50_000_000)
    yield post(bomb, b"Content-Encoding: gzip")
    yield post(b"no gzip", b"Content-Encoding: gzip")
    yield post(b"{}", b"Content-Encoding: br")
    yield post(b"{}", b"Content-Type: application/x-npy")
    yield b"POST /invocations HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"
    yield b"POST /invocations HTTP/1.1\r\nContent-Length: 9999999999\r\n\r\n"
    yield b"POST /invocations HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}"
    yield b"POST /invocations HTTP/1.1\r\nContent-Length: 500\r\n\r\n{"  # and goes away
    yield b"DELETE /invocations HTTP/1.1\r\n\r\n"
    yield b"GET /../etc/passwd HTTP/1.1\r\n\r\n"
    yield b"GET /ping HTTP/1.1\nHost: x\n\n"
    yield b"GET /" + b"x" * 100_000 + b" HTTP/1.1\r\n\r\n"
    yield b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n"


def post(body: bytes, *headers: bytes) -> bytes:
    """A request with a body and headers."""
    head = [b"POST /invocations HTTP/1.1", *headers, b"Content-Length: %d" % len(body)]
    return b"\r\n".join([*head, b"Connection: close", b"", b""]) + body


class Attacker(threading.Thread):
    """Sends hostile requests at a steady rate.

    Attributes:
        statuses: how often each status was answered; 0 is a connection closed without any.
    """

    def __init__(self, port: int, per_second: float) -> None:
        super().__init__(daemon=True)
        self.statuses: dict[int, int] = {}
        self._port = port
        self._pause = 1 / per_second
        self._end = threading.Event()

    def run(self) -> None:
        """Send until `stop`."""
        for request in itertools.cycle(list(hostile_requests())):
            if self._end.wait(self._pause):
                return
            status = self._send(request)
            self.statuses[status] = self.statuses.get(status, 0) + 1

    def stop(self) -> None:
        """Send no more."""
        self._end.set()
        self.join()

    def _send(self, request: bytes) -> int:
        answer = b""
        with (
            suppress(ConnectionError),
            socket.create_connection(("127.0.0.1", self._port), timeout=40) as client,
        ):
            with suppress(OSError):
                client.sendall(request)
                client.shutdown(socket.SHUT_WR)
            while piece := client.recv(65_536):
                answer += piece
        return int(answer[9:12]) if answer.startswith(b"HTTP/1.1 ") else 0


def soak(launch: Launch, body: bytes, minutes: float) -> tuple[dict[str, Any], list[str]]:
    """Run, and give the figures and what is wrong with them."""
    with running(launch, ROOT / ".forecast/benchmarks/logs") as (process, _):
        load(launch, body, CONNECTIONS, 2.0)  # warm
        capacity = load(launch, body, CONNECTIONS, 5.0)["per_second"]
        rate = capacity * SHARE_OF_CAPACITY
        attacker = Attacker(launch.port, rate * HOSTILE_SHARE)
        attacker.start()
        memory: list[float] = []
        client = start_client(launch, rate, minutes * 60)
        while client.poll() is None:
            memory.append(memory_mib(process.pid))
            time.sleep(1.0)
        attacker.stop()
        figures = json.loads(client.stdout.read()) if client.stdout else {}
        figures |= {"capacity": capacity, "hostile": attacker.statuses}
    fifth = max(1, len(memory) // 5)
    figures["memory_mib"] = [
        statistics.median(memory[fifth:][:fifth]),
        statistics.median(memory[-fifth:]),
    ]
    windows = figures.pop("windows_p99_us")
    third = max(1, len(windows) // 3)
    figures["p99_us_first_and_last_third"] = [
        statistics.median(windows[:third]), statistics.median(windows[-third:]),
    ]  # fmt: skip
    return figures, list(problems(figures, strict=minutes >= LONG_MINUTES))


def start_client(launch: Launch, rate: float, seconds: float) -> subprocess.Popen[str]:
    """The load generator, with the body that the capacity was measured with."""
    command = [
        sys.executable, str(Path(__file__).with_name("load_generator.py")),
        "--port", str(launch.port), "--body", str(ROOT / ".forecast/benchmarks/body.json"),
        "--connections", str(CONNECTIONS), "--seconds", str(seconds), "--rate", str(rate),
    ]  # fmt: skip
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def problems(figures: dict[str, Any], *, strict: bool) -> Iterator[str]:
    """What must not be."""
    if not figures["requests"] or figures["errors"]:
        yield f"{figures['errors']} of {figures['requests']} good requests failed"
    failed = {status: count for status, count in figures["hostile"].items() if status >= 500}  # noqa: PLR2004 - HTTP's class of failures
    answered = figures["hostile"].get(200, 0)
    if failed or answered:
        yield f"hostile requests were answered with {failed or {200: answered}}"
    first, last = figures["memory_mib"]
    if strict and last - first > MAX_GROWTH_MIB:
        yield f"memory grew from {first:.1f} to {last:.1f} MiB"
    first, last = figures["p99_us_first_and_last_third"]
    if strict and last > first * MAX_SLOWDOWN:
        yield f"p99 went from {first:.0f} to {last:.0f} µs"


def main() -> None:
    """Run, print the figures, and fail when something is wrong."""
    parser = argparse.ArgumentParser(description="Soak the model server.")
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--workers", type=int, choices=(1, 2), default=1)
    parser.add_argument("--rows", type=int, default=1)
    options = parser.parse_args()
    folder = ROOT / ".forecast/benchmarks/soak"
    shutil.rmtree(folder, ignore_errors=True)
    payloads = build_model(folder, (options.rows,))
    name = "ours standard" if options.workers == 1 else "ours standard, 2 workers"
    (launch,) = launches(folder, lambda found: found == name)
    figures, wrong = soak(launch, launch.body(payloads[options.rows]), options.minutes)
    print(json.dumps(figures, indent=2))
    sys.exit("; ".join(wrong) or 0)


if __name__ == "__main__":
    main()
