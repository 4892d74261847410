"""Every format of a request leads to the same rows, compressed or not."""

from __future__ import annotations

import gzip
import json
import zlib
from typing import TYPE_CHECKING, Any

import pytest

from forecast_inference.requests.content import MAX_BODY_BYTES, MAX_ROWS

if TYPE_CHECKING:
    from forecast_inference.handler import Predictor

JSON = "application/json"
LINES = "application/jsonlines"
CSV = "text/csv"


def predictions(response: Any) -> list[dict[str, Any]]:
    assert response.status == 200, response.body
    found: list[dict[str, Any]] = json.loads(response.body)["predictions"]
    for prediction in found:
        del prediction["prediction_timestamp"]
    return found


def error_of(response: Any) -> dict[str, Any]:
    error: dict[str, Any] = json.loads(response.body)["error"]
    return error


def bodies(rows: list[dict[str, Any]]) -> dict[str, tuple[str, str]]:
    """The rows in every format, with the content type of each."""
    names = list(rows[0])
    turned = names[::-1]
    data = [[row[name] for name in names] for row in rows]
    table = {"columns": turned, "data": [[row[name] for name in turned] for row in rows]}
    cells = [["" if cell is None else str(cell) for cell in row] for row in data]
    return {
        "objects": (json.dumps({"instances": rows}), JSON),
        "arrays": (json.dumps({"instances": data}), JSON),
        "mixed": (json.dumps({"instances": [rows[0], *data[1:]]}), JSON),
        "split": (json.dumps({"dataframe_split": table}), JSON),
        "table": (json.dumps(table), JSON),
        "with parameters": (json.dumps({**table, "parameters": {}}), JSON),
        "lines": ("".join(f"{json.dumps(row)}\n" for row in rows), LINES),
        "lines of arrays": ("\r\n".join(map(json.dumps, data)), "application/x-ndjson"),
        "csv": ("\n".join(map(",".join, [names, *cells])), CSV),
    }


@pytest.mark.parametrize("name", bodies([{"a": 1}]))
@pytest.mark.parametrize("compressed", [False, True])
def test_every_format_gets_the_same_answer(
    predictor: Predictor, row: dict[str, Any], *, name: str, compressed: bool
) -> None:
    rows = [row, {**row, "item": "yam", "quantity": None, "cost": 9.5}]
    text, content_type = bodies(rows)[name]
    expected = predictions(predictor.respond(json.dumps({"instances": rows}), JSON))
    body = gzip.compress(text.encode()) if compressed else text.encode()
    encoding = "gzip" if compressed else None
    response = predictor.respond(body, content_type, encoding=encoding)
    assert predictions(response) == expected


@pytest.mark.parametrize(
    ("content_type", "inner"),
    [
        ("application/gzip", JSON),
        ("application/gzip; content=text/csv", CSV),
        ('Application/GZIP; Content="application/jsonl"', LINES),
    ],
)
def test_a_compressed_body_may_be_named_by_its_content_type(
    predictor: Predictor, row: dict[str, Any], content_type: str, inner: str
) -> None:
    by_type = {media: text for text, media in bodies([row]).values()}
    response = predictor.respond(gzip.compress(by_type[inner].encode()), content_type)
    assert len(predictions(response)) == 1


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "invalid_gzip"),
        (b'{"instances": []}', 400, "invalid_gzip"),
        (gzip.compress(b"{}", mtime=0)[:-1], 400, "invalid_gzip"),
        (gzip.compress(b"{}" * 1000, mtime=0)[:12], 400, "invalid_gzip"),
        (gzip.compress(b"{}", mtime=0) + b"{}", 400, "invalid_gzip"),
        (gzip.compress(b"{", mtime=0) + gzip.compress(b"}", mtime=0), 400, "invalid_gzip"),
        (gzip.compress(b"{}", mtime=0)[:-8] + b"\0" * 8, 400, "invalid_gzip"),
        (zlib.compress(b"{}"), 400, "invalid_gzip"),
        (gzip.compress(b"", mtime=0), 400, "empty_body"),
        (gzip.compress(gzip.compress(b"{}", mtime=0), mtime=0), 400, "invalid_encoding"),
        (gzip.compress(b" " * (MAX_BODY_BYTES + 1), mtime=0), 413, "payload_too_large"),
        (gzip.compress(b"0" * 200_000_000, 1, mtime=0), 413, "payload_too_large"),
    ],
)
def test_a_damaged_or_exploding_stream_is_refused(
    predictor: Predictor, row: dict[str, Any], body: bytes, status: int, code: str
) -> None:
    response = predictor.respond(body, JSON, encoding="gzip")
    assert (response.status, error_of(response)["code"]) == (status, code)
    assert predictor.respond(json.dumps({"instances": [row]}), JSON).status == 200


def test_text_made_of_a_compressed_body_is_refused(predictor: Predictor) -> None:
    assert error_of(predictor.respond("\x1f", JSON, encoding="gzip"))["code"] == "invalid_gzip"


@pytest.mark.parametrize(
    ("content_type", "encoding"),
    [
        (JSON, "br"),
        (JSON, "deflate"),
        (JSON, "gzip, gzip"),
        ("application/gzip; content=application/gzip", None),
        ("application/gzip; content=text/html", None),
        ("application/jsonlines; charset=latin-1", None),
        ("application/gzip; content=text/csv; charset=utf-16", None),
    ],
)
def test_what_cannot_be_read_is_refused(
    predictor: Predictor, content_type: str, encoding: str | None
) -> None:
    response = predictor.respond(b"{}", content_type, encoding=encoding)
    assert response.status == 415
    assert error_of(response)["code"].startswith("unsupported_")


@pytest.mark.parametrize("encoding", [None, "", "identity", " Identity "])
def test_no_encoding_may_be_named(
    predictor: Predictor, row: dict[str, Any], encoding: str | None
) -> None:
    body = json.dumps({"instances": [row]})
    assert predictor.respond(body, JSON, encoding=encoding).status == 200


@pytest.mark.parametrize(
    ("change", "code", "where"),
    [
        ({"columns": None}, "missing_instances", {}),
        ({"data": None}, "missing_instances", {}),
        ({"columns": "cost"}, "invalid_body", {}),
        ({"columns": [1, 2]}, "invalid_body", {}),
        ({"columns": [["cost"]]}, "invalid_body", {}),
        ({"columns": []}, "missing_feature", {"feature": "date"}),
        ({"data": {}}, "invalid_body", {}),
        ({"data": []}, "no_instances", {}),
        ({"data": [[]]}, "invalid_row", {"row": 0}),
        ({"data": [7]}, "invalid_row", {"row": 0}),
        ({"data": [{"cost": 3}]}, "invalid_row", {"row": 0}),
        ({"index": [0]}, "unexpected_key", {"feature": "index"}),
    ],
)
@pytest.mark.parametrize("split", [False, True])
def test_a_wrong_table_is_refused(
    predictor: Predictor,
    row: dict[str, Any],
    *,
    change: dict[str, Any],
    code: str,
    where: dict[str, Any],
    split: bool,
) -> None:
    table = {"columns": list(row), "data": [list(row.values())], **change}
    table = {key: value for key, value in table.items() if value is not None}
    response = predictor.respond(json.dumps({"dataframe_split": table} if split else table), JSON)
    error = error_of(response)
    del error["message"]
    assert (response.status, error) == (400, {"code": code, **where})


def test_a_column_named_twice_or_unknown_is_refused(
    predictor: Predictor, row: dict[str, Any]
) -> None:
    for name, code in (("cost", "duplicate_key"), ("price", "unexpected_key")):
        body = {"columns": [*row, name], "data": [[*row.values(), 1.0]]}
        error = error_of(predictor.respond(json.dumps(body), JSON))
        assert (error["code"], error["feature"]) == (code, name)


def test_two_layouts_in_one_body_are_refused(predictor: Predictor, row: dict[str, Any]) -> None:
    table = {"columns": list(row), "data": [list(row.values())]}
    for body in (
        {"instances": [row], "dataframe_split": table},
        {"instances": [row], "columns": list(row)},
        {"dataframe_split": table, "data": []},
    ):
        assert error_of(predictor.respond(json.dumps(body), JSON))["code"] == "unexpected_key"


def test_a_key_repeated_anywhere_is_refused(predictor: Predictor, row: dict[str, Any]) -> None:
    good = json.dumps(row)
    for body in (
        '{"columns": [], "columns": [], "data": []}',
        '{"dataframe_split": {"data": [], "data": []}}',
        f'{{"instances": [{good}], "parameters": {{}}, "parameters": {{}}}}',
        f'{{"instances": [{good}], "parameters": {{"levels": [0.9], "levels": [0.9]}}}}',
        f'{{"instances": [{good}], "parameters": {{"levels": [0.9], "level\\u0073": [0.9]}}}}',
    ):
        response = predictor.respond(body, JSON)
        assert (response.status, error_of(response)["code"]) == (400, "duplicate_key"), body


@pytest.mark.parametrize(
    ("lines", "code", "index"),
    [
        ("", "empty_body", None),
        ("\n", "invalid_row", 0),
        ("ROW\n\nROW", "invalid_row", 1),
        ("ROW\n\n", "invalid_row", 1),
        ("ROW ROW", "invalid_json", 0),
        ("ROW,\nROW", "invalid_json", 0),
        ("ROW\n{", "invalid_json", 1),
        ("ROW\n[1]", "invalid_row", 1),
        ("ROW\n7", "invalid_row", 1),
        ("ROW\nNaN", "invalid_json", 1),
        ('{"instances": [ROW]}', "missing_feature", 0),
        ('ROW\n{"cost": 1, "cost": 2}', "duplicate_key", 1),
        ("ROW\n" * (MAX_ROWS + 1), "too_many_rows", None),
    ],
)
def test_a_wrong_line_is_refused_by_row(
    predictor: Predictor, row: dict[str, Any], lines: str, code: str, index: int | None
) -> None:
    response = predictor.respond(lines.replace("ROW", json.dumps(row)), LINES)
    assert response.status == (413 if code == "too_many_rows" else 400)
    error = error_of(response)
    assert (error["code"], error.get("row")) == (code, index)
