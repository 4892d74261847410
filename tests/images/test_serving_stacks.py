"""The same archive answers alike in every serving stack: AWS's two and the project's own."""

from __future__ import annotations

import gzip
import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from forecast_inference.requests.content import MAX_BODY_BYTES

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.images, pytest.mark.slow]

JSON, CSV = "application/json", "text/csv"


def example(stack: Any) -> list[dict[str, Any]]:
    """Rows for the stack's model, each with another prediction."""
    if stack.predictor.schema.inputs[0].name == "a":
        return [{"a": float(index), "b": 2.0, "c": 9.0 - index} for index in range(5)]
    base = {"date": "2023-06-30", "cost": 3.0, "stock": 40, "boxes": 2, "promoted": True}
    items = ["yam", "leek", "kale", "leek", "yam"]
    return [
        {**base, "item": item, "quantity": 2.0 * index, "cost": 1.0 + index}
        for index, item in enumerate(items)
    ]


def predictions(body: bytes) -> list[dict[str, Any]]:
    answers: list[dict[str, Any]] = json.loads(body)["predictions"]
    for answer in answers:
        assert answer.pop("prediction_timestamp").endswith("Z")
    return answers


def wait_until(condition: Any) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def as_csv(rows: list[dict[str, Any]]) -> bytes:
    lines = [",".join(rows[0]), *(",".join(str(value) for value in row.values()) for row in rows)]
    return "\n".join(lines).encode()


def test_ping_is_200_once_the_model_has_predicted(stack: Any) -> None:
    assert stack.ping() == 200


@pytest.mark.parametrize("content_type", [JSON, "application/json; charset=utf-8"])
def test_the_numbers_are_those_of_the_predictor_in_the_order_asked(
    stack: Any, content_type: str
) -> None:
    rows = example(stack)
    for asked in (rows, rows[::-1]):
        body = json.dumps({"instances": asked}).encode()
        answer = stack.invoke(body, content_type)
        assert (answer.status, answer.content_type) == (200, JSON)
        found = predictions(answer.body)
        assert found == predictions(stack.predictor.respond(body, JSON).body)
        assert len({prediction["price"] for prediction in found}) > 3  # so that the order shows


def test_csv_is_read_and_written(stack: Any) -> None:
    rows = example(stack)
    expected = predictions(stack.invoke(json.dumps({"instances": rows}).encode(), JSON).body)
    read = stack.invoke(as_csv(rows), CSV, JSON)
    assert predictions(read.body) == expected
    written = stack.invoke(as_csv(rows), CSV, CSV)
    assert written.status == 200
    assert written.content_type.partition(";")[0] == CSV
    header, *lines = written.body.decode().splitlines()
    position = header.split(",").index("price")
    assert [float(line.split(",")[position]) for line in lines] == [
        prediction["price"] for prediction in expected
    ]


@pytest.mark.parametrize(
    ("change", "content_type", "status", "code"),
    [
        (lambda rows: rows[2].popitem(), JSON, 400, "missing_feature"),
        (lambda rows: rows[3].update(price=1.0), JSON, 400, "unexpected_key"),
        (lambda rows: rows[1].update({next(iter(rows[1])): None}), JSON, 400, "null_value"),
        (lambda rows: rows[4].update({next(iter(rows[1])): []}), JSON, 400, "invalid_type"),
        (lambda rows: rows.clear(), JSON, 400, "no_instances"),
        (lambda _: None, "text/html", 415, "unsupported_content_type"),
        (lambda _: None, "application/x-npy", 415, "unsupported_content_type"),
        (lambda rows: rows.extend(rows * 2500), JSON, 413, "too_many_"),
    ],
)
def test_a_refusal_passes_through_with_its_status_and_its_json(
    stack: Any, change: Any, content_type: str, status: int, code: str
) -> None:
    rows = example(stack)
    change(rows)
    body = json.dumps({"instances": rows}).encode()
    answer = stack.invoke(body, content_type)
    assert (answer.status, answer.content_type) == (status, JSON)
    document = json.loads(answer.body)
    assert document["error"]["code"].startswith(code)
    assert document == json.loads(stack.predictor.respond(body, content_type).body)


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"{", JSON),
        (b'{"instances": [{"a": NaN}]}', JSON),
        (b'{"instances": [{}], "instances": []}', JSON),
        (b"a,b\n1", CSV),
        (b"[" * 100_000, JSON),
    ],
)
def test_a_broken_body_is_refused_as_by_the_predictor(
    stack: Any, body: bytes, content_type: str
) -> None:
    answer = stack.invoke(body, content_type)
    expected = stack.predictor.respond(body, content_type)
    assert 400 <= expected.status < 500
    assert (answer.status, answer.content_type) == (expected.status, JSON)
    assert json.loads(answer.body) == json.loads(expected.body)


def test_an_oversized_body_is_a_413(stack: Any) -> None:
    answer = stack.invoke(b" " * (MAX_BODY_BYTES + 1), JSON)
    assert answer.status == 413
    assert json.loads(answer.body)["error"]["code"] == "payload_too_large"


def test_a_gzip_body_is_read_within_the_limit(stack: Any) -> None:
    rows = example(stack)
    body = json.dumps({"instances": rows}).encode()
    if stack.kind == "mms":
        # sagemaker-inference decodes what is no text, and fails by itself.
        assert stack.invoke(gzip.compress(body), JSON, Content_Encoding="gzip").status >= 400
        return
    expected = predictions(stack.predictor.respond(body, JSON).body)
    answer = stack.invoke(gzip.compress(body), JSON, Content_Encoding="gzip")
    assert (answer.status, predictions(answer.body)) == (200, expected)
    answer = stack.invoke(gzip.compress(body), "application/gzip")
    assert (answer.status, predictions(answer.body)) == (200, expected)
    bomb = gzip.compress(b" " * (4 * MAX_BODY_BYTES))
    answer = stack.invoke(bomb, JSON, Content_Encoding="gzip")
    assert (answer.status, json.loads(answer.body)["error"]["code"]) == (413, "payload_too_large")


def test_what_was_recorded_at_packaging_is_answered_again(stack: Any, golden: Any) -> None:
    for request in golden(stack):
        answer = stack.invoke(request["body"].encode(), request["content_type"], request["accept"])
        assert answer.status == request["status"], request["name"]
        if answer.status == 200 and request["accept"] == JSON:
            recorded = request["answer"]["predictions"]
            for found, wanted in zip(predictions(answer.body), recorded, strict=True):
                assert {key: found[key] for key in wanted} == {
                    key: pytest.approx(value) if isinstance(value, float) else value
                    for key, value in wanted.items()
                }


def test_a_body_that_is_not_utf8_is_refused(stack: Any) -> None:
    answer = stack.invoke(b'{"instances": [{"a": "\xff"}]}', JSON)
    if stack.kind == "mms":
        # sagemaker-inference decodes the body before it calls the handler, and fails by itself.
        assert answer.status == 500
    else:
        assert answer.status == 400
        assert json.loads(answer.body)["error"]["code"] == "invalid_encoding"


def test_a_model_that_answers_otherwise_than_recorded_is_never_healthy(serve: Any) -> None:
    """For gunicorn; the Multi Model Server answers a ping whatever becomes of its workers."""

    def change_golden(archive: Path) -> None:
        golden = archive / "artifacts/golden_requests.json"
        document = json.loads(golden.read_text())
        document["requests"][0]["answer"]["predictions"][0]["price"] += 1.0
        golden.write_text(json.dumps(document))

    with serve("flask", change_golden) as stack:
        assert [stack.ping() for _ in range(3)] == [500, 500, 500]


@pytest.mark.parametrize("kind", ["flask", "wsgi", "own"])
def test_a_vendored_library_stands_in_for_a_lacking_one_and_replaces_none(
    serve: Any, kind: str
) -> None:
    """Loading the model imports both: one that no image has, and one that each has."""

    def vendor(archive: Path) -> None:
        vendored = {"only_in_the_archive": "", "joblib": "raise RuntimeError('vendored')"}
        for name, text in vendored.items():
            (archive / "code/vendor" / name).mkdir(parents=True)
            (archive / "code/vendor" / name / "__init__.py").write_text(text)
        loader = archive / "code/forecast_inference/models/sklearn.py"
        loader.write_text(f"{loader.read_text()}\nimport only_in_the_archive\n")

    with serve(kind, vendor, "sklearn") as stack:
        wait_until(lambda: stack.ping() == 200)
        # Python compiles what it imports, beside it.
        vendored = stack.folder / "model/code/vendor"
        assert (vendored / "only_in_the_archive/__pycache__").is_dir()
        assert not (vendored / "joblib/__pycache__").exists()


def test_telemetry_goes_to_standard_output_in_the_flask_stack(serve: Any) -> None:
    with serve("flask", lambda _: None) as stack:
        wait_until(lambda: stack.ping() == 200)
        stack.invoke(b'{"instances": [{}]}', JSON, X_Amzn_RequestId="an-id")
        wait_until(lambda: any('"request_id": "an-id"' in line for line in stack.log_lines()))
        (line,) = [line for line in stack.log_lines() if "an-id" in line]
        assert json.loads(line)["code"] == "missing_feature"
