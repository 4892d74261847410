"""An HTTP client in a process of its own: raw sockets, one request under way on each.

    python benchmarks/load_generator.py --port 8080 --body request.json --connections 8 --seconds 3

Every connection sends its next request when it has its answer; with ``--rate``, not before the
request's time has come, and latencies count from that time on, so that waiting is part of them.
Prints one JSON document: requests, errors, and latency percentiles in µs, also by window of time. A
client library would cost more than the servers measured; this one reads the status and
``Content-Length`` alone.
"""

from __future__ import annotations

import argparse
import json
import selectors
import socket
import time
from collections import deque
from pathlib import Path
from typing import Any

_CHUNK = 1 << 20


class _Connection:
    """One keep-alive connection: at most one request under way."""

    def __init__(self, address: tuple[str, int], request: bytes) -> None:
        self.socket = socket.create_connection(address, timeout=60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._request = request
        self._received = b""
        self.due_at = 0

    def send(self, due_at: int) -> None:
        self._received = b""
        self.due_at = due_at
        self.socket.sendall(self._request)

    def receive(self) -> int:
        """The status once the whole answer is there, else 0.

        Raises:
            ConnectionError: the server closed the connection.
        """
        piece = self.socket.recv(_CHUNK)
        if not piece:
            raise ConnectionError("the server closed the connection")
        self._received += piece
        head, found, body = self._received.partition(b"\r\n\r\n")
        if not found or len(body) < _body_length(head):
            return 0
        return int(self._received[9:12])


def _body_length(head: bytes) -> int:
    lower = head.lower()
    start = lower.find(b"content-length:")
    if start < 0:
        raise ValueError("expected an answer with a Content-Length")
    return int(lower[start + 15 :].split(b"\r\n", 1)[0])


def request_bytes(path: str, body: bytes, content_type: str) -> bytes:
    """A whole POST request."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {content_type}\r\n"
        f"Accept: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def drive(
    address: tuple[str, int],
    request: bytes,
    connections: int,
    seconds: float,
    *,
    rate: float | None = None,
    window_seconds: float = 5.0,
) -> Any:
    """Send requests for that long, as many a second as ``rate`` says or as the server answers."""
    selector = selectors.DefaultSelector()
    idle = deque(_Connection(address, request) for _ in range(connections))
    for connection in idle:
        selector.register(connection.socket, selectors.EVENT_READ, connection)
    windows: list[list[int]] = [[]]
    errors = sent = 0
    started = time.perf_counter_ns()
    end = started + int(seconds * 1e9)
    while (now := time.perf_counter_ns()) < end:
        if now - started > len(windows) * window_seconds * 1e9:
            windows.append([])
        due = now
        while idle and (due := now if rate is None else started + int(sent / rate * 1e9)) <= now:
            idle.popleft().send(due)
            sent += 1
        wait = max(0.0, (due - now) / 1e9) if idle else 60.0
        for key, _ in selector.select(wait):
            status = key.data.receive()
            if status:
                windows[-1].append(time.perf_counter_ns() - key.data.due_at)
                errors += status != 200  # noqa: PLR2004 - the status of success needs no name
                idle.append(key.data)
    took = (time.perf_counter_ns() - started) / 1e9
    for key in list(selector.get_map().values()):
        key.data.socket.close()
    everything = report([latency for window in windows for latency in window], took, errors)
    return {**everything, "windows_p99_us": [report(w, 1.0, 0)["p99_us"] for w in windows if w]}


def report(latencies: list[int], seconds: float, errors: int) -> dict[str, float]:
    """The figures of a run; latencies are in ns."""
    ordered = sorted(latencies) or [0]

    def percentile(share: float) -> float:
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] / 1000

    return {
        "requests": len(latencies),
        "per_second": len(latencies) / seconds,
        "errors": errors,
        "p50_us": percentile(0.5),
        "p99_us": percentile(0.99),
    }


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description="Load an HTTP server.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--path", default="/invocations")
    parser.add_argument("--body", type=Path, required=True, help="file with the request's body")
    parser.add_argument("--content-type", default="application/json")
    parser.add_argument("--connections", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--rate", type=float, help="requests a second; as many as go by default")
    options = parser.parse_args()
    request = request_bytes(options.path, options.body.read_bytes(), options.content_type)
    address = (options.host, options.port)
    figures = drive(address, request, options.connections, options.seconds, rate=options.rate)
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
