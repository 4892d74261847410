"""A schema that contradicts itself is refused when the model is loaded, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from forecast_inference.answers.outputs import OutputFinisher
from forecast_inference.contract.schema import FeatureSchema
from forecast_inference.errors import ArtifactError
from forecast_inference.features.assemble import FeatureAssembler
from forecast_inference.requests.decode import RowReader
from forecast_inference.requests.validate import RowValidator

if TYPE_CHECKING:
    from collections.abc import Callable

Change = "Callable[[dict[str, Any]], object]"


def test_the_schema_is_read_in_its_order(market_schema: dict[str, Any]) -> None:
    schema = FeatureSchema.from_document(market_schema)
    assert [spec.name for spec in schema.inputs] == [
        "date",
        "item",
        "quantity",
        "cost",
        "stock",
        "boxes",
        "promoted",
    ]
    assert [spec.name for spec in schema.features][:2] == ["item_index", "weekday"]
    assert schema.input("item").categories == ("yam", "leek", "kale")
    assert (schema.level, schema.intervals["demand"].upper) == (0.9, 9.5)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.update(schema_version=2), "schema_version is 2, this runtime reads 1"),
        (lambda s: s.pop("outputs"), "the schema lacks outputs"),
        (lambda s: s.update(target="price"), "the schema has unknown keys: target"),
        (lambda s: s.update(inputs=[]), "inputs must be a list with at least one entry"),
        (lambda s: s.update(features={}), "features must be a list"),
        (lambda s: s["inputs"].append({"type": "double"}), "every entry of inputs needs a name"),
        (lambda s: s["inputs"].append("cost"), "every entry of inputs needs a name"),
        (lambda s: s["inputs"].append(s["inputs"][0]), "inputs holds a name twice"),
        (lambda s: s["features"].append(s["features"][0]), "features holds a name twice"),
        (
            lambda s: s["inputs"][0].update(type="time"),
            "input 'date' has type 'time', expected one of",
        ),
        (lambda s: s["inputs"][0].update(nulable=True), "input 'date' has unknown keys: nulable"),
        (
            lambda s: s["inputs"][0].update(categories=["a"]),
            "'date': categories must be a list of strings",
        ),
        (
            lambda s: s["inputs"][1].update(categories=[]),
            "'item': categories must be a list of strings",
        ),
        (lambda s: s["inputs"][1].update(categories=[1]), "'item': categories must be strings"),
        (lambda s: s["inputs"][1].update(categories=["a", "a"]), "'item' lists a category twice"),
        (
            lambda s: s["inputs"][3].update(type="float"),
            "feature 'cost' needs an input of its name and type",
        ),
        (lambda s: s["features"][2].update(name="costs"), "feature 'costs' needs an input"),
        (
            lambda s: s["features"][2].update(type="date"),
            "feature 'cost' has type 'date', expected one of",
        ),
        (
            lambda s: s["features"][0].update(type="string"),
            "is derived and must have a number type",
        ),
        (lambda s: s["features"][0].update(derive=["item"]), "derive is list, expected an object"),
        (
            lambda s: s["features"][0]["derive"].update(kind="hash"),
            "derives 'hash', expected one of",
        ),
        (
            lambda s: s["features"][0]["derive"].update(source="items"),
            "derives from 'items', which is no input",
        ),
        (
            lambda s: s["features"][0]["derive"].update(source="cost"),
            "needs categories on its source 'cost'",
        ),
        (lambda s: s["features"][0]["derive"].update(salt=1), "unknown keys: salt"),
        (
            lambda s: s["features"][1]["derive"].update(source="item"),
            "needs a date as its source, 'item' is string",
        ),
        (
            lambda s: s["features"][1]["derive"].update(kind="days_to_event", limit=3),
            "sorted list of ISO dates",
        ),
        (
            lambda s: s["features"][1]["derive"].update(kind="annual_sine", harmonic=0),
            "harmonic is 0",
        ),
        (lambda s: s["outputs"][0].update(minimum="0"), "output 'price': minimum is '0'"),
        (lambda s: s["outputs"][0].update(minimum=float("nan")), "output 'price': minimum is nan"),
        (lambda s: s["outputs"][0].update(transform="log"), "output 'price': transform is 'log'"),
        (lambda s: s["interval"].update(level=1), "level is 1, expected a share between 0 and 1"),
        (lambda s: s["interval"].update(level="0.9"), "level is '0.9'"),
        (
            lambda s: s["interval"]["outputs"].update(cost={}),
            "interval: outputs has unknown keys: cost",
        ),
        (lambda s: s["interval"]["outputs"]["price"].update(kind="quantile"), "kind is 'quantile'"),
        (
            lambda s: s["interval"]["outputs"]["price"].update(lower=0.1),
            "is 0.1 to 0.25, expected lower <= 0",
        ),
        (
            lambda s: s["interval"]["outputs"]["price"].update(upper=None),
            "expected lower <= 0 <= upper",
        ),
    ],
)
def test_a_contradiction_is_refused(
    market_schema: dict[str, Any], change: Callable[[dict[str, Any]], object], message: str
) -> None:
    change(market_schema)
    with pytest.raises(ArtifactError, match=message):
        FeatureSchema.from_document(market_schema)


def test_a_schema_that_is_no_object_is_refused() -> None:
    with pytest.raises(ArtifactError, match="the schema is list, expected an object"):
        FeatureSchema.from_document([])


def _schema(**parts: Any) -> FeatureSchema:
    columns = [{"name": "a", "type": "double"}]
    document = {"schema_version": 1, "inputs": columns, "features": columns, **parts}
    return FeatureSchema.from_document(document)


@pytest.mark.parametrize(
    ("output", "raw", "expected"),
    [
        ({}, [-1.0, 2.0], [-1.0, 2.0]),
        ({"minimum": 0.0}, [-1.0, 2.0], [0.0, 2.0]),
        ({"transform": "exp"}, [0.0, 1.0], [1.0, np.e]),
        ({"transform": "expm1", "minimum": 0.5}, [0.0, 1.0], [0.5, np.e - 1]),
    ],
)
def test_outputs_are_transformed_and_clipped(output: Any, raw: Any, expected: Any) -> None:
    schema = _schema(outputs=[{"name": "y", **output}])
    np.testing.assert_allclose(OutputFinisher(schema).finish(raw, 2)[:, 0], expected)


@pytest.mark.parametrize(
    ("kind", "raw", "expected"),
    [
        ("absolute", 10.0, (8.5, 10.25)),
        ("absolute", 1.0, (0.0, 1.25)),
        ("absolute", -10.0, (0.0, 0.25)),
        ("relative", 10.0, (0.0, 12.5)),
    ],
)
def test_intervals_lie_around_the_clipped_prediction(kind: str, raw: float, expected: Any) -> None:
    schema = _schema(
        outputs=[{"name": "y", "minimum": 0.0}],
        interval={"level": 0.8, "outputs": {"y": {"kind": kind, "lower": -1.5, "upper": 0.25}}},
    )
    assert OutputFinisher(schema).columns == ("y", "y_lower", "y_upper")
    assert tuple(OutputFinisher(schema).finish([raw], 1)[0, 1:]) == expected


def test_a_relative_interval_below_zero_keeps_its_order() -> None:
    interval = {"level": 0.8, "outputs": {"y": {"kind": "relative", "lower": -0.5, "upper": 0.25}}}
    schema = _schema(outputs=[{"name": "y"}], interval=interval)
    assert OutputFinisher(schema).finish([-8.0], 1).tolist() == [[-8.0, -10.0, -4.0]]


def test_only_outputs_with_an_interval_get_one() -> None:
    schema = _schema(
        outputs=[{"name": "x"}, {"name": "y"}],
        interval={"level": 0.5, "outputs": {"y": {"kind": "absolute", "lower": -1, "upper": 1}}},
    )
    assert OutputFinisher(schema).columns == ("x", "y", "y_lower", "y_upper")
    assert OutputFinisher(schema).finish([[1.0, 2.0]], 1).tolist() == [[1.0, 2.0, 1.0, 3.0]]


TYPES = ["boolean", "integer", "long", "float", "double", "string", "datetime"]


def frame_of(instance: dict[str, Any], *, nullable: bool) -> Any:
    columns = [{"name": name, "type": name, "nullable": nullable} for name in instance]
    schema = FeatureSchema.from_document(
        {"schema_version": 1, "inputs": columns, "features": columns, "outputs": [{"name": "y"}]}
    )
    validator = RowValidator(schema)
    values = tuple(instance[spec.name] for spec in validator.order)
    assembler = FeatureAssembler(schema, validator.groups)
    return assembler.frame(validator.blocks([values]), 1)


def test_a_dataframe_has_the_types_of_the_signature() -> None:
    values = [True, 3, 4, 0.5, 0.25, "leek", "2023-06-30T08:00:00+08:00"]
    frame = frame_of(dict(zip(TYPES, values, strict=True)), nullable=False)
    assert frame.columns.tolist() == TYPES
    assert [str(kind) for kind in frame.dtypes][:5] == [
        "bool",
        "int32",
        "int64",
        "float32",
        "float64",
    ]
    assert frame.dtypes["datetime"].kind == "M"
    assert frame["datetime"][0].isoformat() == "2023-06-30T00:00:00"
    assert frame["string"][0] == "leek"
    assert frame["long"][0] == 4


def test_a_dataframe_keeps_what_is_missing() -> None:
    frame = frame_of(dict.fromkeys(TYPES), nullable=True)
    assert frame.isna().all(axis=None)


@pytest.mark.parametrize(
    "value",
    [
        "2023-06-30T25:00",
        "2023-06-31",
        "06/30/2023",
        "2023-06-30T08:00:00 CET",
        "now",
        "1688083200",
    ],
)
def test_a_datetime_must_be_iso_8601(value: str) -> None:
    with pytest.raises(Exception, match="expected a date and time as in ISO 8601"):
        frame_of({"datetime": value}, nullable=False)


def test_a_schema_with_one_input_reads_its_rows() -> None:
    schema = _schema(outputs=[{"name": "y"}])
    reader = RowReader(schema.inputs, RowValidator(schema).order)
    assert reader.read('{"instances": [{"a": 1}, {"a": 2}]}', "application/json") == [(1,), (2,)]
