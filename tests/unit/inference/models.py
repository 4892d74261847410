"""Real tiny models, one builder per way in which the runtime can read one."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any

import catboost
import joblib
import lightgbm
import numpy as np
import pandas as pd
import xgboost
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

NAMES = ["a", "b", "c"]
INSTANCES = [{"a": 1.5, "b": 2.0, "c": 9.0}, {"a": 4.0, "b": 0.5, "c": 1.0}]


def _numbers(archives: ModuleType, outputs: list[str]) -> dict[str, Any]:
    return {"schema": archives.numbers_schema(NAMES, outputs), "instances": INSTANCES}


def _xgboost(
    archives: ModuleType, root: Path, suffix: str, outputs: list[str], kind: str = "gbtree"
) -> Any:
    features, targets = archives.training_data(3, len(outputs))
    data = xgboost.DMatrix(features, label=targets, feature_names=NAMES)
    booster = xgboost.train({"booster": kind, "nthread": 1}, data, num_boost_round=10)
    path = archives.write_archive(
        root,
        booster.save_model,
        flavor="xgboost",
        model_file=f"model.{suffix}",
        **_numbers(archives, outputs),
    )
    return archives.Archive(
        path, lambda rows: booster.predict(xgboost.DMatrix(np.array(rows), feature_names=NAMES))
    )


def xgboost_ubj(archives: ModuleType, root: Path) -> Any:
    return _xgboost(archives, root, "ubj", ["price"])


def xgboost_json_two_outputs(archives: ModuleType, root: Path) -> Any:
    return _xgboost(archives, root, "json", ["price", "demand"])


def xgboost_linear(archives: ModuleType, root: Path) -> Any:
    return _xgboost(archives, root, "ubj", ["price"], "gblinear")


def xgboost_wrapper_two_outputs(archives: ModuleType, root: Path) -> Any:
    features, targets = archives.training_data(3, 2)
    model = xgboost.XGBRegressor(n_estimators=5, n_jobs=1).fit(features, targets)
    path = archives.write_archive(
        root,
        lambda target: joblib.dump(model, target),
        flavor="xgboost",
        model_file="model.joblib",
        **_numbers(archives, ["price", "demand"]),
    )
    return archives.Archive(path, model.predict)


def lightgbm_text(archives: ModuleType, root: Path) -> Any:
    features, targets = archives.training_data(3, 1)
    data = lightgbm.Dataset(features, label=targets[:, 0], feature_name=NAMES)
    options = {"objective": "regression", "verbose": -1, "num_leaves": 7, "num_threads": 1}
    booster = lightgbm.train(options, data, num_boost_round=10)
    path = archives.write_archive(
        root,
        booster.save_model,
        flavor="lightgbm",
        model_file="model.txt",
        **_numbers(archives, ["price"]),
    )
    return archives.Archive(path, booster.predict)


def lightgbm_text_three_outputs(archives: ModuleType, root: Path) -> Any:
    features, targets = archives.training_data(3, 1)
    classes = np.digitize(targets[:, 0], [20, 40])
    data = lightgbm.Dataset(features, label=classes, feature_name=NAMES)
    options = {"objective": "multiclass", "num_class": 3, "verbose": -1, "num_threads": 1}
    booster = lightgbm.train(options, data, num_boost_round=5)
    path = archives.write_archive(
        root,
        booster.save_model,
        flavor="lightgbm",
        model_file="model.txt",
        **_numbers(archives, ["low", "middle", "high"]),
    )
    return archives.Archive(path, booster.predict)


def _catboost(archives: ModuleType, root: Path, outputs: list[str], loss: str) -> Any:
    features, targets = archives.training_data(3, len(outputs))
    model = catboost.CatBoostRegressor(
        iterations=10, depth=3, loss_function=loss, verbose=0, allow_writing_files=False,
        thread_count=1,
    )  # fmt: skip
    model.fit(catboost.Pool(features, targets, feature_names=NAMES))
    path = archives.write_archive(
        root,
        lambda target: model.save_model(str(target)),
        flavor="catboost",
        model_file="model.cbm",
        **_numbers(archives, outputs),
    )
    return archives.Archive(path, model.predict)


def catboost_cbm(archives: ModuleType, root: Path) -> Any:
    return _catboost(archives, root, ["demand"], "Poisson")


def catboost_cbm_two_outputs(archives: ModuleType, root: Path) -> Any:
    return _catboost(archives, root, ["price", "demand"], "MultiRMSE")


def sklearn_array(archives: ModuleType, root: Path) -> Any:
    features, targets = archives.training_data(3, 2)
    model = make_pipeline(StandardScaler(), LinearRegression()).fit(features, targets)
    path = archives.write_archive(
        root,
        lambda target: joblib.dump(model, target),
        flavor="sklearn",
        model_file="model.joblib",
        **_numbers(archives, ["price", "demand"]),
    )
    return archives.Archive(path, model.predict)


def sklearn_pickle_dataframe(archives: ModuleType, root: Path) -> Any:
    """A pipeline that needs column names and types: text is one-hot encoded."""

    random = np.random.default_rng(3)
    frame = pd.DataFrame(
        {
            "item": random.choice(["yam", "leek"], 60),
            "cost": random.uniform(1, 9, 60),
            "stock": random.integers(0, 50, 60),
            "promoted": random.choice([True, False], 60),
        }
    )
    price = frame["cost"] * 2 + (frame["item"] == "yam") * 10 + frame["stock"] * 0.01
    encode = make_column_transformer((OneHotEncoder(), ["item"]), remainder="passthrough")
    forest = RandomForestRegressor(n_estimators=4, random_state=1)
    model = make_pipeline(encode, forest).fit(frame, price)
    columns = [
        {"name": "item", "type": "string", "nullable": False},
        {"name": "cost", "type": "double", "nullable": False},
        {"name": "stock", "type": "long", "nullable": False},
        {"name": "promoted", "type": "boolean", "nullable": False},
    ]
    schema = {
        "schema_version": 1, "inputs": columns, "features": columns, "outputs": [{"name": "price"}],
    }  # fmt: skip
    path = archives.write_archive(
        root,
        lambda target: target.write_bytes(pickle.dumps(model)),
        flavor="sklearn",
        model_file="model.pkl",
        schema=schema,
        instances=[
            {"item": "yam", "cost": 2.5, "stock": 10, "promoted": True},
            {"item": "leek", "cost": 8.0, "stock": 3, "promoted": False},
        ],
        takes="dataframe",
    )

    def predict(rows: Any) -> Any:
        return model.predict(pd.DataFrame(rows, columns=["item", "cost", "stock", "promoted"]))

    return archives.Archive(path, predict)


def market(archives: ModuleType, root: Path) -> Any:
    """The XGBoost model of the market schema: derived features, two outputs, intervals."""

    features, targets = archives.training_data(len(archives.FEATURES), 2)
    data = xgboost.DMatrix(features, label=targets, feature_names=archives.FEATURES)
    booster = xgboost.train({"max_depth": 3}, data, num_boost_round=10)
    path = archives.write_archive(
        root,
        booster.save_model,
        flavor="xgboost",
        model_file="model.ubj",
        schema=archives.MARKET,
        instances=[archives.ROW],
    )
    return archives.Archive(
        path,
        lambda rows: booster.predict(
            xgboost.DMatrix(np.array(rows), feature_names=archives.FEATURES)
        ),
    )


FLAVORS = {
    builder.__name__: builder
    for builder in (
        xgboost_ubj,
        xgboost_json_two_outputs,
        xgboost_linear,
        xgboost_wrapper_two_outputs,
        lightgbm_text,
        lightgbm_text_three_outputs,
        catboost_cbm,
        catboost_cbm_two_outputs,
        sklearn_array,
        sklearn_pickle_dataframe,
    )
}
