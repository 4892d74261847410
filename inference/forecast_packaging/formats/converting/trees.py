"""Trees: an ensemble of regression trees in plain arrays, written as an ONNX operator.

skl2onnx and onnxmltools write thresholds in single precision, which sends a value beside a
threshold down another branch. The operator also takes them in double precision, in tensors:
https://onnx.ai/onnx/operators/onnx_aionnxml_TreeEnsembleRegressor.html (version 3). It sums in
double precision then, and gives single precision.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

ML_OPSET = 3
OPSET = 18
INVERSE_LINKS: Mapping[str, str | None] = {"identity": None, "exp": "Exp", "sigmoid": "Sigmoid"}
"""Operators that turn a sum of leaves into a prediction."""


class NotConvertibleError(Exception):
    """A model that ONNX cannot express; the message says which part of it."""


@dataclass(frozen=True)
class Tree:
    """One tree; arrays have an entry per node, the root first.

    Attributes:
        feature: Index of the feature that is compared.
        threshold: What it is compared with; a value at most (or below) it goes left.
        left: Index of the left child; of a leaf any number.
        right: Index of the right child.
        missing_left: Whether a missing value goes left.
        leaf: Whether the node is one.
        values: What a leaf adds, nodes by targets.
    """

    feature: NDArray[np.int64]
    threshold: NDArray[np.float64]
    left: NDArray[np.int64]
    right: NDArray[np.int64]
    missing_left: NDArray[np.bool_]
    leaf: NDArray[np.bool_]
    values: NDArray[np.float64]


@dataclass(frozen=True)
class Ensemble:
    """A sum of trees.

    Attributes:
        trees: The trees.
        targets: For each tree the targets that its values add to.
        base: What the sum starts from, one value per target.
        single: Whether features are compared in single precision.
        strict: Whether only values below a threshold go left, not those at it.
        inverse_link: Key of `INVERSE_LINKS`.
    """

    trees: Sequence[Tree]
    targets: Sequence[Sequence[int]]
    base: NDArray[np.float64]
    single: bool = False
    strict: bool = False
    inverse_link: str = field(default="identity")

    def attributes(self) -> dict[str, Any]:
        """The attributes of the operator."""
        from onnx import numpy_helper  # noqa: PLC0415  # an optional dependency

        lengths = [len(tree.feature) for tree in self.trees]
        nodes = _joined(self.trees)
        leaves = np.flatnonzero(nodes["leaf"])
        tree_ids = np.repeat(np.arange(len(lengths)), lengths)
        node_ids = np.concatenate([np.arange(length) for length in lengths])
        targets = [np.asarray(self.targets[tree]) for tree in tree_ids[leaves]]
        widths = [len(ids) for ids in targets]
        branch = "BRANCH_LT" if self.strict else "BRANCH_LEQ"
        weights = np.concatenate([nodes["values"][leaf] for leaf in leaves])

        def tensor(values: Any, name: str) -> Any:
            return numpy_helper.from_array(np.asarray(values, dtype=np.float64), name)

        return {
            "n_targets": len(self.base),
            "nodes_treeids": tree_ids.tolist(),
            "nodes_nodeids": node_ids.tolist(),
            "nodes_featureids": np.where(nodes["leaf"], 0, nodes["feature"]).tolist(),
            "nodes_modes": [b"LEAF" if leaf else branch.encode() for leaf in nodes["leaf"]],
            "nodes_values_as_tensor": tensor(
                np.where(nodes["leaf"], 0.0, nodes["threshold"]), "nodes_values"
            ),
            "nodes_truenodeids": np.where(nodes["leaf"], 0, nodes["left"]).tolist(),
            "nodes_falsenodeids": np.where(nodes["leaf"], 0, nodes["right"]).tolist(),
            "nodes_missing_value_tracks_true": (nodes["missing_left"] & ~nodes["leaf"])
            .astype(int)
            .tolist(),
            "target_treeids": np.repeat(tree_ids[leaves], widths).tolist(),
            "target_nodeids": np.repeat(node_ids[leaves], widths).tolist(),
            "target_ids": np.concatenate(targets).tolist(),
            "target_weights_as_tensor": tensor(weights, "target_weights"),
            "base_values_as_tensor": tensor(self.base, "base_values"),
            "post_transform": "NONE",
        }

    def nodes(self, source: str, target: str, prefix: str) -> list[tuple[str, str, str, dict]]:  # type: ignore[type-arg]
        """The operators from a matrix of doubles to one: operator, input, output, attributes."""
        names = [source]

        def step(kind: str, **attributes: Any) -> tuple[str, str, str, dict[str, Any]]:
            names.append(f"{prefix}{len(names)}")
            return kind, names[-2], names[-1], attributes

        steps = []
        if self.single:
            steps += [step("Cast", to=_FLOAT), step("Cast", to=_DOUBLE)]
        steps += [step("TreeEnsembleRegressor", **self.attributes()), step("Cast", to=_DOUBLE)]
        inverse = INVERSE_LINKS[self.inverse_link]
        if inverse is not None:
            steps.append(step(inverse))
        kind, last, _, attributes = steps[-1]
        return [*steps[:-1], (kind, last, target, attributes)]


_FLOAT, _DOUBLE = 1, 11  # of onnx.TensorProto.DataType


def _joined(trees: Sequence[Tree]) -> dict[str, Any]:
    names = ("feature", "threshold", "left", "right", "missing_left", "leaf")
    joined: dict[str, Any] = {
        name: np.concatenate([getattr(tree, name) for tree in trees]) for name in names
    }
    joined["values"] = [row for tree in trees for row in tree.values]
    return joined


def make_graph(ensemble: Ensemble, width: int) -> Any:
    """An ONNX model of an ensemble alone: a matrix of doubles in, a matrix of doubles out."""
    from onnx import TensorProto, helper  # noqa: PLC0415  # an optional dependency

    nodes = [
        helper.make_node(
            kind,
            [source],
            [target],
            domain="ai.onnx.ml" if kind == "TreeEnsembleRegressor" else "",
            **attributes,
        )
        for kind, source, target, attributes in ensemble.nodes("features", "columns", "step_")
    ]
    double = TensorProto.DOUBLE
    graph = helper.make_graph(
        nodes,
        "model",
        [helper.make_tensor_value_info("features", double, [None, width])],
        [helper.make_tensor_value_info("columns", double, [None, len(ensemble.base)])],
    )
    opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid("ai.onnx.ml", ML_OPSET)]
    model = helper.make_model(graph, opset_imports=opsets, producer_name="forecast_packaging")
    model.ir_version = 8
    return model
