"""No request, however strange, makes the predictor raise or answer with a 5xx."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st

from forecast_inference.contract.schema import FeatureSchema
from forecast_inference.errors import RequestError
from forecast_inference.requests.validate import RowValidator, check_value

if TYPE_CHECKING:
    from forecast_inference.handler import Predictor

TYPES = ["boolean", "integer", "long", "float", "double", "string", "date", "datetime"]
MEDIA = st.sampled_from(
    ["application/json", "text/csv", None, "application/json; charset=utf-8", "text/html", ""]
)
ACCEPT = st.none() | st.sampled_from(["text/csv", "*/*", ";q", "text/csv;q=9,,"]) | st.text()
NUMBERS = (
    st.floats(allow_nan=False, allow_infinity=False)
    | st.integers()
    | st.integers(-(2**70), 2**70)
    | st.sampled_from([2**31, -(2**31), 2**63, -(2**63), 2.0**63, 2.0**31, -(2.0**63), 1e39, 1e308])
)
TEXTS = (
    st.text()
    | st.dates().map(str)
    | st.datetimes().map(str)
    | st.sampled_from(
        ["yam", "leek", "2023-02-30", "2023-01-01T00:00:00Z", "0001-01-01T00:00+23:59"]
    )
)
SCALARS = st.none() | st.booleans() | NUMBERS | TEXTS
DOCUMENTS = st.recursive(
    SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20
)
NAMES = ["date", "item", "quantity", "cost", "stock", "boxes", "promoted"]
ROWS = st.fixed_dictionaries(
    {
        "date": st.dates().map(str) | SCALARS,
        "item": st.sampled_from(["yam", "leek"]) | SCALARS,
        "quantity": NUMBERS | SCALARS,
        "cost": NUMBERS,
        "stock": st.integers(0, 9) | NUMBERS,
        "boxes": st.none() | st.integers(0, 9) | NUMBERS,
        "promoted": st.booleans() | SCALARS,
    },
    optional={"price": SCALARS},
) | st.dictionaries(st.sampled_from(NAMES), SCALARS)


def check(response: Any) -> None:
    assert 200 <= response.status < 500, response.body
    if response.content_type == "application/json":
        document = json.loads(response.body)
        assert set(document) == ({"predictions"} if response.status == 200 else {"error"})


@given(st.binary(), MEDIA, ACCEPT)
def test_any_bytes_get_an_answer(
    predictor: Predictor, body: bytes, media: str | None, accept: str | None
) -> None:
    check(predictor.respond(body, media, accept))


@given(DOCUMENTS)
def test_any_json_document_gets_an_answer(predictor: Predictor, document: Any) -> None:
    check(predictor.respond(json.dumps(document).encode(), "application/json"))


@settings(max_examples=300)
@given(st.lists(ROWS, min_size=1, max_size=4), ACCEPT)
def test_any_rows_get_an_answer(
    predictor: Predictor, rows: list[dict[str, Any]], accept: str | None
) -> None:
    check(predictor.respond(json.dumps({"instances": rows}).encode(), None, accept))


@given(st.text())
def test_any_text_decoded_by_a_server_gets_an_answer(predictor: Predictor, body: str) -> None:
    check(predictor.respond(body, "application/json"))


@given(st.lists(st.lists(TEXTS | NUMBERS.map(str), min_size=7, max_size=7), max_size=4))
def test_any_csv_cells_get_an_answer(predictor: Predictor, rows: list[list[str]]) -> None:
    lines = [",".join(NAMES), *(",".join(row) for row in rows)]
    body = "\n".join(lines).encode("utf-8", "surrogatepass")
    check(predictor.respond(body, "text/csv"))


@settings(max_examples=400)
@given(
    kind=st.sampled_from(TYPES),
    nullable=st.booleans(),
    values=st.lists(SCALARS | st.lists(SCALARS, max_size=1), min_size=1, max_size=3),
)
def test_the_fast_check_and_the_exact_one_agree(
    *, kind: str, nullable: bool, values: list[Any]
) -> None:
    columns = [{"name": "x", "type": kind, "nullable": nullable}]
    feature = {"name": "y", "type": "double", "derive": {"kind": "month", "source": "d"}}
    schema = FeatureSchema.from_document(
        {
            "schema_version": 1,
            "inputs": [*columns, {"name": "d", "type": "date"}],
            "features": [feature],
            "outputs": [{"name": "z"}],
        }
    )
    (spec,) = (spec for spec in schema.inputs if spec.name == "x")
    validator = RowValidator(schema)
    rows = [
        tuple(value if item.name == "x" else "2023-06-30" for item in validator.order)
        for value in values
    ]
    wrong = [index for index, value in enumerate(values) if check_value(spec, value) is not None]
    found = None
    try:
        validator.blocks(rows)
    except RequestError as error:
        found = (error.row, error.feature)
    assert found == ((wrong[0], "x") if wrong else None)
