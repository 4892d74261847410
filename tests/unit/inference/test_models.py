"""Every kind of model gives the numbers it gives in Python, and a wrong one is refused."""

from __future__ import annotations

import json
import logging
import pickle
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import forecast_inference
from forecast_inference.errors import ArtifactError
from forecast_inference.handler import Predictor
from forecast_inference.models.given import thread_count


def test_answers_are_the_model_s_own_numbers_in_the_order_asked(archive: Any) -> None:
    example = json.loads((archive.path / "artifacts/input_example.json").read_text())["instances"]
    instances = [example[index % len(example)] for index in (0, 1, 1, 0, 0)]
    predictor = Predictor.load(archive.path)
    response = predictor.respond(json.dumps({"instances": instances}).encode(), "application/json")
    assert response.status == 200, response.body
    answered = [
        [prediction[output.name] for output in predictor.schema.outputs]
        for prediction in json.loads(response.body)["predictions"]
    ]
    rows = [list(instance.values()) for instance in instances]
    expected = np.asarray(archive.predict(rows), dtype=float).reshape(len(rows), -1)
    assert answered == expected.tolist()
    assert answered[0] != answered[1]


def test_the_golden_requests_are_answered_as_recorded(archive: Any) -> None:
    Predictor.load(archive.path).warm_up(archive.path)


def test_a_changed_model_file_is_refused_before_it_is_read(damaged: Path) -> None:
    path = damaged / "model/model.ubj"
    path.write_bytes(path.read_bytes() + b"\0")
    with pytest.raises(ArtifactError, match=r"model/model.ubj has sha256 .* expected .* damaged"):
        Predictor.load(damaged)


def test_a_pickle_with_another_digest_is_never_unpickled(damaged: Path, change_info: Any) -> None:
    class Trap:
        def __reduce__(self) -> Any:
            return (damaged.joinpath("sprung").touch, ())

    path = damaged / "model/model.pkl"
    path.write_bytes(b"harmless")
    change_info(damaged, file="model/model.pkl", flavor="sklearn", runs_code_on_load=True)
    path.write_bytes(pickle.dumps(Trap()))
    with pytest.raises(ArtifactError, match="sha256"):
        Predictor.load(damaged)
    assert not (damaged / "sprung").exists()


def test_a_changed_feature_schema_is_refused(damaged: Path) -> None:
    path = damaged / "artifacts/feature_schema.json"
    path.write_text(path.read_text() + " ")
    with pytest.raises(ArtifactError, match=r"feature_schema.json has sha256"):
        Predictor.load(damaged)


@pytest.mark.parametrize("name", ["artifacts/notes/origin.txt", "model/extra.bin"])
def test_every_recorded_file_of_the_model_and_its_artifacts_is_verified(
    damaged: Path, change_info: Any, name: str
) -> None:
    path = damaged / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"as it was packed")
    change_info(damaged)
    Predictor.load(damaged)
    path.write_bytes(b"as it came out of transit")
    with pytest.raises(ArtifactError, match=rf"{name} has sha256 .* the archive is damaged"):
        Predictor.load(damaged)
    path.unlink()
    with pytest.raises(ArtifactError, match=f"{name} is missing from the model archive"):
        Predictor.load(damaged)


def test_the_code_may_be_compiled_in_place(damaged: Path) -> None:
    (damaged / "code/forecast_inference/handler.py").unlink()
    Predictor.load(damaged)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("model-info.json", "model-info.json is missing"),
        ("model/model.ubj", "model/model.ubj is missing"),
        ("artifacts/feature_schema.json", "feature_schema.json is missing"),
    ],
)
def test_a_missing_file_is_named(damaged: Path, name: str, message: str) -> None:
    (damaged / name).unlink()
    with pytest.raises(ArtifactError, match=message):
        Predictor.load(damaged)


def test_missing_golden_requests_keep_the_model_from_serving(damaged: Path) -> None:
    (damaged / "artifacts/golden_requests.json").unlink()
    with pytest.raises(ArtifactError, match=r"golden_requests.json is missing"):
        Predictor.load(damaged)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"flavor": "prophet"}, "model.ubj has the flavor 'prophet', expected one of catboost"),
        ({"flavor": "sklearn"}, "runs code when it is loaded, and .* False, expected true"),
        ({"input": "tensor"}, "input is 'tensor', expected one of array, dataframe"),
        ({"codec": "slow"}, "codec is 'slow', expected one of standard, fast"),
        ({"schema_version": 1}, "schema_version 1, this runtime reads 2: package the model again"),
        ({"file": "../outside"}, "../outside is missing from the model archive"),
        ({"file": "code"}, "code is missing from the model archive"),
        ({"libraries": None}, "lacks what it must hold"),
        ({"models": []}, "model-info.json names no model"),
        ({"models": [{"flavor": "xgboost"}]}, "lacks what it must hold: 'file'"),
        ({"flavor": "catboost"}, "no model that catboost can read"),
    ],
)
def test_a_contradicting_info_is_refused(
    damaged: Path, change_info: Any, changes: dict[str, Any], message: str
) -> None:
    change_info(damaged, **changes)
    with pytest.raises(ArtifactError, match=message):
        Predictor.load(damaged)


def test_an_info_without_digests_is_refused(damaged: Path) -> None:
    path = damaged / "model-info.json"
    info = json.loads(path.read_text())
    del info["files"]["model/model.ubj"]
    path.write_text(json.dumps(info))
    with pytest.raises(ArtifactError, match=r"records no digest of model/model.ubj"):
        Predictor.load(damaged)


def test_an_info_that_is_not_json_is_refused(damaged: Path) -> None:
    (damaged / "model-info.json").write_text("{")
    with pytest.raises(ArtifactError, match=r"model-info.json is not JSON"):
        Predictor.load(damaged)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda features: features.reverse(), "was trained on"),
        (lambda features: features.pop(), "trained on 7 features, the feature schema has 6"),
    ],
)
def test_a_schema_in_another_order_than_the_training_is_refused(
    damaged: Path, change_info: Any, change: Any, message: str
) -> None:
    path = damaged / "artifacts/feature_schema.json"
    schema = json.loads(path.read_text())
    change(schema["features"])
    path.write_text(json.dumps(schema))
    change_info(damaged)
    with pytest.raises(ArtifactError, match=message):
        Predictor.load(damaged)


def test_names_of_other_features_are_refused_for_every_library(
    named_archive: Any, tmp_path: Path, change_info: Any
) -> None:
    copy = shutil.copytree(named_archive.path, tmp_path / "copy")
    path = copy / "artifacts/feature_schema.json"
    path.write_text(path.read_text().replace('"a"', '"z"'))
    change_info(copy)
    with pytest.raises(ArtifactError, match="was trained on"):
        Predictor.load(copy)


def test_text_cannot_be_part_of_an_array(damaged: Path, change_info: Any) -> None:
    path = damaged / "artifacts/feature_schema.json"
    schema = json.loads(path.read_text())
    schema["features"][0] = {"name": "item", "type": "string", "nullable": False}
    path.write_text(json.dumps(schema))
    change_info(damaged)
    with pytest.raises(ArtifactError, match=r"trained on|'item' is string"):
        Predictor.load(damaged)


def test_a_missing_library_is_named(
    damaged: Path, change_info: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "catboost", None)
    change_info(damaged, flavor="catboost")
    with pytest.raises(ArtifactError, match="lacks catboost"):
        Predictor.load(damaged)


def test_other_library_versions_are_logged(
    damaged: Path, change_info: Any, caplog: pytest.LogCaptureFixture
) -> None:
    change_info(damaged, libraries={"python": "2.7.1", "numpy": "1.0.0", "absent": "1"})
    with caplog.at_level(logging.WARNING):
        Predictor.load(damaged)
    assert [record.getMessage() for record in caplog.records] == [
        f"the model was made with numpy 1.0.0, here is {np.__version__}"
    ]


def test_a_model_that_answers_its_golden_requests_otherwise_does_not_serve(
    damaged: Path, change_info: Any
) -> None:
    path = damaged / "artifacts/golden_requests.json"
    golden = json.loads(path.read_text())
    golden["requests"][0]["answer"]["predictions"][0]["price"] *= 1.01
    path.write_text(json.dumps(golden))
    change_info(damaged)
    with pytest.raises(ArtifactError, match=r"the golden request 'example': price of .*expected"):
        Predictor.load(damaged).warm_up(damaged)


@pytest.mark.parametrize(
    ("value", "threads"), [(None, 1), ("3", 3), ("0", 1), ("many", 1), ("-2", 1)]
)
def test_threads_follow_the_environment(
    monkeypatch: pytest.MonkeyPatch, value: str | None, threads: int
) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    if value is not None:
        monkeypatch.setenv("OMP_NUM_THREADS", value)
    assert thread_count() == threads


def test_the_runtime_needs_nothing_beyond_the_standard_library_and_numpy() -> None:
    program = f"""
import sys
sys.path.append({str(Path(forecast_inference.__file__).parents[1])!r})
before = set(sys.modules)
import numpy
numpy_s_own = set(sys.modules)
import pkgutil, importlib, forecast_inference
for module in pkgutil.walk_packages(forecast_inference.__path__, "forecast_inference."):
    if not module.name.endswith(("__main__", "wsgi", "typed")):  # a program, an app, and msgspec's
        importlib.import_module(module.name)
names = set(name.partition(".")[0] for name in set(sys.modules) - numpy_s_own - before)
print(*sorted(names - set(sys.stdlib_module_names)))
"""
    result = subprocess.run(
        [sys.executable, "-I", "-c", program], capture_output=True, text=True, check=True
    )
    assert result.stdout.split() == ["forecast_inference", "numpy"]
