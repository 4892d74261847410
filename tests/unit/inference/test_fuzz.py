"""No request, however strange, makes the predictor raise or answer with a 5xx.

A longer search: `python -m pytest -n0 tests/unit/inference/test_fuzz.py --hypothesis-profile long`
"""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast_inference.contract.schema import FeatureSchema
from forecast_inference.contract.values import NUMBER_LIMIT
from forecast_inference.errors import RequestError
from forecast_inference.requests.reader import RequestReader
from forecast_inference.requests.regular import RegularReader

if TYPE_CHECKING:
    from forecast_inference.handler import Predictor

TYPES = ["boolean", "integer", "long", "float", "double", "string", "date", "datetime"]
MEDIA = st.sampled_from(
    [
        "application/json",
        "application/jsonlines",
        "application/gzip",
        "text/csv",
        None,
        "application/json; charset=utf-8",
        "text/html",
        "",
    ]
)
ACCEPT = st.none() | st.sampled_from(["text/csv", "*/*", ";q", "text/csv;q=9,,"]) | st.text()
NUMBERS = (
    st.floats(allow_nan=False, allow_infinity=False)
    | st.integers()
    | st.integers(-(2**70), 2**70)
    | st.sampled_from([2**31, -(2**31), 2**63, -(2**63), 2.0**63, 2.0**31, -(2.0**63), 1e39, 1e308])
    | st.sampled_from([2**53 - 1, 2**53, 2**53 + 1, 1 - 2**53, -(2**53), 2.0**53 - 1, 2.0**53])
    | st.sampled_from([2**63 - 1, 2**63 - 512, 2**53 + 3, int(NUMBER_LIMIT) + 1])
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


@given(st.binary())
def test_any_compressed_bytes_get_an_answer(predictor: Predictor, body: bytes) -> None:
    check(predictor.respond(gzip.compress(body), None, encoding="gzip"))
    check(predictor.respond(b"\x1f\x8b\x08" + body, None, encoding="gzip"))


@given(
    codec=st.sampled_from(["standard", "fast"]),
    kind=st.sampled_from(TYPES),
    nullable=st.booleans(),
    lenient=st.booleans(),
    ranged=st.sampled_from([None, "accept", "refuse", "clip", "impute"]),
    bounds=st.sampled_from([(-5, 100), (-5, 2**53 - 2), (1 - 2**53, 2**53), (-(2**60), 2**60)]),
    values=st.lists(NUMBERS | SCALARS | st.lists(SCALARS, max_size=1), min_size=2, max_size=4),
)
def test_rows_checked_together_and_one_by_one_agree(
    *,
    codec: str,
    kind: str,
    nullable: bool,
    lenient: bool,
    ranged: str | None,
    bounds: Any,
    values: list[Any],
) -> None:
    item: dict[str, Any] = {"name": "x", "type": kind, "nullable": nullable, **IMPUTED[kind]}
    if lenient and not nullable:
        item["missing"] = "impute"
    if ranged is not None and kind in {"integer", "long", "float", "double"}:
        if kind in {"integer", "long"} and ranged == "clip" and max(bounds) > 2**31:
            bounds = (-5, 100) if kind == "integer" or bounds[1] > 2**53 - 1 else bounds
        minimum, maximum = bounds
        item |= {"range": {"minimum": minimum, "maximum": maximum}, "out_of_range": ranged}
    feature = {"name": "y", "type": "double", "derive": {"kind": "month", "source": "d"}}
    schema = FeatureSchema.from_document(
        {
            "schema_version": 2,
            "inputs": [item, {"name": "d", "type": "date"}],
            "features": [feature],
            "outputs": [{"name": "z"}],
        }
    )
    reader = RequestReader(schema, codec)
    place = [spec.name for group in reader.groups for spec in group.inputs].index("x")

    def read(values: list[Any]) -> Any:
        rows = [{"x": value, "d": "2023-06-30"} for value in values]
        return reader.check(reader.decode(json.dumps({"instances": rows}), None))

    singles: list[Any] = []
    for value in values:
        try:
            singles.append(read([value]))
        except RequestError as error:
            singles.append(error)
    wrong = next((n for n, one in enumerate(singles) if isinstance(one, RequestError)), None)
    if wrong is not None:
        with pytest.raises(RequestError) as caught:
            read(values)
        assert caught.value.row == wrong
        assert (caught.value.code, caught.value.message) == (
            singles[wrong].code,
            singles[wrong].message,
        )
        return
    together = read(values)
    number = next(
        n for n, group in enumerate(reader.groups) if place in range(group.start, group.stop)
    )
    column = together.blocks[number][place - reader.groups[number].start]
    for row, single in enumerate(singles):
        plain = _plain(column[row])
        # As Python compares them: exactly, and not as floats.
        plain = plain.item() if isinstance(plain, np.generic) else plain
        sole = single.row[place]
        assert plain == (float(sole) if kind in {"float", "double"} and sole is not None else sole)
        assert together.adjusted.get(row, []) == list(single.adjusted.get(0, []))
    assert together.out_of_range.get("x", 0) == sum(
        single.out_of_range.get("x", 0) for single in singles
    )


IMPUTED: dict[str, dict[str, Any]] = {
    "boolean": {"impute": True},
    "integer": {"impute": 3},
    "long": {"impute": 3},
    "float": {"impute": 0.5},
    "double": {"impute": 0.5},
    "string": {"impute": "leek", "categories": ["leek", "yam"], "unknown_category": "impute"},
    "date": {"impute": "2024-02-29"},
    "datetime": {"impute": "2024-02-29T12:00:00Z"},
}


def _plain(value: Any) -> Any:
    if isinstance(value, np.datetime64):
        return None if np.isnat(value) else int(value.astype(np.int64))
    return None if value != value else value  # noqa: PLR0124 - only NaN differs from itself


SOLE = {"name": "x", "type": "double", "nullable": False}
PIECES = st.sampled_from(
    [
        '"', ",", ":", "{", "}", "[", "]", ", ", ": ", "}, {", "true", "null", "NaN", "1e400", "-0",
        "01", "+1", ".5", "5.", "1e5", "1E+2", "-", "e", "0", "9" * 40, " ", "\n", "\\", "\\u0061",
        '"a"', '"a": 1', '"a": 1, ', '"note": "x"', "\uff11", "\x00", "\x1f", "//", "\ud800", "/",
    ]
)  # fmt: skip
EDITS = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 3), PIECES), max_size=3)
PLAIN_NUMBERS = (
    st.floats(-1e3, 1e3)
    | st.integers(-(10**6), 10**6)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.integers(-(2**70), 2**70)
    | st.sampled_from([1e22, 1e23, 5e-324, 2.2250738585072014e-308, 3.4028234663852886e38, -0.0])
    | st.floats(0, 1).map(lambda value: round(value, 3))
)
CONTRACTS = {
    "numbers": ["a", "b", "c"],
    "one": ["a"],
    "text": ["a", "note", "day"],
    "null": ["a", "maybe", "note"],
    "whole": ["whole", "a", "flag"],
    "ranged": ["ranged", "a"],
}
KINDS: dict[str, tuple[dict[str, Any], Any]] = {
    "a": (SOLE, PLAIN_NUMBERS),
    "b": (SOLE, PLAIN_NUMBERS),
    "c": (SOLE, PLAIN_NUMBERS),
    "note": (
        {"type": "string", "categories": ["leek", 'a "b"', "\u00e9,}"], "nullable": True},
        st.sampled_from(["leek", 'a "b"', "\u00e9,}", None]),
    ),
    "day": ({"type": "date"}, st.dates().map(str)),
    "maybe": ({"type": "double", "nullable": True}, st.none() | PLAIN_NUMBERS),
    "whole": ({"type": "long"}, st.integers(-(2**65), 2**65) | PLAIN_NUMBERS),
    "flag": ({"type": "boolean"}, st.booleans()),
    "ranged": (
        {
            "type": "double",
            "range": {"minimum": -1, "maximum": 1},
            "out_of_range": "clip",
            "missing": "impute",
            "impute": 0.25,
        },
        PLAIN_NUMBERS,
    ),
}


@st.composite
def written_bodies(draw: Any) -> tuple[str, str]:
    """A contract and a body for it, in one of the usual layouts, then edited here and there."""
    contract = draw(st.sampled_from(sorted(CONTRACTS)))
    names = CONTRACTS[contract]
    row = st.fixed_dictionaries({name: KINDS[name][1] for name in names})
    rows = draw(st.lists(row, min_size=1, max_size=4) | row.map(lambda only: [only] * 40))
    separators = draw(st.sampled_from([(", ", ": "), (",", ":"), (" , ", " : ")]))
    document: dict[str, Any] = {"instances": rows}
    if draw(st.booleans()):
        document["parameters"] = draw(st.sampled_from([{}, {"levels": [0.9]}, {"horizon": 1}]))
    ascii_only = draw(st.booleans())
    text = json.dumps(document, separators=separators, ensure_ascii=ascii_only)
    for where, cut, piece in draw(EDITS):
        place = int(where * len(text))
        text = text[:place] + piece + text[place + cut :]
    return contract, text


@pytest.fixture(scope="module")
def codecs(contracts: Any) -> dict[str, tuple[Any, Any]]:
    """For each contract, predictors of the strict, the standard and the fast way of reading."""
    found = {}
    for name, inputs in CONTRACTS.items():
        schema = contracts.document([{**KINDS[key][0], "name": key} for key in inputs])
        standard = contracts.predictor(schema)
        # Otherwise it would only be tried on large bodies.
        standard._reader._fast = RegularReader(standard._reader.groups, fewest_bytes=0)
        strict = contracts.predictor(schema)
        strict._reader._fast = None
        found[name] = (strict, [standard, contracts.predictor(schema, codec="fast")])
    return found


def outcome(response: Any) -> Any:
    document = json.loads(response.body)
    for prediction in document.get("predictions", ()):
        del prediction["prediction_timestamp"]
    return response.status, document


@given(written_bodies())
def test_fast_ways_of_reading_agree_with_the_strict_one(
    codecs: dict[str, tuple[Any, Any]], written: tuple[str, str]
) -> None:
    contract, text = written
    strict, others = codecs[contract]
    body = text.encode("utf-8", "surrogatepass")
    expected = outcome(strict.respond(body, "application/json"))
    for other in others:
        assert outcome(other.respond(body, "application/json")) == expected
        if "\ud800" not in text:
            assert outcome(other.respond(text, "application/json")) == expected


LITERALS = st.from_regex(
    r"-?(0|[1-9][0-9]{0,18})([.][0-9]{1,25})?([eE][+-]?[0-9]{1,3})?", fullmatch=True
) | st.floats(allow_nan=False, allow_infinity=False).flatmap(
    lambda value: st.sampled_from([repr(value), f"{value:.25g}", f"{value:.17e}", f"{value:.3f}"])
)


@given(st.lists(LITERALS, min_size=1, max_size=30))
def test_numbers_are_read_to_the_last_bit(contracts: Any, literals: list[str]) -> None:
    groups = contracts.predictor(contracts.document(contracts.numbers(["a"])))._reader.groups
    body = ", ".join(f'{{"a": {literal}}}' for literal in literals)
    expected = np.array([float(literal) for literal in literals])
    rows = RegularReader(groups, fewest_bytes=0)(f'{{"instances": [{body}]}}'.encode())
    if (np.abs(expected) > NUMBER_LIMIT).any():
        assert rows is None
    else:
        assert rows is not None
        assert rows.blocks[0][0].tobytes() == expected.tobytes()
