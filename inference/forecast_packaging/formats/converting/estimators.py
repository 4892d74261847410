"""scikit-learn's estimators: its trees in plain arrays, everything else by skl2onnx."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import numpy as np

from forecast_packaging.formats.converting.boosters import lightgbm_ensemble, xgboost_ensemble
from forecast_packaging.formats.converting.trees import (
    ML_OPSET,
    OPSET,
    Ensemble,
    NotConvertibleError,
    Tree,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray


def convert_estimator(path: Path, features: Sequence[str], *, by_name: bool) -> Any:
    """An ONNX model of a pickled estimator, which takes doubles.

    Args:
        path: The pickle, whose digest is the recorded one.
        features: Names of its features, in training order.
        by_name: Whether it looks for columns by their names; the graph then has an input for each.

    Raises:
        NotConvertibleError: A part of it has no ONNX form.
    """
    model = importlib.import_module("joblib").load(path)
    skl2onnx = importlib.import_module("skl2onnx")
    _register(skl2onnx)
    try:
        return skl2onnx.convert_sklearn(
            model,
            name="model",
            initial_types=_initial_types(features, by_name=by_name),
            target_opset={"": OPSET, "ai.onnx.ml": ML_OPSET},
        )
    except NotConvertibleError:
        raise
    except Exception as error:
        reason = " ".join(str(error).split())
        raise NotConvertibleError(f"{type(error).__name__}: {reason[:300]}") from error


def _initial_types(features: Sequence[str], *, by_name: bool) -> list[tuple[str, Any]]:
    double = importlib.import_module("skl2onnx.common.data_types").DoubleTensorType
    if by_name:
        return [(name, double([None, 1])) for name in features]
    return [("features", double([None, len(features)]))]


def _register(skl2onnx: Any) -> None:
    """Have skl2onnx use this module for every ensemble of trees, wherever it stands."""
    for where, name in _EXTRACTORS:
        try:
            kind = getattr(importlib.import_module(where), name)
        except ImportError:
            continue
        skl2onnx.update_registered_converter(kind, f"Forecast{name}", _shape, _convert)
    imputer = importlib.import_module("sklearn.impute").SimpleImputer
    skl2onnx.update_registered_converter(
        imputer, "ForecastSimpleImputer", _shape_as_given, _convert_imputer
    )


def _shape(operator: Any) -> None:
    types = importlib.import_module("skl2onnx.common.data_types")
    rows = operator.inputs[0].get_first_dimension()
    targets = len(_extract(operator.raw_operator).base)
    operator.outputs[0].type = types.DoubleTensorType([rows, targets])


def _convert(scope: Any, operator: Any, container: Any) -> None:
    ensemble = _extract(operator.raw_operator)
    prefix = scope.get_unique_variable_name("trees")
    source = scope.get_unique_variable_name("features")
    container.add_node(
        "Cast", [operator.inputs[0].full_name], [source], op_version=13, to=11,
        name=scope.get_unique_operator_name("Cast"),
    )  # fmt: skip
    target = operator.outputs[0].full_name
    for kind, first, last, attributes in ensemble.nodes(source, target, f"{prefix}_"):
        trees = kind == "TreeEnsembleRegressor"
        container.add_node(
            kind,
            [first],
            [last],
            op_domain="ai.onnx.ml" if trees else "",
            op_version=ML_OPSET if trees else 13,
            name=scope.get_unique_operator_name(kind),
            **attributes,
        )


def _shape_as_given(operator: Any) -> None:
    types = importlib.import_module("skl2onnx.common.data_types")
    rows = operator.inputs[0].get_first_dimension()
    width = len(operator.raw_operator.statistics_)
    operator.outputs[0].type = types.DoubleTensorType([rows, width])


def _convert_imputer(scope: Any, operator: Any, container: Any) -> None:
    """ONNX's own Imputer takes single precision only."""
    model = operator.raw_operator
    values = np.asarray(model.statistics_)
    plain = values.dtype.kind == "f" and np.isfinite(values).all() and not model.add_indicator
    if not plain or not np.isnan(model.missing_values):
        raise NotConvertibleError("SimpleImputer does more than fill in missing numbers")
    source = operator.inputs[0].full_name
    missing = scope.get_unique_variable_name("missing")
    filling = scope.get_unique_variable_name("filling")
    container.add_initializer(filling, 11, [1, len(values)], values.tolist())
    container.add_node("IsNaN", [source], [missing], op_version=13, name=f"{missing}_found")
    container.add_node(
        "Where",
        [missing, filling, source],
        [operator.outputs[0].full_name],
        op_version=9,
        name=f"{missing}_filled",
    )


def _extract(model: Any) -> Ensemble:
    for (_, name), extract in _EXTRACTORS.items():
        if type(model).__name__ == name:
            return extract(model)
    raise NotConvertibleError(f"{type(model).__name__} is no known ensemble of trees")


def _tree(fitted: Any, factor: float) -> Tree:
    nodes = fitted.tree_
    missing = getattr(nodes, "missing_go_to_left", None)
    count = nodes.node_count
    return Tree(
        feature=np.asarray(nodes.feature, dtype=np.int64),
        threshold=np.asarray(nodes.threshold, dtype=np.float64),
        left=np.asarray(nodes.children_left, dtype=np.int64),
        right=np.asarray(nodes.children_right, dtype=np.int64),
        missing_left=np.zeros(count, bool) if missing is None else np.asarray(missing, dtype=bool),
        leaf=np.asarray(nodes.children_left) < 0,
        values=np.asarray(nodes.value, dtype=np.float64)[:, :, 0] * factor,
    )


def _forest(model: Any) -> Ensemble:
    trees = [_tree(tree, 1.0 / len(model.estimators_)) for tree in model.estimators_]
    targets = list(range(model.n_outputs_))
    base = np.zeros(len(targets))
    return Ensemble(trees, [targets] * len(trees), base, single=True)


def _single_tree(model: Any) -> Ensemble:
    targets = list(range(model.n_outputs_))
    return Ensemble([_tree(model, 1.0)], [targets], np.zeros(len(targets)), single=True)


def _gradient_boosting(model: Any) -> Ensemble:
    base = 0.0
    if model.init_ != "zero":
        if type(model.init_).__name__ != "DummyRegressor":
            raise NotConvertibleError("GradientBoostingRegressor starts from another estimator")
        base = float(np.ravel(model.init_.constant_)[0])
    trees = [_tree(tree, model.learning_rate) for tree in model.estimators_[:, 0]]
    return Ensemble(trees, [[0]] * len(trees), np.array([base]), single=True)


def _hist_gradient_boosting(model: Any) -> Ensemble:
    if getattr(model, "is_categorical_", None) is not None:
        raise NotConvertibleError(
            "HistGradientBoostingRegressor has categorical features: encode them as numbers"
        )
    trees = [_hist_tree(predictor.nodes) for (predictor,) in model._predictors]  # noqa: SLF001
    base: NDArray[np.float64] = np.ravel(model._baseline_prediction).astype(float)  # noqa: SLF001
    link = "exp" if model.loss in {"poisson", "gamma"} else "identity"
    return Ensemble(trees, [[0]] * len(trees), base, inverse_link=link)


def _hist_tree(nodes: Any) -> Tree:
    return Tree(
        feature=nodes["feature_idx"].astype(np.int64),
        threshold=nodes["num_threshold"].astype(np.float64),
        left=nodes["left"].astype(np.int64),
        right=nodes["right"].astype(np.int64),
        missing_left=nodes["missing_go_to_left"].astype(bool),
        leaf=nodes["is_leaf"].astype(bool),
        values=nodes["value"].astype(np.float64).reshape(-1, 1),
    )


_EXTRACTORS: dict[tuple[str, str], Callable[[Any], Ensemble]] = {
    ("sklearn.ensemble", "RandomForestRegressor"): _forest,
    ("sklearn.ensemble", "ExtraTreesRegressor"): _forest,
    ("sklearn.tree", "DecisionTreeRegressor"): _single_tree,
    ("sklearn.tree", "ExtraTreeRegressor"): _single_tree,
    ("sklearn.ensemble", "GradientBoostingRegressor"): _gradient_boosting,
    ("sklearn.ensemble", "HistGradientBoostingRegressor"): _hist_gradient_boosting,
    ("lightgbm", "LGBMRegressor"): lambda model: lightgbm_ensemble(model.booster_),
    ("xgboost", "XGBRegressor"): lambda model: xgboost_ensemble(model.get_booster()),
}
