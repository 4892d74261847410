"""Program: logs and registers small models of every flavor; run by the fixtures in a process of
its own, because MLflow warns of things that are no concern of the tests.

Usage: make_registry.py <tracking uri> [<model name> …]; without names, all of them.
"""

from __future__ import annotations

import json
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import catboost
import lightgbm
import mlflow
import mlflow.catboost
import mlflow.lightgbm
import mlflow.onnx
import mlflow.pyfunc
import mlflow.sklearn
import mlflow.xgboost
import numpy as np
import onnx.helper
import onnxruntime
import pandas as pd
import xgboost
from mlflow import MlflowClient
from mlflow.models import infer_signature
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import GradientBoostingRegressor, RandomForestRegressor
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from forecast_packaging.training import profile

RNG = np.random.default_rng(7)
ROWS = 60
X = pd.DataFrame(
    {
        "item_index": RNG.integers(0, 3, ROWS),
        "day_of_week": RNG.integers(0, 7, ROWS),
        "quantity_sold": RNG.normal(10, 2, ROWS),
    }
)
Y = pd.DataFrame(
    {
        "forecasted_price": X["quantity_sold"] * 0.5,
        "forecasted_demand": X["day_of_week"] + X["item_index"] * 2.0,
    }
)
PRICE = Y[["forecasted_price"]]
EXAMPLE = X.head(3)
TWO = infer_signature(X, Y)
ONE = infer_signature(X, PRICE)
SERVING = {
    "inputs": [
        {"name": "date", "type": "date"},
        {"name": "item_code", "type": "string", "categories": ["102", "104", "110"]},
        {"name": "quantity_sold", "unit": "kg", "out_of_range": "clip"},
    ],
    "derived": {
        "item_index": {"kind": "category_index", "source": "item_code"},
        "day_of_week": {"kind": "day_of_week", "source": "date"},
    },
    "outputs": [
        {"name": "forecasted_price", "unit": "RMB/kg", "minimum": 0.0},
        {"name": "forecasted_demand", "minimum": 0.0},
    ],
    "intervals": {
        "default_level": 0.9,
        "outputs": {
            "forecasted_price": {
                "kind": "relative",
                "offsets": {"0.8": [-0.1, 0.2], "0.9": [-0.2, 0.3]},
            },
            "forecasted_demand": {
                "kind": "absolute",
                "offsets": {"0.8": [-3.0, 4.0], "0.9": [-5.0, 9.0]},
            },
        },
    },
    "horizon": {"date_input": "date", "maximum": 14},
    "input_example": {
        "instances": [
            {"date": "2023-06-30", "item_code": "104", "quantity_sold": 9.5},
            {"date": "2023-07-01", "item_code": "102", "quantity_sold": 11.0},
        ]
    },
}


def pins(*names: str) -> list[str]:
    """What MLflow would infer that a model requires; to find it out takes seconds a model."""
    return [f"{name}=={version(name)}" for name in names]


NUMBERS = pins("numpy", "pandas", "scipy")
SKLEARN = [*NUMBERS, *pins("rich", "scikit-learn")]
SKOPS = [*SKLEARN, *pins("skops")]
XGBOOST = [*SKLEARN, *pins("xgboost-cpu"), f"xgboost=={xgboost.__version__}"]
LIGHTGBM = [*SKLEARN, *pins("lightgbm")]
CATBOOST = [*NUMBERS, *pins("catboost")]
PICKLED = pins("cloudpickle")


REQUESTED = pd.DataFrame(
    # item 104 is the second category, 2023-06-30 was a Friday; item 102 the first, on a Saturday
    {"item_index": [1, 0], "day_of_week": [4, 5], "quantity_sold": [9.5, 11.0]}
)


def booster(rounds: int = 5) -> xgboost.Booster:
    return xgboost.train({"max_depth": 3}, xgboost.DMatrix(X, Y), rounds)


def keep_answer(name: str, answer: Any) -> None:
    """Note what the trained object itself answers, before anything is logged or packed."""
    Path("answers").mkdir(exist_ok=True)
    rows = np.asarray(answer, dtype=float).reshape(len(answer), -1).tolist()
    Path("answers", f"{name}.json").write_text(json.dumps(rows))


QUANTILES = {"price": 0.5, "price_low": 0.05, "price_high": 0.95}
BUNDLE = {
    "models": [
        {"file": f"artifacts/{name}.txt", "flavor": "lightgbm", "columns": [name]}
        for name in QUANTILES
    ],
    "outputs": [{"name": "forecasted_price", "column": "price"}],
    "intervals": {
        "default_level": 0.9,
        "outputs": {
            "forecasted_price": {
                "kind": "quantiles",
                "columns": {"0.9": ["price_low", "price_high"]},
                "margins": {"0.9": 0.1},
            }
        },
    },
}


def log_produce() -> Any:
    """The one whose requirements MLflow infers, as it does where nobody says them."""
    mlflow.set_tags({"data_version": "2023-06-30", "code_reference": "abc123"})
    mlflow.log_dict(SERVING, "artifacts/serving.json")
    mlflow.log_dict(profile(X), "artifacts/training_profile.json")
    mlflow.log_text("sold by the piece\n", "artifacts/notes/单位.txt")
    model = booster()
    keep_answer("produce", model.predict(xgboost.DMatrix(REQUESTED)))
    return mlflow.xgboost.log_model(model, name="model", signature=TWO)


def log_produce_larger() -> Any:
    mlflow.set_tag("mlflow.source.git.commit", "def456")
    mlflow.log_dict(SERVING, "artifacts/serving.json")
    mlflow.log_dict(profile(X), "artifacts/training_profile.json")
    data = mlflow.data.from_pandas(X, name="market")
    mlflow.log_input(data, context="training")
    return mlflow.xgboost.log_model(
        booster(9), name="model", signature=TWO, pip_requirements=XGBOOST
    )


def log_lightgbm_booster() -> Any:
    model = lightgbm.train(
        {"verbose": -1, "num_threads": 1}, lightgbm.Dataset(X, PRICE.iloc[:, 0]), 5
    )
    keep_answer("lightgbm_booster", model.predict(EXAMPLE))
    return mlflow.lightgbm.log_model(
        model,
        name="model",
        signature=ONE,
        input_example=EXAMPLE,
        pip_requirements=LIGHTGBM,
    )


def log_lightgbm_wrapper() -> Any:
    model = lightgbm.LGBMRegressor(n_estimators=4, verbose=-1).fit(X, PRICE.iloc[:, 0])
    keep_answer("lightgbm_wrapper", model.predict(EXAMPLE))
    return mlflow.lightgbm.log_model(
        model,
        name="model",
        signature=ONE,
        input_example=EXAMPLE,
        pip_requirements=[*LIGHTGBM, *pins("skops")],
    )


def log_catboost() -> Any:
    model = catboost.CatBoostRegressor(
        iterations=4, verbose=0, loss_function="MultiRMSE", allow_writing_files=False
    ).fit(X, Y)
    keep_answer("catboost", model.predict(EXAMPLE))
    return mlflow.catboost.log_model(
        model, name="model", signature=TWO, input_example=EXAMPLE, pip_requirements=CATBOOST
    )


def log_xgboost_wrapper() -> Any:
    model = xgboost.XGBRegressor(n_estimators=4).fit(X, Y)
    keep_answer("xgboost_wrapper", model.predict(EXAMPLE))
    return mlflow.xgboost.log_model(
        model,
        name="model",
        signature=TWO,
        input_example=EXAMPLE,
        model_format="json",
        pip_requirements=XGBOOST,
    )


def log_xgboost_stopped_early() -> Any:
    model = xgboost.XGBRegressor(n_estimators=200, early_stopping_rounds=2)
    model.fit(X, PRICE, eval_set=[(X, PRICE)], verbose=False)
    return mlflow.xgboost.log_model(
        model, name="model", signature=ONE, input_example=EXAMPLE, pip_requirements=XGBOOST
    )


def log_sklearn_skops() -> Any:
    model = RandomForestRegressor(n_estimators=5, random_state=0).fit(X, Y)
    keep_answer("sklearn_skops", model.predict(EXAMPLE))
    return mlflow.sklearn.log_model(
        model,
        name="model",
        signature=TWO,
        input_example=EXAMPLE,
        serialization_format="skops",
        skops_trusted_types=["sklearn.tree._tree.Tree"],
        pip_requirements=SKOPS,
    )


def log_gradient_boosting() -> Any:
    model = GradientBoostingRegressor(n_estimators=4).fit(X, PRICE.iloc[:, 0])
    keep_answer("gradient_boosting", model.predict(EXAMPLE))
    return mlflow.sklearn.log_model(
        model,
        name="model",
        signature=ONE,
        input_example=EXAMPLE,
        serialization_format="skops",
        skops_trusted_types=["sklearn.tree._tree.Tree"],
        pip_requirements=SKOPS,
    )


def log_sklearn_pickle() -> Any:
    model = make_pipeline(StandardScaler(), LinearRegression()).fit(X, Y)
    keep_answer("sklearn_pickle", model.predict(EXAMPLE))
    return mlflow.sklearn.log_model(
        model,
        name="model",
        signature=TWO,
        input_example=EXAMPLE,
        serialization_format="cloudpickle",
        pip_requirements=[*SKLEARN, *PICKLED],
    )


def log_sklearn_columns() -> Any:
    chosen = ColumnTransformer([("scaled", StandardScaler(), ["quantity_sold"])])
    model = make_pipeline(chosen, LinearRegression()).fit(X, Y)
    keep_answer("sklearn_columns", model.predict(EXAMPLE))
    return mlflow.sklearn.log_model(
        model,
        name="model",
        signature=TWO,
        input_example=EXAMPLE,
        serialization_format="pickle",
        pip_requirements=SKLEARN,
    )


PRICES = {"leek": 4.0, "yam": 7.5}


def log_onnx_text() -> Any:
    """The price of an item, times a factor: a graph of two named inputs, one of them a text."""
    double = onnx.TensorProto.DOUBLE
    label = onnx.helper.make_node(
        "LabelEncoder",
        ["item"],
        ["single"],
        domain="ai.onnx.ml",
        keys_strings=list(PRICES),
        values_floats=list(PRICES.values()),
        default_float=0.0,
    )
    graph = onnx.helper.make_graph(
        [
            label,
            onnx.helper.make_node("Cast", ["single"], ["base"], to=double),
            onnx.helper.make_node("Mul", ["base", "factor"], ["price"]),
        ],
        "prices",
        [
            onnx.helper.make_tensor_value_info("item", onnx.TensorProto.STRING, [None, 1]),
            onnx.helper.make_tensor_value_info("factor", double, [None, 1]),
        ],
        [onnx.helper.make_tensor_value_info("price", double, [None, 1])],
    )
    opsets = [onnx.helper.make_opsetid("", 18), onnx.helper.make_opsetid("ai.onnx.ml", 3)]
    model = onnx.helper.make_model(graph, opset_imports=opsets)
    model.ir_version = 8
    rows = pd.DataFrame({"item": ["leek", "yam"], "factor": [2.0, 0.5]})
    answer = rows["item"].map(PRICES) * rows["factor"]
    keep_answer("onnx_text", answer)
    return mlflow.onnx.log_model(
        model,
        name="model",
        signature=infer_signature(rows, pd.DataFrame({"forecasted_price": answer})),
        input_example=rows,
        pip_requirements=[f"onnxruntime=={onnxruntime.__version__}"],
    )


class Constant(mlflow.pyfunc.PythonModel):
    def predict(self, model_input: Any) -> list[float]:
        return [1.0] * len(model_input)


def log_python_model() -> Any:
    return mlflow.pyfunc.log_model(
        name="model",
        python_model=Constant(),
        signature=ONE,
        input_example=EXAMPLE,
        pip_requirements=PICKLED,
    )


def log_bundle() -> Any:
    mlflow.log_dict(BUNDLE, "artifacts/serving.json")
    for name, quantile in QUANTILES.items():
        options = {"objective": "quantile", "alpha": quantile, "verbose": -1, "num_threads": 1}
        model = lightgbm.train(options, lightgbm.Dataset(X, PRICE.iloc[:, 0]), 5)
        mlflow.log_text(model.model_to_string(), f"artifacts/{name}.txt")
    return mlflow.pyfunc.log_model(
        name="model",
        python_model=Constant(),
        signature=ONE,
        input_example=EXAMPLE,
        pip_requirements=[f"lightgbm=={lightgbm.__version__}"],
    )


MODELS = {
    "produce": [log_produce, log_produce_larger],
    "lightgbm_booster": [log_lightgbm_booster],
    "lightgbm_wrapper": [log_lightgbm_wrapper],
    "catboost": [log_catboost],
    "xgboost_wrapper": [log_xgboost_wrapper],
    "xgboost_stopped_early": [log_xgboost_stopped_early],
    "sklearn_skops": [log_sklearn_skops],
    "gradient_boosting": [log_gradient_boosting],
    "sklearn_pickle": [log_sklearn_pickle],
    "sklearn_columns": [log_sklearn_columns],
    "onnx_text": [log_onnx_text],
    "python_model": [log_python_model],
    "bundle": [log_bundle],
}


def register(name: str) -> list[Any]:
    versions = []
    for log in MODELS[name]:
        with mlflow.start_run():
            mlflow.log_metrics({"wape": 0.125, "mase": 0.8, "undefined": float("nan")})
            logged = log()
        versions.append(mlflow.register_model(logged.model_uri, name))
    return versions


def main(tracking_uri: str, names: list[str]) -> None:
    mlflow.set_tracking_uri(tracking_uri)
    mlflow.set_registry_uri(tracking_uri)
    client = MlflowClient()
    for name in names or MODELS:
        versions = register(name)
        client.set_registered_model_alias(name, "champion", versions[0].version)
        if len(versions) > 1:
            client.set_registered_model_alias(name, "challenger", versions[1].version)
            client.set_model_version_tag(name, "2", "candidate_run_id", "run-of-the-week")
            client.set_model_version_tag(name, "2", "approval", "granted")


main(sys.argv[1], sys.argv[2:])
