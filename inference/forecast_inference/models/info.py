"""What ``model-info.json`` says: which files the model is made of, and what made them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from forecast_inference.contract.reading import read_json
from forecast_inference.errors import ArtifactError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

INFO_VERSION: Final = 2
FLAVORS: Final = ("catboost", "lightgbm", "onnx", "sklearn", "xgboost")
RUNS_CODE: Final = "sklearn"
"""The flavor of pickled estimators: loading one runs code from its file."""

INPUTS: Final = ("array", "dataframe", "columns")
"""Ways of giving a model its rows: a float64 matrix, a pandas DataFrame, or arrays by name."""


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One file of the model.

    Attributes:
        flavor: what reads it, one of ``FLAVORS``.
        file: its path in the archive.
        columns: the columns of the raw output that it gives, in its order.
        features: the features it was trained on, in its order; ``None`` for all of the schema.
    """

    flavor: str
    file: str
    columns: tuple[str, ...]
    features: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """What the archive says of its model.

    Attributes:
        name: the registered model.
        version: its version.
        models: its files; together they give each column of the raw output once.
        input: one of ``INPUTS``.
        libraries: versions of Python and of the libraries that it was made with.
        digests: SHA-256 by the path of every other file in the archive.
        runs_code_on_load: whether one of the files is pickled.
        codec: ``standard`` or ``fast``, the reader and writer of JSON.
        compiled_from: the flavors that were converted to ONNX, none for a model as it was logged.
    """

    name: str
    version: str
    models: tuple[ModelFile, ...]
    input: str = "array"
    libraries: Mapping[str, str] = field(default_factory=dict)
    digests: Mapping[str, str] = field(default_factory=dict)
    runs_code_on_load: bool = False
    codec: str = "standard"
    compiled_from: tuple[str, ...] = ()

    @classmethod
    def load(cls, path: Path) -> ModelInfo:
        """Read the file at the root of the archive.

        Raises:
            ArtifactError: the file is missing, lacks a key or contradicts itself.
        """
        document = read_json(path)
        try:
            if document["schema_version"] != INFO_VERSION:
                raise ArtifactError(
                    f"{path.name} has schema_version {document['schema_version']!r}, this runtime "
                    f"reads {INFO_VERSION}: package the model again"
                )
            info = cls(
                name=document["name"],
                version=str(document["version"]),
                models=tuple(_read_model(entry) for entry in document["models"]),
                input=document["input"],
                libraries=dict(document["libraries"]),
                digests={name: entry["sha256"] for name, entry in document["files"].items()},
                runs_code_on_load=document["runs_code_on_load"],
                codec=document.get("codec", "standard"),
                compiled_from=tuple((document.get("compiled") or {}).get("from", ())),
            )
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise ArtifactError(f"{path.name} lacks what it must hold: {error}") from None
        info._check()
        return info

    @property
    def flavors(self) -> tuple[str, ...]:
        """The flavors of the files, each once."""
        return tuple(dict.fromkeys(model.flavor for model in self.models))

    def _check(self) -> None:
        if not self.models:
            raise ArtifactError("model-info.json names no model")
        for model in self.models:
            if model.flavor not in FLAVORS:
                raise ArtifactError(
                    f"{model.file} has the flavor {model.flavor!r}, expected one of "
                    f"{', '.join(FLAVORS)}"
                )
            if model.flavor == RUNS_CODE and self.runs_code_on_load is not True:
                raise ArtifactError(
                    f"{model.file} runs code when it is loaded, and model-info.json has "
                    f"runs_code_on_load {self.runs_code_on_load!r}, expected true"
                )
        for name, value, known in (
            ("input", self.input, INPUTS),
            ("codec", self.codec, ("standard", "fast")),
        ):
            if value not in known:
                raise ArtifactError(
                    f"the model's {name} is {value!r}, expected one of {', '.join(known)}"
                )


def _read_model(entry: Any) -> ModelFile:
    features = entry.get("features")
    return ModelFile(
        flavor=entry["flavor"],
        file=entry["file"],
        columns=_names(entry["columns"]),
        features=None if features is None else _names(features),
    )


def _names(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not value or not all(isinstance(it, str) for it in value):
        raise ValueError("columns and features must be lists of names")
    return tuple(value)
