"""The feature schema: signature, declaration and training data merged into one contract."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from forecast_packaging.declarations.contradictions import contradictions
from forecast_packaging.declarations.inputs import DeclaredInput
from forecast_packaging.declarations.outputs import DeclaredOutput
from forecast_packaging.declarations.profile import Observed, Profile
from forecast_packaging.declarations.serving import SERVING_FILE, Serving
from forecast_packaging.documents import canonical, sha256_of
from forecast_packaging.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from forecast_packaging.declarations.signature import MlModel

SCHEMA_VERSION = 2
DEFAULT_OUTPUT = "prediction"


def build_feature_schema(
    model: MlModel, serving: Serving, profile: Profile | None = None
) -> dict[str, Any]:
    """The content of `artifacts/feature_schema.json`.

    Features are the columns of the model's signature, in training order. Inputs are what a
    request row holds: those the run declares beside the signature first, then the columns that
    are not derived. What the run does not declare of an input is taken from the training data.

    Args:
        model: The MLmodel file.
        serving: What the run declares.
        profile: What the training data held; None when the run logged none.

    Raises:
        ModelError: The parts contradict each other; every contradiction is named.
    """
    inputs = _merge_inputs(model, serving, profile or Profile())
    outputs = _choose_outputs(model, serving)
    columns = _choose_columns(model, serving, outputs)
    problems = contradictions(model, serving, inputs=inputs, outputs=outputs, columns=columns)
    if problems:
        raise ModelError("\n".join(f"{SERVING_FILE}: {problem}" for problem in problems))
    schema: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "inputs": list(inputs.values()),
        "features": _render_features(model, serving),
        "columns": columns,
        "outputs": [output.model_dump(exclude_defaults=True) for output in outputs],
    }
    intervals = serving.all_intervals
    if intervals is not None:
        schema["intervals"] = intervals.document()
    if serving.horizon is not None:
        schema["horizon"] = serving.horizon.model_dump()
    return schema


def signature_digest(schema: Mapping[str, Any]) -> str:
    """The digest of what clients and the model agree on.

    It covers the name, type, nullability and categories of every input, the features, and the
    names of the outputs. What a training run finds anew by itself binds nobody and is left out:
    ranges, imputed values, offsets and columns of intervals, limits and transforms of outputs;
    so are policies and units, which change no name and no type.
    """
    inputs = [
        {key: item[key] for key in ("name", "type", "nullable", "categories") if key in item}
        for item in schema["inputs"]
    ]
    outputs = [output["name"] for output in schema["outputs"]]
    agreed = {"inputs": inputs, "features": schema["features"], "outputs": outputs}
    return sha256_of(canonical(agreed))


def _merge_inputs(model: MlModel, serving: Serving, profile: Profile) -> dict[str, dict[str, Any]]:
    """The inputs by name, each as the schema holds it."""
    plain = {column.name: column for column in model.inputs if column.name not in serving.derived}
    declared: dict[str, DeclaredInput] = {}
    for item in serving.inputs:
        declared.setdefault(item.name, item)
    names = [*(name for name in declared if name not in plain), *plain]
    merged = {}
    for name in names:
        item = declared.get(name) or DeclaredInput(name=name)
        column = plain.get(name)
        kind = item.type or (column.type if column else "")
        nullable = item.nullable if item.nullable is not None else bool(column and column.nullable)
        observed = profile.inputs.get(name) or Observed()
        merged[name] = _merge_input(item, kind, nullable=nullable, observed=observed)
    return merged


def _merge_input(
    item: DeclaredInput, kind: str, *, nullable: bool, observed: Observed
) -> dict[str, Any]:
    merged: dict[str, Any] = {"name": item.name, "type": kind, "nullable": nullable}
    if item.unit is not None:
        merged["unit"] = item.unit
    limits = item.range or observed.range(kind)
    if limits is not None:
        merged["range"] = limits.model_dump(exclude_none=True)
        # A range that somebody wrote down is a rule, one that was only seen is none.
        merged["out_of_range"] = "refuse" if item.range else "accept"
    categories = observed.known(kind) if item.categories is None else item.categories
    if categories is not None:
        merged["categories"] = list(categories)
    for policy in ("out_of_range", "unknown_category", "missing"):
        if (chosen := getattr(item, policy)) is not None:
            merged[policy] = chosen
    value = item.impute
    if value is None and item.imputes:
        value = observed.typical(kind)
    if value is not None:
        merged["impute"] = value
    return merged


def _choose_outputs(model: MlModel, serving: Serving) -> list[DeclaredOutput]:
    if serving.outputs is not None:
        return serving.outputs
    return [DeclaredOutput(name=name) for name in model.outputs or (DEFAULT_OUTPUT,)]


def _choose_columns(model: MlModel, serving: Serving, outputs: list[DeclaredOutput]) -> list[str]:
    """The columns of the model's raw output, by the first that names them.

    They are declared, or those of the declared models one after the other, or those of the
    signature when the outputs are made of them; else the outputs give their columns their names.
    """
    if serving.columns is not None:
        return serving.columns
    if serving.models is not None:
        return [column for entry in serving.models for column in entry.columns]
    sources = [output.source for output in outputs]
    chosen = any(output.column is not None for output in outputs)
    if model.outputs is not None and (chosen or set(sources) <= set(model.outputs)):
        return list(model.outputs)
    return sources


def _render_features(model: MlModel, serving: Serving) -> list[dict[str, Any]]:
    features = []
    for column in model.inputs:
        feature: dict[str, Any] = {"name": column.name, "type": column.type}
        if column.name in serving.derived:
            feature["derive"] = serving.derived[column.name].model_dump()
        else:
            feature["nullable"] = column.nullable
        features.append(feature)
    return features
