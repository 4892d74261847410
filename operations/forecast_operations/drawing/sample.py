"""Values that look like a busy day, to see a dashboard's layout without an account.

The story: requests follow the hours of the day, a new version takes over in steps, a burst of wrong
requests arrives, and one heartbeat is missed. The same names give the same values.
"""

from __future__ import annotations

import zlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np

from forecast_operations.drawing.source import MetricKey, Times

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from forecast_operations.drawing.board import Board
    from forecast_operations.drawing.metric_math import Values
    from forecast_operations.drawing.source import Search, Table

    Moments = NDArray[np.float64]
    Story = Callable[[Moments, np.random.Generator], Moments]

SAMPLE_END = datetime(2026, 3, 20, 18, tzinfo=UTC)
"""The moment that a sample ends at; a picture of it never depends on the day."""

_TAKEOVER = 0.6
_TAKEOVER_STEP = 0.04
_FIRST_SHARE = 0.3
_MOST = 10
"""Instances of the endpoint that the story is written for."""

_ERRORS = frozenset({"Invocation5XXErrors", "InvocationFailures", "InvocationModelErrors"})
_EARLIER_FLEETS = ("ForecastProd-EndpointConfig-Vg2m", "ForecastProd-EndpointConfig-Qa7c")
_CHALLENGER_SHARE = 0.4


def _day(x: Moments, noise: np.random.Generator) -> Moments:
    wave = 60 + 160 * np.sin(np.pi * np.clip(x * 1.1 - 0.05, 0, 1)) ** 2
    shaken: Moments = wave * noise.normal(1, 0.05, x.size)
    return shaken


def _burst(at: float, width: float, height: float) -> Story:
    def make(x: Moments, noise: np.random.Generator) -> Moments:
        shape: Moments = height * np.exp(-(((x - at) / width) ** 2)) * noise.uniform(0.7, 1, x.size)
        return np.where(shape < height / 50, 0, shape)

    return make


def _level(value: float, swing: float = 0.1, *, with_load: float = 0.0) -> Story:
    def make(x: Moments, noise: np.random.Generator) -> Moments:
        load = np.sin(np.pi * np.clip(x * 1.1 - 0.05, 0, 1)) ** 2
        shaken: Moments = value * (1 + with_load * load) * noise.normal(1, swing, x.size)
        return np.clip(shaken, 0, None)

    return make


def _instances(x: Moments, noise: np.random.Generator) -> Moments:
    del noise
    return np.select([x < 0.28, x < 0.42, x < 0.75], [2, 3, 4], 3).astype(float)  # noqa: PLR2004 - the story


def _heartbeat(x: Moments, noise: np.random.Generator) -> Moments:
    del noise
    return np.where(np.arange(x.size) == int(0.47 * x.size), 0.0, 1.0)


def _charges(x: Moments, noise: np.random.Generator) -> Moments:
    del noise
    return 412 + 14 * np.floor(x * 4) / 4


_LATENCY = {"p50": 38_000, "p90": 71_000, "p99": 148_000, "Sum": 9_000_000}
_STORIES: dict[str, Story] = {
    "ApproximateAgeOfOldestRequest": _burst(0.55, 0.1, 190),
    "ApproximateBacklogSize": _burst(0.55, 0.12, 80),
    "ApproximateBacklogSizePerInstance": _burst(0.55, 0.12, 20),
    "ConcurrentRequestsPerModel": _level(3, with_load=1.5),
    "DiskUtilization": _level(21, 0.01),
    "EstimatedCharges": _charges,
    "Heartbeat": _heartbeat,
    "HeartbeatLatency": _level(64, 0.12, with_load=0.4),
    "Invocation4XXErrors": _burst(0.33, 0.025, 26),
    "Invocation5XXErrors": _burst(_TAKEOVER + 0.015, 0.012, 5),
    "InvocationFailures": _burst(_TAKEOVER + 0.015, 0.012, 6),
    "InvocationModelErrors": _burst(_TAKEOVER + 0.015, 0.012, 6),
    "Invocations": _day,
    "InvocationsPerInstance": _level(35, with_load=1.0),
    "MemoryUtilization": _level(43, 0.015, with_load=0.1),
    "OutOfRangeShare": _level(0.014, 0.2, with_load=0.5),
    "RefusedRows": _burst(0.33, 0.03, 30),
    "Rows": _level(4000, with_load=2),
    "ServerlessConcurrentExecutionsUtilization": _level(0.22, with_load=1.4),
    "ServerlessProvisionedConcurrencyUtilization": _level(0.4, with_load=0.9),
    "ServerlessProvisionedConcurrencySpilloverInvocations": _burst(0.5, 0.08, 3),
    "TotalProcessingTime": _burst(0.55, 0.12, 190_000),
    "WAPE": _level(0.14, 0.02, with_load=0.08),
}


class Sample:
    """A source of made-up values.

    Attributes:
        times: The times that are drawn.
    """

    def __init__(self, hours: float, board: Board) -> None:
        self.times = Times.of(SAMPLE_END, hours)
        self._bounds = _bounds_of(board)

    def values(self, keys: Sequence[MetricKey]) -> list[Values]:
        """The values of metrics, by their names."""
        return [self._values(key) for key in keys]

    def find(self, search: Search, region: str, account: str | None) -> list[MetricKey]:
        """Two earlier fleets, which the search knows by their configurations."""
        known = {**search.wanted}
        name = known.pop("MetricName")
        return [
            MetricKey(
                namespace=search.namespace,
                name=name,
                dimensions=tuple({**known, "EndpointConfigName": fleet}.items()),
                statistic=search.statistic,
                region=region,
                account=account,
            )
            for fleet in _EARLIER_FLEETS
        ]

    def alarm_states(self, arns: Sequence[str]) -> dict[str, str]:
        """All is well again at the end of the day."""
        return dict.fromkeys(arns, "OK")

    def log_table(self, query: str) -> Table | None:
        """Rows of the shape that the query asks for."""
        if " by status" in query:
            return ("requests", "status", "code", "model_version", "last"), (
                ("214", "400", "missing_feature", "16", "10:31:07"),
                ("37", "400", "value_out_of_range", "16", "10:29:44"),
                ("9", "500", "prediction_failed", "16", "13:22:51"),
            )
        return ("@timestamp", "status", "code", "model_version", "request_id"), (
            ("13:22:51.204", "500", "prediction_failed", "16", "8c1f2a40-5f1e"),
            ("13:22:49.871", "500", "prediction_failed", "16", "0be4d7c1-93aa"),
            ("13:22:47.332", "500", "prediction_failed", "16", "d3f06b25-17c8"),
        )

    def _values(self, key: MetricKey) -> Values:
        x = (np.arange(self.times.count) + 0.5) / self.times.count
        texts = (key.name, key.statistic, *(value for _, value in key.dimensions))
        noise = np.random.default_rng(zlib.crc32("/".join(texts).encode()))
        minutes = self.times.period_seconds / 60
        fewest, most = self._bounds.get(dict(key.dimensions).get("EndpointName", ""), (2, _MOST))
        value = _story(key)(x, noise) * _share(key, x)
        if key.statistic == "SampleCount" and key.name == "CPUUtilization":
            value = np.clip(value, fewest, most)
        elif key.statistic == "Sum":
            value = value * most / _MOST
        counted = key.statistic in {"Sum", "SampleCount"}
        return np.round(value * minutes, 4) if counted else np.round(value, 4)


def _bounds_of(board: Board) -> dict[str, tuple[float, float]]:
    """Fewest and most instances of each endpoint, which the lines in a graph of them tell."""
    found = {}
    for widget in board.widgets:
        marks = widget["properties"].get("annotations", {}).get("horizontal", ())
        counted = [
            row for row in widget["properties"].get("metrics", ()) if "SampleCount" in str(row)
        ]
        if marks and counted:
            values = [mark["value"] for mark in marks]
            found[counted[0][3]] = (min(values), max(values))
    return found


def _story(key: MetricKey) -> Story:
    if key.name == "CPUUtilization":
        return _instances if key.statistic == "SampleCount" else _level(96, 0.05, with_load=0.9)
    if key.name in {"ModelLatency", "OverheadLatency", "ModelSetupTime"}:
        if key.statistic == "SampleCount":
            return _day
        base = _LATENCY.get(key.statistic, 50_000)
        scale = {"ModelLatency": 1.0, "OverheadLatency": 0.09, "ModelSetupTime": 20}[key.name]
        return _level(base * scale, 0.06, with_load=0.35)
    return _STORIES.get(key.name, _level(1))


def _share(key: MetricKey, x: Moments) -> Moments:
    """The part of the traffic that a fleet or a variant has at a time."""
    dimensions = dict(key.dimensions)
    whole = np.ones(x.size)
    if dimensions.get("VariantName", "").endswith("-challenger"):
        whole = whole * _CHALLENGER_SHARE if key.statistic == "Sum" else whole * 0.9
    fleet = dimensions.get("EndpointConfigName")
    if fleet is None:
        return whole
    if key.name in _ERRORS:
        return whole if fleet not in _EARLIER_FLEETS else 0 * whole
    new: Moments = np.select(
        [x < _TAKEOVER, x < _TAKEOVER + _TAKEOVER_STEP], [0, _FIRST_SHARE], 1.0
    )
    if key.statistic.startswith("p"):
        return np.where(new > 0, whole, np.nan)
    if fleet not in _EARLIER_FLEETS:
        return whole * new
    # The earlier of the two served until a rollout before.
    before = x < _TAKEOVER / 3
    mine: NDArray[np.bool_] = before if fleet == _EARLIER_FLEETS[1] else ~before
    return whole * (1 - new) * mine
