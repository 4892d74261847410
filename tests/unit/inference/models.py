"""Real tiny models, one builder per way in which the runtime can read one."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any

import catboost
import joblib
import lightgbm
import numpy as np
import onnx
import onnx.helper
import onnx.numpy_helper
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
        archives.Part("xgboost", f"model.{suffix}", booster.save_model),
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
        archives.Part("sklearn", "model.joblib", lambda target: joblib.dump(model, target)),
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
        archives.Part("lightgbm", "model.txt", booster.save_model),
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
        archives.Part("lightgbm", "model.txt", booster.save_model),
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
        archives.Part("catboost", "model.cbm", lambda target: model.save_model(str(target))),
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
        archives.Part("sklearn", "model.joblib", lambda target: joblib.dump(model, target)),
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
        "schema_version": 2, "inputs": columns, "features": columns, "outputs": [{"name": "price"}],
    }  # fmt: skip
    path = archives.write_archive(
        root,
        archives.Part(
            "sklearn", "model.pkl", lambda target: target.write_bytes(pickle.dumps(model))
        ),
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


def bundle_of_three(archives: ModuleType, root: Path) -> Any:
    """Files of three libraries, in another order than the columns, one of two features only."""
    features, targets = archives.training_data(3, 3)
    data = lightgbm.Dataset(features[:, [2, 0]], targets[:, 2], feature_name=["c", "a"])
    options = {"objective": "regression", "verbose": -1, "num_leaves": 7, "num_threads": 1}
    light = lightgbm.train(options, data, num_boost_round=10)
    matrix = xgboost.DMatrix(features, targets[:, 0], feature_names=NAMES)
    extreme = xgboost.train({"nthread": 1}, matrix, num_boost_round=10)
    linear = LinearRegression().fit(features, targets[:, 1])
    path = archives.write_archive(
        root,
        archives.Part("lightgbm", "high.txt", light.save_model, ["high"], ["c", "a"]),
        archives.Part("sklearn", "mid.pkl", lambda path: joblib.dump(linear, path), ["middle"]),
        archives.Part("xgboost", "low.ubj", extreme.save_model, ["low"]),
        **_numbers(archives, ["low", "middle", "high"]),
    )

    def predict(rows: Any) -> Any:
        rows = np.array(rows)
        low = extreme.predict(xgboost.DMatrix(rows, feature_names=NAMES))
        return np.column_stack([low, linear.predict(rows), light.predict(rows[:, [2, 0]])])

    return archives.Archive(path, predict)


def one_file_in_another_order(archives: ModuleType, root: Path) -> Any:
    """A model whose columns are not in the order of the schema's."""
    features, targets = archives.training_data(3, 2)
    linear = LinearRegression().fit(features, targets)
    path = archives.write_archive(
        root,
        archives.Part(
            "sklearn", "model.pkl", lambda path: joblib.dump(linear, path), ["demand", "price"]
        ),
        **_numbers(archives, ["price", "demand"]),
    )
    return archives.Archive(path, lambda rows: linear.predict(rows)[:, ::-1])


WEIGHTS = np.array([[1.5, -2.0], [0.25, 4.0], [3.0, 0.5]])


def _onnx(nodes: list[Any], inputs: list[Any], outputs: list[Any], *constants: Any) -> Any:
    graph = onnx.helper.make_graph(nodes, "model", inputs, outputs, list(constants))
    opsets = [onnx.helper.make_opsetid("", 18)]
    model = onnx.helper.make_model(graph, opset_imports=opsets)
    model.ir_version = 8
    return model


def _onnx_archive(archives: ModuleType, root: Path, model: Any, outputs: list[str]) -> Path:
    part = archives.Part("onnx", "model.onnx", lambda path: onnx.save(model, path))
    path: Path = archives.write_archive(root, part, **_numbers(archives, outputs))
    return path


def onnx_double_matrix(archives: ModuleType, root: Path) -> Any:
    model = _onnx(
        [onnx.helper.make_node("MatMul", ["rows", "weights"], ["columns"])],
        [onnx.helper.make_tensor_value_info("rows", onnx.TensorProto.DOUBLE, [None, 3])],
        [onnx.helper.make_tensor_value_info("columns", onnx.TensorProto.DOUBLE, [None, 2])],
        onnx.numpy_helper.from_array(WEIGHTS, "weights"),
    )
    path = _onnx_archive(archives, root, model, ["price", "demand"])
    return archives.Archive(path, lambda rows: np.array(rows) @ WEIGHTS)


def onnx_float_matrix_flat(archives: ModuleType, root: Path) -> Any:
    """Single precision in, a flat vector out."""
    weights = WEIGHTS[:, 0].astype(np.float32)
    model = _onnx(
        [onnx.helper.make_node("MatMul", ["rows", "weights"], ["price"])],
        [onnx.helper.make_tensor_value_info("rows", onnx.TensorProto.FLOAT, [None, 3])],
        [onnx.helper.make_tensor_value_info("price", onnx.TensorProto.FLOAT, [None])],
        onnx.numpy_helper.from_array(weights, "weights"),
    )
    path = _onnx_archive(archives, root, model, ["price"])
    return archives.Archive(path, lambda rows: np.array(rows, dtype=np.float32) @ weights)


def onnx_named_inputs(archives: ModuleType, root: Path) -> Any:
    """An input per feature in another order and of several types, and two outputs."""
    double, whole = onnx.TensorProto.DOUBLE, onnx.TensorProto.INT64
    make = onnx.helper.make_node
    model = _onnx(
        [
            make("Cast", ["c"], ["c_double"], to=double),
            make("Add", ["a", "c_double"], ["price"]),
            make("Unsqueeze", ["b", "axis"], ["b_standing"]),
            make("Mul", ["a", "b_standing"], ["demand"]),
        ],
        [
            onnx.helper.make_tensor_value_info("c", whole, [None, 1]),
            onnx.helper.make_tensor_value_info("b", double, [None]),
            onnx.helper.make_tensor_value_info("a", double, [None, 1]),
        ],
        [
            onnx.helper.make_tensor_value_info("price", double, [None, 1]),
            onnx.helper.make_tensor_value_info("demand", double, [None, 1]),
        ],
        onnx.numpy_helper.from_array(np.array([1]), "axis"),
    )
    path = _onnx_archive(archives, root, model, ["price", "demand"])
    return archives.Archive(path, lambda rows: [[a + c, a * b] for a, b, c in rows])


def onnx_text(archives: ModuleType, root: Path) -> Any:
    """Text and a number, given by name."""
    text, double = onnx.TensorProto.STRING, onnx.TensorProto.DOUBLE
    model = _onnx(
        [
            onnx.helper.make_node(
                "LabelEncoder", ["item"], ["worth"], domain="ai.onnx.ml",
                keys_strings=["yam", "leek"], values_floats=[10.0, 20.0], default_float=0.0,
            ),
            onnx.helper.make_node("Cast", ["worth"], ["worth_double"], to=double),
            onnx.helper.make_node("Add", ["worth_double", "cost"], ["price"]),
        ],
        [
            onnx.helper.make_tensor_value_info("item", text, [None, 1]),
            onnx.helper.make_tensor_value_info("cost", double, [None, 1]),
        ],
        [onnx.helper.make_tensor_value_info("price", double, [None, 1])],
    )  # fmt: skip
    model.opset_import.append(onnx.helper.make_opsetid("ai.onnx.ml", 3))
    columns = [
        {"name": "cost", "type": "double", "nullable": False},
        {"name": "item", "type": "string", "nullable": False},
    ]
    path = archives.write_archive(
        root,
        archives.Part("onnx", "model.onnx", lambda path: onnx.save(model, path)),
        schema={
            "schema_version": 2,
            "inputs": columns,
            "features": columns,
            "outputs": [{"name": "price"}],
        },
        instances=[{"cost": 1.5, "item": "yam"}, {"cost": 2.0, "item": "leek"}],
        takes="dataframe",
    )
    return archives.Archive(
        path, lambda rows: [cost + {"yam": 10, "leek": 20}[item] for cost, item in rows]
    )


def market(archives: ModuleType, root: Path) -> Any:
    """The XGBoost model of the market schema: derived features, two outputs, intervals."""

    features, targets = archives.training_data(len(archives.FEATURES), 2)
    data = xgboost.DMatrix(features, label=targets, feature_names=archives.FEATURES)
    booster = xgboost.train({"max_depth": 3}, data, num_boost_round=10)
    path = archives.write_archive(
        root,
        archives.Part("xgboost", "model.ubj", booster.save_model),
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
        bundle_of_three,
        one_file_in_another_order,
        onnx_double_matrix,
        onnx_float_matrix_flat,
        onnx_named_inputs,
        onnx_text,
    )
}
