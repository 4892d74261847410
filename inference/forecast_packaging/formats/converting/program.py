"""The conversion of a whole model: each of its files, and then the comparison of all."""

from __future__ import annotations

import hashlib
import importlib
import importlib.metadata
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np

from forecast_packaging.formats.converting.boosters import (
    convert_catboost,
    convert_lightgbm,
    convert_xgboost,
)
from forecast_packaging.formats.converting.edges import edge_rows
from forecast_packaging.formats.converting.estimators import convert_estimator
from forecast_packaging.formats.converting.parity import compare
from forecast_packaging.formats.converting.trees import NotConvertibleError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

REPORT_VERSION = 2
_NUMBERS = frozenset({"boolean", "integer", "long", "float", "double"})
_NAMED_IN_REPORT = ("onnx", "onnxruntime", "skl2onnx")


def convert_archive(root: Path, target: Path, relative: float, absolute: float) -> dict[str, Any]:
    """Convert the model of an extracted archive and compare it with the original.

    Args:
        root: The archive; its code is first on `sys.path`.
        target: An existing, empty folder for the converted files.
        relative: Share of the original's answer by which a converted one may differ.
        absolute: How much it may differ besides, in the unit of the output.

    Returns:
        `report`, which is always there, and `models`, the files' entries of `model-info.json` if
        the converted model is accepted.
    """
    archive = _Archive(root)
    report: dict[str, Any] = {
        "schema_version": REPORT_VERSION,
        "asked": "onnx",
        "accepted": False,
        "reason": None,
        "tolerance": {"relative": relative, "absolute": absolute},
        "libraries": {name: importlib.metadata.version(name) for name in _NAMED_IN_REPORT},
        "models": [],
    }
    converted = []
    if set(archive.info.flavors) == {"onnx"}:
        report["reason"] = "the model is in the ONNX format already"
        return {"report": report, "models": []}
    for model in archive.info.models:
        entry = {"file": model.file, "flavor": model.flavor, "converted": True, "reason": None}
        report["models"].append(entry)
        try:
            converted.append(archive.convert(model, target))
        except NotConvertibleError as error:
            entry.update(converted=False, reason=str(error))
    if len(converted) < len(archive.info.models):
        failed = [entry["file"] for entry in report["models"] if not entry["converted"]]
        report["reason"] = f"{', '.join(failed)} cannot be converted"
        return {"report": report, "models": []}
    try:
        outcome = archive.compare(converted, target, relative, absolute)
    except archive.artifact_error as error:
        report["reason"] = f"the converted model cannot be loaded: {error}"
        return {"report": report, "models": []}
    report |= outcome
    models = [_described(model) for model in converted] if report["accepted"] else []
    return {"report": report, "models": models}


class _Archive:
    """An extracted archive, read by its own code."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.runtime_info = importlib.import_module("forecast_inference.models.info")
        self.bundle = importlib.import_module("forecast_inference.models.bundle")
        self.handler = importlib.import_module("forecast_inference.handler")
        self.artifact_error = importlib.import_module("forecast_inference.errors").ArtifactError
        schema = importlib.import_module("forecast_inference.contract.schema")
        self.info = self.runtime_info.ModelInfo.load(root / "model-info.json")
        self.schema = schema.FeatureSchema.load(root / "artifacts" / "feature_schema.json")
        self.kinds = {feature.name: feature.type for feature in self.schema.features}
        self.features = list(self.kinds)

    def convert(self, model: Any, target: Path) -> Any:
        """The entry of a file that was converted, twice to the same bytes, and written."""
        names = list(self.features if model.features is None else model.features)
        unlike = [name for name in names if self.kinds[name] not in _NUMBERS]
        if unlike:
            raise NotConvertibleError(
                f"{unlike[0]} is {self.kinds[unlike[0]]}, expected numbers only"
            )
        file = self.root / model.file
        content: bytes = self._once(model, file, names, target)
        if content != self._once(model, file, names, target):
            raise NotConvertibleError("it is converted to other bytes the second time")
        member = str(PurePosixPath(model.file).with_suffix(".onnx"))
        path = target / member
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return replace(model, flavor="onnx", file=member)

    def _once(self, model: Any, file: Path, names: list[str], scratch: Path) -> bytes:
        if model.flavor == "onnx":
            return file.read_bytes()
        if model.flavor == "sklearn":
            by_name = self.info.input == "dataframe"
            graph = convert_estimator(file, names, by_name=by_name)
        elif model.flavor == "catboost":
            graph = convert_catboost(file, scratch)
        else:
            graph = {"lightgbm": convert_lightgbm, "xgboost": convert_xgboost}[model.flavor](file)
        content: bytes = graph.SerializeToString(deterministic=True)
        return content

    def compare(
        self, converted: list[Any], target: Path, relative: float, absolute: float
    ) -> dict[str, Any]:
        """What the report says of the comparison."""
        digests = {
            model.file: hashlib.sha256((target / model.file).read_bytes()).hexdigest()
            for model in converted
        }
        info = replace(
            self.info,
            models=tuple(converted),
            input="array",
            digests=digests,
            runs_code_on_load=False,
            libraries={},
        )
        columns = self.schema.columns
        candidate = self.bundle.load_model(target, info, self.features, columns)
        original = self.bundle.load_model(self.root, self.info, self.features, columns)
        example = self._example_rows(original)
        edges = edge_rows(self.schema, example, _thresholds(target, converted, self.features))
        rows = np.concatenate([example, edges])
        outcome = compare(
            self._from_matrix(original),
            candidate,
            rows,
            columns=columns,
            transforms={output.column: output.transform for output in self.schema.outputs},
            relative=relative,
            absolute=absolute,
        )
        return {
            "accepted": outcome.agrees,
            "reason": outcome.reason,
            "rows": {
                "example": len(example),
                "edge": len(edges),
                "refused_by_original": outcome.refused,
            },
            "differences": outcome.differences,
        }

    def _example_rows(self, predict: Callable[[Any], Any]) -> NDArray[np.float64]:
        """The features of the logged example, as the original is given them."""
        seen = []

        def watched(rows: Any) -> Any:
            seen.append(rows)
            return predict(rows)

        predictor = self.handler.Predictor(self.info, self.schema, watched)
        body = (self.root / "artifacts" / "input_example.json").read_bytes()
        response = predictor.respond(body, "application/json")
        if response.status != 200:  # noqa: PLR2004  # HTTP's OK
            raise RuntimeError(f"the input example is answered with {response.status}")
        return np.concatenate([self._to_matrix(rows) for rows in seen])

    def _to_matrix(self, rows: Any) -> NDArray[np.float64]:
        if self.info.input == "array":
            matrix: NDArray[np.float64] = rows
            return matrix
        return np.column_stack([np.asarray(rows[name], dtype=float) for name in self.features])

    def _from_matrix(self, predict: Callable[[Any], Any]) -> Callable[[Any], Any]:
        """The original's prediction of a matrix, given to it as in the archive."""
        if self.info.input == "array":
            return predict
        pandas = importlib.import_module("pandas")
        return lambda rows: predict(pandas.DataFrame(rows, columns=self.features))


def _thresholds(
    target: Path, converted: list[Any], features: list[str]
) -> Mapping[str, NDArray[np.float64]]:
    """What the trees compare each feature with, as far as they see features as they are."""
    onnx = importlib.import_module("onnx")
    found: dict[str, list[float]] = {name: [] for name in features}
    for model in converted:
        graph = onnx.load(target / model.file).graph
        names = features if model.features is None else model.features
        plain = {graph.input[0].name} if len(graph.input) == 1 else set()
        for node in graph.node:
            if node.op_type == "Cast" and node.input[0] in plain:
                plain.update(node.output)
            elif node.op_type == "TreeEnsembleRegressor" and node.input[0] in plain:
                for place, value in _splits(onnx, node):
                    found[names[place]].append(value)
    return {name: np.array(values) for name, values in found.items()}


def _splits(onnx: Any, node: Any) -> zip[tuple[int, float]]:
    attributes = {entry.name: onnx.helper.get_attribute_value(entry) for entry in node.attribute}
    if "nodes_values_as_tensor" in attributes:
        values = onnx.numpy_helper.to_array(attributes["nodes_values_as_tensor"])
    else:
        values = np.array(attributes["nodes_values"])
    splits = np.array([mode != b"LEAF" for mode in attributes["nodes_modes"]])
    places = np.array(attributes["nodes_featureids"])[splits]
    return zip(places.tolist(), np.asarray(values)[splits].tolist(), strict=True)


def _described(model: Any) -> dict[str, Any]:
    """A model file as `model-info.json` has it."""
    entry = {"flavor": model.flavor, "file": model.file, "columns": list(model.columns)}
    return entry if model.features is None else {**entry, "features": list(model.features)}
