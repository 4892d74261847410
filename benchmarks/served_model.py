"""The model that the servers are compared with, and how each server is started."""

from __future__ import annotations

import importlib.util
import json
import os
import random
import shutil
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import joblib
import lightgbm
import numpy as np
import pandas as pd
from sklearn.multioutput import MultiOutputRegressor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from types import ModuleType

ROOT = Path(__file__).parents[1]
PEERS = Path(__file__).parent / "peers"
FEATURES = [f"feature_{index:02d}" for index in range(20)]
OUTPUTS = ["forecasted_price", "forecasted_demand"]
Instances = list[dict[str, float]]


class Launch(NamedTuple):
    """A server to be started.

    Attributes:
        name: what the table calls it.
        command: what starts it.
        port: where it listens.
        path: where it predicts.
        body: the request that it takes for some instances.
        variables: its environment, besides what all have.
        folder: where it runs.
    """

    name: str
    command: list[str]
    port: int
    path: str
    body: Callable[[Instances], bytes]
    variables: dict[str, str]
    folder: Path


def load_file(path: Path) -> ModuleType:
    """A module of the tests, which are no package."""
    spec = importlib.util.spec_from_file_location(f"benchmark_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def build_model(folder: Path, rows: Sequence[int]) -> dict[int, Instances]:
    """Train the boosters, write the archive around them, and give instances by number of rows."""
    archives = load_file(ROOT / "tests/unit/inference/archives.py")
    generator = np.random.default_rng(1)
    features = generator.normal(size=(5000, len(FEATURES)))
    options = {"objective": "regression", "verbose": -1, "num_threads": 1}
    (folder / "boosters").mkdir(parents=True)
    parts = []
    targets = [features @ generator.normal(size=len(FEATURES)) + n for n in range(len(OUTPUTS))]
    for output, target in zip(OUTPUTS, targets, strict=True):
        data = lightgbm.Dataset(features, target, feature_name=FEATURES)
        booster = lightgbm.train(options, data, num_boost_round=300)
        booster.save_model(folder / "boosters" / f"{output}.txt")
        parts.append(archives.Part("lightgbm", f"{output}.txt", booster.save_model, [output]))
    estimator = MultiOutputRegressor(lightgbm.LGBMRegressor(n_estimators=300, verbose=-1))
    estimator.fit(pd.DataFrame(features, columns=FEATURES), np.column_stack(targets))
    joblib.dump(estimator, folder / "model.joblib")
    schema = archives.numbers_schema(FEATURES, OUTPUTS)
    offsets = {"kind": "relative", "offsets": {"0.9": [-0.2, 0.2]}}
    schema["intervals"] = {"default_level": 0.9, "outputs": dict.fromkeys(OUTPUTS, offsets)}
    matrix = np.random.default_rng(2).normal(size=(max(rows), len(FEATURES))).tolist()
    instances = [dict(zip(FEATURES, row, strict=True)) for row in matrix]
    archives.write_archive(
        folder / "archive", *parts, schema=schema, instances=instances[:2],
        libraries=("lightgbm", "numpy"),
    )  # fmt: skip
    return {count: instances[:count] for count in rows}


def launches(folder: Path, wanted: Callable[[str], bool]) -> Iterator[Launch]:
    """Every server that is wanted, ready to be started."""
    for name, make in _MAKERS.items():
        if wanted(name):
            yield make(name, folder)


def _environment(name: str, *more: str) -> Path:
    """The Python of a pinned environment, which is installed once."""
    requirements = PEERS / f"requirements-{name}.txt"
    if name == "aws":
        # The reproduction of the image that the tests use, and what this benchmark needs besides.
        text = (ROOT / "tests/images/requirements-flask.txt").read_text()
        requirements = ROOT / ".forecast/benchmarks/requirements-aws.txt"
        requirements.write_text("\n".join([text, *more]) + "\n")
    return Path(load_file(ROOT / "tests/conftest.py").install(requirements))


def _aws_python() -> Path:
    return _environment(
        "aws", "lightgbm==4.7.0", "pandas==2.2.3", "pytz==2025.2", "tzdata==2025.2",
        "msgspec==0.22.0",
    )  # fmt: skip


def _instances(instances: Instances) -> bytes:
    return json.dumps({"instances": instances}).encode()


def _records(instances: Instances) -> bytes:
    return json.dumps({"dataframe_records": instances}).encode()


def _tensor(instances: Instances) -> bytes:
    data = [value for row in instances for value in row.values()]
    tensor = {"name": "x", "shape": [len(instances), len(FEATURES)], "datatype": "FP64"}
    return json.dumps({"inputs": [{**tensor, "data": data}]}).encode()


def _columns(instances: Instances) -> bytes:
    inputs = [
        {
            "name": name, "shape": [len(instances), 1], "datatype": "FP64",
            "data": [row[name] for row in instances],
        }
        for name in FEATURES
    ]  # fmt: skip
    return json.dumps({"inputs": inputs}).encode()


def _ours(codec: str, workers: int) -> Callable[[str, Path], Launch]:
    def make(name: str, folder: Path) -> Launch:
        port = _free_port()
        archive = folder / "archive"
        command = [
            sys.executable, "-m", "forecast_inference.server", "--model-dir", str(archive),
            "--port", str(port), "--workers", str(workers),
        ]  # fmt: skip
        variables = {"PYTHONPATH": str(archive / "code"), "FORECAST_CODEC": codec}
        return Launch(name, command, port, "/invocations", _instances, variables, folder)

    return make


def _gunicorn(
    folder: Path, application: str, paths: list[Path], variables: dict[str, str], name: str
) -> Launch:
    port = _free_port()
    command = [
        str(_aws_python().with_name("gunicorn")), "--worker-class", "gevent", "--workers", "1",
        "--bind", f"127.0.0.1:{port}", "--pythonpath", ",".join(map(str, paths)), application,
    ]  # fmt: skip
    return Launch(name, command, port, "/invocations", _instances, variables, folder)


def _aws_estimator(name: str, folder: Path) -> Launch:
    """The image's own application as a team finds it: an estimator, and the image's threads."""
    launch = _aws_hooks(PEERS / "sklearn_inference.py")(name, folder)
    shutil.copyfile(folder / "model.joblib", launch.folder / "model/model/model.joblib")
    # What OpenMP takes where the variable is unset, as it is in the image.
    threads = {"OMP_NUM_THREADS": str(os.cpu_count())}
    return launch._replace(variables={**launch.variables, **threads})


def _aws_hooks(script: Path | None) -> Callable[[str, Path], Launch]:
    """The image's own application, with the archive's entry point or another script."""

    def make(name: str, folder: Path) -> Launch:
        base = folder / name.replace(" ", "-")
        shutil.copytree(folder / "archive", base / "model")
        if script is not None:
            shutil.copyfile(script, base / "model/code/inference.py")
        shutil.copytree(base / "model/code", base / "code")
        variables = {
            "SAGEMAKER_BASE_DIR": str(base),
            "SAGEMAKER_PROGRAM": "inference.py",
            "SAGEMAKER_REGION": "us-east-1",
            "SAGEMAKER_SUBMIT_DIRECTORY": str(base / "model/code"),
        }
        paths = [ROOT / "tests/images", base / "code"]
        return _gunicorn(base, "flask_stack:main", paths, variables, name)

    return make


def _aws_wsgi(codec: str) -> Callable[[str, Path], Launch]:
    def make(name: str, folder: Path) -> Launch:
        base = folder / name.replace(" ", "-")
        shutil.copytree(folder / "archive", base / "model")
        variables = {"SAGEMAKER_BASE_DIR": str(base), "FORECAST_CODEC": codec}
        application = "forecast_inference.server.wsgi:application"
        return _gunicorn(base, application, [base / "model/code"], variables, name)

    return make


def _mlflow(name: str, folder: Path) -> Launch:
    port = _free_port()
    python = _environment("mlflow")
    model = folder / "mlflow-model"
    save = [python, PEERS / "mlflow_model.py", folder / "boosters", model]
    subprocess.run(save, check=True, capture_output=True, cwd=folder)
    command = [
        str(python.with_name("mlflow")), "models", "serve", "--model-uri", str(model),
        "--port", str(port), "--env-manager", "local", "--workers", "1",
    ]  # fmt: skip
    variables = {
        "PATH": f"{python.parent}:/usr/bin:/bin",
        "MLFLOW_ENABLE_INCREMENTAL_SPAN_EXPORT": "0",
    }
    return Launch(name, command, port, "/invocations", _records, variables, folder)


def _mlserver(body: Callable[[Instances], bytes]) -> Callable[[str, Path], Launch]:
    def make(name: str, folder: Path) -> Launch:
        return _start_mlserver(name, folder, body)

    return make


def _start_mlserver(name: str, folder: Path, body: Callable[[Instances], bytes]) -> Launch:
    port, grpc, metrics = _free_port(), _free_port(), _free_port()
    python = _environment("mlserver")
    home = folder / name.replace(" ", "-")
    home.mkdir()
    shutil.copyfile(PEERS / "mlserver_runtime.py", home / "mlserver_runtime.py")
    settings = {
        "http_port": port, "grpc_port": grpc, "metrics_port": metrics, "host": "127.0.0.1",
        "parallel_workers": 0, "debug": False,
    }  # fmt: skip
    (home / "settings.json").write_text(json.dumps(settings))
    model = {"name": "forecaster", "implementation": "mlserver_runtime.Boosters"}
    (home / "model-settings.json").write_text(json.dumps(model))
    command = [str(python.with_name("mlserver")), "start", "."]
    variables = {"BOOSTERS": str(folder / "boosters"), "PYTHONPATH": str(home)}
    return Launch(name, command, port, "/v2/models/forecaster/infer", body, variables, home)


def _bentoml(name: str, folder: Path) -> Launch:
    port = _free_port()
    python = _environment("bentoml")
    home = folder / "bentoml"
    home.mkdir()
    shutil.copyfile(PEERS / "bentoml_service.py", home / "bentoml_service.py")
    command = [
        str(python.with_name("bentoml")), "serve", "bentoml_service:Boosters",
        "--host", "127.0.0.1", "--port", str(port),
    ]  # fmt: skip
    variables = {
        "BOOSTERS": str(folder / "boosters"), "BENTOML_HOME": str(home / "home"),
        "BENTOML_DO_NOT_TRACK": "true",
    }  # fmt: skip
    return Launch(name, command, port, "/invocations", _instances, variables, home)


_MAKERS: dict[str, Callable[[str, Path], Launch]] = {
    "ours standard": _ours("standard", 1),
    "ours fast": _ours("fast", 1),
    "ours standard, 2 workers": _ours("standard", 2),
    "ours fast, 2 workers": _ours("fast", 2),
    "AWS pandas": _aws_hooks(PEERS / "pandas_inference.py"),
    "AWS pandas estimator": _aws_estimator,
    "AWS ours": _aws_hooks(None),
    "AWS wsgi": _aws_wsgi("standard"),
    "AWS wsgi fast": _aws_wsgi("fast"),
    "mlflow": _mlflow,
    "mlserver": _mlserver(_columns),
    "mlserver tensor": _mlserver(_tensor),
    "bentoml": _bentoml,
}


def process_tree(process_id: int) -> list[int]:
    """A process and all that it has started."""
    found = [process_id]
    for parent in found:
        with suppress(OSError):
            for task in Path(f"/proc/{parent}/task").iterdir():
                found += [int(child) for child in (task / "children").read_text().split()]
    return found


def _free_port() -> int:
    for port in random.sample(range(20_000, 32_000), 100):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise RuntimeError("no free port between 20000 and 32000")
