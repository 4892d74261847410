"""The contract that signature, declaration and training data make together."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import pytest

from forecast_inference.contract.schema import FeatureSchema
from forecast_inference.contract.values import INTEGER_BOUNDS, NUMBER_LIMIT
from forecast_inference.requests.content import MAX_ROWS
from forecast_packaging import ModelError
from forecast_packaging.declarations.inputs import BOUNDS
from forecast_packaging.declarations.profile import Profile, read_profile
from forecast_packaging.declarations.schema import build_feature_schema, signature_digest
from forecast_packaging.declarations.serving import Serving, read_serving
from forecast_packaging.declarations.signature import Column, MlModel
from forecast_packaging.publishing import request_schemas

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MODEL = MlModel(
    inputs=(
        Column("item_index", "long", nullable=False),
        Column("weekday", "long", nullable=False),
        Column("stock", "long", nullable=False),
        Column("cost", "double", nullable=False),
        Column("trend", "double", nullable=True),
        Column("shop", "string", nullable=False),
    ),
    outputs=("price", "demand"),
    output_count=2,
    flavors={},
    python_version="3.12.4",
)
SERVING: dict[str, Any] = {
    "inputs": [
        {"name": "date", "type": "date"},
        {"name": "item", "type": "string", "categories": ["yam", "leek"]},
        {"name": "cost", "unit": "RMB/kg", "out_of_range": "clip", "missing": "impute"},
        {"name": "stock", "range": {"minimum": 0, "maximum": 9}},
        {"name": "shop", "unknown_category": "impute"},
    ],
    "derived": {
        "item_index": {"kind": "category_index", "source": "item"},
        "weekday": {"kind": "day_of_week", "source": "date"},
    },
    "outputs": [{"name": "price", "unit": "RMB/kg", "maximum": 99.0}, {"name": "demand"}],
    "intervals": {
        "default_level": 0.9,
        "outputs": {
            "price": {"kind": "relative", "offsets": {"0.8": [-0.1, 0.1], "0.9": [-0.2, 0.3]}}
        },
    },
    "horizon": {"date_input": "date", "maximum": 14, "carry": {"trend": "price"}},
}
PROFILE: dict[str, Any] = {
    "schema_version": 2,
    "rows": 40,
    "inputs": {
        "cost": {"missing": 1, "minimum": 0.5, "maximum": 80.0, "median": 4.25, "mean": 5.0},
        "stock": {"missing": 0, "minimum": 1, "maximum": 7, "median": 3.5},
        "trend": {"missing": 9, "minimum": -1.5, "maximum": 2.5, "median": 0.25},
        "shop": {"missing": 0, "categories": {"west": 12, "east": 20, "north": 20}},
    },
}


def built(serving: Any = None, profile: Any = None, **changes: Any) -> dict[str, Any]:
    """The schema of a changed declaration, which the runtime must be able to read."""
    document = copy.deepcopy(SERVING if serving is None else serving) | changes
    schema = build_feature_schema(
        MODEL,
        Serving.model_validate(document),
        Profile.model_validate(PROFILE if profile is None else profile),
    )
    FeatureSchema.from_document(json.loads(json.dumps(schema)))
    return schema


def inputs_of(schema: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {item["name"]: item for item in schema["inputs"]}


def test_a_declared_column_of_the_signature_only_adds_to_it() -> None:
    inputs = inputs_of(built())
    assert list(inputs) == ["date", "item", "stock", "cost", "trend", "shop"]
    assert inputs["cost"] == {
        "name": "cost",
        "type": "double",
        "nullable": False,
        "unit": "RMB/kg",
        "range": {"minimum": 0.5, "maximum": 80.0},
        "out_of_range": "clip",
        "missing": "impute",
        "impute": 4.25,
    }


def test_an_observed_range_is_accepted_and_a_declared_one_is_a_rule() -> None:
    inputs = inputs_of(built())
    assert inputs["trend"]["out_of_range"] == "accept"
    assert inputs["stock"]["range"] == {"minimum": 0.0, "maximum": 9.0}
    assert inputs["stock"]["out_of_range"] == "refuse"
    assert "impute" not in inputs["trend"]


def test_the_most_frequent_category_stands_in_and_the_first_of_equals() -> None:
    shop = inputs_of(built())["shop"]
    assert shop["categories"] == ["east", "north", "west"]
    assert shop["impute"] == "east"


def test_a_text_with_too_many_values_has_no_categories() -> None:
    profile = copy.deepcopy(PROFILE)
    profile["inputs"]["shop"]["categories"] = {f"shop {n}": 1 for n in range(1001)}
    serving = copy.deepcopy(SERVING)
    serving["inputs"].pop()
    assert "categories" not in inputs_of(built(serving, profile))["shop"]


def test_a_whole_number_is_imputed_by_a_whole_number() -> None:
    serving = copy.deepcopy(SERVING)
    serving["inputs"][3]["missing"] = "impute"
    value = inputs_of(built(serving))["stock"]["impute"]
    assert value == 4
    assert isinstance(value, int)


def test_a_single_interval_becomes_intervals_at_one_level() -> None:
    serving = copy.deepcopy(SERVING)
    del serving["intervals"]
    interval = {"level": 0.9, "outputs": {"price": {"kind": "absolute", "lower": -1, "upper": 2}}}
    assert built(serving, interval=interval)["intervals"] == {
        "default_level": 0.9,
        "outputs": {"price": {"kind": "absolute", "offsets": {"0.9": [-1.0, 2.0]}}},
    }


def test_columns_of_quantile_models_make_one_output_with_intervals() -> None:
    schema = built(
        models=[
            {"file": "artifacts/price.txt", "flavor": "lightgbm", "columns": ["price"]},
            {"file": "artifacts/low.txt", "flavor": "lightgbm", "columns": ["low"]},
            {"file": "artifacts/high.txt", "flavor": "lightgbm", "columns": ["high"]},
        ],
        outputs=[{"name": "price"}],
        intervals={
            "default_level": 0.9,
            "outputs": {
                "price": {
                    "kind": "quantiles",
                    "columns": {"0.9": ["low", "high"]},
                    "margins": {"0.9": 0.4},
                }
            },
        },
    )
    assert schema["columns"] == ["price", "low", "high"]
    assert [output["name"] for output in schema["outputs"]] == ["price"]
    assert schema["intervals"]["outputs"]["price"]["margins"] == {"0.9": 0.4}


def test_an_output_may_be_called_otherwise_than_its_column() -> None:
    schema = built(outputs=[{"name": "rate", "column": "demand"}], intervals=None, horizon=None)
    assert schema["columns"] == ["price", "demand"]
    assert schema["outputs"] == [{"name": "rate", "column": "demand"}]


def test_outputs_that_name_no_column_of_the_signature_rename_them_in_order() -> None:
    schema = built(outputs=[{"name": "a"}, {"name": "b"}], intervals=None, horizon=None)
    assert schema["columns"] == ["a", "b"]


def offsets(**by_level: Any) -> dict[str, Any]:
    return {"kind": "absolute", "offsets": by_level}


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (
            {"range": {"minimum": 3, "maximum": 2}},
            "the input 'cost' has a range with the minimum 3 above the maximum 2",
        ),
        (
            {"impute": 99.0, "out_of_range": "refuse"},
            "the impute value 99.0, which is outside its range",
        ),
        ({"impute": "4"}, "the impute value '4', expected one of the type 'double'"),
        ({"impute": 1e39}, "the impute value 1e+39, expected one of the type 'double'"),
        ({"type": "float"}, "has the type 'float', and 'double' in the model's signature"),
        ({"nullable": True}, "the input 'cost' may be null, and may not in the model's signature"),
        ({"missing": None}, "'cost' has an impute value and no policy that uses it"),
        ({"categories": ["1"]}, "'cost' has categories and the type 'double', expected 'string'"),
        ({"unknown_category": "refuse"}, "has unknown_category 'refuse' and no categories"),
        (
            {"name": "trend", "missing": "refuse"},
            "'trend' has missing 'refuse' and may be null",
        ),
        (
            {"name": "shop", "out_of_range": "refuse"},
            "'shop' has out_of_range 'refuse' and no range",
        ),
        (
            {"name": "shop", "range": {"minimum": 1}},
            "has a range and the type 'string', expected a",
        ),
        (
            {"name": "shop", "missing": "impute", "impute": "south"},
            "expected one of its categories",
        ),
        (
            {"name": "item_index"},
            "the input 'item_index' is a derived feature: a request does not hold it",
        ),
        ({"name": "shelf"}, "the input 'shelf' has no type, and is no column of the model's"),
        (
            {"name": "stock", "range": {"minimum": 0.5}, "out_of_range": "clip"},
            "'stock' is clipped to its range, whose bounds are not whole",
        ),
    ],
)
def test_a_contradiction_of_an_input_is_named(changed: dict[str, Any], message: str) -> None:
    usual = {} if "name" in changed else {"missing": "impute", "impute": 4.0}
    entry = {"name": "cost", **usual, **changed}
    inputs = SERVING["inputs"][:2]
    with pytest.raises(ModelError) as caught:
        built(inputs=[*inputs, entry])
    assert message in str(caught.value)


def test_a_policy_that_imputes_needs_a_value() -> None:
    with pytest.raises(ModelError, match="a policy that imputes and no value: declare impute, or"):
        built(profile={"schema_version": 2, "rows": 0, "inputs": {}})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"columns": ["price", "price"]},
            "expected columns that differ, got price, price",
        ),
        (
            {"columns": ["price"]},
            "expected 2 outputs as in the model's signature, got 1 (price)",
        ),
        (
            {"outputs": [{"name": "price", "column": "shelf"}, {"name": "demand"}]},
            "the output 'price' has the column 'shelf', expected one of",
        ),
        (
            {"outputs": [{"name": "price", "minimum": 3, "maximum": 2}, {"name": "demand"}]},
            "the output 'price' has the minimum 3 above its maximum 2",
        ),
        (
            {"outputs": [{"name": "price"}, {"name": "adjusted", "column": "demand"}]},
            "the output 'adjusted' is a key of every answer",
        ),
        (
            {
                "intervals": {
                    "default_level": 0.9,
                    "outputs": {
                        "price": {"kind": "quantiles", "columns": {"0.9": ["price", "shelf"]}}
                    },
                }
            },
            "the intervals of 'price' name the column 'shelf', expected one of price, demand",
        ),
        (
            {
                "intervals": {
                    "default_level": 0.9,
                    "outputs": {
                        "price": offsets(**{"0.9": [-1, 1]}),
                        "demand": offsets(**{"0.8": [-1, 1]}),
                    },
                }
            },
            "the intervals of 'demand' are at the levels 0.8, expected those of 'price': 0.9",
        ),
        (
            {
                "intervals": {
                    "default_level": 0.5,
                    "outputs": {"price": offsets(**{"0.9": [-1, 1]})},
                }
            },
            "the default_level of the intervals is 0.5, expected one of 0.9",
        ),
        (
            {"horizon": {"date_input": "date", "maximum": 3, "carry": {"trend": "profit"}}},
            "the horizon carries the output 'profit', expected one of price, demand",
        ),
        (
            {"horizon": {"date_input": "date", "maximum": 3, "carry": {"shop": "price"}}},
            "the horizon carries into the input 'shop', expected one of type double or float",
        ),
        (
            {
                "inputs": [
                    *SERVING["inputs"],
                    {"name": "trend", "range": {"maximum": 9}, "out_of_range": "refuse"},
                ]
            },
            "the horizon carries into the input 'trend', whose out_of_range is 'refuse'",
        ),
        (
            {"horizon": {"date_input": "item", "maximum": 3}},
            "the horizon moves the input 'item', expected one of type date: date",
        ),
        (
            {
                "models": [
                    {"file": "a.txt", "flavor": "lightgbm", "columns": ["price"]},
                    {
                        "file": "b.txt",
                        "flavor": "lightgbm",
                        "columns": ["price"],
                        "features": ["shelf"],
                    },
                ],
                "columns": ["price", "demand"],
            },
            "the model 'b.txt' has the features shelf, which are no columns of the model's",
        ),
        (
            {
                "models": [{"file": "a.txt", "flavor": "lightgbm", "columns": ["price"]}],
                "columns": ["price", "demand"],
            },
            "the models give the columns price, expected each of price, demand once",
        ),
        (
            {
                "models": [
                    {"file": f"{name}.txt", "flavor": "lightgbm", "columns": ["price", "demand"]}
                    for name in "ab"
                ],
            },
            "the models give the columns price, demand, price, demand, expected each of price, ",
        ),
    ],
)
def test_a_contradiction_of_outputs_is_named(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ModelError) as caught:
        built(**changes)
    assert message in str(caught.value)


def test_every_contradiction_is_told_at_once() -> None:
    with pytest.raises(ModelError) as caught:
        built(
            inputs=[*SERVING["inputs"], {"name": "cost"}, {"name": "shelf"}],
            columns=["price"],
            horizon={"date_input": "item", "maximum": 3, "carry": {"shop": "profit"}},
        )
    assert str(caught.value).count("artifacts/serving.json: ") == 7


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"interval": SERVING["intervals"]}, "interval.level: field required"),
        (
            {
                "interval": {
                    "level": 0.9,
                    "outputs": {"a": {"kind": "absolute", "lower": 0, "upper": 0}},
                },
                "intervals": SERVING["intervals"],
            },
            "artifacts/serving.json: expected interval or intervals, got both",
        ),
        (
            {"intervals": {"default_level": 0.9, "outputs": {"a": offsets(**{"0.90": [0, 0]})}}},
            "expected a level between 0 and 1 as in '0.9', got '0.90'",
        ),
        (
            {"intervals": {"default_level": 0.9, "outputs": {"a": offsets(**{"0.9": [1, 2]})}}},
            "has the offsets 1 and 2 at level 0.9, expected the first at most 0",
        ),
        (
            {
                "intervals": {
                    "default_level": 0.9,
                    "outputs": {
                        "a": {
                            "kind": "quantiles",
                            "columns": {"0.9": ["b", "c"]},
                            "margins": {"0.8": 1},
                        }
                    },
                }
            },
            "has margins at 0.8, where it has no columns",
        ),
        ({"inputs": [{"name": "a", "range": {}}]}, "expected a minimum, a maximum or both"),
        ({"inputs": [{"name": "a", "missing": "drop"}]}, "input should be 'refuse' or 'impute'"),
        ({"horizon": {"date_input": "a", "maximum": 0}}, "greater than or equal to 1, got 0"),
        ({"horizon": {"date_input": "a", "maximum": 9, "step": "year"}}, "'day' or 'week'"),
        ({"models": []}, "models: list should have at least 1 item"),
    ],
)
def test_a_declaration_of_another_form_is_refused(
    tmp_path: Path, document: dict[str, Any], message: str
) -> None:
    (tmp_path / "artifacts").mkdir()
    (tmp_path / "artifacts/serving.json").write_text(json.dumps(document))
    with pytest.raises(ModelError) as caught:
        read_serving(tmp_path)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda profile: profile.update(schema_version=1),
            "artifacts/training_profile.json: schema_version: input should be 2, got 1",
        ),
        (
            lambda profile: profile["inputs"]["cost"].update(missing=-1),
            "greater than or equal to 0",
        ),
        (lambda profile: profile["inputs"]["cost"].update(sum=1), "inputs.cost.sum: extra inputs"),
    ],
)
def test_a_profile_of_another_form_is_refused(
    tmp_path: Path, change: Callable[[Any], None], message: str
) -> None:
    profile = copy.deepcopy(PROFILE)
    change(profile)
    (tmp_path / "artifacts").mkdir()
    (tmp_path / "artifacts/training_profile.json").write_text(json.dumps(profile))
    with pytest.raises(ModelError) as caught:
        read_profile(tmp_path)
    assert message in str(caught.value)


def test_the_signature_digest_ignores_what_a_training_finds_by_itself() -> None:
    before = signature_digest(built())
    profile = copy.deepcopy(PROFILE)
    profile["inputs"]["cost"] |= {"maximum": 90.0, "median": 5.0}
    profile["inputs"]["trend"] |= {"minimum": -2.0}
    serving = copy.deepcopy(SERVING)
    serving["intervals"]["outputs"]["price"]["offsets"]["0.9"] = [-0.5, 0.5]
    assert signature_digest(built(serving, profile)) == before


@pytest.mark.parametrize(
    "change",
    [
        lambda serving: serving["inputs"][1]["categories"].reverse(),
        lambda serving: serving["outputs"][0].update(name="rate", column="price"),
        lambda serving: serving["inputs"].insert(1, serving["inputs"].pop(0)),
    ],
)
def test_the_signature_digest_sees_what_clients_rely_on(change: Callable[[Any], None]) -> None:
    serving = copy.deepcopy(SERVING)
    del serving["intervals"], serving["horizon"]
    before = signature_digest(built(serving))
    change(serving)
    assert signature_digest(built(serving)) != before


def test_the_limits_are_those_of_the_runtime() -> None:
    assert BOUNDS["double"] == BOUNDS["float"] == (-NUMBER_LIMIT, NUMBER_LIMIT)
    assert {kind: BOUNDS[kind] for kind in INTEGER_BOUNDS} == INTEGER_BOUNDS
    assert request_schemas.MAX_ROWS == MAX_ROWS
