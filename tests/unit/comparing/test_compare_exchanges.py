"""Requests and answers of every format as forecasts."""

from __future__ import annotations

import json
from typing import Any

import pytest
from captured import (
    SCHEMA,
    answer_json,
    as_csv,
    gzipped,
    prediction,
    request_json,
    row,
)

from forecast_config import ForecastError
from forecast_operations.comparing.contract import Contract, read_contract
from forecast_operations.comparing.exchanges import (
    Body,
    Bounds,
    DamagedError,
    Forecast,
    read_exchange,
    time_point,
)

CONTRACT = read_contract(SCHEMA)
ROWS = [row("a", "2026-11-20"), row("b", "2026-11-21")]
ANSWER = answer_json(prediction(5.0), prediction(6.0, 12.0))
JSON = "application/json"


def read(
    request: str | bytes,
    answer: str = ANSWER,
    kinds: tuple[str, str] = (JSON, JSON),
    contract: Contract = CONTRACT,
) -> list[Forecast]:
    raw = request.encode() if isinstance(request, str) else request
    return read_exchange(Body(raw, kinds[0]), Body(answer.encode(), kinds[1]), contract)


def lines(documents: list[Any]) -> str:
    return "\n".join(json.dumps(each) for each in documents) + "\n"


@pytest.mark.parametrize(
    ("request_body", "kind"),
    [
        (request_json(*ROWS), JSON),
        (request_json(*ROWS), ""),
        (json.dumps({"instances": [list(each.values()) for each in ROWS]}), JSON),
        (
            json.dumps({"columns": list(ROWS[0]), "data": [list(each.values()) for each in ROWS]}),
            "application/json; charset=utf-8",
        ),
        (
            json.dumps(
                {
                    "dataframe_split": {
                        "columns": list(reversed(ROWS[0])),
                        "data": [list(reversed(each.values())) for each in ROWS],
                    }
                }
            ),
            JSON,
        ),
        (lines(ROWS), "application/jsonlines"),
        (lines([list(each.values()) for each in ROWS]), "application/x-ndjson"),
        (as_csv(ROWS), "text/csv"),
        (gzipped(request_json(*ROWS)), "application/gzip"),
        (gzipped(as_csv(ROWS)), "application/gzip; content=text/csv"),
    ],
)
def test_a_request_in_any_layout_is_the_same_rows(request_body: str | bytes, kind: str) -> None:
    found = read(request_body, kinds=(kind, JSON))

    assert [(each.item, each.date, each.step) for each in found] == [
        ("a", "2026-11-20", 1),
        ("b", "2026-11-21", 1),
    ]


def test_an_answer_has_values_intervals_and_a_version() -> None:
    first, _ = read(request_json(*ROWS))

    assert first.values == (5.0, 10.0)
    assert first.bounds == (Bounds(4.0, 6.0), Bounds(5.0, 15.0))
    assert first.version == "16"


CSV_ROW = {
    "forecasted_price": 5.0,
    "forecasted_price_lower": 4.0,
    "forecasted_price_upper": 6.0,
    "forecasted_demand": 10.0,
    "forecasted_demand_lower": 5.0,
    "forecasted_demand_upper": 15.0,
    "confidence_level": 0.9,
    "model_version": "16",
}


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (lines([prediction(5.0), prediction(6.0, 12.0)]), "application/jsonlines"),
        (as_csv([CSV_ROW, CSV_ROW | {"forecasted_price": 6.0}]), "text/csv"),
        (
            answer_json(
                *[
                    {
                        **prediction(price),
                        "confidence_interval": None,
                        "confidence_intervals": [
                            {"level": 0.5, "forecasted_price": [4.9, 5.1]},
                            prediction(price)["confidence_interval"],
                        ],
                    }
                    for price in (5.0, 6.0)
                ]
            ),
            JSON,
        ),
    ],
)
def test_an_answer_in_any_layout_is_the_same_forecasts(answer: str, kind: str) -> None:
    first, second = read(request_json(*ROWS), answer, (JSON, kind))

    assert first.values == (5.0, 10.0)
    assert first.bounds[0] == Bounds(4.0, 6.0)
    assert second.values[0] == 6.0


def test_the_interval_of_another_level_is_none() -> None:
    other = {**prediction(5.0), "confidence_interval": {"level": 0.5, "forecasted_price": [1, 9]}}
    asked = as_csv([{"forecasted_price": 5.0, "forecasted_price_lower_0.5": 4, "row": 0}])

    (first,) = read(request_json(ROWS[0]), answer_json(other))
    (second,) = read(request_json(ROWS[0]), asked, (JSON, "text/csv"))

    assert first.bounds == (None, None)
    assert second.bounds == (None, None)
    assert second.values == (5.0, None)


def horizon_answer() -> list[dict[str, Any]]:
    return [
        prediction(5.0 + place, row=place // 2, date=f"2026-11-{20 + place // 2 + place % 2}")
        for place in range(4)
    ]


@pytest.mark.parametrize("kind", [JSON, "text/csv"])
def test_the_steps_of_a_horizon_have_their_own_dates(kind: str) -> None:
    answers = horizon_answer()
    if kind == "text/csv":
        flat = [
            {key: value for key, value in each.items() if key != "confidence_interval"}
            for each in answers
        ]
        answer = as_csv(flat)
    else:
        answer = answer_json(*answers)

    found = read(request_json(*ROWS, horizon=2), answer, (JSON, kind))

    assert [(each.row, each.item, each.date, each.step) for each in found] == [
        (0, "a", "2026-11-20", 1),
        (0, "a", "2026-11-21", 2),
        (1, "b", "2026-11-21", 1),
        (1, "b", "2026-11-22", 2),
    ]


def test_a_step_without_a_date_is_counted_from_the_first() -> None:
    answers = [prediction(5.0, row=0), prediction(5.5, row=0)]
    weekly = read_contract({**SCHEMA, "horizon": {"date_input": "date", "step": "week"}})

    found = read(request_json(ROWS[0], horizon=2), answer_json(*answers), contract=weekly)

    assert [each.date for each in found] == ["2026-11-20", "2026-11-27"]


def test_refused_rows_are_left_out() -> None:
    refused = {"error": {"code": "unknown_category", "message": "…", "row": 0}}

    (found,) = read(request_json(*ROWS), answer_json(refused, prediction(6.0)))

    assert (found.row, found.item, found.values[0]) == (1, "b", 6.0)


def test_a_refused_row_of_a_horizon_does_not_move_the_others() -> None:
    refused = {"error": {"code": "unknown_category", "message": "…", "row": 0}}
    answers = [refused, *horizon_answer()[2:]]

    found = read(request_json(*ROWS, horizon=2), answer_json(*answers))

    assert [(each.row, each.step) for each in found] == [(1, 1), (1, 2)]


@pytest.mark.parametrize(
    ("request_body", "answer", "kinds", "why"),
    [
        (request_json(*ROWS), answer_json(prediction(1.0)), (JSON, JSON), "1 answers to 2 rows"),
        ("{", ANSWER, (JSON, JSON), "no JSON"),
        ("[" * 100_000, ANSWER, (JSON, JSON), "no JSON"),
        ("[]", ANSWER, (JSON, JSON), "no object"),
        ('{"rows": []}', ANSWER, (JSON, JSON), "without rows"),
        ('{"instances": [[1]]}', ANSWER, (JSON, JSON), "one value for each input"),
        ('{"instances": [7, 8]}', ANSWER, (JSON, JSON), "one value for each input"),
        (b"\xff\xfe", ANSWER, (JSON, JSON), "not UTF-8"),
        ('date,item_code\n"2026', ANSWER, ("text/csv", JSON), "no CSV"),
        (b"no gzip", ANSWER, ("application/gzip", JSON), "not one complete gzip"),
        (gzipped(request_json(*ROWS))[:-9], ANSWER, ("application/gzip", JSON), "not one complete"),
        (gzipped(" " * 7_000_000), ANSWER, ("application/gzip", JSON), "once decompressed"),
        (b"\x93NUMPY", ANSWER, ("application/x-npy", JSON), "unsupported content type"),
        (request_json(*ROWS), '{"error": "bad"}', (JSON, JSON), "without predictions"),
        (request_json(*ROWS), '{"predictions": [1, 2]}', (JSON, JSON), "without predictions"),
        (
            request_json(ROWS[0]),
            answer_json({"forecasted_price": "much"}),
            (JSON, JSON),
            "value is no number",
        ),
        (request_json(ROWS[0]), answer_json({"row": 7}), (JSON, JSON), "not asked for"),
        (request_json(ROWS[0]), answer_json({"row": "x"}), (JSON, JSON), "row is no number"),
        (
            request_json(row("a", "yesterday")),
            answer_json(prediction(1.0)),
            (JSON, JSON),
            "date is no date",
        ),
    ],
)
def test_what_cannot_be_read_is_damaged_and_says_nothing_of_its_content(
    request_body: str | bytes, answer: str, kinds: tuple[str, str], why: str
) -> None:
    with pytest.raises(DamagedError, match=why):
        read(request_body, answer, kinds)


def test_times_are_compared_in_utc() -> None:
    assert time_point("2026-11-20T10:00:00+08:00") == "2026-11-20T02:00:00"
    assert time_point("2026-11-20T02:00:00Z") == "2026-11-20T02:00:00"
    assert time_point(" 2026-11-20 ") == "2026-11-20"
    assert time_point("20.11.2026") is None
    assert time_point(None) is None


def schema_with(*inputs: tuple[str, str], **more: Any) -> dict[str, Any]:
    entries = [{"name": name, "type": kind} for name, kind in inputs]
    return {"inputs": entries, "outputs": [{"name": "y"}], **more}


def test_item_and_date_are_found_by_their_types() -> None:
    found = read_contract(schema_with(("when", "datetime"), ("what", "string"), ("x", "double")))

    assert (found.items, found.date, found.level) == (("what",), "when", None)
    assert found.outputs[0].column == "y"


def test_without_a_text_all_rows_are_one_item() -> None:
    found = read_contract(schema_with(("when", "date"), ("x", "double")))

    assert found.items == ()
    request = request_json({"when": "2026-11-20", "x": 1.0})
    assert read(request, answer_json({"y": 2.0}), contract=found)[0].item == ""


def test_several_texts_have_to_be_told_apart_by_the_user() -> None:
    schema = schema_with(("when", "date"), ("shop", "string"), ("article", "string"))

    with pytest.raises(
        ForecastError, match=r"several inputs that are a text: shop, article.*--item"
    ):
        read_contract(schema)
    found = read_contract(schema, ["shop", "article"])
    request = request_json({"when": "2026-11-20", "shop": "s", "article": "t"})
    assert read(request, answer_json({"y": 2.0}), contract=found)[0].item == "s / t"


def test_several_dates_have_to_be_told_apart_unless_a_horizon_names_one() -> None:
    inputs = (("ordered", "date"), ("delivered", "date"))

    with pytest.raises(ForecastError, match="--date-column ordered"):
        read_contract(schema_with(*inputs))
    assert read_contract(schema_with(*inputs), date="delivered").date == "delivered"
    horizon = {"date_input": "delivered", "maximum": 3}
    assert read_contract(schema_with(*inputs, horizon=horizon)).date == "delivered"


def test_a_column_that_is_no_input_is_refused() -> None:
    with pytest.raises(ForecastError, match="no input 'article', expected one of date, item_code"):
        read_contract(SCHEMA, ["article"])
