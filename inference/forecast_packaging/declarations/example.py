"""The input example: a request that proves that the archive answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from forecast_packaging.declarations.serving import SERVING_FILE, Serving
from forecast_packaging.documents import read_json
from forecast_packaging.errors import ModelError
from forecast_packaging.manifest import check_path
from forecast_packaging.registry.snapshot import MODEL_FOLDER, Snapshot

if TYPE_CHECKING:
    from forecast_packaging.declarations.signature import MlModel

MAX_LOGGED_ROWS = 16
"""Rows taken of MLflow's example, which may be all of the training data; `/ping` answers it."""


def choose_example(snapshot: Snapshot, model: MlModel, serving: Serving) -> dict[str, Any]:
    """The request `{"instances": [...]}` that the archive carries.

    It is the one that the run declares; else the rows of MLflow's own input example, which are
    a request only when no feature of the model is derived.

    Raises:
        ModelError: There is no example, or MLflow's own is not a request.
    """
    if serving.input_example is not None:
        return {"instances": serving.input_example.instances}
    if serving.derived:
        raise ModelError(
            f"{SERVING_FILE} declares derived features but no input_example: MLflow's own example "
            "holds the model's columns, which no request does"
        )
    return {"instances": _logged_rows(snapshot, model)}


def _logged_rows(snapshot: Snapshot, model: MlModel) -> list[dict[str, Any]]:
    info = model.example
    if not info:
        raise ModelError(
            "the model has no input example: log it with input_example=<a few rows>, or declare "
            f"input_example in {SERVING_FILE}"
        )
    name = info.get("artifact_path")
    if info.get("type") != "dataframe" or not isinstance(name, str):
        raise ModelError(
            f"the model's input example is of the type {info.get('type')!r}, expected a pandas "
            "DataFrame"
        )
    check_path(name, "MLmodel")
    if f"{MODEL_FOLDER}/{name}" not in snapshot.paths:
        raise ModelError(f"the model's input example {name!r} is no file of it")
    document = read_json(snapshot.folder / MODEL_FOLDER / name, name)
    return _rows(document, name)[:MAX_LOGGED_ROWS]


def _rows(document: Any, name: str) -> list[dict[str, Any]]:
    if isinstance(document, dict) and {"columns", "data"} <= document.keys():
        columns, data = document["columns"], document["data"]
        if data and all(len(row) == len(columns) for row in data):
            return [dict(zip(columns, row, strict=True)) for row in data]
    if isinstance(document, list) and document and all(isinstance(r, dict) for r in document):
        return document
    raise ModelError(f"the model's input example {name!r} holds no rows of named columns")
