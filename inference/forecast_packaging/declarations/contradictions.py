"""Contradictions between the signature, the declaration and what was merged from them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from forecast_packaging.declarations.input_rules import input_problems
from forecast_packaging.declarations.inputs import AnnualWave, CategoryIndex
from forecast_packaging.declarations.outputs import Quantiles

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from forecast_packaging.declarations.inputs import Derivation
    from forecast_packaging.declarations.outputs import DeclaredOutput, Horizon, Intervals
    from forecast_packaging.declarations.serving import Serving
    from forecast_packaging.declarations.signature import MlModel

RESERVED_OUTPUTS = frozenset(
    {
        "adjusted",
        "confidence_interval",
        "confidence_intervals",
        "confidence_level",
        "error",
        "model_version",
        "prediction_timestamp",
        "row",
    }
)
"""Keys and CSV columns that answers hold beside the outputs."""

_NUMBERS = frozenset({"integer", "long", "float", "double"})
_FRACTIONS = frozenset({"float", "double"})


def contradictions(
    model: MlModel,
    serving: Serving,
    *,
    inputs: Mapping[str, Mapping[str, Any]],
    outputs: Sequence[DeclaredOutput],
    columns: Sequence[str],
) -> list[str]:
    """Every contradiction, in the order of the declaration's parts.

    Args:
        model: The MLmodel file.
        serving: What the run declares.
        inputs: The merged inputs by name.
        outputs: The outputs, declared or the signature's.
        columns: The columns of the model's raw output.
    """
    return [
        *_model_problems(model, serving, columns),
        *input_problems(model, serving, inputs),
        *_derived_problems(model, serving, inputs),
        *_output_problems(model, serving, outputs, columns),
        *_interval_problems(serving.all_intervals, outputs, columns),
        *_horizon_problems(serving.horizon, inputs, outputs),
    ]


def _model_problems(model: MlModel, serving: Serving, columns: Sequence[str]) -> Iterator[str]:
    features = {column.name for column in model.inputs}
    given: list[str] = []
    for entry in serving.models or ():
        given += entry.columns
        unknown = [name for name in entry.features or () if name not in features]
        if unknown:
            yield (
                f"the model {entry.file!r} has the features {', '.join(unknown)}, which are no "
                "columns of the model's signature"
            )
    if serving.models is not None and sorted(given) != sorted(set(columns)):
        yield (
            f"the models give the columns {', '.join(given)}, expected each of "
            f"{', '.join(columns)} once"
        )


def _derived_problems(
    model: MlModel, serving: Serving, inputs: Mapping[str, Mapping[str, Any]]
) -> Iterator[str]:
    columns = {column.name: column.type for column in model.inputs}
    declared = {item.name for item in serving.inputs if item.categories is not None}
    for name, derivation in serving.derived.items():
        source = inputs.get(derivation.source)
        if name not in columns:
            yield f"the derived feature {name!r} is no column of the model's signature"
        elif source is None:
            yield (
                f"the derived feature {name!r} has the source {derivation.source!r}, expected one "
                f"of the inputs {', '.join(inputs) or '(none)'}"
            )
        else:
            yield from _derivation_problems(name, columns[name], derivation, source)
            # Their order is the value of the feature: training must have written it down.
            if isinstance(derivation, CategoryIndex) and source["name"] not in declared:
                yield (
                    f"the derived feature {name!r} needs categories on its source "
                    f"{source['name']!r}"
                )


def _derivation_problems(
    name: str, column_type: str, derivation: Derivation, source: Mapping[str, Any]
) -> Iterator[str]:
    expected = _FRACTIONS if isinstance(derivation, AnnualWave) else _NUMBERS
    if column_type not in expected:
        yield (
            f"the derived feature {name!r} of kind {derivation.kind!r} has the type "
            f"{column_type!r}, expected one of {', '.join(sorted(expected))}"
        )
    if source["nullable"]:
        yield f"the derived feature {name!r} has the source {source['name']!r}, which may be null"
    if not isinstance(derivation, CategoryIndex) and source["type"] not in {"date", "datetime"}:
        yield (
            f"the derived feature {name!r} has the source {source['name']!r} of type "
            f"{source['type']!r}, expected a date"
        )


def _output_problems(
    model: MlModel, serving: Serving, outputs: Sequence[DeclaredOutput], columns: Sequence[str]
) -> Iterator[str]:
    names = [output.name for output in outputs]
    yield from (
        f"the output {name!r} is a key of every answer"
        for name in names
        if name in RESERVED_OUTPUTS
    )
    for what, found in (("outputs", names), ("columns", columns)):
        if len(set(found)) != len(found):
            yield f"expected {what} that differ, got {', '.join(found)}"
    # Files that the run logged beside the model are not what its signature speaks of.
    count = None if serving.models else model.output_count
    if count is not None and count != len(columns):
        yield (
            f"expected {count} outputs as in the model's signature, got {len(columns)} "
            f"({', '.join(columns)})"
        )
    for output in outputs:
        if output.source not in columns:
            yield (
                f"the output {output.name!r} has the column {output.source!r}, expected one of "
                f"{', '.join(columns)}"
            )
        lowest, highest = output.minimum, output.maximum
        if lowest is not None and highest is not None and lowest > highest:
            yield (
                f"the output {output.name!r} has the minimum {lowest:g} above its maximum "
                f"{highest:g}"
            )


def _interval_problems(
    intervals: Intervals | None, outputs: Sequence[DeclaredOutput], columns: Sequence[str]
) -> Iterator[str]:
    if intervals is None:
        return
    names = [output.name for output in outputs]
    first, levels = next((name, band.levels) for name, band in intervals.outputs.items())
    for name, band in intervals.outputs.items():
        if name not in names:
            yield (f"the interval names the output {name!r}, expected one of {', '.join(names)}")
        if band.levels != levels:
            yield (
                f"the intervals of {name!r} are at the levels {_listed(band.levels)}, expected "
                f"those of {first!r}: {_listed(levels)}"
            )
        if isinstance(band, Quantiles):
            yield from (
                f"the intervals of {name!r} name the column {column!r}, expected one of "
                f"{', '.join(columns)}"
                for pair in band.columns.values()
                for column in pair
                if column not in columns
            )
    if repr(float(intervals.default_level)) not in levels:
        yield (
            f"the default_level of the intervals is {intervals.default_level!r}, expected one of "
            f"{_listed(levels)}"
        )


def _listed(levels: set[str]) -> str:
    return ", ".join(sorted(levels))


def _horizon_problems(
    horizon: Horizon | None,
    inputs: Mapping[str, Mapping[str, Any]],
    outputs: Sequence[DeclaredOutput],
) -> Iterator[str]:
    if horizon is None:
        return
    names = [output.name for output in outputs]
    moved = inputs.get(horizon.date_input)
    if moved is None or moved["type"] != "date":
        dates = [name for name, item in inputs.items() if item["type"] == "date"]
        yield (
            f"the horizon moves the input {horizon.date_input!r}, expected one of type date: "
            f"{', '.join(dates) or '(none)'}"
        )
    elif horizon.date_input in names:
        yield f"the horizon's date_input {horizon.date_input!r} is the name of an output too"
    for name, output in horizon.carry.items():
        taker = inputs.get(name)
        if taker is None or taker["type"] not in _FRACTIONS:
            numbers = [key for key, item in inputs.items() if item["type"] in _FRACTIONS]
            yield (
                f"the horizon carries into the input {name!r}, expected one of type double or "
                f"float: {', '.join(numbers) or '(none)'}"
            )
        elif taker.get("out_of_range") == "refuse":
            yield (
                f"the horizon carries into the input {name!r}, whose out_of_range is 'refuse': no "
                "client can correct an output, expected accept, clip or impute"
            )
        if output not in names:
            yield (f"the horizon carries the output {output!r}, expected one of {', '.join(names)}")
