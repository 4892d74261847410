from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from forecast_config.settings import ServingSettings
from forecast_packaging import ContractError, ModelError, open_archive, package
from forecast_packaging.building.plan import plan_archive
from forecast_packaging.registry.cache import CachedVersion, SnapshotCache
from forecast_packaging.registry.snapshot import Snapshot

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from forecast_config import LockedModel

pytestmark = pytest.mark.slow


@pytest.fixture
def build(
    tmp_path: Path, lock_model: Callable[[str], tuple[Path, LockedModel]], tracking_uri: str
) -> Callable[[str], tuple[dict[str, Any], Path]]:
    """Packages the champion of a model and opens its archive."""

    def run(name: str) -> tuple[dict[str, Any], Path]:
        root, lock = lock_model(name)
        packaged = package(root=root, tracking_uri=tracking_uri, lock=lock)
        into = tmp_path / "opened"
        into.mkdir()
        return open_archive(packaged.archive, into), into

    return run


def predictions(folder: Path) -> list[dict[str, Any]]:
    document = json.loads((folder / "artifacts/golden_requests.json").read_bytes())
    found: list[dict[str, Any]] = document["requests"][0]["answer"]["predictions"]
    return found


PICKLE = ("sklearn", "model/model.pkl", "array")
PICKLE_NEEDS = {"numpy", "scikit-learn", "scipy"}


@pytest.mark.parametrize(
    ("name", "described", "requirements"),
    [
        ("produce", ("xgboost", "model/model.ubj", "array"), {"xgboost"}),
        ("xgboost_wrapper", ("xgboost", "model/model.json", "array"), {"xgboost"}),
        ("lightgbm_booster", ("lightgbm", "model/model.txt", "array"), {"lightgbm"}),
        ("catboost", ("catboost", "model/model.cbm", "array"), {"catboost"}),
        ("lightgbm_wrapper", PICKLE, {"lightgbm", *PICKLE_NEEDS}),
        ("sklearn_skops", PICKLE, PICKLE_NEEDS),
        ("gradient_boosting", PICKLE, PICKLE_NEEDS),
        ("sklearn_pickle", PICKLE, PICKLE_NEEDS),
        (
            "sklearn_columns",
            ("sklearn", "model/model.pkl", "dataframe"),
            {"pandas", *PICKLE_NEEDS},
        ),
        ("onnx_text", ("onnx", "model/model.onnx", "columns"), {"onnxruntime"}),
    ],
)
def test_every_flavor_answers_from_its_archive_as_the_trained_model_did(
    build: Callable[[str], tuple[dict[str, Any], Path]],
    registry_folder: Path,
    name: str,
    described: tuple[str, str, str],
    requirements: set[str],
) -> None:
    info, folder = build(name)
    (model,) = info["models"]
    assert (model["flavor"], model["file"], info["input"]) == described
    assert info["runs_code_on_load"] is (model["flavor"] == "sklearn")
    lines = (folder / "code/requirements.txt").read_text().split()
    assert {line.partition("==")[0] for line in lines} == requirements
    assert requirements <= info["libraries"].keys()

    trained = json.loads((registry_folder / "answers" / f"{name}.json").read_bytes())
    names = ["forecasted_price", "forecasted_demand"][: len(trained[0])]
    answered = [[row[output] for output in names] for row in predictions(folder)]
    assert len(answered) == len(trained)
    for got, expected in zip(answered, trained, strict=True):
        assert got == pytest.approx(expected, rel=1e-6)


def test_a_compiled_model_answers_from_its_archive_as_the_trained_model_did(
    tmp_path: Path,
    lock_model: Callable[[str], tuple[Path, LockedModel]],
    tracking_uri: str,
    registry_folder: Path,
) -> None:
    root, lock = lock_model("sklearn_skops")
    serving = ServingSettings(compile="onnx")
    packaged = package(root=root, tracking_uri=tracking_uri, lock=lock, serving=serving)
    folder = tmp_path / "opened"
    folder.mkdir()
    info = open_archive(packaged.archive, folder)
    assert [model["flavor"] for model in info["models"]] == ["onnx"]
    assert info["runs_code_on_load"] is False
    assert info["compiled"]["from"] == ["sklearn"]
    assert (folder / "code/requirements.txt").read_text().startswith("onnxruntime==")
    assert not (folder / "model/model.pkl").exists()
    report = json.loads((folder / info["compiled"]["report"]).read_bytes())
    assert report["accepted"] is True
    trained = json.loads((registry_folder / "answers/sklearn_skops.json").read_bytes())
    names = ["forecasted_price", "forecasted_demand"]
    for got, expected in zip(predictions(folder), trained, strict=True):
        assert [got[name] for name in names] == pytest.approx(expected, rel=1e-6)


def test_an_onnx_model_of_texts_answers_without_pandas(
    build: Callable[[str], tuple[dict[str, Any], Path]],
) -> None:
    _, folder = build("onnx_text")
    program = f"""
import sys
sys.modules["pandas"] = None
from forecast_inference.handler import Predictor
model = Predictor.load({str(folder)!r})
rows = '{{"instances": [{{"item": "yam", "factor": 2.0}}, {{"item": "leek", "factor": 0.25}}]}}'
for text in (rows, '{{"instances": [{{"item": "yam", "factor": 3.0}}]}}'):
    print(model.respond(text, "application/json").body.decode())
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": str(folder / "code")},
        capture_output=True,
        text=True,
        check=True,
    )
    answers = [json.loads(line)["predictions"] for line in done.stdout.splitlines()]
    assert [[row["forecasted_price"] for row in rows] for rows in answers] == [[15.0, 1.0], [22.5]]


def test_the_answer_carries_version_and_interval_but_no_time(
    build: Callable[[str], tuple[dict[str, Any], Path]],
) -> None:
    _, folder = build("produce")
    first = predictions(folder)[0]
    assert first.keys() == {
        "forecasted_price",
        "forecasted_demand",
        "confidence_interval",
        "model_version",
    }
    assert first["model_version"] == "1"


def test_the_archive_describes_its_model(
    build: Callable[[str], tuple[dict[str, Any], Path]],
) -> None:
    info, folder = build("produce")
    assert (info["schema_version"], info["name"], info["version"]) == (2, "produce", "1")
    assert (info["data_version"], info["code_reference"]) == ("2023-06-30", "abc123")
    assert info["libraries"].keys() == {"numpy", "python", "xgboost"}
    assert json.loads((folder / "artifacts/metrics.json").read_bytes()) == {
        "mase": 0.8,
        "undefined": None,
        "wape": 0.125,
    }
    assert (folder / "artifacts/notes/单位.txt").read_text() == "sold by the piece\n"
    assert (folder / "code/inference.py").is_file()
    assert (folder / "code/forecast_inference/handler.py").is_file()
    assert not (folder / "artifacts/serving.json").exists()
    found = {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}
    assert found == info["files"].keys() | {"model-info.json"}


def test_a_regressor_stopped_early_is_refused_because_its_file_answers_otherwise(
    lock_model: Callable[[str], tuple[Path, LockedModel]],
) -> None:
    with pytest.raises(ModelError, match="was stopped early and answers with its best trees only"):
        lock_model("xgboost_stopped_early")


def test_a_custom_python_model_is_refused(
    lock_model: Callable[[str], tuple[Path, LockedModel]],
) -> None:
    with pytest.raises(ModelError) as caught:
        lock_model("python_model")
    assert str(caught.value) == (
        "the model has the flavors python_function, expected exactly one of xgboost, lightgbm, "
        "catboost, onnx, sklearn: log it with that flavor's log_model, or declare its files in "
        "artifacts/serving.json"
    )


def test_a_pickle_of_another_library_version_is_refused(
    lock_model: Callable[[str], tuple[Path, LockedModel]], tracking_uri: str
) -> None:
    root, lock = lock_model("sklearn_pickle")
    cache = root / ".forecast/cache" / lock.model_digest.removeprefix("sha256:")
    requirements = cache / "model/requirements.txt"
    lines = [
        "scikit-learn==1.4.2" if line.startswith("scikit-learn") else line
        for line in requirements.read_text().splitlines()
    ]
    requirements.write_text("\n".join(lines))
    snapshot = Snapshot.read(cache)
    cache.rename(cache.with_name(snapshot.digest.removeprefix("sha256:")))
    snapshot = Snapshot.read(cache.with_name(snapshot.digest.removeprefix("sha256:")))
    lock = lock.model_copy(
        update={
            "model_digest": snapshot.digest,
            "libraries": dict(plan_archive(snapshot).libraries),
        }
    )
    known = CachedVersion(run_id=lock.run_id, digest=lock.model_digest)
    SnapshotCache(root).remember(tracking_uri, lock.name, lock.version, known)
    with pytest.raises(ContractError, match=r"logged with scikit-learn 1\.4\.2, and .* installed"):
        package(root=root, tracking_uri=tracking_uri, lock=lock)
