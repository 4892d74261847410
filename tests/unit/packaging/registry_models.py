"""Small models of every flavor, each logged by a function of its own."""

from __future__ import annotations

import json
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
from mlflow.models import infer_signature
from registry_data import (
    BUNDLE,
    CATBOOST,
    EXAMPLE,
    LIGHTGBM,
    ONE,
    PICKLED,
    PRICE,
    QUANTILES,
    REQUESTED,
    SERVING,
    SKLEARN,
    SKOPS,
    TWO,
    XGBOOST,
    X,
    Y,
    pins,
)
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import GradientBoostingRegressor, RandomForestRegressor
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from forecast_packaging.training import profile


def booster(rounds: int = 5) -> xgboost.Booster:
    return xgboost.train({"max_depth": 3}, xgboost.DMatrix(X, Y), rounds)


def keep_answer(name: str, answer: Any) -> None:
    """Note what the trained object itself answers, before anything is logged or packed."""
    Path("answers").mkdir(exist_ok=True)
    rows = np.asarray(answer, dtype=float).reshape(len(answer), -1).tolist()
    Path("answers", f"{name}.json").write_text(json.dumps(rows))


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
