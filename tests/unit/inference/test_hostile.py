"""Whatever is wrong with a body is a short 4xx in bounded memory, and the next request is answered.

Each hostile body is followed by a good one, whose answer must be the right one. What random search
finds is in ``test_fuzz``; for a longer search:
``python -m pytest -n0 tests/unit/inference/test_fuzz.py --hypothesis-profile long``.
"""

from __future__ import annotations

import json
import tracemalloc
from typing import TYPE_CHECKING, Any

import pytest

from forecast_inference.requests.content import MAX_BODY_BYTES, MAX_ROWS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

JSON = "application/json"
LINES = "application/jsonlines"
CSV = "text/csv"
INPUTS = [
    {"name": "date", "type": "date", "nullable": False},
    {"name": "moment", "type": "datetime", "nullable": True},
    {"name": "item", "type": "string", "nullable": False, "categories": ["yam", "leek"]},
    {"name": "cost", "type": "double", "nullable": False},
    {"name": "stock", "type": "long", "nullable": False},
    {"name": "promoted", "type": "boolean", "nullable": False},
]
ROW = {
    "date": "2024-02-29",
    "moment": "2024-02-29T23:59:59Z",
    "item": "leek",
    "cost": 2.5,
    "stock": 3,
    "promoted": True,
}
GOOD = json.dumps({"instances": [ROW]})
CSV_HEADER = ",".join(ROW)
CSV_LINE = "2024-02-29,,leek,2.5,3,true"
MEMORY_LIMIT = 20 * MAX_BODY_BYTES
"""Bytes that no body may make the predictor allocate: its text, its values and its blocks."""


@pytest.fixture(scope="module", params=["standard", "fast"])
def predictor(request: pytest.FixtureRequest, contracts: Any) -> Any:
    """A predictor of inputs of every type."""
    return contracts.predictor(contracts.document(INPUTS), codec=request.param)


@pytest.fixture
def refuse(predictor: Any) -> Iterator[Callable[..., dict[str, Any]]]:
    """Sends a body that must be refused, and gives the error; then sends a good one."""

    def send(body: bytes | str, content_type: str = JSON, **options: Any) -> dict[str, Any]:
        payload = body.encode() if isinstance(body, str) else body
        response = predictor.respond(payload, content_type, **options)
        assert 400 <= response.status < 500, response
        assert response.content_type == JSON
        assert len(response.body) < 400
        document = json.loads(response.body)
        assert list(document) == ["error"]
        error: dict[str, Any] = document["error"]
        assert {"code", "message"} <= error.keys() <= {"code", "message", "row", "feature"}
        return error

    yield send
    response = predictor.respond(GOOD.encode(), JSON)
    assert response.status == 200, response.body
    (answer,) = json.loads(response.body)["predictions"]
    assert (answer["total"], answer["first"]) == (60 + 60 + 1 + 2.5 + 3 + 1, 60)


def with_value(name: str, literal: str) -> str:
    """A body of two rows, the second of which has that literal in place of a value."""
    body = json.dumps({"instances": [ROW, {**ROW, name: "?"}]})
    return body.replace('"?"', literal)


NUMBERS = [
    "NaN", "nan", "-NaN", "Infinity", "-Infinity", "inf", "1e400", "-1e400", "1E+400", "1" * 401,
    "-" + "9" * 5000, "1e999999999999", "0x10", "1_000", "01", "+1", ".5", "5.", "1.5.2", "--1",
    '"2.5"', '"NaN"', '"Infinity"', "true", "false", "null", "[]", "[2.5]", "{}", '{"value": 2.5}',
    "\uff12.\uff15", "\u0662", "2\u200b5", "\u22122.5", '""', "3.5e38", "", "2,5",
]  # fmt: skip


@pytest.mark.parametrize("literal", NUMBERS)
@pytest.mark.parametrize("name", ["cost", "stock"])
def test_what_is_no_number_is_refused(refuse: Any, name: str, literal: str) -> None:
    error = refuse(with_value(name, literal))
    if error["code"] != "invalid_json":
        assert (error.get("row"), error.get("feature")) == (1, name)


@pytest.mark.parametrize("literal", ["1", "0", '"true"', "null", "True", "tru", "[true]", '"1"'])
def test_what_is_no_boolean_is_refused(refuse: Any, literal: str) -> None:
    assert refuse(with_value("promoted", literal))["code"] in {
        "invalid_type", "null_value", "invalid_json",
    }  # fmt: skip


@pytest.mark.parametrize("name", ["date", "moment"])
@pytest.mark.parametrize(
    "text",
    [
        "2023-02-29", "2024-02-30", "2024-13-01", "2024-00-10", "2024-01-00", "0000-01-01", "",
        "24-02-29", "2024-2-9", "2024/02/29", "29.02.2024", "20240229", "2024-W09-4", "2024-060",
        " 2024-02-29", "2024-02-29\n", "2024-02-29\x00", "+2024-02-29", "-2024-02-29",
        "12024-02-29",
        "\uff12\uff10\uff12\uff14-02-29", "2024\u201102\u201129", "٢٠٢٤-٠٢-٢٩", "today", "NaT",
        "1709164800", "2024-02-29T24:00:01Z", "2024-02-29T12:00:00+25:00", "x" * 1_000_000,
    ],
)  # fmt: skip
def test_what_is_no_date_is_refused(refuse: Any, name: str, text: str) -> None:
    error = refuse(with_value(name, json.dumps(text)))
    assert (error["code"], error["row"]) == (
        {"date": "invalid_date", "moment": "invalid_datetime"}[name], 1,
    )  # fmt: skip


@pytest.mark.parametrize(
    "text", ["Leek", "leek ", "l\u0435ek", "le\u0301ek", "\ufb00", "", "leek\x00", "x" * 1_000_000]
)
def test_what_looks_like_a_category_is_none(refuse: Any, text: str) -> None:
    error = refuse(with_value("item", json.dumps(text, ensure_ascii=False)))
    assert (error["code"], error["row"], error["feature"]) == ("unknown_category", 1, "item")


@pytest.mark.parametrize(
    "key", ["c\u043est", "Cost", "cost ", "\uff43ost", "cost\x00", "k" * 1_000_000]
)
def test_what_looks_like_a_key_is_none(refuse: Any, key: str) -> None:
    row = {key if name == "cost" else name: value for name, value in ROW.items()}
    assert refuse(json.dumps({"instances": [row]}))["code"] == "missing_feature"
    error = refuse(json.dumps({"instances": [{**ROW, key: 1.0}]}))
    shown = None if len(key) > 64 or "\x00" in key else key
    assert (error["code"], error.get("feature")) == ("unexpected_key", shown)


@pytest.mark.parametrize(
    "repeated",
    [
        '"cost": 2.5', '"cost": 9.0', '"cost":2.5', '"c\\u006fst": 9.0', '"item": "yam"',
        '"moment": null', '"promoted": false', '"date": "2024-02-28"',
    ],
)  # fmt: skip
@pytest.mark.parametrize("before", [False, True])
def test_a_repeated_key_is_refused(refuse: Any, repeated: str, *, before: bool) -> None:
    row = json.dumps(ROW)
    wrong = f"{{{repeated}, {row[1:]}" if before else f"{row[:-1]}, {repeated}}}"
    for body in (f'{{"instances": [{wrong}]}}', f'{{"instances": [{row}, {wrong}]}}'):
        assert refuse(body)["code"] == "duplicate_key"


@pytest.mark.parametrize(
    "body",
    [
        "{", "}", "[", '{"instances"', '{"instances":', '{"instances": [', '{"instances": [{',
        '{"instances": []', "{'instances': []}", "instances=1", "<xml/>", "\x00", "\ufeff",
        '{"instances": [{}],}', '{"instances": [{},]}', '{"instances": [{}] // all\n}',
        GOOD[:-1], GOOD[1:], GOOD + "]", GOOD + GOOD, GOOD.replace(":", "=", 3),
        GOOD.replace(", ", " ", 1), GOOD.replace('"', "'"), "null", "true", "0", '""', "[]", "{}",
        '{"instances": null}', '{"instances": "x"}', '{"instances": {"0": {}}}',
        '{"instances": [[[]]]}', '{"instances": [null]}', '{"instances": [[]]}',
        '{"instances": [{"cost": {"cost": {"cost": 1}}}]}', "[" * 900, "[" * 100_000,
        '{"a":' * 900, '{"a":' * 100_000, '{"instances":' * 20_000 + "0" + "}" * 20_000,
        '{"instances": [' + "[" * 5000 + "]" * 5000 + "]}",
    ],
)  # fmt: skip
@pytest.mark.parametrize("content_type", [JSON, LINES, CSV])
def test_what_is_no_request_is_refused(refuse: Any, body: str, content_type: str) -> None:
    refuse(body, content_type)


@pytest.mark.parametrize(
    "body",
    [
        b"\xff\xfe", b"\x80", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf5\x80\x80\x80",
        GOOD.encode("utf-16"), GOOD.encode("utf-32"),
        GOOD.replace("leek", "l\xe9ek").encode("latin-1"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("content_type", [JSON, LINES, CSV])
def test_what_is_not_utf_8_is_refused(refuse: Any, body: bytes, content_type: str) -> None:
    assert refuse(body, content_type)["code"] == "invalid_encoding"


@pytest.mark.parametrize(
    "cell",
    [
        "nan",
        "NaN",
        "inf",
        "-inf",
        "Infinity",
        "1e400",
        "1e",
        "0x1",
        "1_0",
        "\uff11",
        "٣",
        " 1",
        "+-1",
    ],
)
@pytest.mark.parametrize("place", [3, 4])
def test_a_cell_that_is_no_number_is_refused(refuse: Any, cell: str, place: int) -> None:
    cells = CSV_LINE.split(",")
    cells[place] = cell
    error = refuse("\n".join([CSV_HEADER, CSV_LINE, ",".join(cells)]), CSV)
    assert (error["row"], error["feature"]) == (1, list(ROW)[place])


def _filled(start: str, piece: str, end: str) -> Callable[[], str]:
    return lambda: start + piece * ((MAX_BODY_BYTES - len(start + end)) // len(piece)) + end


HUGE: dict[str, tuple[Callable[[], str], str]] = {
    "objects": (_filled('{"instances":[{}', ",{}", "]}"), JSON),
    "lists": (_filled('{"instances":[[]', ",[]", "]}"), JSON),
    "numbers": (_filled('{"instances":[0', ",0", "]}"), JSON),
    "floats": (_filled('{"instances":[0', ",1.5", "]}"), JSON),
    "strings": (_filled('{"instances":[""', ',""', "]}"), JSON),
    "towers": (_filled('{"instances":[0', "," + "[" * 500 + "]" * 500, "]}"), JSON),
    "keys": (_filled('{"instances":[{"a":0', ',"a":0', "}]}"), JSON),
    "cells": (_filled('{"columns":["cost"],"data":[[0', ",0", "]]}"), JSON),
    "a long string": (_filled('{"instances":[{"item":"', "x", '"}]}'), JSON),
    "a long number": (_filled('{"instances":[{"cost":1.', "5", "}]}"), JSON),
    "a long integer": (_filled('{"instances":[{"cost":1', "5", "}]}"), JSON),
    "escaped quotes": (_filled('{"instances":["', '\\"', ""), JSON),
    "quotes": (_filled('{"instances":[', '"",{', ""), JSON),
    "blanks": (_filled("", " ", ""), JSON),
    "brackets": (_filled("", "[", ""), JSON),
    "empty lines": (_filled("", "\n", ""), LINES),
    "lines of objects": (_filled("", "{}\n", ""), LINES),
    "a line of numbers": (_filled("[0", ",0", "]"), LINES),
    "csv lines": (_filled(CSV_HEADER + "\n", CSV_LINE + "\n", ""), CSV),
    "csv empty lines": (_filled(CSV_HEADER + "\n", "\n", CSV_LINE), CSV),
    "csv columns": (_filled(CSV_HEADER, ",", ""), CSV),
    "csv quoted columns": (_filled(CSV_HEADER + '\n"', '","', '"'), CSV),
    "csv string": (_filled(CSV_HEADER + '\n"', "x", '"'), CSV),
}


@pytest.mark.parametrize("name", HUGE)
def test_the_largest_bodies_are_refused_in_bounded_memory(refuse: Any, name: str) -> None:
    make, content_type = HUGE[name]
    body = make()
    assert len(body) > 0.99 * MAX_BODY_BYTES
    tracemalloc.start()
    try:
        refuse(body, content_type)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < MEMORY_LIMIT


def test_the_largest_request_is_answered(predictor: Any) -> None:
    body = json.dumps({"instances": [ROW] * MAX_ROWS})
    response = predictor.respond(body, JSON)
    assert len(json.loads(response.body)["predictions"]) == MAX_ROWS
    response = predictor.respond("\n".join([CSV_HEADER, *[CSV_LINE] * MAX_ROWS]), CSV)
    assert len(json.loads(response.body)["predictions"]) == MAX_ROWS
    body = json.dumps({"instances": [ROW] * (MAX_ROWS + 1)})
    assert predictor.respond(body, JSON).status == 413


def test_structure_within_strings_does_not_count(contracts: Any) -> None:
    inputs = [*contracts.numbers(["a"]), {"name": "note", "type": "string"}]
    schema = contracts.document(inputs, features=[{"name": "a", "type": "double"}])
    predictor = contracts.predictor(schema)
    note = '{[,"\\' * 2_000
    rows = [{"a": 1.0, "note": note}] * 15
    response = predictor.respond(json.dumps({"instances": rows}), JSON)
    assert response.status == 200, response.body
