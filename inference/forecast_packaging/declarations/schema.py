"""The feature schema: the model's signature merged with what the run declares of its requests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from forecast_packaging.declarations.serving import (
    SERVING_FILE,
    AnnualWave,
    CategoryIndex,
    DeclaredInput,
    DeclaredOutput,
    Serving,
)
from forecast_packaging.documents import canonical, sha256_of
from forecast_packaging.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from forecast_packaging.declarations.serving import Derivation
    from forecast_packaging.declarations.signature import MlModel

DEFAULT_OUTPUT = "prediction"
RESERVED_OUTPUTS = frozenset({"confidence_interval", "model_version", "prediction_timestamp"})
"""Keys that every answer holds beside the outputs."""

_NUMBERS = frozenset({"integer", "long", "float", "double"})
_FRACTIONS = frozenset({"float", "double"})


def build_feature_schema(model: MlModel, serving: Serving) -> dict[str, Any]:
    """The content of `artifacts/feature_schema.json`.

    Features are the columns of the model's signature, in training order. Inputs are what a
    request row holds: those the run declares first, then the columns that are not derived.

    Raises:
        ModelError: Signature and declaration contradict each other; every contradiction is named.
    """
    inputs = [*serving.inputs, *_plain_inputs(model, serving)]
    outputs = _choose_outputs(model, serving)
    problems = [
        *_check_inputs(model, serving),
        *_check_derived(model, serving, {item.name: item for item in inputs}),
        *_check_outputs(model, serving, outputs),
    ]
    if problems:
        raise ModelError("\n".join(f"{SERVING_FILE}: {problem}" for problem in problems))
    schema: dict[str, Any] = {
        "schema_version": 1,
        "inputs": [item.model_dump(exclude_none=True) for item in inputs],
        "features": _render_features(model, serving),
        "outputs": [_render_output(output) for output in outputs],
    }
    if serving.interval is not None:
        schema["interval"] = serving.interval.model_dump()
    return schema


def signature_digest(schema: Mapping[str, Any]) -> str:
    """The digest of what clients and the model agree on: inputs, features and outputs.

    Intervals are left out: they are calibrated anew with each training and bind nobody.
    """
    return sha256_of(canonical({key: schema[key] for key in ("inputs", "features", "outputs")}))


def _plain_inputs(model: MlModel, serving: Serving) -> list[DeclaredInput]:
    return [
        DeclaredInput.model_validate(
            {"name": column.name, "type": column.type, "nullable": column.nullable}
        )
        for column in model.inputs
        if column.name not in serving.derived
    ]


def _choose_outputs(model: MlModel, serving: Serving) -> list[DeclaredOutput]:
    if serving.outputs is not None:
        return serving.outputs
    return [DeclaredOutput(name=name) for name in model.outputs or (DEFAULT_OUTPUT,)]


def _check_inputs(model: MlModel, serving: Serving) -> list[str]:
    plain = {column.name for column in model.inputs} - serving.derived.keys()
    sources = {derivation.source for derivation in serving.derived.values()}
    problems = []
    seen: set[str] = set()
    for item in serving.inputs:
        if item.name in seen:
            problems.append(f"the input {item.name!r} is declared twice")
        elif item.name in plain:
            problems.append(
                f"the input {item.name!r} is a column of the model's signature already: leave it "
                "out, or derive that column"
            )
        elif item.name not in sources:
            problems.append(f"the input {item.name!r} is used by no derived feature")
        seen.add(item.name)
    return problems


def _check_derived(model: MlModel, serving: Serving, inputs: dict[str, DeclaredInput]) -> list[str]:
    columns = {column.name: column.type for column in model.inputs}
    problems = []
    for name, derivation in serving.derived.items():
        source = inputs.get(derivation.source)
        if name not in columns:
            problems.append(f"the derived feature {name!r} is no column of the model's signature")
        elif source is None:
            problems.append(
                f"the derived feature {name!r} has the source {derivation.source!r}, expected one "
                f"of the inputs {', '.join(inputs) or '(none)'}"
            )
        else:
            problems += _check_derivation(name, columns[name], derivation, source)
    return problems


def _check_derivation(
    name: str, column_type: str, derivation: Derivation, source: DeclaredInput
) -> list[str]:
    problems = []
    expected = _FRACTIONS if isinstance(derivation, AnnualWave) else _NUMBERS
    if column_type not in expected:
        problems.append(
            f"the derived feature {name!r} of kind {derivation.kind!r} has the type "
            f"{column_type!r}, expected one of {', '.join(sorted(expected))}"
        )
    if source.nullable:
        problems.append(
            f"the derived feature {name!r} has the source {source.name!r}, which may be null"
        )
    if isinstance(derivation, CategoryIndex):
        if source.categories is None:
            problems.append(
                f"the derived feature {name!r} needs categories on its source {source.name!r}"
            )
    elif source.type not in {"date", "datetime"}:
        problems.append(
            f"the derived feature {name!r} has the source {source.name!r} of type "
            f"{source.type!r}, expected a date"
        )
    return problems


def _check_outputs(model: MlModel, serving: Serving, outputs: list[DeclaredOutput]) -> list[str]:
    names = [output.name for output in outputs]
    problems = [
        f"the output {name!r} is a key of every answer"
        for name in names
        if name in RESERVED_OUTPUTS
    ]
    if len(set(names)) != len(names):
        problems.append(f"expected outputs that differ, got {', '.join(names)}")
    if model.output_count is not None and model.output_count != len(names):
        problems.append(
            f"expected {model.output_count} outputs as in the model's signature, got "
            f"{len(names)} ({', '.join(names)})"
        )
    if serving.interval is not None:
        problems += [
            f"the interval names the output {name!r}, expected one of {', '.join(names)}"
            for name in serving.interval.outputs
            if name not in names
        ]
    return problems


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


def _render_output(output: DeclaredOutput) -> dict[str, Any]:
    rendered = output.model_dump(exclude_none=True)
    if output.transform == "identity":
        del rendered["transform"]
    return rendered
