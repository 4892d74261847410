"""The MLmodel file: what MLflow recorded of a model's columns, flavors and input example."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from forecast_packaging.documents import read_yaml
from forecast_packaging.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

COLUMN_TYPES = frozenset({"boolean", "integer", "long", "float", "double", "string", "datetime"})
"""MLflow's column types that a request can carry."""

_LOG_WITH_COLUMNS = "log the model with a signature inferred from a pandas DataFrame"


@dataclass(frozen=True)
class Column:
    """One named column of a signature.

    Attributes:
        name: The column's name.
        type: One of `COLUMN_TYPES`.
        nullable: Whether the column held missing values when the signature was inferred.
    """

    name: str
    type: str
    nullable: bool


@dataclass(frozen=True)
class MlModel:
    """The part of an MLmodel file that serving needs.

    Attributes:
        inputs: The model's columns in training order.
        outputs: Names of the output columns; None when the signature does not name them.
        output_count: Number of outputs; None when the signature does not tell.
        flavors: MLflow's settings by flavor.
        python_version: Python that the model was logged with.
        example: MLflow's record of its input example.
    """

    inputs: tuple[Column, ...]
    outputs: tuple[str, ...] | None
    output_count: int | None
    flavors: Mapping[str, Mapping[str, Any]]
    python_version: str
    example: Mapping[str, Any] = field(default_factory=dict)


def read_mlmodel(folder: Path) -> MlModel:
    """The MLmodel file in a model's folder.

    Raises:
        ModelError: No signature, a signature of tensors or of types that a request row cannot
            carry, columns without names, or a file that is not MLflow's.
    """
    document = read_yaml(folder / "MLmodel", "MLmodel")
    flavors = {
        str(name): value
        for name, value in _mapping(document, "flavors").items()
        if isinstance(value, dict)
    }
    signature = _mapping(document, "signature")
    if not signature.get("inputs"):
        raise ModelError(f"the model has no signature: {_LOG_WITH_COLUMNS}")
    outputs, count = _read_outputs(_columns(signature, "outputs"))
    python_version = flavors.get("python_function", {}).get("python_version")
    if not isinstance(python_version, str):
        raise ModelError("MLmodel does not say with which Python the model was logged")
    return MlModel(
        inputs=_read_inputs(_columns(signature, "inputs")),
        outputs=outputs,
        output_count=count,
        flavors=flavors,
        python_version=python_version,
        example=_mapping(document, "saved_input_example_info"),
    )


def _mapping(document: Mapping[str, Any], key: str) -> dict[str, Any]:
    value = document.get(key)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ModelError(f"MLmodel: {key} must be a mapping, got {type(value).__name__}")
    return value


def _columns(signature: Mapping[str, Any], side: str) -> list[dict[str, Any]]:
    text = signature.get(side)
    if text is None:
        return []
    try:
        columns = json.loads(text)
    except (TypeError, ValueError):
        columns = None
    if not isinstance(columns, list) or not all(isinstance(item, dict) for item in columns):
        raise ModelError(f"MLmodel: the signature's {side} are not a list of columns")
    return columns


def _read_inputs(columns: list[dict[str, Any]]) -> tuple[Column, ...]:
    problems = [problem for column in columns if (problem := _input_problem(column))]
    names = [column.get("name") for column in columns]
    problems += [
        f"the signature names the input {name!r} twice"
        for name in sorted({name for name in names if name and names.count(name) > 1})
    ]
    if problems:
        raise ModelError("\n".join(problems))
    return tuple(
        Column(column["name"], column["type"], nullable=not column.get("required", True))
        for column in columns
    )


def _input_problem(column: Mapping[str, Any]) -> str | None:
    kind, name = column.get("type"), column.get("name")
    if kind == "tensor":
        return f"the signature's inputs are a tensor, expected named columns: {_LOG_WITH_COLUMNS}"
    if not name or not isinstance(name, str):
        return f"the signature has an input without a name: {_LOG_WITH_COLUMNS}"
    if kind not in COLUMN_TYPES:
        return (
            f"the signature's input {name!r} has the type {kind!r}, expected one of "
            f"{', '.join(sorted(COLUMN_TYPES))}"
        )
    return None


def _read_outputs(columns: list[dict[str, Any]]) -> tuple[tuple[str, ...] | None, int | None]:
    """Names and number of the outputs, each None where the signature does not tell."""
    if not columns:
        return None, None
    if columns[0].get("type") == "tensor":
        shape = columns[0].get("tensor-spec", {}).get("shape", [])
        width = shape[1] if len(shape) > 1 else 1
        return None, width if isinstance(width, int) and width > 0 else None
    names = [column.get("name") for column in columns]
    if all(isinstance(name, str) and name for name in names):
        return tuple(str(name) for name in names), len(names)
    return None, len(names)
