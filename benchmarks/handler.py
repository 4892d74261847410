"""What the handler costs above the model's own predict, beside a pandas handler in the same run.

LightGBM with 20 features and 2 outputs of 300 trees, one thread, JSON rows:

    python benchmarks/handler.py [--seconds 3]

Every round times raw predict and both handlers in turn, so that a busy moment of the machine meets
all of them; the table holds medians over the rounds. Ratios travel between machines, the absolute
figures do not.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import statistics
import time
from typing import TYPE_CHECKING, Any

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before OpenMP is loaded, as the server does

import lightgbm
import numpy as np
import pandas as pd

from forecast_inference.contract.schema import FeatureSchema
from forecast_inference.handler import Predictor
from forecast_inference.models.loading import ModelInfo

if TYPE_CHECKING:
    from collections.abc import Callable

ROWS = (1, 32, 1000)
FEATURES = [f"feature_{index:02d}" for index in range(20)]
OUTPUTS = ["forecasted_price", "forecasted_demand"]


def train() -> Callable[[Any], Any]:
    """A prediction function of two boosters: (n, 20) in, (n, 2) out."""
    random = np.random.default_rng(1)
    features = random.normal(size=(5000, len(FEATURES)))
    options = {"objective": "regression", "verbose": -1, "num_threads": 1}
    boosters = []
    for output in range(len(OUTPUTS)):
        target = features @ random.normal(size=len(FEATURES)) + output
        data = lightgbm.Dataset(features, target, feature_name=FEATURES)
        boosters.append(lightgbm.train(options, data, num_boost_round=300))
    return lambda rows: np.column_stack(
        [booster.predict(rows, num_threads=1) for booster in boosters]
    )


def build_predictor(predict: Callable[[Any], Any], *, intervals: bool) -> Predictor:
    """The project's predictor around that function."""
    columns = [{"name": name, "type": "double", "nullable": True} for name in FEATURES]
    offsets = {"kind": "relative", "lower": -0.2, "upper": 0.2}
    document: dict[str, Any] = {
        "schema_version": 1,
        "inputs": columns,
        "features": columns,
        "outputs": [{"name": name} for name in OUTPUTS],
    }
    if intervals:
        document["interval"] = {"level": 0.9, "outputs": dict.fromkeys(OUTPUTS, offsets)}
    schema = FeatureSchema.from_document(document)
    info = ModelInfo("produce", "16", "lightgbm", "model/model.txt", "array", {}, {})
    return Predictor(info, schema, predict)


def pandas_handler(predict: Callable[[Any], Any]) -> Callable[[bytes], bytes]:
    """The usual handler: a DataFrame in, records out; no checks and no intervals."""

    def handle(body: bytes) -> bytes:
        frame = pd.DataFrame(json.loads(body)["instances"])[FEATURES].astype(float)
        answer = pd.DataFrame(predict(frame), columns=OUTPUTS)
        return json.dumps({"predictions": answer.to_dict(orient="records")}).encode()

    return handle


def medians_us(calls: dict[str, Callable[[], Any]], seconds: float) -> dict[str, float]:
    """The median time of each call in µs, all of them timed in turn for that long."""
    times: dict[str, list[int]] = {name: [] for name in calls}
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        for name, call in calls.items():
            started = time.perf_counter_ns()
            call()
            times[name].append(time.perf_counter_ns() - started)
    return {name: statistics.median(values) / 1000 for name, values in times.items()}


def measure(predict: Callable[[Any], Any], count: int, seconds: float) -> dict[str, float]:
    """Raw predict, and both handlers above it, for requests of so many rows."""
    predictor = build_predictor(predict, intervals=False)
    complete = build_predictor(predict, intervals=True)
    with_pandas = pandas_handler(predict)
    matrix = np.random.default_rng(2).normal(size=(count, len(FEATURES)))
    instances = [dict(zip(FEATURES, row, strict=True)) for row in matrix.tolist()]
    body = json.dumps({"instances": instances}).encode()
    check(predictor, with_pandas, body)
    medians = medians_us(
        {
            "raw": lambda: predict(matrix),
            "handler": lambda: predictor.respond(body, "application/json"),
            "intervals": lambda: complete.respond(body, "application/json"),
            "pandas": lambda: with_pandas(body),
            "json": lambda: json.loads(body),
        },
        seconds,
    )
    above = {name: medians[name] - medians["raw"] for name in ("handler", "intervals", "pandas")}
    return {**medians, **above}


def check(predictor: Predictor, with_pandas: Callable[[bytes], bytes], body: bytes) -> None:
    """Both handlers must answer with the same numbers, or comparing them means nothing."""
    response = predictor.respond(body, "application/json")
    ours, theirs = json.loads(response.body), json.loads(with_pandas(body))
    for one, other in zip(ours["predictions"], theirs["predictions"], strict=True):
        assert [one[name] for name in OUTPUTS] == [other[name] for name in OUTPUTS]


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description="Time the handler above raw predict.")
    parser.add_argument("--seconds", type=float, default=3.0, help="per number of rows")
    seconds = parser.parse_args().seconds
    predict = train()
    gc.collect()
    gc.freeze()  # as the server does once its model is loaded; here it helps both handlers
    print("µs per request; the handlers are above raw predict\n")
    print(
        "| rows | raw predict | json.loads | handler | with intervals | pandas | pandas / handler |"
    )
    print("|---:|---:|---:|---:|---:|---:|---:|")
    for count in ROWS:
        found = measure(predict, count, seconds)
        names = ("raw", "json", "handler", "intervals", "pandas")
        cells = " | ".join(f"{found[name]:.0f}" for name in names)
        print(f"| {count} | {cells} | {found['pandas'] / found['handler']:.1f} |")


if __name__ == "__main__":
    main()
