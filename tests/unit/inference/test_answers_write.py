"""The bytes of answers: small ones letter by letter, all of them by what they say."""

from __future__ import annotations

import csv
import io
import json
import math
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast_inference.answers.accept import answer_type
from forecast_inference.answers.finish import Finished
from forecast_inference.answers.numbers import fill_with_msgspec, fill_with_standard_library
from forecast_inference.answers.write import AnswerWriter
from forecast_inference.contract.schema import FeatureSchema
from forecast_inference.errors import PayloadTooLargeError, RequestError
from forecast_inference.requests.batch import Batch, Parameters
from forecast_inference.requests.content import CSV, JSON, JSON_LINES, MEDIA_TYPES, content_of

if TYPE_CHECKING:
    from collections.abc import Sequence

NOW = "2026-11-20T02:00:00Z"
BAND = {"kind": "absolute", "offsets": {"0.8": [-1, 1], "0.95": [-2, 2]}}
CODECS = ["standard", "fast"]
REFUSED = RequestError("expected a number, got null", code="null_value", row=1, feature="cost")


def schema_of(
    *outputs: str, intervals: Sequence[str] = (), lenient: bool = False, **top: Any
) -> FeatureSchema:
    cost: dict[str, Any] = {"name": "cost", "type": "double"}
    document: dict[str, Any] = {
        "schema_version": 2,
        "inputs": [cost | {"missing": "impute", "impute": 1.0} if lenient else cost],
        "features": [cost],
        "outputs": [{"name": name} for name in outputs],
        **top,
    }
    if intervals:
        bands = dict.fromkeys(intervals, BAND)
        document["intervals"] = {"default_level": 0.8, "outputs": bands}
    if "horizon" in top:
        document["inputs"].append({"name": "date", "type": "date"})
    return FeatureSchema.from_document(document)


def write(
    schema: FeatureSchema,
    rows: Sequence[Sequence[float]],
    media: str = JSON,
    *,
    codec: str = "standard",
    version: str = "7",
    **batch: Any,
) -> str:
    values = [number for row in rows for number in row]
    finished = Finished(len(rows), len(rows[0]) if rows else 1, values)
    asked = Batch(batch.pop("count", len(rows)), (), **batch)
    return AnswerWriter(schema, version, codec).write(finished, asked, media, NOW).decode()


@pytest.fixture(params=CODECS)
def codec(request: pytest.FixtureRequest) -> str:
    return request.param  # type: ignore[no-any-return]


def test_json(codec: str) -> None:
    assert write(schema_of("price"), [[1.5], [0.1]], codec=codec) == (
        '{"predictions":['
        '{"price":1.5,"model_version":"7","prediction_timestamp":"2026-11-20T02:00:00Z"},'
        '{"price":0.1,"model_version":"7","prediction_timestamp":"2026-11-20T02:00:00Z"}'
        "]}"
    )


def test_json_with_the_default_interval(codec: str) -> None:
    schema = schema_of("price", "bare", "demand", intervals=["demand", "price"])
    assert write(schema, [[1.0, 2.0, 3.0, 0.0, 2.0, 2.5, 4.0]], codec=codec) == (
        '{"predictions":[{"price":1.0,"bare":2.0,"demand":3.0,'
        '"confidence_interval":{"level":0.8,"price":[0.0,2.0],"demand":[2.5,4.0]},'
        '"model_version":"7","prediction_timestamp":"2026-11-20T02:00:00Z"}]}'
    )


def test_json_with_intervals_at_requested_levels(codec: str) -> None:
    schema = schema_of("price", intervals=["price"])
    parameters = Parameters(levels=(0.95, 0.8))
    answer = write(schema, [[2.0, 0.0, 4.0, 1.0, 3.0]], codec=codec, parameters=parameters)
    assert answer == (
        '{"predictions":[{"price":2.0,"confidence_intervals":['
        '{"level":0.95,"price":[0.0,4.0]},{"level":0.8,"price":[1.0,3.0]}],'
        '"model_version":"7","prediction_timestamp":"2026-11-20T02:00:00Z"}]}'
    )


def test_json_lines(codec: str) -> None:
    assert write(schema_of("price"), [[1.5], [0.1]], JSON_LINES, codec=codec) == (
        '{"price":1.5,"model_version":"7","prediction_timestamp":"2026-11-20T02:00:00Z"}\n'
        '{"price":0.1,"model_version":"7","prediction_timestamp":"2026-11-20T02:00:00Z"}\n'
    )


def test_csv(codec: str) -> None:
    schema = schema_of("price", "demand", intervals=["price", "demand"])
    assert write(schema, [[1.0, 5.0, 0.0, 2.0, 4.0, 6.0]], CSV, codec=codec) == (
        "price,price_lower,price_upper,demand,demand_lower,demand_upper,"
        "confidence_level,model_version,prediction_timestamp\n"
        "1.0,0.0,2.0,5.0,4.0,6.0,0.8,7,2026-11-20T02:00:00Z\n"
    )


def test_csv_at_requested_levels(codec: str) -> None:
    schema = schema_of("price", "bare", intervals=["price"])
    parameters = Parameters(levels=(0.8, 0.95))
    assert write(
        schema, [[2.0, 9.0, 1.0, 3.0, 0.0, 4.0]], CSV, codec=codec, parameters=parameters
    ) == (
        "price,price_lower_0.8,price_upper_0.8,price_lower_0.95,price_upper_0.95,bare,"
        "model_version,prediction_timestamp\n"
        "2.0,1.0,3.0,0.0,4.0,9.0,7,2026-11-20T02:00:00Z\n"
    )


def test_what_was_changed_of_a_row_is_told_with_it(codec: str) -> None:
    schema = schema_of("price", lenient=True)
    adjusted = {1: [("clipped", "cost"), ("imputed", "100% cotton")]}
    assert write(schema, [[1.0], [2.0]], JSON_LINES, codec=codec, adjusted=adjusted) == (
        '{"price":1.0,"model_version":"7","prediction_timestamp":"2026-11-20T02:00:00Z"}\n'
        '{"price":2.0,"adjusted":[{"feature":"cost","action":"clipped"},'
        '{"feature":"100% cotton","action":"imputed"}],'
        '"model_version":"7","prediction_timestamp":"2026-11-20T02:00:00Z"}\n'
    )
    assert write(schema, [[1.0], [2.0]], CSV, codec=codec, adjusted=adjusted) == (
        "price,model_version,prediction_timestamp,adjusted\n"
        "1.0,7,2026-11-20T02:00:00Z,\n"
        '2.0,7,2026-11-20T02:00:00Z,"[{""feature"":""cost"",""action"":""clipped""},'
        '{""feature"":""100% cotton"",""action"":""imputed""}]"\n'
    )


def test_a_refused_row_has_its_error_in_its_place(codec: str) -> None:
    schema = schema_of("price", row_errors="report_rows")
    refused = {1: REFUSED}
    error = '{"code":"null_value","message":"expected a number, got null","row":1,"feature":"cost"}'
    assert write(schema, [[1.0], [2.0]], JSON_LINES, codec=codec, count=3, refused=refused) == (
        '{"price":1.0,"model_version":"7","prediction_timestamp":"2026-11-20T02:00:00Z"}\n'
        f'{{"error":{error}}}\n'
        '{"price":2.0,"model_version":"7","prediction_timestamp":"2026-11-20T02:00:00Z"}\n'
    )
    quoted = error.replace('"', '""')
    assert write(schema, [[1.0], [2.0]], CSV, codec=codec, count=3, refused=refused) == (
        "price,model_version,prediction_timestamp,error\n"
        "1.0,7,2026-11-20T02:00:00Z,\n"
        f',,,"{quoted}"\n'
        "2.0,7,2026-11-20T02:00:00Z,\n"
    )


def test_every_step_of_a_row_has_its_row_and_date(codec: str) -> None:
    schema = schema_of(
        "price", row_errors="report_rows", horizon={"date_input": "date", "maximum": 9}
    )
    days = ["2026-12-31", "2027-01-01"]
    batch: dict[str, Any] = {"count": 2, "refused": {1: REFUSED}, "parameters": Parameters(None, 2)}
    answer = write(schema, [[1.0], [2.0]], codec=codec, dates=days, **batch)
    tail = '"model_version":"7","prediction_timestamp":"2026-11-20T02:00:00Z"'
    error = json.dumps(REFUSED.document(), separators=(",", ":"))
    assert answer == (
        '{"predictions":['
        f'{{"row":0,"date":"2026-12-31","price":1.0,{tail}}},'
        f'{{"row":0,"date":"2027-01-01","price":2.0,{tail}}},'
        f"{error},{error}]}}"
    )
    lines = write(schema, [[1.0], [2.0]], CSV, codec=codec, dates=days, **batch).splitlines()
    assert lines[0] == "row,date,price,model_version,prediction_timestamp,error"
    assert lines[1:3] == [
        "0,2026-12-31,1.0,7,2026-11-20T02:00:00Z,",
        "0,2027-01-01,2.0,7,2026-11-20T02:00:00Z,",
    ]
    assert [line.startswith('1,,,,,"{""code"":') for line in lines[3:]] == [True, True]


def test_names_and_versions_may_hold_anything(codec: str) -> None:
    schema = schema_of('%s "50 %", 价格', intervals=['%s "50 %", 价格'])
    version = '1%s,"x"'
    row = [1.0, 0.0, 2.0]
    (prediction,) = json.loads(write(schema, [row], codec=codec, version=version))["predictions"]
    assert prediction['%s "50 %", 价格'] == 1.0
    assert prediction["confidence_interval"]['%s "50 %", 价格'] == [0.0, 2.0]
    assert prediction["model_version"] == version
    text = write(schema, [row], CSV, codec=codec, version=version)
    (line,) = csv.DictReader(io.StringIO(text))
    assert line['%s "50 %", 价格_lower'] == "0.0"
    assert line["model_version"] == version


def test_an_answer_beyond_what_an_endpoint_may_say_is_refused(codec: str) -> None:
    schema = schema_of("price")
    finished = Finished(10_000, 1, [0.1] * 10_000)
    writer = AnswerWriter(schema, "7" * 700, codec)
    with pytest.raises(PayloadTooLargeError, match="expected at most 6291456: ask for") as caught:
        writer.write(finished, Batch(10_000, ()), JSON, NOW)
    assert caught.value.code == "answer_too_large"


FLOATS = st.floats(allow_nan=False, allow_infinity=False)


@given(st.lists(FLOATS, max_size=40))
def test_both_codecs_write_every_number_so_that_it_reads_back(numbers: list[float]) -> None:
    template = "[" + ",".join(["%s"] * len(numbers)) + "]"
    for fill in (fill_with_standard_library, fill_with_msgspec()):
        found = json.loads(fill(template, numbers))
        assert found == numbers
        assert [math.copysign(1, one) for one in found] == [math.copysign(1, n) for n in numbers]


@st.composite
def answers(draw: st.DrawFn) -> dict[str, Any]:
    """The arguments of an answer with everything that an answer may hold."""
    levels = draw(st.sampled_from([None, (0.8,), (0.95, 0.8)]))
    steps = draw(st.sampled_from([None, 1, 3]))
    count = draw(st.integers(1, 4))
    refused = {row: REFUSED for row in range(count) if draw(st.booleans())}
    adjusted = {
        row: [("clipped", "cost")]
        for row in range(count)
        if row not in refused and draw(st.booleans())
    }
    total = (count - len(refused)) * (steps or 1)
    width = 2 + 2 * len(levels or (0.8,))
    row = st.lists(FLOATS, min_size=width, max_size=width)
    return {
        "rows": draw(st.lists(row, min_size=total, max_size=total)),
        "dates": [f"2026-12-{day + 1:02}" for day in range(total)] if steps else (),
        "count": count,
        "refused": refused,
        "adjusted": adjusted,
        "parameters": Parameters(levels, steps),
    }


RICH = schema_of(
    "price",
    "bare",
    intervals=["price"],
    lenient=True,
    row_errors="report_rows",
    horizon={"date_input": "date", "maximum": 9},
)


@given(answers())
def test_both_codecs_and_all_media_say_the_same(answer: dict[str, Any]) -> None:
    predictions = json.loads(write(RICH, **answer))["predictions"]
    steps = answer["parameters"].horizon or 1
    assert len(predictions) == answer["count"] * steps
    for codec in CODECS:
        assert json.loads(write(RICH, **answer, codec=codec))["predictions"] == predictions
        lines = write(RICH, **answer, media=JSON_LINES, codec=codec).splitlines()
        assert [json.loads(line) for line in lines] == predictions
        table = write(RICH, **answer, media=CSV, codec=codec)
        found = [_as_json(line, answer) for line in csv.DictReader(io.StringIO(table))]
        assert found == predictions


def _as_json(line: dict[str, str], answer: dict[str, Any]) -> dict[str, Any]:
    """A line of CSV as the prediction that JSON has for it."""
    if line["error"]:
        assert not any(line[name] for name in line if name not in {"row", "error"})
        return {"error": json.loads(line["error"])}
    found: dict[str, Any] = {}
    if answer["dates"]:
        found |= {"row": int(line["row"]), "date": line["date"]}
    found |= {"price": float(line["price"]), "bare": float(line["bare"])}
    levels = answer["parameters"].levels

    def interval(level: float, suffix: str) -> dict[str, Any]:
        bounds = [float(line[f"price_{side}{suffix}"]) for side in ("lower", "upper")]
        return {"level": level, "price": bounds}

    if levels is None:
        found["confidence_interval"] = interval(float(line["confidence_level"]), "")
    else:
        found["confidence_intervals"] = [interval(level, f"_{level}") for level in levels]
    if line["adjusted"]:
        found["adjusted"] = json.loads(line["adjusted"])
    return found | {name: line[name] for name in ("model_version", "prediction_timestamp")}


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (None, JSON),
        ("", JSON),
        ("*/*", JSON),
        ("application/*", JSON),
        ("image/png", JSON),
        ("text/csv", CSV),
        ("TEXT/CSV", CSV),
        ("text/*", CSV),
        ("application/jsonlines", JSON_LINES),
        ("application/x-ndjson", JSON_LINES),
        ("application/jsonl; charset=utf-8", JSON_LINES),
        ("text/csv, application/json", CSV),
        ("text/csv;q=0.5, application/json", JSON),
        ("text/csv;q=0.5, application/jsonlines;q=0.9", JSON_LINES),
        ("text/csv;q=0", JSON),
        ("text/csv;q=high", JSON),
        ("image/png, text/csv;q=0.1", CSV),
    ],
)
def test_the_media_type_follows_accept(accept: str | None, expected: str) -> None:
    assert answer_type(accept) == expected


@pytest.mark.parametrize("name", MEDIA_TYPES)
def test_an_answer_may_be_asked_for_by_the_name_that_a_request_has(name: str) -> None:
    assert answer_type(name) == content_of(name).media
