"""What the handler costs above the model's own predict, beside a pandas handler in the same run.

LightGBM with 2 outputs of 300 trees, one thread, JSON rows, with the standard library and with the
fast codec (msgspec), with and without prediction intervals:

    python benchmarks/handler.py [--seconds 3] [--stages]

Two contracts: 20 plain numbers, and one as the reference model has it, with a date, a category,
ranges and features derived from them. Every round times raw predict and all handlers in turn, each
for a few milliseconds, so that a busy moment of the machine meets all of them and none pays for the
caches that another has emptied; the table holds medians over the rounds. Ratios
travel between machines, the absolute figures do not. Targets are those of the plain contract
without intervals: 25/210/5000 µs with the standard library and 5/65/1900 µs with the fast codec,
on a machine where the pandas handler took 440/668/7713 µs.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import statistics
import time
from typing import TYPE_CHECKING, Any, NamedTuple

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before OpenMP is loaded, as the server does

import lightgbm
import numpy as np
import pandas as pd

from forecast_inference.contract.schema import FeatureSchema
from forecast_inference.handler import Predictor
from forecast_inference.models.info import ModelFile, ModelInfo

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from forecast_inference.telemetry.observation import Observation

ROWS = (1, 32, 1000)
CODECS = ("standard", "fast")
TARGETS = {"standard": (25, 210, 5000), "fast": (5, 65, 1900)}
TARGETS_PANDAS = (440, 668, 7713)
TURN_NS = 10_000_000
OUTPUTS = ["forecasted_price", "forecasted_demand"]
STAGES = ("decode", "validate", "features", "predict", "encode")
ITEMS = [f"{number:05d}" for number in range(50)]
MEASURED = [f"feature_{index:02d}" for index in range(20)]
LAGS = [f"lag_{index:02d}" for index in range(12)]
CALENDAR = ["day_of_week", "day_of_month", "month", "week_of_year", "is_weekend", "annual_sine"]


class Contract(NamedTuple):
    """A contract and valid rows of it.

    Attributes:
        document: the schema.
        rows: rows of a request.
        features: what the pandas handler makes of a frame of such rows.
    """

    document: dict[str, Any]
    rows: list[dict[str, Any]]
    features: Callable[[pd.DataFrame], pd.DataFrame]


def plain_contract(count: int) -> Contract:
    """Twenty numbers."""
    columns = [{"name": name, "type": "double", "nullable": False} for name in MEASURED]
    numbers = np.random.default_rng(2).normal(size=(count, len(MEASURED))).tolist()
    rows = [dict(zip(MEASURED, row, strict=True)) for row in numbers]
    document = {"inputs": columns, "features": columns}
    return Contract(document, rows, lambda frame: frame[MEASURED].astype(float))


def reference_contract(count: int) -> Contract:
    """A date, a category, a flag and numbers with ranges; calendar and category features."""
    measured = [
        {
            "name": name,
            "type": "double",
            "nullable": False,
            "range": {"minimum": -10.0, "maximum": 10.0},
        }
        for name in LAGS
    ]
    inputs: list[dict[str, Any]] = [
        {"name": "date", "type": "date", "nullable": False},
        {"name": "item_code", "type": "string", "nullable": False, "categories": ITEMS},
        *measured,
        {"name": "promoted", "type": "boolean", "nullable": False},
    ]
    derived = [
        {"name": kind, "type": "double", "derive": {"kind": kind, "source": "date"}}
        for kind in CALENDAR
    ]
    index = {"kind": "category_index", "source": "item_code"}
    features = [
        {"name": "item", "type": "long", "derive": index},
        *derived,
        *({"name": name, "type": "double"} for name in LAGS),
        {"name": "promoted", "type": "boolean"},
    ]
    random = np.random.default_rng(3)
    rows = [
        {
            "date": f"2024-{1 + number % 12:02d}-15",
            "item_code": ITEMS[number % len(ITEMS)],
            **dict(zip(LAGS, random.normal(size=len(LAGS)).round(4).tolist(), strict=True)),
            "promoted": number % 2 == 0,
        }
        for number in range(count)
    ]
    return Contract({"inputs": inputs, "features": features}, rows, _reference_frame)


def _reference_frame(frame: pd.DataFrame) -> pd.DataFrame:
    dates = pd.to_datetime(frame["date"])
    wave = np.sin(2 * np.pi * (dates.dt.day_of_year - 1) / 365.25)
    calendar = {
        "day_of_week": dates.dt.day_of_week,
        "day_of_month": dates.dt.day,
        "month": dates.dt.month,
        "week_of_year": dates.dt.isocalendar().week.astype(float),
        "is_weekend": dates.dt.day_of_week.isin([5, 6]),
        "annual_sine": wave,
    }
    items = pd.Categorical(frame["item_code"], categories=ITEMS).codes
    table = {"item": items, **calendar, **frame[LAGS], "promoted": frame["promoted"]}
    return pd.DataFrame(table).astype(float)


CONTRACTS: dict[str, Callable[[int], Contract]] = {
    "20 numbers": plain_contract,
    "reference": reference_contract,
}


def train() -> Callable[[Any], Any]:
    """A prediction function of two boosters: (n, 20) in, (n, 2) out."""
    random = np.random.default_rng(1)
    features = random.normal(size=(5000, 20))
    options = {"objective": "regression", "verbose": -1, "num_threads": 1}
    boosters = []
    for output in range(len(OUTPUTS)):
        target = features @ random.normal(size=20) + output
        data = lightgbm.Dataset(features, target)
        boosters.append(lightgbm.train(options, data, num_boost_round=300))
    return lambda rows: np.column_stack(
        [booster.predict(rows, num_threads=1) for booster in boosters]
    )


class StageTimes:
    """A recorder that keeps how long each stage took."""

    def __init__(self) -> None:
        self.stages: list[Sequence[int]] = []

    def record(self, observation: Observation) -> None:
        """Keep the stages of one request."""
        self.stages.append(observation.stages_ns)

    def medians_us(self) -> list[float]:
        """The median time of each stage in µs."""
        return [statistics.median(times) / 1000 for times in zip(*self.stages, strict=True)]


def build_predictor(
    contract: Contract,
    predict: Callable[[Any], Any],
    codec: str,
    *,
    intervals: bool,
    **options: Any,
) -> Predictor:
    """The project's predictor around that function."""
    document = {
        "schema_version": 2,
        **contract.document,
        "outputs": [{"name": name} for name in OUTPUTS],
    }
    if intervals:
        offsets = {"kind": "relative", "offsets": {"0.9": [-0.2, 0.2]}}
        document["intervals"] = {
            "default_level": 0.9,
            "outputs": dict.fromkeys(OUTPUTS, offsets),
        }
    schema = FeatureSchema.from_document(document)
    info = ModelInfo("produce", "16", (ModelFile("lightgbm", "model.txt", tuple(OUTPUTS)),))
    return Predictor(info, schema, predict, codec=codec, **options)


def pandas_handler(contract: Contract, predict: Callable[[Any], Any]) -> Callable[[bytes], bytes]:
    """The usual handler: a DataFrame in, records out; no checks and no intervals."""

    def handle(body: bytes) -> bytes:
        frame = contract.features(pd.DataFrame(json.loads(body)["instances"]))
        answer = pd.DataFrame(predict(frame), columns=OUTPUTS)
        return json.dumps({"predictions": answer.to_dict(orient="records")}).encode()

    return handle


def medians_us(calls: dict[str, Callable[[], Any]], seconds: float) -> dict[str, float]:
    """The median time of each call in µs, all of them timed in turn for that long."""
    times: dict[str, list[int]] = {name: [] for name in calls}
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        for name, call in calls.items():
            turn = time.perf_counter_ns() + TURN_NS
            while (started := time.perf_counter_ns()) < turn:
                call()
                times[name].append(time.perf_counter_ns() - started)
    return {name: statistics.median(values) / 1000 for name, values in times.items()}


def measure(contract: Contract, predict: Callable[[Any], Any], seconds: float) -> dict[str, float]:
    """Raw predict, and all handlers above it; the answers of the handlers must be equal."""
    body = json.dumps({"instances": contract.rows}).encode()
    matrix = contract.features(pd.DataFrame(contract.rows)).to_numpy(dtype=float)
    with_pandas = pandas_handler(contract, predict)
    calls: dict[str, Callable[[], Any]] = {
        "raw": lambda: predict(matrix),
        "json": lambda: json.loads(body),
        "pandas": lambda: with_pandas(body),
    }
    expected = json.loads(with_pandas(body))["predictions"]
    for codec in CODECS:
        for intervals in (False, True):
            predictor = build_predictor(contract, predict, codec, intervals=intervals)
            answers = json.loads(predictor.respond(body, "application/json").body)["predictions"]
            for one, other in zip(answers, expected, strict=True):
                np.testing.assert_allclose(
                    [one[name] for name in OUTPUTS], [other[name] for name in OUTPUTS], rtol=1e-9
                )
            name = f"{codec}{' intervals' if intervals else ''}"
            calls[name] = _bound(predictor, body)
    found = medians_us(calls, seconds)
    return {
        name: value if name in {"raw", "json"} else value - found["raw"]
        for name, value in found.items()
    }


def _bound(predictor: Predictor, body: bytes) -> Callable[[], Any]:
    return lambda: predictor.respond(body, "application/json")


def print_table(name: str, predict: Callable[[Any], Any], seconds: float) -> None:
    """Measure one contract and print its table."""
    handlers = [f"{codec}{kind}" for codec in CODECS for kind in ("", " intervals")]
    columns = ["raw", "json", "pandas", *handlers]
    print(f"\n{name}: µs per request, handlers above raw predict\n")
    print("| rows |", " | ".join(columns), "| pandas/standard | pandas/fast |")
    print("|" + "---:|" * (len(columns) + 3))
    for position, count in enumerate(ROWS):
        found = measure(CONTRACTS[name](count), predict, seconds)
        cells = [f"{found[column]:.0f}" for column in columns]
        for codec in CODECS:
            wanted = TARGETS_PANDAS[position] / TARGETS[codec][position]
            cells.append(f"{found['pandas'] / found[codec]:.1f} (target {wanted:.1f})")
        print(f"| {count} |", " | ".join(cells), "|")


def print_stages(name: str, predict: Callable[[Any], Any], seconds: float) -> None:
    """Print how long each stage takes, with intervals."""
    print(f"\n{name}: median µs by stage, with intervals\n")
    print("| rows | codec |", " | ".join(STAGES), "|")
    print("|" + "---:|" * (len(STAGES) + 2))
    for count in ROWS:
        contract = CONTRACTS[name](count)
        body = json.dumps({"instances": contract.rows}).encode()
        for codec in CODECS:
            times = StageTimes()
            predictor = build_predictor(contract, predict, codec, intervals=True, recorder=times)
            medians_us({codec: _bound(predictor, body)}, seconds / 2)
            cells = [f"{value:.1f}" for value in times.medians_us()]
            print(f"| {count} | {codec} |", " | ".join(cells), "|")


def main() -> None:
    """Measure and print the tables."""
    parser = argparse.ArgumentParser(description="Time the handler above raw predict.")
    parser.add_argument("--seconds", type=float, default=3.0, help="per number of rows")
    parser.add_argument("--stages", action="store_true", help="time the stages too")
    options = parser.parse_args()
    predict = train()
    gc.collect()
    gc.freeze()  # as the server does once its model is loaded; here it helps all handlers
    for name in CONTRACTS:
        print_table(name, predict, options.seconds)
        if options.stages:
            print_stages(name, predict, options.seconds)


if __name__ == "__main__":
    main()
