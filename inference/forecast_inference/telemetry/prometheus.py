"""The totals in Prometheus' text format, version 0.0.4.

https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
"""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING, Final

from forecast_inference.telemetry.totals import BOUNDS_NS, STEPS_PER_DOUBLING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from forecast_inference.telemetry.totals import Totals

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

_PREFIX: Final = "forecast_"
_COUNTED: Final = {
    "out_of_range": "Values outside the range of their input.",
    "clipped": "Values replaced by the nearest bound.",
    "imputed": "Values replaced by the recorded one.",
}


def exposition(totals: Totals, model_name: str, model_version: str) -> bytes:
    """The answer to a scrape of ``/metrics``."""
    model = f"model{_labels({'name': model_name, 'version': model_version})}"
    lines = [
        *_head("model", "gauge", "The model that is served."),
        f"{_PREFIX}{model} 1",
        *_head("requests_total", "counter", "Requests by status and outcome code."),
    ]
    for outcome, count in sorted(totals["requests"].items()):
        status, _, code = outcome.partition(" ")
        lines.append(f"{_PREFIX}requests_total{_labels({'status': status, 'code': code})} {count}")
    for name, what in (
        ("rows", "Rows asked for."),
        ("refused_rows", "Rows answered with an error of their own."),
        ("dropped", "Requests that no other metric counts, as they came too fast."),
    ):
        lines += _head(f"{name}_total", "counter", what)
        lines.append(f"{_PREFIX}{name}_total {totals[name]}")
    lines += _latencies(totals)
    for name, what in _COUNTED.items():
        lines += _head(f"{name}_values_total", "counter", what)
        lines += [
            f"{_PREFIX}{name}_values_total{_labels({'feature': feature})} {count}"
            for feature, count in sorted(totals[name].items())
        ]
    lines += _head("interval_width", "summary", "Upper minus lower bound at the default level.")
    for output, mean in sorted(totals["interval_width"].items()):
        labels = _labels({"output": output})
        lines.append(f"{_PREFIX}interval_width_sum{labels} {mean['sum']}")
        lines.append(f"{_PREFIX}interval_width_count{labels} {mean['rows']}")
    return ("\n".join(lines) + "\n").encode()


def _latencies(totals: Totals) -> Iterator[str]:
    name = "duration_seconds"
    yield from _head(name, "histogram", "Time that a request took in the handler, and by stage.")
    for stage, histogram in totals["latencies"].items():
        counts = list(accumulate(histogram["buckets"]))
        # Every doubling: any choice of the bounds is a valid one, and each is a series.
        for bound, count in list(zip(BOUNDS_NS, counts, strict=False))[::STEPS_PER_DOUBLING]:
            labels = _labels({"stage": stage, "le": f"{bound / 1e9:g}"})
            yield f"{_PREFIX}{name}_bucket{labels} {count}"
        yield f"{_PREFIX}{name}_bucket{_labels({'stage': stage, 'le': '+Inf'})} {counts[-1]}"
        labels = _labels({"stage": stage})
        yield f"{_PREFIX}{name}_sum{labels} {histogram['sum_ns'] / 1e9}"
        yield f"{_PREFIX}{name}_count{labels} {counts[-1]}"


def _head(name: str, kind: str, what: str) -> tuple[str, str]:
    return f"# HELP {_PREFIX}{name} {what}", f"# TYPE {_PREFIX}{name} {kind}"


def _labels(labels: Mapping[str, str]) -> str:
    pairs = (f'{name}="{_escaped(value)}"' for name, value in labels.items())
    return "{" + ",".join(pairs) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
