"""Loading a model imports its own library, and nothing that it could do without."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import forecast_inference
from forecast_inference.errors import ArtifactError
from forecast_inference.handler import Predictor
from forecast_inference.models.imports import import_library
from forecast_inference.models.info import ModelInfo

SOURCE = Path(forecast_inference.__file__).parents[1]
HEAVY = {"pandas", "pyarrow", "sklearn", "matplotlib", "dask", "onnx"}
LIBRARIES = {"xgboost", "lightgbm", "catboost", "onnxruntime", "sklearn"}


def loaded_after(path: Path) -> set[str]:
    """The libraries in a fresh process that has loaded an archive and answered its requests."""
    program = f"""
import sys
from pathlib import Path
sys.path.append({str(SOURCE)!r})
from forecast_inference.handler import Predictor
path = Path({str(path)!r})
Predictor.load(path).warm_up(path)
print(*sorted(set(name.partition(".")[0] for name in sys.modules)))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


@pytest.mark.parametrize(
    ("kind", "library"),
    [
        ("xgboost_ubj", "xgboost"),
        ("lightgbm_text", "lightgbm"),
        ("onnx_double_matrix", "onnxruntime"),
    ],
)
def test_a_data_file_loads_its_own_library_alone(
    builders: Any, tmp_path: Path, kind: str, library: str
) -> None:
    archive = builders(kind, tmp_path)
    assert loaded_after(archive.path) & (HEAVY | LIBRARIES) == {library}


def test_what_is_imported_already_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    before = list(sys.meta_path)
    assert import_library("lightgbm", lean=True).__name__ == "lightgbm"
    assert sys.meta_path == before
    monkeypatch.setitem(sys.modules, "xgboost", None)
    with pytest.raises(ArtifactError, match="this environment lacks xgboost"):
        import_library("xgboost", lean=True)
    assert sys.meta_path == before


def test_a_missing_shared_library_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "broken_library.py").write_text(
        "import ctypes\nctypes.CDLL('libgomp_absent.so.1')\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ArtifactError) as caught:
        import_library("broken_library")
    assert str(caught.value) == (
        "this environment lacks libgomp_absent.so.1, which broken_library needs: install it in "
        "the image"
    )


def test_the_file_whose_library_is_missing_is_named(
    damaged: Path, change_info: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    (damaged / "model/model.onnx").write_bytes(b"\x08\x08")
    change_info(damaged, flavor="onnx", file="model/model.onnx")
    with pytest.raises(ArtifactError, match=r"^model/model.onnx: this environment lacks onnxrunti"):
        Predictor.load(damaged)


def test_the_info_says_which_files_and_from_what_they_were_compiled(
    damaged: Path, change_info: Any
) -> None:
    change_info(damaged, compiled={"from": ["sklearn"], "report": "r"}, codec="fast")
    info = ModelInfo.load(damaged / "model-info.json")
    assert (info.flavors, info.compiled_from, info.codec) == (("xgboost",), ("sklearn",), "fast")
    document = json.loads((damaged / "model-info.json").read_text())
    assert list(info.models[0].columns) == document["models"][0]["columns"]
