"""Which files of a snapshot are served, and which are refused with the way out."""

from __future__ import annotations

import gzip
import json
import pickle
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import joblib
import numpy as np
import pytest
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from forecast_packaging.declarations.serving import Serving
from forecast_packaging.declarations.signature import Column, MlModel
from forecast_packaging.errors import ModelError
from forecast_packaging.formats.choose import choose_parts
from forecast_packaging.formats.pickles import SerializedEstimator, mentions
from forecast_packaging.registry.snapshot import Snapshot

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from forecast_packaging.formats.parts import ServedBundle

LIGHTGBM = b"tree\nversion=v4\n"
XGBOOST = b"{L\x00\x00\x00\x00\x00\x00\x00\x07learner"
XGBOOST_JSON = b'{"learner": {}}'
CATBOOST = b"CBM1\x00"
ONNX = b"\x08\x08\x12\x00"
LINEAR = pickle.dumps(LinearRegression().fit(np.eye(2), [1, 2]))
PYFUNC: dict[str, dict[str, Any]] = {"python_function": {"python_version": "3.11.7"}}


@pytest.fixture
def choose(tmp_path: Path) -> Callable[..., ServedBundle]:
    """Chooses from files, flavors and a declaration."""

    def run(
        files: dict[str, bytes],
        *,
        flavors: dict[str, dict[str, Any]] | None = None,
        models: list[dict[str, Any]] | None = None,
        columns: tuple[str, ...] = ("price",),
        kind: str = "double",
    ) -> ServedBundle:
        for path, content in files.items():
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_bytes(content)
        inputs = tuple(Column(name, kind, nullable=False) for name in ("a", "b"))
        model = MlModel(inputs, columns, len(columns), {**PYFUNC, **(flavors or {})}, "3.11.7")
        serving = Serving.model_validate({} if models is None else {"models": models})
        return choose_parts(Snapshot.read(tmp_path), model, serving, columns)

    return run


def declared(file: str, flavor: str, *columns: str, **more: Any) -> dict[str, Any]:
    return {"file": file, "flavor": flavor, "columns": list(columns), **more}


def test_declared_files_make_a_bundle_beside_a_python_function(
    choose: Callable[..., ServedBundle],
) -> None:
    files = {
        "artifacts/low.txt": LIGHTGBM,
        "artifacts/high.ubj": XGBOOST,
        "artifacts/mid.cbm": CATBOOST,
        "model/extra/top.onnx": ONNX,
    }
    models = [
        declared("artifacts/high.ubj", "xgboost", "high"),
        declared("artifacts/low.txt", "lightgbm", "low", features=["b"]),
        declared("artifacts/mid.cbm", "catboost", "mid", "other"),
        declared("extra/top.onnx", "onnx", "top"),
    ]
    bundle = choose(files, models=models, columns=("low", "mid", "other", "high", "top"))
    found = [(part.member, part.library, part.columns, part.features) for part in bundle.parts]
    assert found == [
        ("model/0-high.ubj", "xgboost", ("high",), None),
        ("model/1-low.txt", "lightgbm", ("low",), ("b",)),
        ("model/2-mid.cbm", "catboost", ("mid", "other"), None),
        ("model/3-top.onnx", "onnxruntime", ("top",), None),
    ]
    assert bundle.inputs == ("array", "dataframe")
    assert (bundle.runs_code, bundle.cloudpickled, bundle.unused) == (False, False, frozenset())
    assert bundle.libraries == {"xgboost", "lightgbm", "catboost", "onnxruntime"}


@pytest.mark.parametrize(
    ("file", "flavor", "content", "member"),
    [
        ("m.json", "xgboost", XGBOOST_JSON, "model/model.json"),
        ("m.bin", "xgboost", XGBOOST, "model/model.ubj"),
        ("m.onnx", "onnx", ONNX, "model/model.onnx"),
        ("m.joblib", "sklearn", LINEAR, "model/model.joblib"),
        ("m.pkl", "sklearn", LINEAR, "model/model.pkl"),
    ],
)
def test_a_single_declared_file_is_named_by_its_content(
    choose: Callable[..., ServedBundle], file: str, flavor: str, content: bytes, member: str
) -> None:
    path = f"artifacts/{file}"
    bundle = choose({path: content}, models=[declared(path, flavor, "price")])
    (part,) = bundle.parts
    pickled = flavor == "sklearn"
    assert part.member == member
    assert bundle.inputs == (("array", "dataframe") if pickled else ("array",))
    assert (part.pickled, bundle.runs_code) == (pickled, pickled)


def test_the_onnx_flavor_is_served(choose: Callable[..., ServedBundle]) -> None:
    bundle = choose({"model/model.onnx": ONNX}, flavors={"onnx": {"data": "model.onnx"}})
    (part,) = bundle.parts
    assert (part.flavor, part.library, part.member) == ("onnx", "onnxruntime", "model/model.onnx")
    assert part.columns == ("price",)


@pytest.mark.parametrize("kind", ["string", "datetime"])
@pytest.mark.parametrize(
    ("flavors", "expected"), [(["onnx"], "columns"), (["onnx", "catboost"], "dataframe")]
)
def test_features_that_are_no_numbers_are_given_by_name(
    choose: Callable[..., ServedBundle], kind: str, flavors: list[str], expected: str
) -> None:
    content = {"onnx": ONNX, "catboost": CATBOOST}
    bundle = choose(
        {f"artifacts/{flavor}.bin": content[flavor] for flavor in flavors},
        models=[declared(f"artifacts/{flavor}.bin", flavor, flavor) for flavor in flavors],
        columns=tuple(flavors),
        kind=kind,
    )
    assert bundle.inputs == (expected,)


@pytest.mark.parametrize(
    ("models", "message"),
    [
        (
            [declared("artifacts/none.txt", "lightgbm", "price")],
            "models.0: the file 'artifacts/none.txt' is neither among the run's artifacts nor in",
        ),
        (
            [declared("../m.txt", "lightgbm", "price")],
            "models.0",
        ),
        (
            [declared("artifacts/m.txt", "catboost", "price")],
            "models.0: the CatBoost model 'm.txt' is not in CatBoost's binary format: log it with",
        ),
        (
            [declared("artifacts/m.txt", "onnx", "price")],
            "models.0: the ONNX model 'm.txt' is not in the ONNX format",
        ),
        (
            [declared("artifacts/m.txt", "sklearn", "price")],
            "models.0: the scikit-learn model 'm.txt' ends with '.txt', expected one of .joblib",
        ),
    ],
)
def test_a_declaration_that_does_not_fit_is_refused(
    choose: Callable[..., ServedBundle], models: list[dict[str, Any]], message: str
) -> None:
    with pytest.raises(ModelError) as caught:
        choose({"artifacts/m.txt": LIGHTGBM, "artifacts/b.txt": LIGHTGBM}, models=models)
    assert message in str(caught.value)


def test_a_declared_xgboost_file_that_was_stopped_early_is_refused(
    choose: Callable[..., ServedBundle],
) -> None:
    models = [declared("artifacts/m.ubj", "xgboost", "price")]
    with pytest.raises(ModelError, match=r"models.0: the XGBRegressor was stopped early"):
        choose({"artifacts/m.ubj": XGBOOST + b"best_iteration"}, models=models)


def by_value(tmp_path: Path, body: str) -> bytes:
    """What cloudpickle makes of an object of a script."""
    target = tmp_path / "script.pkl"
    program = (
        "import cloudpickle, sys\n"
        "from sklearn.pipeline import make_pipeline\n"
        "from sklearn.preprocessing import FunctionTransformer\n"
        "from sklearn.linear_model import LinearRegression\n"
        f"{body}\n"
        f"open({str(target)!r}, 'wb').write(cloudpickle.dumps(model))\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
    return target.read_bytes()


@pytest.mark.parametrize(
    "body",
    [
        "model = make_pipeline(FunctionTransformer(lambda x: x + 1), LinearRegression())",
        "class Mine(LinearRegression): pass\nmodel = Mine()",
        "def step(x): return x\nmodel = FunctionTransformer(step)",
    ],
    ids=["lambda", "class", "function"],
)
def test_code_that_was_pickled_by_value_is_refused_without_being_loaded(
    choose: Callable[..., ServedBundle], tmp_path: Path, body: str
) -> None:
    content = by_value(tmp_path, body)
    settings = {"pickled_model": "model.pkl", "serialization_format": "cloudpickle"}
    with pytest.raises(ModelError) as caught:
        choose({"model/model.pkl": content}, flavors={"sklearn": settings})
    assert "carries functions or classes pickled by value" in str(caught.value)
    assert "put that code into an installable library" in str(caught.value)


@pytest.mark.parametrize("protocol", [0, 2, 5])
def test_a_class_of_the_script_itself_is_refused(
    choose: Callable[..., ServedBundle], monkeypatch: pytest.MonkeyPatch, protocol: int
) -> None:
    mine = type("Mine", (), {"__module__": "__main__"})
    monkeypatch.setattr(sys.modules["__main__"], "Mine", mine, raising=False)
    content = pickle.dumps(mine(), protocol)
    with pytest.raises(ModelError, match="carries functions or classes of the script __main__"):
        choose({"model/model.pkl": content}, flavors={"sklearn": {"pickled_model": "model.pkl"}})


@pytest.mark.parametrize("compress", [0, 3, ("gzip", 3), ("bz2", 3), ("xz", 3), ("lzma", 3)])
def test_names_are_found_in_compressed_files(tmp_path: Path, compress: Any) -> None:
    model = make_pipeline(FunctionTransformer(np.log1p), LinearRegression())
    path = tmp_path / "model.joblib"
    joblib.dump({"model": model, "more": np.zeros(100_000)}, path, compress=compress)
    assert mentions(path, b"FunctionTransformer")
    assert not mentions(path, b"ColumnTransformer")
    assert SerializedEstimator(path, skops=False).unused == {"pandas", "cloudpickle"}


def test_a_damaged_compressed_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.joblib"
    path.write_bytes(gzip.compress(json.dumps(list(range(10_000))).encode())[:-4000])
    with pytest.raises(ModelError, match=r"'model.joblib' is damaged: log it again"):
        mentions(path, b"absent")


def test_a_pickle_by_reference_is_no_code_of_its_own(
    choose: Callable[..., ServedBundle], tmp_path: Path
) -> None:
    content = by_value(tmp_path, "model = make_pipeline(LinearRegression())")
    settings = {"pickled_model": "model.pkl", "serialization_format": "cloudpickle"}
    bundle = choose({"model/model.pkl": content}, flavors={"sklearn": settings})
    assert (bundle.runs_code, bundle.cloudpickled) == (True, False)
    assert bundle.unused == {"pandas", "cloudpickle"}
