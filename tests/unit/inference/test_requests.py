"""What a request may be, and what a client is told when it is something else."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from forecast_inference.requests.content import MAX_BODY_BYTES, MAX_ROWS

if TYPE_CHECKING:
    from collections.abc import Callable

    from forecast_inference.handler import Predictor

JSON = "application/json"


def ask(predictor: Predictor, *rows: dict[str, Any]) -> Any:
    return predictor.respond(json.dumps({"instances": rows}).encode(), JSON)


def error_of(response: Any) -> dict[str, Any]:
    assert response.content_type == JSON
    document = json.loads(response.body)
    assert list(document) == ["error"]
    error = document["error"]
    assert isinstance(error, dict)
    return error


def test_keys_may_come_in_any_order(predictor: Predictor, row: dict[str, Any]) -> None:
    turned = dict(reversed(row.items()))
    first, second = json.loads(ask(predictor, row, turned).body)["predictions"]
    assert first == second


def test_null_is_a_missing_value_where_the_schema_allows_it(
    predictor: Predictor, market_archive: Any, row: dict[str, Any]
) -> None:
    row.update(quantity=None, boxes=None)
    (answer,) = json.loads(ask(predictor, row).body)["predictions"]
    features = np.array([[1, 4, 3.0, np.nan, 40, np.nan, 1]])
    assert answer["price"] == float(market_archive.predict(features)[0][0])


@pytest.mark.parametrize(
    ("feature", "value", "code", "message"),
    [
        ("cost", True, "invalid_type", "expected a number, got a boolean"),
        ("cost", "3.0", "invalid_type", "expected a number, got a string"),
        ("cost", [3.0], "invalid_type", "expected a number, got a list"),
        ("cost", {"value": 3.0}, "invalid_type", "expected a number, got an object"),
        ("cost", None, "null_value", "expected a number, got null"),
        ("cost", 1e39, "out_of_range", "expected a number within ±3.402823e+38"),
        ("cost", -1e39, "out_of_range", "expected a number within ±3.402823e+38"),
        ("cost", 10**400, "out_of_range", "expected a number within ±3.402823e+38"),
        ("quantity", "", "invalid_type", "expected a number, got a string"),
        ("quantity", False, "invalid_type", "expected a number, got a boolean"),
        (
            "stock",
            2**53,
            "out_of_range",
            f"expected a whole number between {-(2**53) + 1} and {2**53 - 1}",
        ),
        (
            "stock",
            -(2**53),
            "out_of_range",
            f"expected a whole number between {-(2**53) + 1} and {2**53 - 1}",
        ),
        (
            "stock",
            2.0**63,
            "out_of_range",
            f"expected a whole number between {-(2**53) + 1} and {2**53 - 1}",
        ),
        (
            "stock",
            10**400,
            "out_of_range",
            f"expected a whole number between {-(2**53) + 1} and {2**53 - 1}",
        ),
        ("stock", 1.5, "not_integral", "expected a whole number, got a fraction"),
        ("stock", True, "invalid_type", "expected a whole number, got a boolean"),
        ("stock", "40", "invalid_type", "expected a whole number, got a string"),
        ("stock", None, "null_value", "expected a whole number, got null"),
        (
            "boxes",
            2**31,
            "out_of_range",
            "expected a whole number between -2147483648 and 2147483647",
        ),
        (
            "boxes",
            -(2**31) - 1,
            "out_of_range",
            "expected a whole number between -2147483648 and 2147483647",
        ),
        ("boxes", 0.25, "not_integral", "expected a whole number, got a fraction"),
        ("promoted", 1, "invalid_type", "expected a boolean, got a number"),
        ("promoted", "true", "invalid_type", "expected a boolean, got a string"),
        ("promoted", None, "null_value", "expected a boolean, got null"),
        ("item", "Leek", "unknown_category", "expected one of the 3 known categories"),
        ("item", "", "unknown_category", "expected one of the 3 known categories"),
        ("item", 102, "invalid_type", "expected a string, got a number"),
        ("item", None, "null_value", "expected a string, got null"),
        ("date", "2023-02-30", "invalid_date", "expected a date of the calendar as YYYY-MM-DD"),
        ("date", "2023-02-29", "invalid_date", "expected a date of the calendar as YYYY-MM-DD"),
        ("date", "0000-01-01", "invalid_date", "expected a date of the calendar as YYYY-MM-DD"),
        ("date", "20230630", "invalid_date", "expected a date of the calendar as YYYY-MM-DD"),
        ("date", "2023-W26-5", "invalid_date", "expected a date of the calendar as YYYY-MM-DD"),
        (
            "date",
            "2023-06-30T00:00",
            "invalid_date",
            "expected a date of the calendar as YYYY-MM-DD",
        ),
        ("date", " 2023-06-30", "invalid_date", "expected a date of the calendar as YYYY-MM-DD"),
        (
            "date",
            "\uff12\uff10\uff12\uff13-06-30",
            "invalid_date",
            "expected a date of the calendar as YYYY-MM-DD",
        ),
        ("date", "today", "invalid_date", "expected a date of the calendar as YYYY-MM-DD"),
        ("date", 20230630, "invalid_type", "expected a date as YYYY-MM-DD, got a number"),
        ("date", None, "null_value", "expected a date as YYYY-MM-DD, got null"),
    ],
)
def test_a_wrong_value_is_refused_by_feature_and_row(
    predictor: Predictor, row: dict[str, Any], *, feature: str, value: Any, code: str, message: str
) -> None:
    response = ask(predictor, row, row, {**row, feature: value}, {**row, feature: value})
    assert response.status == 400
    assert error_of(response) == {"code": code, "message": message, "row": 2, "feature": feature}


@pytest.mark.parametrize(
    ("feature", "value"),
    [
        ("cost", 3),
        ("cost", -3.4e38),
        ("cost", 0),
        ("stock", 40.0),
        ("stock", 2**53 - 1),
        ("stock", -(2**53) + 1),
        ("boxes", 2**31 - 1),
        ("boxes", None),
        ("promoted", False),
        ("date", "2024-02-29"),
        ("date", "9999-12-31"),
        ("date", "0001-01-01"),
        ("item", "kale"),
    ],
)
def test_a_value_at_the_edge_of_its_type_is_taken(
    predictor: Predictor, row: dict[str, Any], feature: str, value: Any
) -> None:
    response = ask(predictor, row, {**row, feature: value})
    assert response.status == 200, response.body


def test_the_first_wrong_value_in_the_order_of_rows_is_named(
    predictor: Predictor, row: dict[str, Any]
) -> None:
    response = ask(predictor, row, {**row, "promoted": 1}, {**row, "date": "never"})
    assert (error_of(response)["row"], error_of(response)["feature"]) == (1, "promoted")


@pytest.mark.parametrize("feature", ["date", "item", "quantity", "cost", "stock", "promoted"])
def test_a_missing_feature_is_named(
    predictor: Predictor, row: dict[str, Any], feature: str
) -> None:
    short = {key: value for key, value in row.items() if key != feature}
    assert error_of(ask(predictor, row, short)) == {
        "code": "missing_feature",
        "message": "the feature is missing, every row needs it",
        "row": 1,
        "feature": feature,
    }


def test_a_missing_feature_is_not_hidden_by_another_key(
    predictor: Predictor, row: dict[str, Any]
) -> None:
    row["Cost"] = row.pop("cost")
    assert error_of(ask(predictor, row))["feature"] == "cost"


def test_an_unexpected_key_is_named(predictor: Predictor, row: dict[str, Any]) -> None:
    error = error_of(ask(predictor, row, {**row, "price": 1.0}))
    assert (error["code"], error["row"], error["feature"]) == ("unexpected_key", 1, "price")


@pytest.mark.parametrize(
    ("key", "is_shown"),
    [
        ("Cost of 2 kg_v1.0-b", True),
        ("\u4ef7\u683c", True),
        ("x" * 64, True),
        ("x" * 65, False),
        ("a@b.example", False),
        ("<script>", False),
        ("two\nlines", False),
        ("\ud800", False),
    ],
)
def test_an_unexpected_key_is_repeated_only_when_it_looks_like_a_name(
    predictor: Predictor, row: dict[str, Any], key: str, *, is_shown: bool
) -> None:
    error = error_of(ask(predictor, {**row, key: 1.0}))
    assert error["code"] == "unexpected_key"
    assert error.get("feature") == (key if is_shown else None)
    body = json.dumps({"instances": [row], "parameters": {key: 1}})
    error = error_of(predictor.respond(body, "application/json"))
    assert error.get("feature") == (key if is_shown else None)


@pytest.mark.parametrize("codec", ["standard", "fast"])
@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("nullable", [False, True])
def test_a_text_without_categories_is_unicode_and_not_endless(
    contracts: Any, codec: str, count: int, *, nullable: bool
) -> None:
    text = {"name": "t", "type": "string", "nullable": nullable}
    schema = contracts.document([*contracts.numbers(["n"]), text])
    predictor = contracts.predictor(schema, codec=codec)

    def sent(value: str) -> Any:
        rows = [{"n": 1.0, "t": "fine"}] * (count - 1) + [{"n": 1.0, "t": value}]
        return predictor.respond(json.dumps({"instances": rows}).encode(), "application/json")

    for wrong in ("\ud800", "x" * 10_001):
        error = error_of(sent(wrong))
        assert (error["code"], error["row"], error["feature"]) == ("invalid_value", count - 1, "t")
        assert sent(wrong).status == 400
    for right in ("\U0001f96c", "x" * 10_000):
        assert sent(right).status == 200
    table = "n,t\n" + "1,fine\n" * (count - 1) + "1," + "x" * 10_001
    assert error_of(predictor.respond(table, "text/csv"))["code"] == "invalid_value"


def test_a_derived_feature_cannot_be_sent(predictor: Predictor, row: dict[str, Any]) -> None:
    assert error_of(ask(predictor, {**row, "weekday": 4}))["code"] == "unexpected_key"


@pytest.mark.parametrize("value", ["7", 7, None, [1], True])
def test_a_row_that_is_no_object_is_refused(
    predictor: Predictor, row: dict[str, Any], value: Any
) -> None:
    response = ask(predictor, row, value)
    assert (response.status, error_of(response)["code"]) == (400, "invalid_row")
    assert error_of(response)["row"] == 1


def _with_row(text: str) -> Callable[[dict[str, Any]], bytes]:
    return lambda row: text.replace("ROW", json.dumps(row)).encode()


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "empty_body"),
        (b"{", 400, "invalid_json"),
        (b"instances", 400, "invalid_json"),
        (b"null", 400, "invalid_body"),
        (b"[]", 400, "invalid_body"),
        (b'"instances"', 400, "invalid_body"),
        (b"{}", 400, "missing_instances"),
        (b'{"Instances": []}', 400, "missing_instances"),
        (b'{"instances": []}', 400, "no_instances"),
        (b'{"instances": {}}', 400, "invalid_body"),
        (b'{"instances": null}', 400, "invalid_body"),
        (b'{"instances": [[]]}', 400, "invalid_row"),
        (b'{"instances": [{}]}', 400, "missing_feature"),
        ("\ufeff".encode(), 400, "empty_body"),
        (_with_row('\ufeff\ufeff{"instances": [ROW]}'), 400, "invalid_json"),
        (b'\xff\xfe{"instances": []}', 400, "invalid_encoding"),
        ('{"instances": []}'.encode("utf-16"), 400, "invalid_encoding"),
        (b"[" * 50_000, 400, "invalid_json"),
        (b"[" * 200_000, 413, "too_many_values"),
        (b'{"instances":' + b"[" * 20_000 + b"]" * 20_000 + b"}", 400, "invalid_json"),
        (b'{"instances":' + b"[" * 200_000 + b"]" * 200_000 + b"}", 413, "too_many_values"),
        (b'{"instances": [' + b"9" * 5000 + b"]}", 400, "invalid_json"),
        (b'{"instances": [{"cost": NaN}]}', 400, "invalid_json"),
        (b'{"instances": [{"cost": -Infinity}]}', 400, "invalid_json"),
        (_with_row('{"instances": [ROW], "parameter": {}}'), 400, "unexpected_key"),
        (_with_row('{"instances": [ROW], "instances": [ROW]}'), 400, "duplicate_key"),
        (_with_row('{"instances": [ROW]}, '), 400, "invalid_json"),
        (b" " * (MAX_BODY_BYTES + 1), 413, "payload_too_large"),
        (b'{"instances": [' + b"0," * MAX_ROWS + b"0]}", 413, "too_many_rows"),
    ],
)
def test_a_wrong_body_is_refused(
    predictor: Predictor, row: dict[str, Any], body: Any, status: int, code: str
) -> None:
    response = predictor.respond(body if isinstance(body, bytes) else body(row), JSON)
    assert (response.status, error_of(response)["code"]) == (status, code)


def test_a_number_beyond_the_range_of_floats_is_refused(
    predictor: Predictor, row: dict[str, Any]
) -> None:
    text = json.dumps({"instances": [row]}).replace('"cost": 3.0', '"cost": 1e999')
    assert error_of(predictor.respond(text.encode(), JSON))["code"] == "out_of_range"


def test_a_repeated_key_is_named_with_its_row(predictor: Predictor, row: dict[str, Any]) -> None:
    good = json.dumps(row)
    repeated = good.replace('"cost": 3.0', '"cost": 3.0, "cost": 4.0')
    response = predictor.respond(f'{{"instances": [{good}, {repeated}]}}'.encode(), JSON)
    assert error_of(response) == {
        "code": "duplicate_key",
        "message": "the row repeats a key",
        "row": 1,
        "feature": "cost",
    }


def test_a_repeated_key_does_not_hide_behind_an_escaped_one(
    predictor: Predictor, row: dict[str, Any]
) -> None:
    text = json.dumps({"instances": [row]}).replace('"cost": 3.0', '"cost": 3.0, "c\\u006fst": 4.0')
    assert error_of(predictor.respond(text.encode(), JSON))["code"] == "duplicate_key"


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/x-npy",
        "application/json2",
        "application/octet-stream",
        "application/json; charset=latin-1",
        "text/csv; charset=utf-16",
        "json",
        ";",
    ],
)
def test_another_content_type_is_refused(
    predictor: Predictor, row: dict[str, Any], content_type: str
) -> None:
    body = json.dumps({"instances": [row]}).encode()
    response = predictor.respond(body, content_type)
    assert response.status == 415
    assert error_of(response)["code"] in {"unsupported_content_type", "unsupported_charset"}


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "",
        JSON,
        "Application/JSON",
        "application/json; charset=UTF-8",
        'application/json;charset="utf8"',
    ],
)
def test_json_is_the_default_and_may_name_its_charset(
    predictor: Predictor, row: dict[str, Any], content_type: str | None
) -> None:
    body = json.dumps({"instances": [row]}).encode()
    assert predictor.respond(body, content_type).status == 200


def test_text_decoded_by_the_server_is_taken_unless_it_was_not_utf8(
    predictor: Predictor, row: dict[str, Any]
) -> None:
    body = json.dumps({"instances": [row]})
    assert predictor.respond(body, JSON).status == 200
    replaced = predictor.respond(body.replace("leek", "l\ufffdek"), JSON)
    assert error_of(replaced)["code"] == "invalid_encoding"
    surrogate = predictor.respond(body.replace("leek", "l\ud800ek"), JSON)
    assert error_of(surrogate)["code"] == "unknown_category"


def test_a_byte_order_mark_is_no_part_of_the_body(
    predictor: Predictor, row: dict[str, Any]
) -> None:
    text = "\ufeff" + json.dumps({"instances": [row]})
    assert predictor.respond(text.encode(), JSON).status == 200
    assert predictor.respond(text, JSON).status == 200


def test_an_error_holds_nothing_of_the_payload(
    predictor: Predictor, row: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    private = "s3cr3t-4711"
    bodies = [{**row, name: private} for name in row] + [{**row, "cost": [private]}, private]
    for body in bodies:
        response = ask(predictor, body)
        assert response.status == 400
        assert private.encode() not in response.body
    assert private not in caplog.text


def test_a_model_that_fails_tells_the_log_and_not_the_client(
    predictor: Predictor,
    row: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(_: Any) -> Any:
        raise ValueError("the inside of the model")

    monkeypatch.setattr(predictor, "_predict", fail)
    with caplog.at_level(logging.ERROR):
        response = ask(predictor, row)
    assert response.status == 500
    assert error_of(response) == {
        "code": "prediction_failed",
        "message": "the model failed on a valid request",
    }
    assert "the inside of the model" in caplog.text
    assert "Traceback" in caplog.text


def test_a_defect_of_the_runtime_is_no_traceback_for_the_client(
    predictor: Predictor, row: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(predictor, "_reader", None)
    response = ask(predictor, row)
    assert response.status == 500
    assert error_of(response) == {"code": "internal_error", "message": "the request failed"}
