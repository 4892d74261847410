"""Golden requests: which are made of a schema, and how their answers are kept and compared."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest

from forecast_packaging.publishing.golden import (
    CSV,
    JSON,
    JSON_LINES,
    MAX_EXAMPLE_ROWS,
    alike,
    edge_rows,
    golden_requests,
    recorded,
)

SCHEMA: dict[str, Any] = {
    "inputs": [
        {"name": "date", "type": "date", "nullable": False},
        {
            "name": "item",
            "type": "string",
            "nullable": False,
            "categories": ["yam", "leek", "kale, red"],
        },
        {
            "name": "stock",
            "type": "long",
            "nullable": False,
            "range": {"minimum": 0.5, "maximum": 8.5},
            "out_of_range": "refuse",
        },
        {"name": "cost", "type": "double", "nullable": True},
        {"name": "promoted", "type": "boolean", "nullable": False},
    ],
    "outputs": [{"name": "price"}],
}
ROW = {"date": "2023-06-30", "item": "kale, red", "stock": 3, "cost": 2.5, "promoted": True}
INTERVALS = {
    "default_level": 0.9,
    "outputs": {"price": {"kind": "absolute", "offsets": {"0.9": [-2, 2], "0.8": [-1, 1]}}},
}


def bodies(schema: dict[str, Any] = SCHEMA, rows: int = 1) -> dict[str, Any]:
    requests = golden_requests(schema, {"instances": [ROW] * rows})
    return {request.name: request for request in requests}


def test_the_example_is_asked_in_every_form() -> None:
    asked = bodies()
    assert json.loads(asked["example"].body) == {"instances": [ROW]}
    assert json.loads(asked["columns"].body) == {"columns": [*ROW], "data": [[*ROW.values()]]}
    assert json.loads(asked["json_lines"].body) == ROW
    table = list(csv.reader(io.StringIO(asked["csv"].body)))
    assert table == [[*ROW], ["2023-06-30", "kale, red", "3", "2.5", "true"]]
    assert [asked[name].accept for name in ("json_lines", "csv")] == [JSON_LINES, CSV]


def test_the_first_rows_of_a_long_example_are_enough() -> None:
    assert len(json.loads(bodies(rows=500)["example"].body)["instances"]) == MAX_EXAMPLE_ROWS


def test_the_edges_are_the_bounds_and_all_nulls() -> None:
    low, middle, high, empty = edge_rows(SCHEMA, ROW)
    assert [row["stock"] for row in (low, middle, high)] == [1, 5, 8]
    assert [row["item"] for row in (low, middle, high)] == ["yam", "leek", "kale, red"]
    assert [row["promoted"] for row in (low, middle, high)] == [False, True, True]
    assert middle["date"] == "2024-02-29"
    assert low["cost"] == 2.5
    assert empty == middle | {"cost": None}


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        ({"minimum": 10.0}, [10.0, 10.0, 10.0]),
        ({"maximum": 1.0}, [1.0, 1.0, 1.0]),
        ({"minimum": 1.0, "maximum": 4.0}, [1.0, 2.5, 4.0]),
    ],
)
def test_an_edge_is_never_outside_the_range(
    limits: dict[str, float], expected: list[float]
) -> None:
    item = {"name": "cost", "type": "double", "nullable": False, "range": limits}
    rows = edge_rows({"inputs": [item]}, {"cost": 2.5})
    assert [row["cost"] for row in rows] == expected


def test_a_row_that_lacks_a_feature_is_refused() -> None:
    request = bodies()["missing_feature"]
    assert request.status == 400
    assert "date" not in json.loads(request.body)["instances"][0]


def test_where_every_feature_may_be_absent_an_unknown_key_is_refused() -> None:
    inputs = [{**item, "missing": "impute"} for item in SCHEMA["inputs"]]
    request = bodies({**SCHEMA, "inputs": inputs})["unexpected_key"]
    assert request.status == 400
    assert json.loads(request.body)["instances"] == [{**ROW, "unknown": 1}]


def test_levels_and_horizons_are_asked_for_where_there_are_any() -> None:
    horizon = {"date_input": "date", "step": "day", "maximum": 2, "carry": {}}
    asked = bodies({**SCHEMA, "intervals": INTERVALS, "horizon": horizon})
    assert json.loads(asked["levels"].body)["parameters"] == {"levels": [0.8, 0.9]}
    assert json.loads(asked["horizon"].body)["parameters"] == {"horizon": 2}
    assert {"levels", "horizon"}.isdisjoint(bodies())


def test_a_recorded_answer_has_no_time_and_nine_digits() -> None:
    prediction = {"price": 1.23456789012, "model_version": "16", "prediction_timestamp": "now"}
    kept = {"price": 1.23456789, "model_version": "16"}
    assert recorded(json.dumps({"predictions": [prediction]}), JSON) == {"predictions": [kept]}
    lines = recorded(f"{json.dumps(prediction)}\n" * 2, JSON_LINES)
    assert [json.loads(line) for line in lines.splitlines()] == [kept, kept]
    text = "price,model_version,prediction_timestamp\n1.23456789012,16,now\n"
    assert recorded(text, CSV) == "price,model_version\n1.23456789,16\n"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"price": 1.0, "rows": [1.0]}, {"price": 1.0, "rows": [1.1]}),
        ({"price": 1.0}, {"price": 1.0, "row": 0}),
        ([1.0], [1.0, 1.0]),
        ("price,version\n1.5,16\n", "price,version\n1.6,16\n"),
        ("price,version\n1.5,16\n", "cost,version\n1.5,16\n"),
        ('{"price": 1.5}\n', '{"price": 1.6}\n'),
        ("a", "b"),
        (True, 1.5),
    ],
)
def test_answers_that_differ_are_told_apart(one: Any, other: Any) -> None:
    assert not alike(one, other, 1e-6)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"price": 1.0, "rows": [2.0]}, {"price": 1.0 + 5e-7, "rows": [2.0]}),
        ("price,version\n1.5,16\n", "price,version\n1.5000005,16\n"),
        ('{"price": 1.5}\n', '{"price": 1.5000005}\n'),
    ],
)
def test_answers_may_differ_in_the_last_digits(one: Any, other: Any) -> None:
    assert alike(one, other, 1e-6)


def test_the_same_schema_gives_the_same_requests() -> None:
    assert bodies() == bodies()
