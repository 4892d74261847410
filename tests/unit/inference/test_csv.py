"""CSV in and CSV out."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

if TYPE_CHECKING:
    from forecast_inference.handler import Predictor

HEADER = "date,item,quantity,cost,stock,boxes,promoted"
LINE = "2023-06-30,leek,12.5,3.0,40,2,true"


def ask(predictor: Predictor, *lines: str, accept: str | None = None) -> Any:
    return predictor.respond("\n".join(lines).encode(), "text/csv", accept)


def predictions(response: Any) -> list[dict[str, Any]]:
    assert response.status == 200, response.body
    answers: list[dict[str, Any]] = json.loads(response.body)["predictions"]
    for answer in answers:
        del answer["prediction_timestamp"]
    return answers


def test_csv_and_json_rows_get_the_same_answer(predictor: Predictor, row: dict[str, Any]) -> None:
    body = json.dumps({"instances": [row, {**row, "quantity": None, "boxes": None}]}).encode()
    expected = predictions(predictor.respond(body, "application/json"))
    sent = ask(predictor, HEADER, LINE, "2023-06-30,leek,,3.0,40,,true")
    assert predictions(sent) == expected


@pytest.mark.parametrize(
    ("header", "line"),
    [
        ("promoted,boxes,stock,cost,quantity,item,date", "TRUE,2,40,3,12.5,leek,2023-06-30"),
        (
            '"date", item ,quantity,cost,stock,boxes,promoted',
            '"2023-06-30","leek",12.5,3e0,"40",2.0,True',
        ),
        ("\ufeff" + HEADER, LINE + "\r\n\n"),
        (HEADER + "\r", LINE + "\r"),
    ],
)
def test_columns_quotes_and_line_ends_are_free(
    predictor: Predictor, header: str, line: str
) -> None:
    assert predictions(ask(predictor, header, line)) == predictions(ask(predictor, HEADER, LINE))


@pytest.mark.parametrize(
    ("feature", "cell", "code"),
    [
        ("cost", "nan", "invalid_type"),
        ("cost", "inf", "invalid_type"),
        ("cost", "1_000", "invalid_type"),
        ("cost", " 3", "invalid_type"),
        ("cost", "3,5", "invalid_row"),
        ("cost", "0x10", "invalid_type"),
        ("cost", "٣", "invalid_type"),
        ("cost", "1e", "invalid_type"),
        ("cost", "1e999", "out_of_range"),
        ("cost", "", "null_value"),
        ("stock", "1.5", "not_integral"),
        ("stock", "9" * 30, "out_of_range"),
        ("stock", "9" * 5000, "invalid_type"),
        ("stock", "--1", "invalid_type"),
        ("stock", "many", "invalid_type"),
        ("promoted", "1", "invalid_type"),
        ("promoted", "yes", "invalid_type"),
        ("promoted", "", "null_value"),
        ("item", "", "null_value"),
        ("item", "turnip", "unknown_category"),
        ("date", "30.06.2023", "invalid_date"),
    ],
)
def test_a_wrong_cell_is_refused_by_feature_and_row(
    predictor: Predictor, feature: str, cell: str, code: str
) -> None:
    cells = dict(zip(HEADER.split(","), LINE.split(","), strict=True))
    response = ask(predictor, HEADER, LINE, ",".join({**cells, feature: cell}.values()))
    assert response.status == 400
    error = json.loads(response.body)["error"]
    assert (error["code"], error["row"]) == (code, 1)
    if code != "invalid_row":
        assert error["feature"] == feature


@pytest.mark.parametrize(
    ("lines", "code", "where"),
    [
        (("",), "empty_body", {}),
        (("\n\n",), "empty_body", {}),
        ((HEADER,), "no_instances", {}),
        ((HEADER.removesuffix(",promoted"), LINE), "missing_feature", {"feature": "promoted"}),
        ((HEADER + ",price", LINE + ",1"), "unexpected_key", {"feature": "price"}),
        ((HEADER + ",cost", LINE + ",1"), "duplicate_key", {"feature": "cost"}),
        ((LINE, LINE), "missing_feature", {"feature": "date"}),
        ((HEADER, LINE, LINE + ",9"), "invalid_row", {"row": 1}),
        ((HEADER, LINE, LINE.removesuffix(",true")), "invalid_row", {"row": 1}),
        ((HEADER, LINE, "", LINE), "invalid_row", {"row": 1}),
        ((HEADER, LINE + '"'), "invalid_type", {"row": 0, "feature": "promoted"}),
        ((HEADER, '"' + LINE), "invalid_csv", {}),
        ((HEADER, "x" * 200_000 + LINE), "invalid_csv", {}),
    ],
)
def test_a_wrong_table_is_refused(
    predictor: Predictor, lines: tuple[str, ...], code: str, where: dict[str, Any]
) -> None:
    response = ask(predictor, *lines)
    assert response.status == 400
    error = json.loads(response.body)["error"]
    del error["message"]
    assert error == {"code": code, **where}


@pytest.mark.parametrize("codec", ["standard", "fast"])
def test_an_empty_line_of_a_single_column_is_null(contracts: Any, codec: str) -> None:
    model = contracts.Model()
    inputs = [{"name": "x", "type": "double", "nullable": True}]
    predictor = contracts.predictor(contracts.document(inputs), codec=codec, predict=model)
    for lines, expected in (
        ("x\n1\n\n2\n", [1, None, 2]),
        ("x\n1\n\n", [1, None]),
        ("x\n1\n", [1]),
        ("x\n1", [1]),
        ("x\r\n\r\n\r\n", [None, None]),
    ):
        assert len(predictions(predictor.respond(lines, "text/csv"))) == len(expected)
        np.testing.assert_array_equal(model.seen[-1][:, 0], np.array(expected, dtype=float))


def test_too_many_lines_are_refused(predictor: Predictor) -> None:
    response = ask(predictor, HEADER, *[LINE] * 10_001)
    assert response.status == 413
    assert json.loads(response.body)["error"]["code"] == "too_many_rows"


def test_an_error_is_json_also_for_a_client_of_csv(predictor: Predictor) -> None:
    response = ask(predictor, HEADER, accept="text/csv")
    assert (response.status, response.content_type) == (400, "application/json")
