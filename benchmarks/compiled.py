"""What compilation gains: models of each library against the same ones compiled to ONNX.

Archives are written, compiled by packaging's own code, loaded, and asked for one row end to end,
from the JSON body to the JSON answer:

    python benchmarks/compiled.py [--seconds 3] [--only forest]

Original and compiled model are timed in turn, so that a busy moment of the machine meets both;
the first table holds medians. The second holds the cold start, from the start of a fresh process
to its first answer, with numpy's import as its floor. Ratios travel between machines, the absolute
figures do not.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before OpenMP is loaded, as the server does

import catboost
import joblib
import lightgbm
import numpy as np
import xgboost
from sklearn.ensemble import (
    ExtraTreesRegressor,
    HistGradientBoostingRegressor,
    RandomForestRegressor,
)
from sklearn.linear_model import Ridge
from sklearn.multioutput import MultiOutputRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import forecast_inference
from forecast_config.settings import ServingSettings
from forecast_inference.handler import Predictor
from forecast_packaging.formats.compilation import compile_bundle

if TYPE_CHECKING:
    from collections.abc import Callable

FEATURES = [f"feature_{index:02d}" for index in range(20)]
OUTPUTS = ["forecasted_price", "forecasted_demand"]
TARGET = 10.0
STARTS = 5

_RANDOM = np.random.default_rng(1)
X = _RANDOM.normal(size=(3000, len(FEATURES)))
Y = np.column_stack([X @ _RANDOM.normal(size=len(FEATURES)), (X**2).sum(axis=1)])


def _pickled(model: Any) -> list[dict[str, Any]]:
    model.fit(X, Y)
    return [
        {
            "flavor": "sklearn",
            "file": "model.pkl",
            "columns": OUTPUTS,
            "save": lambda path: joblib.dump(model, path),
        }
    ]


def _per_output(flavor: str, ending: str, train: Callable[[Any], Any]) -> list[dict[str, Any]]:
    return [
        {
            "flavor": flavor,
            "file": f"{number}.{ending}",
            "columns": [name],
            "save": train(Y[:, number]),
        }
        for number, name in enumerate(OUTPUTS)
    ]


def _lightgbm() -> list[dict[str, Any]]:
    options = {"objective": "regression", "verbose": -1, "num_threads": 1}
    return _per_output(
        "lightgbm",
        "txt",
        lambda target: (
            lightgbm.train(
                options, lightgbm.Dataset(X, target, feature_name=FEATURES), 300
            ).save_model
        ),
    )


def _xgboost() -> list[dict[str, Any]]:
    data = xgboost.DMatrix(X, Y, feature_names=FEATURES)
    booster = xgboost.train({"nthread": 1}, data, 300)
    return [{"flavor": "xgboost", "file": "m.ubj", "columns": OUTPUTS, "save": booster.save_model}]


def _catboost() -> list[dict[str, Any]]:
    def train(target: Any) -> Callable[[Path], None]:
        model = catboost.CatBoostRegressor(
            iterations=300, verbose=0, allow_writing_files=False, thread_count=1
        ).fit(catboost.Pool(X, target, feature_names=FEATURES))
        return lambda path: model.save_model(str(path))

    return _per_output("catboost", "cbm", train)


MODELS: dict[str, tuple[str, Callable[[], list[dict[str, Any]]]]] = {
    "forest": (
        "RandomForest, 100 trees",
        lambda: _pickled(RandomForestRegressor(100, random_state=1, n_jobs=1)),
    ),
    "extra": (
        "ExtraTrees, 100 trees",
        lambda: _pickled(ExtraTreesRegressor(100, random_state=1, n_jobs=1)),
    ),
    "histogram": (
        "two HistGradientBoosting, 100 trees",
        lambda: _pickled(MultiOutputRegressor(HistGradientBoostingRegressor())),
    ),
    "linear": ("scaler and Ridge", lambda: _pickled(make_pipeline(StandardScaler(), Ridge()))),
    "lightgbm": ("two LightGBM, 300 trees", _lightgbm),
    "xgboost": ("XGBoost of two outputs, 600 trees", _xgboost),
    "catboost": ("two CatBoost, 300 trees", _catboost),
}
ASKED_FOR = ("forest", "extra", "histogram")


def write_archive(root: Path, models: list[dict[str, Any]]) -> Path:
    """An extracted archive as packaging writes it."""
    columns = [{"name": name, "type": "double", "nullable": False} for name in FEATURES]
    code = Path(forecast_inference.__file__).parent
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(code, root / "code/forecast_inference", ignore=ignored)
    for folder in ("model", "artifacts"):
        (root / folder).mkdir()
    for model in models:
        model.pop("save")(root / "model" / model["file"])
        model["file"] = f"model/{model['file']}"
    schema = {
        "schema_version": 2,
        "inputs": columns,
        "features": columns,
        "outputs": [{"name": name} for name in OUTPUTS],
    }
    _write(root / "artifacts/feature_schema.json", schema)
    instances = [dict(zip(FEATURES, row, strict=True)) for row in X[:2].tolist()]
    _write(root / "artifacts/input_example.json", {"instances": instances})
    write_info(root, models)
    return root


def write_info(root: Path, models: list[dict[str, Any]]) -> None:
    """`model-info.json`, with the digests of the files as they are."""
    digests = {
        path.relative_to(root).as_posix(): {"sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
        for folder in ("model", "artifacts")
        for path in (root / folder).iterdir()
    }
    info = {
        "schema_version": 2,
        "name": "produce",
        "version": "16",
        "models": models,
        "input": "array",
        "runs_code_on_load": any(model["flavor"] == "sklearn" for model in models),
        "libraries": {},
        "files": digests,
    }
    _write(root / "model-info.json", info)


def _write(path: Path, document: Any) -> None:
    path.write_text(json.dumps(document))


def compile_archive(original: Path, root: Path, scratch: Path) -> tuple[Path | None, Any]:
    """A compiled copy of an archive, and the report of it; no copy if it was not accepted."""
    compilation = compile_bundle(original, scratch, ServingSettings(compile="onnx"))
    assert compilation is not None
    if not compilation.models:
        return None, compilation.report
    ignored = shutil.ignore_patterns("model")
    shutil.copytree(original, root, ignore=ignored)
    (root / "model").mkdir()
    for member, source in compilation.files.items():
        shutil.copyfile(source, root / member)
    write_info(root, compilation.models)
    return root, compilation.report


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


def measure(original: Path, compiled: Path, seconds: float) -> dict[str, float]:
    """Both archives asked for one row, end to end, and predict alone."""
    row = dict(zip(FEATURES, X[7].tolist(), strict=True))
    body = json.dumps({"instances": [row]}).encode()
    native, onnx = Predictor.load(original), Predictor.load(compiled)
    matrix = np.ascontiguousarray(X[7:8])
    raw = {"native raw": native._predict, "onnx raw": onnx._predict}  # noqa: SLF001
    return medians_us(
        {
            "native": lambda: native.respond(body, "application/json"),
            "onnx": lambda: onnx.respond(body, "application/json"),
            **{name: (lambda call=call: call(matrix)) for name, call in raw.items()},
        },
        seconds,
    )


def cold_start_ms(root: Path | None) -> float:
    """From the start of a process to its first answer; without an archive to numpy's import."""
    program = "import numpy\n"
    if root is not None:
        program += (
            "import sys\nfrom pathlib import Path\n"
            f"root = Path({str(root)!r})\nsys.path.insert(0, str(root / 'code'))\n"
            "from forecast_inference.handler import Predictor\n"
            "body = (root / 'artifacts/input_example.json').read_bytes()\n"
            "answer = Predictor.load(root).respond(body, 'application/json')\n"
            "assert answer.status == 200, answer\n"
        )
    times = []
    for _ in range(STARTS):
        started = time.perf_counter()
        subprocess.run([sys.executable, "-c", program], check=True)
        times.append(time.perf_counter() - started)
    return statistics.median(times) * 1000


def main() -> None:
    """Measure and print the tables."""
    parser = argparse.ArgumentParser(description="Time compiled models against the originals.")
    parser.add_argument("--seconds", type=float, default=3.0, help="per model")
    parser.add_argument("--only", choices=MODELS, action="append")
    arguments = parser.parse_args()
    print("one row, µs, median; end to end is Predictor.respond\n")
    print("| model | native | compiled | ratio | predict alone | ratio | largest difference |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    starts = []
    with tempfile.TemporaryDirectory() as folder:
        for name in arguments.only or MODELS:
            title, train = MODELS[name]
            scratch = Path(folder, name)
            original = write_archive(scratch / "original", train())
            compiled, report = compile_archive(original, scratch / "compiled_archive", scratch)
            if compiled is None:
                print(f"| {title} | not compiled: {report['reason']} | | | | | |")
                continue
            found = measure(original, compiled, arguments.seconds)
            ratio = found["native"] / found["onnx"]
            worst = max(entry["relative"] for entry in report["differences"].values())
            goal = f" (target {TARGET:.0f})" if name in ASKED_FOR else ""
            print(
                f"| {title} | {found['native']:.0f} | {found['onnx']:.0f} | {ratio:.1f}{goal} | "
                f"{found['native raw']:.0f} / {found['onnx raw']:.0f} | "
                f"{found['native raw'] / found['onnx raw']:.0f} | {worst:.0e} |"
            )
            starts.append((title, cold_start_ms(original), cold_start_ms(compiled)))
    print(f"\ncold start, ms, median of {STARTS}; numpy alone {cold_start_ms(None):.0f}\n")
    print("| model | native | compiled |\n|---|---:|---:|")
    for title, native, onnx in starts:
        print(f"| {title} | {native:.0f} | {onnx:.0f} |")


if __name__ == "__main__":
    main()
