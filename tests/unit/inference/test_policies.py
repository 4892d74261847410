"""Tolerance is declared per input, counted and reported; wrong rows may be told apart."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from forecast_inference.telemetry.observation import Observation

JSON = "application/json"
FEATURES = ["item_index", "seen", "cost", "stock", "boxes", "promoted"]


class Recorder:
    """Keeps what it is given."""

    def __init__(self) -> None:
        self.observations: list[Observation] = []

    def record(self, observation: Observation) -> None:
        """Keep one observation."""
        self.observations.append(observation)


@pytest.fixture(params=["standard", "fast"])
def tolerant(request: pytest.FixtureRequest, contracts: Any) -> Any:
    """A predictor of the tolerant contract, its model and its recorder."""
    model, recorder = contracts.Model(), Recorder()
    predictor = contracts.predictor(
        contracts.document(contracts.TOLERANT),
        codec=request.param,
        predict=model,
        recorder=recorder,
    )
    return predictor, model, recorder


@pytest.fixture
def good(contracts: Any) -> dict[str, Any]:
    """A row with nothing to adjust."""
    return dict(contracts.TOLERANT_ROW)


def ask(predictor: Any, *rows: Any) -> Any:
    return predictor.respond(json.dumps({"instances": rows}).encode(), JSON)


CASES: list[tuple[str, Any, float, str | None, bool]] = [
    ("date", None, 60, "imputed", False),
    ("item", None, 2, "imputed", False),
    ("item", "turnip", 2, "imputed", False),
    ("item", "Leek", 2, "imputed", False),
    ("seen", None, math.nan, None, False),
    ("seen", 10.5, 10.5, None, True),
    ("seen", -0.5, -0.5, None, True),
    ("seen", 10.0, 10.0, None, False),
    ("cost", None, 4.25, "imputed", False),
    ("cost", 80.5, 80.0, "clipped", True),
    ("cost", 0, 0.5, "clipped", True),
    ("cost", 80, 80.0, None, False),
    ("stock", -1, 7, "imputed", True),
    ("stock", -1.0, 7, "imputed", True),
    ("stock", 0, 0, None, False),
    ("promoted", None, 1, "imputed", False),
]


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize(("feature", "value", "used", "action", "outside"), CASES)
def test_a_value_is_taken_clipped_or_imputed_and_reported(
    tolerant: Any,
    good: dict[str, Any],
    *,
    feature: str,
    value: Any,
    used: float,
    action: str | None,
    outside: bool,
    count: int,
) -> None:
    predictor, model, recorder = tolerant
    rows = [good] * (count - 1) + [{**good, feature: value}]
    response = ask(predictor, *rows)
    assert response.status == 200, response.body
    names = ["date_day", *FEATURES]
    seen = model.seen[-1][-1].tolist()
    place = {"date": 0, "item": 1}.get(feature, names.index(feature) if feature in names else 0)
    assert seen[place] == pytest.approx(used, nan_ok=True)
    answers = json.loads(response.body)["predictions"]
    reported = [{"feature": feature, "action": action}] if action else None
    assert [answer.get("adjusted") for answer in answers] == [*[None] * (count - 1), reported]
    (observation,) = recorder.observations
    assert observation.out_of_range == ({feature: 1} if outside else None)
    assert observation.clipped == ({feature: 1} if action == "clipped" else None)
    assert observation.imputed == ({feature: 1} if action == "imputed" else None)


@pytest.mark.parametrize("count", [1, 3])
def test_a_key_may_be_absent_where_a_missing_value_is_imputed(
    tolerant: Any, good: dict[str, Any], count: int
) -> None:
    predictor, model, _ = tolerant
    short = {key: good[key] for key in ("seen", "stock", "boxes")}
    response = ask(predictor, *[good] * (count - 1), short)
    assert response.status == 200, response.body
    assert model.seen[-1][-1].tolist() == [60, 2, 3.5, 4.25, 40, 2, 1]
    assert json.loads(response.body)["predictions"][-1]["adjusted"] == [
        {"feature": name, "action": "imputed"} for name in ("date", "item", "cost", "promoted")
    ]


@pytest.mark.parametrize("header", ["seen,stock,boxes", "date,item,seen,cost,stock,boxes,promoted"])
def test_a_column_or_a_cell_may_be_absent_in_csv(tolerant: Any, header: str) -> None:
    predictor, model, _ = tolerant
    line = "3.5,40,2" if header.startswith("seen") else ",,3.5,,40,2,"
    response = predictor.respond(f"{header}\n{line}\n{line}", "text/csv")
    assert response.status == 200, response.body
    assert model.seen[-1].tolist() == [[60, 2, 3.5, 4.25, 40, 2, 1]] * 2


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize(
    ("feature", "value", "code", "message"),
    [
        ("boxes", 101, "out_of_range", "expected a number of at most 100"),
        ("boxes", None, "null_value", "expected a whole number, got null"),
        ("stock", None, "null_value", "expected a whole number, got null"),
        ("cost", "3", "invalid_type", "expected a number, got a string"),
        ("cost", True, "invalid_type", "expected a number, got a boolean"),
        ("cost", 1e39, "out_of_range", "expected a number within ±3.402823e+38"),
        ("stock", -(2**53), "out_of_range", "expected a whole number between"),
        ("item", 3, "invalid_type", "expected a string, got a number"),
        ("date", "2023-02-30", "invalid_date", "expected a date of the calendar"),
    ],
)
def test_tolerance_ends_where_no_policy_says_otherwise(
    tolerant: Any,
    good: dict[str, Any],
    *,
    feature: str,
    value: Any,
    code: str,
    message: str,
    count: int,
) -> None:
    predictor, _, recorder = tolerant
    response = ask(predictor, *[good] * (count - 1), {**good, feature: value})
    assert response.status == 400
    error = json.loads(response.body)["error"]
    assert (error["code"], error["feature"], error["row"]) == (code, feature, count - 1)
    assert error["message"].startswith(message)
    assert recorder.observations[-1].code == code


def test_changes_of_a_row_are_reported_in_the_order_of_the_inputs(
    tolerant: Any, good: dict[str, Any]
) -> None:
    predictor, _, recorder = tolerant
    wrong = {**good, "stock": -3, "cost": 99.0, "item": "?", "seen": 11}
    expected = [
        {"feature": "item", "action": "imputed"},
        {"feature": "cost", "action": "clipped"},
        {"feature": "stock", "action": "imputed"},
    ]
    for rows in ([wrong], [good, wrong]):
        answer = json.loads(ask(predictor, *rows).body)["predictions"][-1]
        assert answer["adjusted"] == expected
        observation = recorder.observations[-1]
        assert observation.out_of_range == {"seen": 1, "cost": 1, "stock": 1}
        assert observation.imputed == {"item": 1, "stock": 1}


@pytest.fixture(params=["standard", "fast"])
def reporting(request: pytest.FixtureRequest, contracts: Any) -> Any:
    """A predictor that tells of wrong rows one by one, and its model."""
    model, recorder = contracts.Model(), Recorder()
    document = contracts.document(contracts.TOLERANT, row_errors="report_rows")
    predictor = contracts.predictor(document, codec=request.param, predict=model, recorder=recorder)
    return predictor, model, recorder


def test_wrong_rows_are_answered_with_their_errors(reporting: Any, good: dict[str, Any]) -> None:
    predictor, model, recorder = reporting
    rows: list[Any] = [
        good,
        {**good, "boxes": 101},
        {**good, "price": 1},
        {key: value for key, value in good.items() if key != "boxes"},
        "row",
        [1],
        {**good, "cost": 99.0},
        {**good, "date": "yesterday", "cost": "?"},
    ]
    response = ask(predictor, *rows)
    assert response.status == 200, response.body
    answers = json.loads(response.body)["predictions"]
    errors = [answer.get("error") for answer in answers]
    assert [error and (error["code"], error["row"], error.get("feature")) for error in errors] == [
        None,
        ("out_of_range", 1, "boxes"),
        ("unexpected_key", 2, "price"),
        ("missing_feature", 3, "boxes"),
        ("invalid_row", 4, None),
        ("invalid_row", 5, None),
        None,
        ("invalid_date", 7, "date"),
    ]
    assert model.seen[-1].tolist()[1] == [181, 1, 3.5, 80.0, 40, 2, 0]
    assert answers[6]["adjusted"] == [{"feature": "cost", "action": "clipped"}]
    assert answers[0]["total"] != answers[6]["total"]
    assert (recorder.observations[-1].rows, recorder.observations[-1].refused_rows) == (8, 6)


@pytest.mark.parametrize("count", [1, 3])
def test_a_request_without_a_right_row_is_refused(
    reporting: Any, good: dict[str, Any], count: int
) -> None:
    predictor, _, _ = reporting
    for wrong in ({**good, "boxes": "?"}, {}, 7):
        response = ask(predictor, *[wrong] * count)
        assert response.status == 400
        assert json.loads(response.body)["error"]["row"] == 0


def test_wrong_lines_and_cells_are_told_apart_too(reporting: Any, good: dict[str, Any]) -> None:
    predictor, _, _ = reporting
    text = json.dumps(good)
    lines = predictor.respond(f"{text}\n{{\n{text}", "application/jsonlines")
    table = "seen,stock,boxes\n1,2,3\n1,2\n1,2,?\n4,5,6"
    cells = predictor.respond(table, "text/csv")
    for response, codes in (
        (lines, [None, "invalid_json", None]),
        (cells, [None, "invalid_row", "invalid_type", None]),
    ):
        assert response.status == 200, response.body
        answers = json.loads(response.body)["predictions"]
        assert [answer.get("error", {}).get("code") for answer in answers] == codes
    repeated = text.replace('"cost": 3.0', '"cost": 3.0, "cost": 3.0')
    response = predictor.respond(f'{{"instances": [{text}, {repeated}]}}', JSON)
    assert [*json.loads(response.body)["predictions"][1]] == ["error"]


def test_what_is_wrong_with_the_whole_body_refuses_it(reporting: Any, good: dict[str, Any]) -> None:
    predictor, _, _ = reporting
    for body in ("{", json.dumps({"instances": [good], "rows": 1}), '{"instances": []}'):
        assert predictor.respond(body, JSON).status == 400


def test_a_recorder_that_fails_costs_nobody_an_answer(
    contracts: Any, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken:
        def record(self, _: Any) -> None:
            raise OSError("no space left")

    predictor = contracts.predictor(contracts.document(contracts.numbers(["a"])), recorder=Broken())
    assert ask(predictor, {"a": 1.0}).status == 200
    assert "the request was not recorded" in caplog.text


def test_an_observation_names_stages_and_the_request(tolerant: Any, good: dict[str, Any]) -> None:
    predictor, _, recorder = tolerant
    body = json.dumps({"instances": [good]})
    predictor.respond(body, JSON, request_id="abc")
    predictor.respond("{", JSON, request_id="def")
    right, wrong = recorder.observations
    assert (right.status, right.code, right.rows, right.request_id) == (200, "ok", 1, "abc")
    assert len(right.stages_ns) == 5
    assert all(nanoseconds > 0 for nanoseconds in right.stages_ns)
    assert (wrong.status, wrong.code, wrong.rows, wrong.request_id) == (
        400,
        "invalid_json",
        0,
        "def",
    )
    assert wrong.stages_ns == (0, 0, 0, 0, 0)


@pytest.mark.parametrize("codec", ["standard", "fast"])
@pytest.mark.parametrize("beside", [None, 1.0, 1, 2**53 - 2])
def test_a_long_is_exact_or_refused_whatever_the_other_rows_hold(
    contracts: Any, codec: str, beside: float | None
) -> None:
    model = contracts.Model()
    item = {"name": "id", "type": "long", "nullable": False, "missing": "impute", "impute": 3}
    limits = {"range": {"maximum": 2**53 - 2}, "out_of_range": "clip"}
    schema = contracts.document([{**item, **limits}])
    predictor = contracts.predictor(schema, codec=codec, predict=model)
    for value, expected in ((2**53 - 1, 2**53 - 2), (2**53 - 3, 2**53 - 3), (1 - 2**53,) * 2):
        for rows in ([{"id": value}], [{"id": value}, {"id": beside}]):
            assert ask(predictor, *rows).status == 200
            assert int(model.seen[-1][0, 0]) == expected
    for value in (2**63 - 1, 2**53, 2.0**53, -(2**53)):
        for rows in ([{"id": value}], [{"id": value}, {"id": beside}]):
            error = json.loads(ask(predictor, *rows).body)["error"]
            assert (error["code"], error["row"]) == ("out_of_range", 0)
