"""The OpenAPI document: what it says of a contract, tried by the golden requests themselves."""

from __future__ import annotations

import copy
import csv
import io
import json
import re
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

import forecast_inference
from forecast_inference.answers.accept import answer_type
from forecast_inference.contract.values import MAX_TEXT_CHARACTERS
from forecast_inference.requests.content import MEDIA_TYPES, content_of
from forecast_packaging.publishing.answer_schemas import ERRORS
from forecast_packaging.publishing.golden import CSV, JSON, golden_requests
from forecast_packaging.publishing.openapi import GZIP, JSON_LINES_TYPES, openapi_document
from forecast_packaging.publishing.request_schemas import request_schemas

SCHEMA: dict[str, Any] = {
    "schema_version": 2,
    "row_errors": "refuse_request",
    "inputs": [
        {"name": "date", "type": "date", "nullable": False},
        {"name": "item/code~%", "type": "string", "nullable": False, "categories": ["yam", "leek"]},
        {
            "name": "stock",
            "type": "long",
            "nullable": False,
            "range": {"minimum": 1, "maximum": 8},
            "out_of_range": "refuse",
        },
        {
            "name": "cost",
            "type": "double",
            "nullable": True,
            "unit": "RMB/kg",
            "range": {"minimum": 0.5, "maximum": 80.0},
            "out_of_range": "clip",
        },
        {"name": "promoted", "type": "boolean", "nullable": False, "missing": "impute"},
    ],
    "features": [],
    "outputs": [{"name": "price", "unit": "RMB/kg", "minimum": 0.0}],
    "intervals": {
        "default_level": 0.9,
        "outputs": {"price": {"kind": "absolute", "offsets": {"0.8": [-1, 1], "0.9": [-2, 2]}}},
    },
    "horizon": {"date_input": "date", "step": "day", "maximum": 30, "carry": {}},
}
ROW = {"date": "2023-06-30", "item/code~%": "leek", "stock": 3, "cost": 2.5, "promoted": True}
EXAMPLE = {"instances": [ROW]}


def document(schema: dict[str, Any] = SCHEMA) -> dict[str, Any]:
    golden = [
        {**request._asdict(), "answer": {"name": request.name}}
        for request in golden_requests(schema, EXAMPLE)
    ]
    return openapi_document(schema, name="produce", version="16", golden=golden)


def validator(api: dict[str, Any], *path: str) -> Any:
    """A validator of the schema at a place of the document."""
    pointer = "/".join(part.replace("~", "~0").replace("/", "~1") for part in path)
    return jsonschema_rs.Draft202012Validator(
        {"$ref": f"#/{pointer}", "components": api["components"], "paths": api["paths"]},
        validate_formats=True,
    )


def request_validator(api: dict[str, Any], media: str = JSON) -> Any:
    place = ("paths", "/invocations", "post", "requestBody", "content", media, "schema")
    return validator(api, *place)


def parsed(body: str, media: str) -> Any:
    if media == CSV:
        return list(csv.DictReader(io.StringIO(body)))
    return [json.loads(line) for line in body.splitlines()] if media != JSON else json.loads(body)


def test_the_golden_requests_are_what_the_document_says() -> None:
    api = document()
    for request in golden_requests(SCHEMA, EXAMPLE):
        if request.content_type != CSV:  # its cells are texts
            valid = request_validator(api, request.content_type)
            body = parsed(request.body, request.content_type)
            assert valid.is_valid(body) == (request.status == 200), request.name


@pytest.mark.parametrize(
    "row",
    [
        {"stock": 0},
        {"stock": 9},
        {"stock": 2.5},
        {"stock": "3"},
        {"stock": True},
        {"stock": None},
        {"cost": 1e39},
        {"cost": "2.5"},
        {"date": "2023-06-31"},
        {"date": "20230630"},
        {"item/code~%": "kale"},
        {"shelf": 1},
    ],
)
def test_what_the_contract_refuses_is_no_valid_request(row: dict[str, Any]) -> None:
    valid = request_validator(document())
    assert not valid.is_valid({"instances": [{**ROW, **row}]})
    assert not valid.is_valid({"instances": [list({**ROW, **row}.values())]})


@pytest.mark.parametrize("row", [{"cost": 99.0}, {"cost": None}, {"promoted": None}, {"stock": 8}])
def test_what_the_contract_takes_is_a_valid_request(row: dict[str, Any]) -> None:
    valid = request_validator(document())
    assert valid.is_valid({"instances": [{**ROW, **row}]})
    assert valid.is_valid({"dataframe_split": {"columns": [*ROW], "data": [[*ROW.values()]]}})
    absent = {name: value for name, value in ROW.items() if name != "promoted"}
    assert valid.is_valid({"instances": [absent]})


@pytest.mark.parametrize(
    "parameters",
    [{"levels": []}, {"levels": [0.5]}, {"levels": [0.8, 0.8]}, {"horizon": 31}, {"steps": 1}],
)
def test_parameters_are_as_strict(parameters: dict[str, Any]) -> None:
    valid = request_validator(document())
    assert not valid.is_valid({**EXAMPLE, "parameters": parameters})
    assert valid.is_valid({**EXAMPLE, "parameters": {"levels": [0.8], "horizon": 30}})


def test_known_future_values_are_a_list() -> None:
    valid = request_validator(document())
    body = {"instances": [{**ROW, "cost": [1.0, None]}], "parameters": {"horizon": 2}}
    assert valid.is_valid(body)
    assert not valid.is_valid({"instances": [{**ROW, "date": ["2023-06-30"]}]})


def test_a_model_without_levels_and_horizons_takes_no_parameters() -> None:
    schema = {key: SCHEMA[key] for key in SCHEMA if key not in {"intervals", "horizon"}}
    api = document(schema)
    assert "Parameters" not in api["components"]["schemas"]
    assert not request_validator(api).is_valid({**EXAMPLE, "parameters": {}})


def test_a_text_without_categories_has_the_length_that_the_runtime_takes() -> None:
    item = {"name": "note", "type": "string", "nullable": False}
    cells = request_schemas({"inputs": [item]})["Row"]["properties"]
    assert cells == {"note": {"type": "string", "maxLength": MAX_TEXT_CHARACTERS}}


def test_units_and_policies_are_in_the_descriptions() -> None:
    row = document()["components"]["schemas"]["Row"]["properties"]
    assert row["cost"]["description"] == (
        "In RMB/kg; usually 0.5 to 80: other values are set to the nearest bound, which the answer "
        "reports."
    )
    assert row["promoted"]["description"] == (
        "A missing value is replaced, which the answer reports."
    )


def test_every_media_type_has_golden_requests_as_examples() -> None:
    content = document()["paths"]["/invocations"]["post"]["requestBody"]["content"]
    assert list(content) == [JSON, *JSON_LINES_TYPES, CSV, GZIP]
    assert list(content)[:-1] == list(MEDIA_TYPES)
    assert list(content[JSON]["examples"]) == ["example", "columns", "edges", "levels", "horizon"]
    assert content[CSV]["examples"]["csv"]["value"][0]["item/code~%"] == "leek"


def test_compression_and_the_types_of_answers_are_described() -> None:
    operation = document()["paths"]["/invocations"]["post"]
    (encoding,) = operation["parameters"]
    assert (encoding["name"], encoding["in"]) == ("Content-Encoding", "header")
    for name in encoding["schema"]["enum"]:
        assert content_of(JSON, name) == (JSON, name == "gzip")
    assert content_of(GZIP) == (JSON, True)
    body = operation["requestBody"]["content"][GZIP]["schema"]
    assert "type" not in body
    assert f"{GZIP}; content={CSV}" in body["description"]
    assert content_of(f"{GZIP}; content={CSV}") == (CSV, True)
    answers = list(operation["responses"]["200"]["content"])
    assert [answer_type(name) for name in answers] == answers
    assert all(name in operation["description"] for name in [*answers, "Accept", GZIP])


def test_a_horizon_says_that_intervals_do_not_widen() -> None:
    parameters = document()["components"]["schemas"]["HorizonParameters"]["properties"]
    assert "do not widen over a horizon" in parameters["horizon"]["description"]


def test_every_status_of_an_error_has_its_codes() -> None:
    api = document()
    responses = api["paths"]["/invocations"]["post"]["responses"]
    assert list(responses) == ["200", *map(str, ERRORS)]
    codes = [code for _, codes in ERRORS.values() for code in codes]
    assert len(codes) == len(set(codes))
    assert api["components"]["responses"]["400"]["content"][JSON]["examples"]["missing_feature"]


def codes_of_the_runtime() -> set[str]:
    """Every code that is written somewhere in the runtime."""
    patterns = (
        r'code="(\w+)"',
        r'HTTPStatus\.\w+,\s+"(\w+)"',
        r'return "(\w+)", f?"',
        r'_problem\(spec, index, "(\w+)"',
        r'error_body\(\s*"(\w+)"',
        r'RefusedError\(status, "(\w+)"',
    )
    folder = Path(forecast_inference.__file__).parent
    text = "".join(file.read_text(encoding="utf-8") for file in folder.rglob("*.py"))
    return {code for pattern in patterns for code in re.findall(pattern, text)}


def test_the_codes_are_those_of_the_runtime_and_all_in_the_documentation() -> None:
    codes = {code for _, codes in ERRORS.values() for code in codes}
    # These two are of other paths and methods.
    assert codes_of_the_runtime() - {"not_found", "method_not_allowed"} == codes
    text = (Path(__file__).parents[3] / "docs/packaging.md").read_text(encoding="utf-8")
    assert [code for code in sorted(codes) if f"`{code}`" not in text] == []


def prediction(**changes: Any) -> dict[str, Any]:
    usual = {
        "price": 5.2,
        "confidence_interval": {"level": 0.9, "price": [4.1, 6.6]},
        "model_version": "16",
        "prediction_timestamp": "2026-11-20T02:00:00Z",
    }
    return {"predictions": [{**usual, **changes}]}


def test_answers_are_described() -> None:
    valid = validator(document(), "components", "schemas", "Predictions")
    assert valid.is_valid(prediction())
    assert valid.is_valid(prediction(row=0, date="2023-06-30"))
    assert valid.is_valid(prediction(adjusted=[{"feature": "cost", "action": "clipped"}]))
    assert not valid.is_valid(prediction(price=-1.0))
    assert not valid.is_valid(prediction(price=None))
    assert not valid.is_valid(prediction(model_version="15"))
    assert not valid.is_valid(prediction(confidence_interval={"level": 0.5, "price": [4, 6]}))


def test_errors_of_rows_are_described_where_they_are_reported() -> None:
    schema = copy.deepcopy(SCHEMA) | {"row_errors": "report_rows"}
    error = {"error": {"code": "null_value", "message": "got null", "row": 1, "feature": "stock"}}
    answer = {"predictions": [*prediction()["predictions"], error]}
    place = ("components", "schemas", "Predictions")
    assert validator(document(schema), *place).is_valid(answer)
    assert not validator(document(), *place).is_valid(answer)
