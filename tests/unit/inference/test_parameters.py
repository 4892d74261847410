"""What a request asks for beside its rows: levels of intervals, and several steps of a row."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from forecast_inference.requests.content import MAX_ROWS

JSON = "application/json"
INPUTS = [
    {"name": "date", "type": "date", "nullable": False},
    {"name": "item", "type": "string", "nullable": False, "categories": ["yam", "leek"]},
    {"name": "cost", "type": "double", "nullable": False},
    {"name": "last_total", "type": "double", "nullable": False},
]
INTERVALS = {
    "default_level": 0.9,
    "outputs": {
        "total": {"kind": "absolute", "offsets": {"0.8": [-1.0, 1.0], "0.9": [-2.0, 2.0]}},
    },
}
HORIZON = {"date_input": "date", "step": "day", "maximum": 30, "carry": {"last_total": "total"}}
ROW = {"date": "2023-12-30", "item": "leek", "cost": 0.5, "last_total": 10.0}


def make(contracts: Any, *, codec: str = "standard", **changes: Any) -> tuple[Any, Any]:
    model = contracts.Model()
    parts = {"intervals": INTERVALS, "horizon": HORIZON, **changes}
    document = contracts.document(INPUTS, **parts)
    return contracts.predictor(document, codec=codec, predict=model), model


def ask(predictor: Any, rows: list[Any], **parameters: Any) -> Any:
    body = {"instances": rows, "parameters": parameters}
    return predictor.respond(json.dumps(body).encode(), JSON)


def predictions(response: Any) -> list[dict[str, Any]]:
    assert response.status == 200, response.body
    found: list[dict[str, Any]] = json.loads(response.body)["predictions"]
    return found


@pytest.mark.parametrize("codec", ["standard", "fast"])
@pytest.mark.parametrize("rows", [[ROW], [ROW, ROW]])
def test_intervals_come_at_the_levels_asked_for(
    contracts: Any, codec: str, rows: list[Any]
) -> None:
    predictor, _ = make(contracts, codec=codec)
    for levels in ([0.8], [0.8, 0.9], [0.9, 0.8]):
        for answer in predictions(ask(predictor, rows, levels=levels)):
            found = [interval["level"] for interval in answer["confidence_intervals"]]
            assert found == levels
            assert "confidence_interval" not in answer
    assert predictions(ask(predictor, rows))[0]["confidence_interval"]["level"] == 0.9


@pytest.mark.parametrize("codec", ["standard", "fast"])
@pytest.mark.parametrize(
    ("parameters", "code", "feature"),
    [
        ({"levels": [0.95]}, "unknown_level", "levels"),
        ({"levels": [0.8, 2]}, "unknown_level", "levels"),
        ({"levels": []}, "invalid_parameter", "levels"),
        ({"levels": 0.9}, "invalid_parameter", "levels"),
        ({"levels": ["0.9"]}, "invalid_parameter", "levels"),
        ({"levels": [True]}, "invalid_parameter", "levels"),
        ({"levels": [0.9, 0.9]}, "invalid_parameter", "levels"),
        ({"horizon": 0}, "invalid_parameter", "horizon"),
        ({"horizon": 31}, "invalid_parameter", "horizon"),
        ({"horizon": 1.5}, "invalid_parameter", "horizon"),
        ({"horizon": True}, "invalid_parameter", "horizon"),
        ({"horizon": 10**400}, "invalid_parameter", "horizon"),
        ({"level": [0.9]}, "unexpected_parameter", "level"),
    ],
)
def test_a_wrong_parameter_is_refused_by_name(
    contracts: Any, parameters: dict[str, Any], code: str, feature: str, codec: str
) -> None:
    predictor, _ = make(contracts, codec=codec)
    response = ask(predictor, [ROW], **parameters)
    error = json.loads(response.body)["error"]
    assert (response.status, error["code"], error["feature"]) == (400, code, feature)
    assert predictions(ask(predictor, [ROW]))


@pytest.mark.parametrize("parameters", [[], "levels", None, 7])
def test_parameters_are_an_object(contracts: Any, parameters: Any) -> None:
    predictor, _ = make(contracts)
    body = json.dumps({"instances": [ROW], "parameters": parameters})
    error = json.loads(predictor.respond(body, JSON).body)["error"]
    assert (error["code"], error["feature"]) == ("invalid_parameter", "parameters")


def test_a_model_without_intervals_or_horizon_says_so(contracts: Any) -> None:
    predictor, _ = make(contracts, intervals=None, horizon=None)
    for parameters in ({"levels": [0.9]}, {"horizon": 2}):
        response = ask(predictor, [ROW], **parameters)
        assert response.status == 400
        assert b"the model" in response.body


def test_a_row_is_continued_and_each_step_takes_the_one_before(contracts: Any) -> None:
    predictor, model = make(contracts)
    rows = [ROW, {**ROW, "item": "yam", "cost": [1.0, 2.0, 3.0], "last_total": 20}]
    answers = predictions(ask(predictor, rows, horizon=3))
    assert [(answer["row"], answer["date"]) for answer in answers] == [
        (0, "2023-12-30"), (0, "2023-12-31"), (0, "2024-01-01"),
        (1, "2023-12-30"), (1, "2023-12-31"), (1, "2024-01-01"),
    ]  # fmt: skip
    totals = [answer["total"] for answer in answers]
    first, second, third = model.seen
    # day of the year, item, cost, last total
    assert first.tolist() == [[364, 1, 0.5, 10.0], [364, 0, 1.0, 20.0]]
    assert second.tolist() == [[365, 1, 0.5, totals[0]], [365, 0, 2.0, totals[3]]]
    assert third.tolist() == [[1, 1, 0.5, totals[1]], [1, 0, 3.0, totals[4]]]


def test_steps_that_carry_nothing_are_predicted_at_once(contracts: Any) -> None:
    predictor, model = make(contracts, horizon={"date_input": "date", "maximum": 5, "step": "week"})
    (answer,) = predictions(ask(predictor, [ROW], horizon=1))
    assert (answer["row"], answer["date"]) == (0, "2023-12-30")
    answers = predictions(ask(predictor, [{**ROW, "last_total": [1, 2]}, ROW], horizon=2))
    assert [answer["date"] for answer in answers] == ["2023-12-30", "2024-01-06"] * 2
    assert len(model.seen) == 2
    assert np.array(model.seen[1])[:, [0, 3]].tolist() == [[364, 1], [6, 2], [364, 10], [6, 10]]


def test_several_steps_and_levels_come_together(contracts: Any) -> None:
    predictor, _ = make(contracts)
    answers = predictions(ask(predictor, [ROW], horizon=2, levels=[0.8]))
    assert [len(answer["confidence_intervals"]) for answer in answers] == [1, 1]
    body = {"columns": list(ROW), "data": [list(ROW.values())], "parameters": {"horizon": 2}}
    response = predictor.respond(json.dumps(body), JSON, "text/csv")
    assert response.body.decode().splitlines()[0].startswith("row,date,total,")
    assert len(response.body.decode().splitlines()) == 3


@pytest.mark.parametrize(
    ("changes", "code", "feature"),
    [
        ({"cost": [1.0, 2.0]}, "invalid_steps", "cost"),
        ({"cost": []}, "invalid_steps", "cost"),
        ({"cost": [1.0, None, 3.0]}, "null_value", "cost"),
        ({"cost": [1.0, "2", 3.0]}, "invalid_type", "cost"),
        ({"cost": [1.0, [2.0], 3.0]}, "invalid_type", "cost"),
        ({"item": ["leek", "leek", "turnip"]}, "unknown_category", "item"),
        ({"last_total": [1.0, 2.0, 3.0]}, "invalid_type", "last_total"),
        ({"date": ["2023-12-30", "2023-12-31", "2024-01-01"]}, "invalid_type", "date"),
        ({"date": "2023-12-32"}, "invalid_date", "date"),
        ({"date": "9999-12-30"}, "invalid_date", "date"),
        ({"date": None}, "null_value", "date"),
    ],
)
@pytest.mark.parametrize("reports", [False, True])
def test_a_row_that_cannot_be_continued_is_refused(
    contracts: Any, *, changes: dict[str, Any], code: str, feature: str, reports: bool
) -> None:
    row_errors = "report_rows" if reports else "refuse_request"
    predictor, model = make(contracts, row_errors=row_errors)
    response = ask(predictor, [ROW, {**ROW, **changes}, {**ROW, "cost": 7.5}], horizon=3)
    if not reports:
        error = json.loads(response.body)["error"]
        assert (response.status, error["code"]) == (400, code)
        assert (error["row"], error["feature"]) == (1, feature)
        return
    answers = predictions(response)
    assert [answer["error"]["code"] for answer in answers[3:6]] == [code] * 3
    assert [answer["row"] for answer in answers[:3] + answers[6:]] == [0, 0, 0, 2, 2, 2]
    assert [features[:, 2].tolist() for features in model.seen] == [[0.5, 7.5]] * 3


def test_a_list_is_no_value_without_a_horizon(contracts: Any) -> None:
    predictor, _ = make(contracts)
    error = json.loads(ask(predictor, [{**ROW, "cost": [1.0]}]).body)["error"]
    assert (error["code"], error["feature"]) == ("invalid_type", "cost")


def test_the_limit_of_rows_holds_for_their_steps(contracts: Any) -> None:
    predictor, _ = make(contracts)
    count = MAX_ROWS // 30 + 1
    response = ask(predictor, [ROW] * count, horizon=30)
    error = json.loads(response.body)["error"]
    assert (response.status, error["code"]) == (413, "too_many_rows")
    assert str(MAX_ROWS) in error["message"]


@pytest.mark.parametrize("codec", ["standard", "fast"])
@pytest.mark.parametrize(
    ("policy", "taken", "adjusted"),
    [("accept", [10, 375, 740], None), ("clip", [10, 50, 50], "clipped"),
     ("impute", [10, 7, 7], "imputed")],
)  # fmt: skip
def test_the_policy_of_a_range_applies_to_values_carried(
    contracts: Any, codec: str, policy: str, taken: list[float], adjusted: str | None
) -> None:
    last = {
        **INPUTS[3], "range": {"minimum": 0, "maximum": 50}, "out_of_range": policy, "impute": 7,
    }  # fmt: skip
    model, seen = contracts.Model(), []
    document = contracts.document([*INPUTS[:3], last], horizon=HORIZON)
    recorder = SimpleNamespace(record=seen.append)
    predictor = contracts.predictor(document, codec=codec, predict=model, recorder=recorder)
    answers = predictions(ask(predictor, [{**ROW, "date": "2023-12-29"}], horizon=3))
    got = [float(step[0, 3]) for step in model.seen]
    if policy == "accept":
        assert got == [10.0, answers[0]["total"], answers[1]["total"]]
    else:
        assert got == taken
    assert seen[-1].out_of_range == {"last_total": 2}
    for answer in answers:
        change = {"feature": "last_total", "action": adjusted}
        assert answer.get("adjusted") == (None if adjusted is None else [change])


def test_a_value_sent_for_an_input_carried_counts_once(contracts: Any) -> None:
    last = {**INPUTS[3], "range": {"maximum": 1e6}}
    seen: list[Any] = []
    predictor = contracts.predictor(
        contracts.document([*INPUTS[:3], last], horizon=HORIZON),
        predict=lambda features: np.ones((len(features), 2)),
        recorder=SimpleNamespace(record=seen.append),
    )
    predictions(ask(predictor, [{**ROW, "last_total": 1e7}], horizon=4))
    assert seen[-1].out_of_range == {"last_total": 1}
