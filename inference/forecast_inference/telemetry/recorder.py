"""The recorder: takes observations on the request's path, and tells of them away from it.

What a model container writes to its standard output and error goes to the log group
``/aws/sagemaker/Endpoints/<endpoint>``
(https://docs.aws.amazon.com/sagemaker/latest/dg/logging-cloudwatch.html). Whether CloudWatch then
extracts metrics from it is not documented for SageMaker; it does from any log event that is an EMF
document and nothing besides ("no setup is required"), so the lines go to standard output bare. The
Multi Model Server puts a prefix before what its workers print: no metrics come from there.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import threading
import time
from collections import deque
from datetime import UTC, datetime
from json.encoder import encode_basestring_ascii as _quoted
from typing import TYPE_CHECKING, Any, Final, TextIO

from forecast_inference.telemetry import emf
from forecast_inference.telemetry.totals import STAGES, Totals, add, minus, new_totals, plus

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from forecast_inference.telemetry.observation import Observation

LOG_ALL: Final = "all"
LOG_ERRORS: Final = "errors"
LOG_NONE: Final = "none"

MAX_WAITING: Final = 8192
"""Observations that may wait; when more come, the oldest are counted as dropped."""

_DRAIN_SECONDS: Final = 0.2
_EMF_SECONDS: Final = 60.0
_STOP_SECONDS: Final = 3.0
_AT_ONCE: Final = 32
"""Observations counted in one go: longer, and requests would wait for the interpreter."""

_FIRST_ERROR: Final = 400


def request_log(environment: Mapping[str, str] = os.environ) -> str:
    """Which requests get a line: ``FORECAST_REQUEST_LOG``, all of them by default."""
    wanted = environment.get("FORECAST_REQUEST_LOG", LOG_ALL)
    return wanted if wanted in {LOG_ALL, LOG_ERRORS, LOG_NONE} else LOG_ALL


class RequestRecorder:
    """Logs requests, counts them and writes the minute's metrics, in a thread of its own.

    Args:
        log: which requests get a line: ``all``, ``errors`` or ``none``.
        endpoint: name of the endpoint, a dimension of the embedded metrics; none without it.
        variant: name of its variant, another dimension.
        before: totals to go on from, of a worker that this one replaces.
        stream: where lines go; standard output by default.
        on_totals: called with the totals after each change, at most some times a second.
    """

    def __init__(
        self,
        *,
        log: str = LOG_ALL,
        endpoint: str = "",
        variant: str = "",
        before: Totals | None = None,
        stream: TextIO | None = None,
        on_totals: Callable[[Totals], None] | None = None,
    ) -> None:
        self._log = log
        self._stream = stream
        self._on_totals = on_totals
        self._waiting: deque[tuple[float, Observation]] = deque(maxlen=MAX_WAITING)
        self._lines: deque[str] = deque(maxlen=MAX_WAITING)
        self._dropped = 0
        self._changed = False
        self._totals = plus(before or {}, new_totals())
        self._dimensions = {"Endpoint": endpoint, "Variant": variant}
        self._version = ""
        self._second = 0
        self._second_text = ""
        self._next_line = time.monotonic() + _EMF_SECONDS
        self._counting = threading.Lock()
        self._told = self.totals()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    @classmethod
    def from_environment(
        cls, environment: Mapping[str, str] = os.environ, **options: Any
    ) -> RequestRecorder:
        """The recorder that the container's variables ask for.

        ``FORECAST_ENDPOINT_NAME`` and ``FORECAST_VARIANT_NAME`` are the metrics' dimensions;
        without the first no metrics are written.
        """
        return cls(
            log=request_log(environment),
            endpoint=environment.get("FORECAST_ENDPOINT_NAME", ""),
            variant=environment.get("FORECAST_VARIANT_NAME", ""),
            **options,
        )

    def set_model(self, version: str) -> None:
        """Name the model's version in what is written from now on."""
        self._version = version

    def record(self, observation: Observation) -> None:
        """Take one observation; about a microsecond, and it never raises."""
        if len(self._waiting) == MAX_WAITING:
            self._dropped += 1
        self._waiting.append((time.time(), observation))

    def start(self) -> None:
        """Start telling of what is recorded."""
        self._thread = threading.Thread(target=self._run, name="telemetry", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Tell of everything recorded, the unfinished minute too, and end."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(_STOP_SECONDS)
            if self._thread.is_alive():
                return  # nobody reads what it writes
        self._count_all()
        self._write()
        self._write_minute()

    def totals(self) -> Totals:
        """The sums over everything recorded so far."""
        self._count_all()
        with self._counting:
            return dict(plus(self._totals, new_totals()))

    def _run(self) -> None:
        while not self._stop.wait(_DRAIN_SECONDS):
            while self._waiting:
                self._count_some()
                self._write()
                time.sleep(0.001)  # requests first
            self._write()
            if self._changed and self._on_totals is not None:
                self._changed = False
                with contextlib.suppress(OSError):
                    self._on_totals(self.totals())
            if time.monotonic() >= self._next_line:
                self._next_line += _EMF_SECONDS
                self._write_minute()

    def _count_all(self) -> None:
        while self._waiting:
            self._count_some()

    def _count_some(self) -> None:
        """Count what waits and make its lines; they are written by the recorder's thread alone.

        Whoever reads the container's output may be slow, and `/metrics` must not wait for it.
        """
        with self._counting:
            for _ in range(_AT_ONCE):
                try:
                    when, observation = self._waiting.popleft()
                except IndexError:
                    break
                self._changed = True
                # A recorder that fails must not fail requests, nor what comes after this one.
                with contextlib.suppress(Exception):
                    add(self._totals, observation)
                    if self._log == LOG_ALL or (
                        self._log == LOG_ERRORS and observation.status >= _FIRST_ERROR
                    ):
                        self._lines.append(self._line(when, observation))
            dropped, self._dropped = self._dropped, 0
            self._totals["dropped"] += dropped

    def _line(self, when: float, observation: Observation) -> str:
        """One request as JSON; put together by hand, as there may be thousands in a second."""
        stages = observation.stages_ns
        request_id = observation.request_id
        first = (
            f'{{"time": "{self._time(when)}", "message": "request", '
            f'"request_id": {"null" if request_id is None else _quoted(request_id)}, '
            f'"status": {observation.status:d}, "code": {_quoted(observation.code)}, '
            f'"rows": {observation.rows}, "model_version": {_quoted(self._version)}, '
            f'"duration_us": {sum(stages) // 1000}'
        )
        parts = [first]
        parts += [
            f'"{stage}_us": {taken // 1000}'
            for stage, taken in zip(STAGES, stages, strict=True)
            if taken
        ]
        for name in ("refused_rows", "out_of_range", "clipped", "imputed"):
            if value := getattr(observation, name):
                parts.append(f'"{name}": {json.dumps(value)}')
        return ", ".join(parts) + "}"

    def _time(self, when: float) -> str:
        second = int(when)
        if second != self._second:
            self._second = second
            self._second_text = datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")
        return f"{self._second_text}.{int((when - second) * 1000):03d}+00:00"

    def _write_minute(self) -> None:
        """Write the embedded metrics of what was added since the last time."""
        totals = self.totals()
        minute, self._told = minus(totals, self._told), totals
        dimensions = {**self._dimensions, "ModelVersion": self._version}
        document = emf.document(minute, dimensions, int(time.time() * 1000))
        if document is not None and self._dimensions["Endpoint"]:
            self._lines.append(json.dumps(document))
            self._write()

    def _write(self) -> None:
        lines = []
        while self._lines:
            lines.append(self._lines.popleft())
        if lines:
            with contextlib.suppress(OSError, ValueError):
                stream = self._stream or sys.stdout
                stream.write("\n".join(lines) + "\n")
                stream.flush()
