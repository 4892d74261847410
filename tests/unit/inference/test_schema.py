"""A schema that contradicts itself is refused when the model is loaded, by name."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from forecast_inference.contract.schema import FeatureSchema
from forecast_inference.errors import ArtifactError
from forecast_inference.features.assemble import FeatureAssembler
from forecast_inference.requests.reader import RequestReader

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
    assert (schema.default_level, schema.levels) == (0.9, (0.8, 0.9))
    assert schema.intervals["demand"].offsets == {0.8: (-2.0, 3.5), 0.9: (-5.0, 9.5)}
    assert schema.columns == ("price", "demand")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.update(schema_version=1), "schema_version is 1, this runtime reads 2"),
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
            "input 'date': type is 'time', expected one of",
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
            "feature 'cost': type is 'date', expected one of",
        ),
        (
            lambda s: s["features"][0].update(type="string"),
            "is derived and must have a number type",
        ),
        (lambda s: s["features"][0].update(derive=["item"]), "derive is list, expected an object"),
        (
            lambda s: s["features"][0]["derive"].update(kind="hash"),
            "derive: kind is 'hash', expected one of",
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
        (lambda s: s["outputs"][0].update(minimum=2, maximum=1), "the minimum 2.0 above"),
        (lambda s: s["outputs"][0].update(column="rate"), "has the column 'rate', expected one of"),
        (lambda s: s.update(columns=["price"]), "'demand' has the column 'demand', expected one"),
        (lambda s: s.update(columns=["price", "price"]), "columns holds a name twice"),
        (lambda s: s.update(columns=[]), "columns must be a list with at least one name"),
        (lambda s: s.update(columns=[1]), "columns must be names"),
        (lambda s: s.update(row_errors="ignore"), "row_errors is 'ignore', expected one of"),
        (
            lambda s: s["inputs"][0].update(nullable="no"),
            "nullable is 'no', expected true or false",
        ),
        (lambda s: s["inputs"][0].update(type=["date"]), "type is .* expected one of"),
        (lambda s: s["inputs"][0].update(unit=1), "unit is 1, expected a text"),
        (lambda s: s["inputs"][0].update(range={"minimum": 1}), "a range, which only numbers have"),
        (lambda s: s["inputs"][3].update(range={}), "needs a minimum, a maximum or both"),
        (lambda s: s["inputs"][3].update(range={"min": 1}), "range has unknown keys: min"),
        (
            lambda s: s["inputs"][3].update(range={"minimum": 2, "maximum": 1}),
            "range has the minimum 2.0 above the maximum 1.0",
        ),
        (
            lambda s: s["inputs"][3].update(range={"minimum": 10**400}),
            "minimum is 1.*, expected a finite number",
        ),
        (lambda s: s["inputs"][3].update(out_of_range="clip"), "means nothing without range"),
        (
            lambda s: s["inputs"][3].update(range={"minimum": 1}, out_of_range="drop"),
            "out_of_range is 'drop', expected one of accept, clip, impute, refuse",
        ),
        (
            lambda s: s["inputs"][3].update(range={"minimum": 1}, out_of_range="impute"),
            "a policy that imputes, and no value to impute",
        ),
        (
            lambda s: s["inputs"][3].update(range={"minimum": 1}, out_of_range="clip", impute=0),
            "impute is 0, which is outside its range",
        ),
        (
            lambda s: s["inputs"][4].update(range={"minimum": 0.5}, out_of_range="clip"),
            "whose bounds must be whole",
        ),
        (lambda s: s["inputs"][3].update(impute="3"), "impute is '3', expected a number"),
        (lambda s: s["inputs"][4].update(impute=1.5), "impute is 1.5, expected a whole number"),
        (lambda s: s["inputs"][6].update(impute=1), "impute is 1, expected a boolean"),
        (lambda s: s["inputs"][0].update(impute="2023-02-30"), "expected a date as YYYY-MM-DD"),
        (lambda s: s["inputs"][1].update(impute="turnip"), "which is none of its categories"),
        (lambda s: s["inputs"][3].update(unknown_category="impute"), "nothing without categories"),
        (
            lambda s: s["inputs"][1].update(unknown_category="clip"),
            "expected one of impute, refuse",
        ),
        (
            lambda s: s["inputs"][2].update(missing="impute", impute=1.0),
            "a policy for missing values and is nullable",
        ),
        (
            lambda s: s["intervals"].update(default_level=1),
            "default_level is 1, expected one of 0.8",
        ),
        (lambda s: s["intervals"].update(default_level="0.9"), "default_level is '0.9'"),
        (lambda s: s["intervals"].update(outputs={}), "must name at least one output"),
        (
            lambda s: s["intervals"]["outputs"].update(cost={}),
            "intervals: outputs has unknown keys: cost",
        ),
        (
            lambda s: s["intervals"]["outputs"]["price"].update(kind="quantile"),
            "kind is 'quantile', expected one of absolute, quantiles, relative",
        ),
        (
            lambda s: s["intervals"]["outputs"]["price"]["offsets"].pop("0.8"),
            "'demand' has the levels 0.8, 0.9, expected those of 'price': 0.9",
        ),
        (
            lambda s: s["intervals"]["outputs"]["price"]["offsets"].update({"0.90": [-1, 1]}),
            "has level '0.90', expected one between 0 and 1",
        ),
        (
            lambda s: s["intervals"]["outputs"]["price"]["offsets"].update({"0.9": [0.1, 0.2]}),
            "is 0.1 to 0.2 at level 0.9, expected lower <= 0",
        ),
        (
            lambda s: s["intervals"]["outputs"]["price"]["offsets"].update({"0.9": [-1]}),
            "needs a lower and an upper entry at every level",
        ),
        (
            lambda s: s["intervals"]["outputs"]["price"].update(offsets=[]),
            "offsets must be an object with at least one level",
        ),
        (
            lambda s: s["intervals"]["outputs"]["price"].update(margins={}),
            "interval of 'price' has unknown keys: margins",
        ),
        (
            lambda s: s["intervals"]["outputs"].update(
                price={"kind": "quantiles", "columns": {"0.8": ["low", "price"]}}
            ),
            "has the column 'low', expected one of price, demand",
        ),
        (
            lambda s: s["intervals"]["outputs"].update(
                price={
                    "kind": "quantiles",
                    "columns": {"0.8": ["price", "demand"]},
                    "margins": {"0.9": 1.0},
                }
            ),
            "has margins at a level without columns",
        ),
        (lambda s: s.update(horizon={"date_input": "date"}), "horizon lacks maximum"),
        (
            lambda s: s.update(horizon={"date_input": "cost", "maximum": 3}),
            "date_input is 'cost', expected an input of type date",
        ),
        (
            lambda s: s.update(horizon={"date_input": "date", "maximum": 0}),
            "maximum is 0, expected a whole number above 0",
        ),
        (
            lambda s: s.update(horizon={"date_input": "date", "maximum": 3, "step": "month"}),
            "step is 'month', expected one of day, week",
        ),
        (
            lambda s: s.update(
                horizon={"date_input": "date", "maximum": 3, "carry": {"stock": "price"}}
            ),
            "carries into 'stock', which is no double or float",
        ),
        (
            lambda s: s.update(
                horizon={"date_input": "date", "maximum": 3, "carry": {"cost": "rate"}}
            ),
            "carries 'rate' into 'cost', expected one of price, demand",
        ),
        (
            lambda s: (
                next(item for item in s["inputs"] if item["name"] == "cost").update(
                    range={"maximum": 9}, out_of_range="refuse"
                ),
                s.update(horizon={"date_input": "date", "maximum": 3, "carry": {"cost": "price"}}),
            ),
            "carries into 'cost', whose out_of_range is 'refuse'",
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


def test_offsets_of_a_higher_level_contain_those_of_a_lower_one(
    market_schema: dict[str, Any],
) -> None:
    market_schema["intervals"]["outputs"]["price"]["offsets"] = {"0.8": [-3, 1], "0.9": [-2, 2]}
    schema = FeatureSchema.from_document(market_schema)
    assert schema.intervals["price"].offsets == {0.8: (-3.0, 1.0), 0.9: (-3.0, 2.0)}


def test_quantile_columns_belong_to_the_raw_output_and_not_to_the_answer(
    market_schema: dict[str, Any],
) -> None:
    market_schema["columns"] = ["p05", "p50", "p95", "demand"]
    market_schema["outputs"][0].update(column="p50", maximum=100, unit="RMB/kg")
    market_schema["intervals"] = {
        "default_level": 0.9,
        "outputs": {
            "price": {
                "kind": "quantiles",
                "columns": {"0.9": ["p05", "p95"]},
                "margins": {"0.9": -0.5},
            }
        },
    }
    schema = FeatureSchema.from_document(market_schema)
    assert [output.column for output in schema.outputs] == ["p50", "demand"]
    assert (schema.outputs[0].minimum, schema.outputs[0].maximum) == (0.0, 100.0)
    assert schema.intervals["price"].columns == {0.9: ("p05", "p95")}
    assert schema.intervals["price"].margins == {0.9: -0.5}
    assert schema.levels == (0.9,)


TYPES = ["boolean", "integer", "long", "float", "double", "string", "datetime"]


def frame_of(instance: dict[str, Any], *, nullable: bool, rows: int = 1) -> Any:
    columns = [{"name": name, "type": name, "nullable": nullable} for name in instance]
    schema = FeatureSchema.from_document(
        {"schema_version": 2, "inputs": columns, "features": columns, "outputs": [{"name": "y"}]}
    )
    reader = RequestReader(schema)
    body = json.dumps({"instances": [instance] * rows})
    batch = reader.check(reader.decode(body, "application/json"))
    assembler = FeatureAssembler(schema, reader.groups)
    if batch.row is not None:
        return assembler.frame_of_one(batch.row)
    return assembler.frame(batch.blocks, rows)


@pytest.mark.parametrize("rows", [1, 2])
def test_a_dataframe_has_the_types_of_the_signature(rows: int) -> None:
    values = [True, 3, 4, 0.5, 0.25, "leek", "2023-06-30T08:00:00+08:00"]
    frame = frame_of(dict(zip(TYPES, values, strict=True)), nullable=False, rows=rows)
    assert len(frame) == rows
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


@pytest.mark.parametrize("rows", [1, 2])
def test_a_dataframe_keeps_what_is_missing(rows: int) -> None:
    frame = frame_of(dict.fromkeys(TYPES), nullable=True, rows=rows)
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


def test_a_schema_with_one_input_reads_its_rows(contracts: Any) -> None:
    model = contracts.Model()
    predictor = contracts.predictor(contracts.document(contracts.numbers(["a"])), predict=model)
    for body in ('{"instances": [{"a": 1}, {"a": 2}]}', '{"columns": ["a"], "data": [[1], [2]]}'):
        assert predictor.respond(body, "application/json").status == 200
        assert model.seen[-1].tolist() == [[1.0], [2.0]]
