"""A compiled model answers as the original does, or the original stays and the report says why."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import catboost
import joblib
import lightgbm
import numpy as np
import pandas as pd
import pytest
import xgboost
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import (
    ExtraTreesRegressor,
    GradientBoostingRegressor,
    HistGradientBoostingRegressor,
    RandomForestRegressor,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.multioutput import MultiOutputRegressor
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import forecast_inference
from forecast_config.settings import ServingSettings
from forecast_packaging.errors import ContractError
from forecast_packaging.formats.compilation import Compilation, compile_bundle

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.slow

ONNX = ServingSettings(compile="onnx")
RANDOM = np.random.default_rng(5)
NAMES = ["cost", "stock", "weekday"]
ROWS = np.column_stack(
    [RANDOM.normal(10, 3, 300), RANDOM.integers(0, 50, 300), RANDOM.integers(0, 7, 300)]
)
GAPS = ROWS.copy()
GAPS[RANDOM.random(300) < 0.2, 0] = np.nan
PRICE = ROWS @ [2.0, 0.1, 1.0]
BOTH = np.column_stack([PRICE, ROWS[:, 2] ** 2 + 1.0])


def schema(*outputs: str, nullable: bool = False, **more: Any) -> dict[str, Any]:
    cost = {"name": "cost", "type": "double", "nullable": nullable}
    stock = {
        "name": "stock",
        "type": "long",
        "nullable": False,
        "range": {"minimum": 0, "maximum": 49},
    }
    date = {"name": "date", "type": "date", "nullable": False}
    weekday = {"name": "weekday", "type": "long"}
    return {
        "schema_version": 2,
        "inputs": [cost, stock, date],
        "features": [
            cost,
            {key: stock[key] for key in ("name", "type", "nullable")},
            {**weekday, "derive": {"kind": "day_of_week", "source": "date"}},
        ],
        "outputs": [{"name": name} for name in outputs],
        **more,
    }


@pytest.fixture
def stage(tmp_path: Path) -> Callable[..., Path]:
    """Writes the content of an archive as packaging stages it."""

    def write(document: dict[str, Any], *models: dict[str, Any], takes: str = "array") -> Path:
        root = tmp_path / "stage"
        for folder in ("code", "model", "artifacts"):
            (root / folder).mkdir(parents=True)
        code = Path(forecast_inference.__file__).parent
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(code, root / "code/forecast_inference", ignore=ignored)
        row = {"cost": 9.5, "stock": 7, "date": "2023-06-30"}
        example = {"instances": [row, {**row, "stock": 31}]}
        (root / "artifacts/feature_schema.json").write_text(json.dumps(document))
        (root / "artifacts/input_example.json").write_text(json.dumps(example))
        columns = document.get("columns") or [output["name"] for output in document["outputs"]]
        entries = []
        for model in models:
            model.pop("save")(root / "model" / model["file"])
            entries.append({"columns": columns, **model, "file": f"model/{model['file']}"})
        info = {
            "schema_version": 2,
            "name": "produce",
            "version": "1",
            "models": entries,
            "input": takes,
            "libraries": {},
            "runs_code_on_load": any(entry["flavor"] == "sklearn" for entry in entries),
            "files": {
                entry["file"]: {"sha256": hashlib.sha256((root / entry["file"]).read_bytes())
                .hexdigest()}
                for entry in entries
            },
        }  # fmt: skip
        (root / "model-info.json").write_text(json.dumps(info))
        return root

    return write


def compiled(root: Path, settings: ServingSettings = ONNX) -> Compilation:
    compilation = compile_bundle(root, root.parent, settings)
    assert compilation is not None
    return compilation


def pickled(model: Any) -> dict[str, Any]:
    return {
        "flavor": "sklearn",
        "file": "model.pkl",
        "save": lambda path: joblib.dump(model, path),
    }


def gapped(model: Any) -> Any:
    return model.fit(GAPS, PRICE)


ESTIMATORS: dict[str, tuple[Callable[[], Any], dict[str, Any]]] = {
    "forest": (
        lambda: RandomForestRegressor(12, random_state=1).fit(ROWS, BOTH),
        schema("price", "demand"),
    ),
    "forest with gaps": (
        lambda: gapped(RandomForestRegressor(12, random_state=1)),
        schema("price", nullable=True),
    ),
    "extra trees": (
        lambda: ExtraTreesRegressor(12, random_state=1).fit(ROWS, PRICE),
        schema("price"),
    ),
    "gradient boosting": (
        lambda: GradientBoostingRegressor(n_estimators=12).fit(ROWS, PRICE),
        schema("price"),
    ),
    "histogram boosting": (
        lambda: gapped(HistGradientBoostingRegressor(max_iter=12)),
        schema("price", nullable=True),
    ),
    "histogram boosting of counts": (
        lambda: HistGradientBoostingRegressor(max_iter=12, loss="poisson").fit(ROWS, PRICE + 9),
        schema("price"),
    ),
    "histogram boosting per output": (
        lambda: MultiOutputRegressor(HistGradientBoostingRegressor(max_iter=12)).fit(ROWS, BOTH),
        schema("price", "demand"),
    ),
    "pipeline": (
        lambda: gapped(make_pipeline(SimpleImputer(), StandardScaler(), Ridge())),
        schema("price", nullable=True),
    ),
    "LightGBM's estimator": (
        lambda: gapped(lightgbm.LGBMRegressor(n_estimators=12, verbose=-1, n_jobs=1)),
        schema("price", nullable=True),
    ),
    "XGBoost's estimator": (
        lambda: xgboost.XGBRegressor(n_estimators=12, n_jobs=1).fit(GAPS, BOTH),
        schema("price", "demand", nullable=True),
    ),
}


@pytest.mark.parametrize("name", ESTIMATORS)
def test_an_estimator_is_replaced_by_a_graph_with_the_same_answers(
    stage: Callable[..., Path], name: str
) -> None:
    train, document = ESTIMATORS[name]
    compilation = compiled(stage(document, pickled(train())))
    report = compilation.report
    assert report["reason"] is None
    assert report["accepted"] is True
    columns = [output["name"] for output in document["outputs"]]
    assert compilation.models == [
        {"flavor": "onnx", "file": "model/model.onnx", "columns": columns}
    ]
    assert compilation.files["model/model.onnx"].is_file()
    assert compilation.libraries.keys() == {"onnxruntime"}
    assert report["rows"]["example"] == 2
    assert report["rows"]["edge"] > 500
    assert report["rows"]["refused_by_original"] == 0
    assert report["tolerance"] == {"relative": 1e-4, "absolute": 1e-6}
    for found in report["differences"].values():
        assert found["relative"] < 1e-5


def boosters() -> list[dict[str, Any]]:
    data = lightgbm.Dataset(GAPS[:, :2], PRICE, feature_name=NAMES[:2])
    options = {"objective": "quantile", "alpha": 0.9, "verbose": -1, "num_threads": 1}
    light = lightgbm.train(options, data, 12)
    matrix = xgboost.DMatrix(GAPS, BOTH[:, 1], feature_names=NAMES)
    extreme = xgboost.train({"objective": "count:poisson", "nthread": 1}, matrix, 12)
    return [
        {
            "flavor": "xgboost",
            "file": "demand.ubj",
            "columns": ["demand"],
            "save": extreme.save_model,
        },
        {
            "flavor": "lightgbm",
            "file": "price.txt",
            "columns": ["price"],
            "features": NAMES[:2],
            "save": light.save_model,
        },
    ]


def test_a_bundle_is_compiled_file_by_file(stage: Callable[..., Path]) -> None:
    compilation = compiled(stage(schema("price", "demand", nullable=True), *boosters()))
    assert compilation.report["reason"] is None
    assert compilation.models == [
        {"flavor": "onnx", "file": "model/demand.onnx", "columns": ["demand"]},
        {
            "flavor": "onnx",
            "file": "model/price.onnx",
            "columns": ["price"],
            "features": ["cost", "stock"],
        },
    ]
    assert compilation.report["differences"].keys() == {"price", "demand"}


def test_catboost_is_compiled_by_its_own_export(stage: Callable[..., Path]) -> None:
    model = catboost.CatBoostRegressor(
        iterations=12, verbose=0, allow_writing_files=False, thread_count=1
    ).fit(catboost.Pool(ROWS, PRICE, feature_names=NAMES))
    entry = {
        "flavor": "catboost",
        "file": "model.cbm",
        "save": lambda path: model.save_model(str(path)),
    }
    compilation = compiled(stage(schema("price"), entry))
    assert compilation.report["reason"] is None
    assert compilation.report["accepted"] is True


def test_an_estimator_that_looks_for_columns_by_name_takes_an_array_afterwards(
    stage: Callable[..., Path],
) -> None:
    frame = pd.DataFrame(ROWS, columns=NAMES).astype({"stock": "int64", "weekday": "int64"})
    scaled = ColumnTransformer([("scaled", StandardScaler(), ["cost", "weekday"])])
    model = make_pipeline(scaled, LinearRegression()).fit(frame, PRICE)
    compilation = compiled(stage(schema("price"), pickled(model), takes="dataframe"))
    assert compilation.report["reason"] is None
    assert compilation.report["accepted"] is True


def test_the_same_model_is_compiled_to_the_same_bytes(
    stage: Callable[..., Path], tmp_path: Path
) -> None:
    root = stage(schema("price"), pickled(ESTIMATORS["pipeline"][0]()))
    digests = []
    for name in ("once", "again"):
        scratch = tmp_path / name
        scratch.mkdir()
        compilation = compile_bundle(root, scratch, ONNX)
        assert compilation is not None
        digests.append(compilation.files["model/model.onnx"].read_bytes())
    assert digests[0] == digests[1]


def test_a_model_that_differs_by_more_than_the_tolerance_stays_as_it_is(
    stage: Callable[..., Path],
) -> None:
    model = catboost.CatBoostRegressor(
        iterations=12, loss_function="Poisson", verbose=0, allow_writing_files=False, thread_count=1
    ).fit(catboost.Pool(ROWS, PRICE + 20, feature_names=NAMES))  # fmt: skip
    entry = {
        "flavor": "catboost",
        "file": "model.cbm",
        "save": lambda path: model.save_model(str(path)),
    }
    compilation = compiled(stage(schema("price"), entry))
    assert compilation.report["accepted"] is False
    assert "where the original gives" in compilation.report["reason"]
    assert compilation.report["differences"]["price"]["absolute"] > 1
    assert (compilation.models, compilation.files, compilation.libraries) == ([], {}, {})


def test_a_tolerance_that_single_precision_cannot_meet_keeps_the_original(
    stage: Callable[..., Path],
) -> None:
    settings = ServingSettings(
        compile="onnx", compile_relative_tolerance=1e-12, compile_absolute_tolerance=0.0
    )
    compilation = compiled(
        stage(schema("price"), pickled(ESTIMATORS["extra trees"][0]())), settings
    )
    assert compilation.report["accepted"] is False
    assert "expected within 0 + 1e-12 of it" in compilation.report["reason"]


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        (KNeighborsRegressor(3, metric="canberra"), "canberra"),
        (
            HistGradientBoostingRegressor(max_iter=3, categorical_features=[2]),
            "categorical features",
        ),
        (
            GradientBoostingRegressor(n_estimators=3, init=LinearRegression()),
            "starts from another estimator",
        ),
    ],
    ids=["metric", "categories", "initial estimator"],
)
def test_what_onnx_cannot_express_is_reported(
    stage: Callable[..., Path], model: Any, reason: str
) -> None:
    compilation = compiled(stage(schema("price"), pickled(model.fit(ROWS, PRICE))))
    assert compilation.report["accepted"] is False
    assert compilation.report["reason"] == "model/model.pkl cannot be converted"
    (entry,) = compilation.report["models"]
    assert entry["converted"] is False
    assert reason in entry["reason"]


def test_rows_that_the_original_refuses_are_counted(stage: Callable[..., Path]) -> None:
    model = LinearRegression().fit(ROWS, PRICE)
    compilation = compiled(stage(schema("price", nullable=True), pickled(model)))
    assert compilation.report["rows"]["refused_by_original"] > 0
    assert compilation.report["accepted"] is True


def test_a_transformed_output_is_compared_as_it_is_answered(stage: Callable[..., Path]) -> None:
    model = RandomForestRegressor(12, random_state=1).fit(ROWS, np.log(PRICE))
    document = schema("price")
    document["outputs"] = [{"name": "price", "column": "log_price", "transform": "exp"}]
    document["columns"] = ["log_price"]
    compilation = compiled(stage(document, pickled(model)))
    assert compilation.report["accepted"] is True
    assert compilation.report["differences"].keys() == {"log_price"}


def test_nothing_is_compiled_unless_asked(stage: Callable[..., Path]) -> None:
    root = stage(schema("price"), pickled(LinearRegression().fit(ROWS, PRICE)))
    assert compile_bundle(root, root.parent, ServingSettings()) is None


def test_a_model_that_breaks_the_process_is_a_contract_error(stage: Callable[..., Path]) -> None:
    entry = {"flavor": "sklearn", "file": "model.pkl", "save": lambda path: path.write_bytes(b"!")}
    with pytest.raises(ContractError, match=r"the model cannot be compiled: "):
        compile_bundle(root := stage(schema("price"), entry), root.parent, ONNX)
