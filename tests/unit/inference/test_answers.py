"""What a client gets for a request that is as it should be."""

from __future__ import annotations

import csv
import io
import json
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

if TYPE_CHECKING:
    from forecast_inference.handler import Predictor

JSON = "application/json"


def ask(predictor: Predictor, *rows: dict[str, Any], accept: str | None = None) -> Any:
    return predictor.respond(json.dumps({"instances": rows}).encode(), JSON, accept)


def test_the_answer_has_the_shape_of_the_contract(
    predictor: Predictor, market_archive: Any, row: dict[str, Any]
) -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    response = ask(predictor, row)
    assert (response.status, response.content_type) == (200, JSON)
    (answer,) = json.loads(response.body)["predictions"]
    timestamp = answer.pop("prediction_timestamp")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", timestamp)
    assert before <= datetime.fromisoformat(timestamp) <= datetime.now(UTC)
    # item_index of leek, Friday, cost, quantity, stock, boxes, promoted
    price, demand = market_archive.predict(np.array([[1, 4, 3.0, 12.5, 40, 2, 1]]))[0].tolist()
    assert answer == {
        "price": price,
        "demand": demand,
        "confidence_interval": {
            "level": 0.9,
            "price": [price * 0.8, price * 1.25],
            "demand": [demand - 5.0, demand + 9.5],
        },
        "model_version": "7",
    }


def test_the_answer_as_csv_has_one_flat_line_per_row(
    predictor: Predictor, row: dict[str, Any]
) -> None:
    other = {**row, "item": "yam", "cost": 9.0}
    as_json = json.loads(ask(predictor, row, other).body)["predictions"]
    response = ask(predictor, row, other, accept="text/csv")
    assert response.content_type == "text/csv"
    rows = list(csv.DictReader(io.StringIO(response.body.decode())))
    assert list(rows[0]) == [
        "price",
        "price_lower",
        "price_upper",
        "demand",
        "demand_lower",
        "demand_upper",
        "confidence_level",
        "model_version",
        "prediction_timestamp",
    ]
    for line, answer in zip(rows, as_json, strict=True):
        assert float(line["price"]) == answer["price"]
        assert float(line["demand"]) == answer["demand"]
        interval = answer["confidence_interval"]
        assert [float(line["price_lower"]), float(line["price_upper"])] == interval["price"]
        assert [float(line["demand_lower"]), float(line["demand_upper"])] == interval["demand"]
        assert line["confidence_level"] == "0.9"
        assert line["model_version"] == "7"


def test_the_answer_as_json_lines_has_one_prediction_per_line(
    predictor: Predictor, row: dict[str, Any]
) -> None:
    as_json = json.loads(ask(predictor, row, row).body)["predictions"]
    response = ask(predictor, row, row, accept="application/jsonlines")
    assert response.content_type == "application/jsonlines"
    found = [json.loads(line) for line in response.body.splitlines()]
    for answer in (*found, *as_json):
        del answer["prediction_timestamp"]
    assert found == as_json


@pytest.mark.parametrize("raw", [[[np.nan, 1.0]], [[np.inf, 1.0]], [[1.0]], [[1.0, 2.0]] * 2])
def test_an_answer_that_is_no_forecast_never_leaves(
    predictor: Predictor, row: dict[str, Any], monkeypatch: pytest.MonkeyPatch, raw: Any
) -> None:
    monkeypatch.setattr(predictor, "_predict", lambda _: np.array(raw))
    response = ask(predictor, row)
    assert response.status == 500
    assert json.loads(response.body)["error"]["code"] == "prediction_failed"
