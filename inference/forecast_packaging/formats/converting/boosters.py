"""Boosters: the trees of LightGBM and XGBoost in plain arrays, and CatBoost's own export."""

from __future__ import annotations

import importlib
import json
import re
from typing import TYPE_CHECKING, Any

import numpy as np

from forecast_packaging.formats.converting.trees import (
    Ensemble,
    NotConvertibleError,
    Tree,
    make_graph,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_LIGHTGBM_LINKS = {
    **dict.fromkeys(
        ("regression", "regression_l1", "huber", "fair", "quantile", "mape", "none", "custom"),
        "identity",
    ),
    **dict.fromkeys(("poisson", "gamma", "tweedie"), "exp"),
}
_XGBOOST_LINKS = {
    **dict.fromkeys(
        (
            "reg:squarederror",
            "reg:squaredlogerror",
            "reg:pseudohubererror",
            "reg:absoluteerror",
            "reg:quantileerror",
        ),
        "identity",
    ),
    **dict.fromkeys(("count:poisson", "reg:gamma", "reg:tweedie"), "exp"),
    "reg:logistic": "sigmoid",
}


def convert_lightgbm(path: Path) -> Any:
    """An ONNX model of a LightGBM text file."""
    booster = importlib.import_module("lightgbm").Booster(model_file=path)
    return make_graph(lightgbm_ensemble(booster), booster.num_feature())


def convert_xgboost(path: Path) -> Any:
    """An ONNX model of an XGBoost file."""
    booster = importlib.import_module("xgboost").Booster(model_file=path)
    return make_graph(xgboost_ensemble(booster), booster.num_features())


def convert_catboost(path: Path, scratch: Path) -> Any:
    """An ONNX model of a CatBoost file, written by CatBoost itself, in single precision.

    CatBoost compares in single precision, too.
    """
    model = importlib.import_module("catboost").CatBoostRegressor()
    model.load_model(str(path))
    target = scratch / "catboost.onnx"
    try:
        model.save_model(str(target), format="onnx")
    except Exception as error:
        reason = " ".join(str(error).split())
        raise NotConvertibleError(reason[:300]) from error
    return importlib.import_module("onnx").load(target)


def lightgbm_ensemble(booster: Any) -> Ensemble:
    """The trees of a LightGBM booster, up to its best iteration as it predicts.

    Raises:
        NotConvertibleError: Categorical splits, linear leaves, zeros that count as missing, or an
            objective that is no regression.
    """
    model = booster.dump_model()
    objective, *options = str(model.get("objective", "none")).split() or ["none"]
    link = _LIGHTGBM_LINKS.get(objective)
    if link is None or "sqrt" in options:
        raise NotConvertibleError(f"LightGBM's objective {objective!r} has no ONNX form here")
    trees = [_lightgbm_tree(entry["tree_structure"]) for entry in model["tree_info"]]
    width = int(model["num_tree_per_iteration"])
    if width != 1:
        raise NotConvertibleError(f"LightGBM's booster has {width} outputs, expected 1")
    if model.get("average_output"):
        trees = [_scaled(tree, 1.0 / len(trees)) for tree in trees]
    return Ensemble(trees, [[0]] * len(trees), np.zeros(1), inverse_link=link)


def _lightgbm_tree(root: Mapping[str, Any]) -> Tree:
    rows: list[tuple[int, float, int, int, bool, bool, float]] = []

    def add(node: Mapping[str, Any]) -> int:
        place = len(rows)
        if "leaf_value" in node:
            if "leaf_const" in node:
                raise NotConvertibleError("LightGBM's leaves are linear")
            rows.append((0, 0.0, 0, 0, False, True, float(node["leaf_value"])))
            return place
        rows.append((0, 0.0, 0, 0, False, False, 0.0))
        if node["decision_type"] != "<=":
            raise NotConvertibleError("LightGBM splits on categories: encode them as numbers")
        if node["missing_type"] == "Zero":
            raise NotConvertibleError("LightGBM counts zeros as missing")
        threshold = float(node["threshold"])
        # Without a rule for missing values LightGBM takes them for zeros.
        missing_left = (
            bool(node["default_left"]) if node["missing_type"] == "NaN" else threshold >= 0
        )
        left, right = add(node["left_child"]), add(node["right_child"])
        rows[place] = (
            int(node["split_feature"]), threshold, left, right, missing_left, False, 0.0,
        )  # fmt: skip
        return place

    add(root)
    columns = list(zip(*rows, strict=True))
    return Tree(
        feature=np.array(columns[0], dtype=np.int64),
        threshold=np.array(columns[1]),
        left=np.array(columns[2], dtype=np.int64),
        right=np.array(columns[3], dtype=np.int64),
        missing_left=np.array(columns[4], dtype=bool),
        leaf=np.array(columns[5], dtype=bool),
        values=np.array(columns[6]).reshape(-1, 1),
    )


def _scaled(tree: Tree, factor: float) -> Tree:
    return Tree(
        tree.feature, tree.threshold, tree.left, tree.right, tree.missing_left, tree.leaf,
        tree.values * factor,
    )  # fmt: skip


def xgboost_ensemble(booster: Any) -> Ensemble:
    """The trees of an XGBoost booster, all of them.

    Raises:
        NotConvertibleError: No plain trees, trees with several outputs, categorical splits, or an
            objective that is no regression.
    """
    learner = json.loads(bytes(booster.save_raw("json")))["learner"]
    boosting = learner["gradient_booster"]
    if boosting["name"] != "gbtree":
        raise NotConvertibleError(f"XGBoost's booster {boosting['name']!r} has no ONNX form here")
    objective = learner["objective"]["name"]
    link = _XGBOOST_LINKS.get(objective)
    if link is None:
        raise NotConvertibleError(f"XGBoost's objective {objective!r} has no ONNX form here")
    parameters = learner["learner_model_param"]
    model = boosting["model"]
    trees = [_xgboost_tree(entry) for entry in model["trees"]]
    targets = max(int(parameters.get("num_target", 1)), 1)
    base = _base_score(str(parameters["base_score"]), targets, link)
    groups = [[int(group)] for group in model["tree_info"]]
    return Ensemble(trees, groups, base, single=True, strict=True, inverse_link=link)


def _base_score(text: str, targets: int, link: str) -> Any:
    """The intercepts: XGBoost writes them on the scale of the target, as `[5E-1]` or `5E-1`."""
    values = [float(it) for it in re.findall(r"[-+0-9.eEinfna]+", text)]
    if len(values) not in {1, targets}:
        raise NotConvertibleError(f"XGBoost's base_score has {len(values)} values for {targets}")
    scores = np.array(values, dtype=np.float64)
    if link == "exp":
        scores = np.log(scores)
    elif link == "sigmoid":
        scores = np.log(scores / (1.0 - scores))
    return np.broadcast_to(scores, (targets,))


def _xgboost_tree(entry: Mapping[str, Any]) -> Tree:
    if int(entry["tree_param"].get("size_leaf_vector", 1) or 1) > 1:
        raise NotConvertibleError("XGBoost's trees have several outputs each")
    if any(entry.get("split_type", ())):
        raise NotConvertibleError("XGBoost splits on categories: encode them as numbers")
    left = np.array(entry["left_children"], dtype=np.int64)
    conditions = np.array(entry["split_conditions"], dtype=np.float32).astype(np.float64)
    return Tree(
        feature=np.array(entry["split_indices"], dtype=np.int64),
        threshold=conditions,
        left=left,
        right=np.array(entry["right_children"], dtype=np.int64),
        missing_left=np.array(entry["default_left"], dtype=bool),
        leaf=left < 0,
        values=conditions.reshape(-1, 1),
    )
