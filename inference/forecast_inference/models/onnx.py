"""ONNX: models that ONNX Runtime computes on the CPU."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from forecast_inference.errors import ArtifactError
from forecast_inference.models.given import thread_count
from forecast_inference.models.imports import import_library
from forecast_inference.models.onnx_file import check_self_contained

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from forecast_inference.models.given import Given, Predict

_DTYPES: Final[dict[str, np.dtype[Any]]] = {
    "tensor(double)": np.dtype(np.float64),
    "tensor(float)": np.dtype(np.float32),
    "tensor(int64)": np.dtype(np.int64),
    "tensor(int32)": np.dtype(np.int32),
    "tensor(bool)": np.dtype(np.bool_),
    "tensor(string)": np.dtype(object),
}
_NUMBERS: Final = ("tensor(double)", "tensor(float)")
_ERRORS_ONLY: Final = 3
_MATRIX_RANK: Final = 2


def load(path: Path, given: Given) -> Predict:
    """The prediction of a graph; several outputs stand side by side, in the graph's order.

    Its input is one matrix of all features in training order, in single or double precision, or
    one tensor per feature, (n,) or (n, 1), that has the feature's name.

    Raises:
        ArtifactError: the file refers to others or to operators that are not ONNX's own, or its
            inputs and outputs are not such.
    """
    check_self_contained(path)
    session = _open(path)
    outputs = session.get_outputs()
    for output in outputs:
        if output.type not in _NUMBERS:
            raise ArtifactError(
                f"the output {output.name!r} is {output.type}, expected a tensor of float or "
                "double: only regressors forecast"
            )
    feed = _feed(session.get_inputs(), given)
    names = [output.name for output in outputs]
    run = session.run
    if len(names) == 1:
        return lambda rows: run(names, feed(rows))[0]
    return lambda rows: np.column_stack([_flat(raw) for raw in run(names, feed(rows))])


def _open(path: Path) -> Any:
    runtime = import_library("onnxruntime")
    options = runtime.SessionOptions()
    options.intra_op_num_threads = thread_count()
    options.inter_op_num_threads = 1
    options.log_severity_level = _ERRORS_ONLY
    return runtime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def _feed(inputs: Sequence[Any], given: Given) -> Callable[[Any], dict[str, Any]]:
    for tensor in inputs:
        if tensor.type not in _DTYPES:
            raise ArtifactError(
                f"the input {tensor.name!r} is {tensor.type}, expected one of {', '.join(_DTYPES)}"
            )
    first = inputs[0]
    width = first.shape[-1] if len(first.shape) == _MATRIX_RANK else None
    named = [tensor.name for tensor in inputs]
    if len(inputs) == 1 and first.type in _NUMBERS and named != list(given.features):
        if isinstance(width, int):
            given.check_width(width)
        return _feed_matrix(first.name, _DTYPES[first.type], given)
    if sorted(named) != sorted(given.features):
        raise ArtifactError(
            f"the model has the inputs {', '.join(named)}, expected one matrix, or the features "
            f"{', '.join(given.features)}"
        )
    return _feed_columns(inputs, given)


def _feed_matrix(name: str, dtype: np.dtype[Any], given: Given) -> Callable[[Any], dict[str, Any]]:
    if dtype == np.float64:
        matrix = given.as_matrix(lambda rows: rows)
    else:
        matrix = given.as_matrix(lambda rows: rows.astype(dtype))
    return lambda rows: {name: matrix(rows)}


def _feed_columns(inputs: Sequence[Any], given: Given) -> Callable[[Any], dict[str, Any]]:
    kinds = [(it.name, _DTYPES[it.type], len(it.shape) == _MATRIX_RANK) for it in inputs]
    places = {name: place for place, name in enumerate(given.features)}
    is_array = given.input == "array"

    def feed(rows: Any) -> dict[str, Any]:
        tensors = {}
        for name, dtype, standing in kinds:
            column = rows[:, places[name]] if is_array else np.asarray(rows[name])
            if dtype.kind in "ib" and column.dtype.kind == "f" and np.isnan(column).any():
                raise ValueError(f"{name} is null, which the model's {dtype} cannot hold")
            tensor = column.astype(dtype, copy=False)
            tensors[name] = tensor.reshape(-1, 1) if standing else tensor
        return tensors

    return feed


def _flat(raw: Any) -> Any:
    return raw.reshape(len(raw), -1)
