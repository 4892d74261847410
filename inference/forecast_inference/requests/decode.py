"""Request text turned into rows: JSON with ``instances``, and CSV with a header."""

from __future__ import annotations

import csv
import io
import json
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final

from forecast_inference.errors import PayloadTooLargeError, RequestError
from forecast_inference.requests.content import CSV, MAX_ROWS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from forecast_inference.contract.schema import InputSpec

_NUMBER_CHARACTERS: Final = frozenset("0123456789+-.eE")
_INTEGER_CHARACTERS: Final = frozenset("0123456789+-")

Row = tuple[Any, ...]


class _NotJsonError(ValueError):
    """A literal that Python's JSON reader takes and RFC 8259 does not know."""


def _refuse_constant(_: str) -> None:
    raise _NotJsonError


_DECODER: Final = json.JSONDecoder(parse_constant=_refuse_constant)


class _DuplicateKey:
    """A marker in place of a JSON object that repeats a key."""

    __slots__ = ("key",)

    def __init__(self, key: str) -> None:
        self.key = key


def _mark_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any] | _DuplicateKey:
    document = dict(pairs)
    if len(document) == len(pairs):
        return document
    seen: set[str] = set()
    for key, _ in pairs:
        if key in seen:
            break
        seen.add(key)
    return _DuplicateKey(key)


_DUPLICATE_DECODER: Final = json.JSONDecoder(
    parse_constant=_refuse_constant, object_pairs_hook=_mark_duplicates
)


class RowReader:
    """Reads bodies into rows of values.

    Args:
        inputs: what a row must hold, in the order in which errors name it.
        order: the same inputs in the order in which the values of a row are wanted.
    """

    def __init__(self, inputs: Sequence[InputSpec], order: Sequence[InputSpec]) -> None:
        self._names = tuple(spec.name for spec in inputs)
        self._order = tuple(order)
        self._key_count = {len(self._names)}
        self._values = _value_getter(tuple(spec.name for spec in order))

    def read(self, text: str, media: str) -> list[Row]:
        """The rows of a body of one of the two media types.

        Raises:
            RequestError: the body or its rows do not have the shape of the contract.
            PayloadTooLargeError: more than ``MAX_ROWS`` rows.
        """
        return self._read_csv(text) if media == CSV else self._read_json(text)

    def _read_json(self, text: str) -> list[Row]:
        instances = _instances(_parse(_DECODER, text))
        count = len(instances)
        try:
            if set(map(type, instances)) != {dict} or set(map(len, instances)) != self._key_count:
                raise self._misshapen(instances)
            rows = list(map(self._values, instances))
        except KeyError:
            raise self._misshapen(instances) from None
        # Every key costs one colon. More colons than keys: one is repeated, or is within a string.
        if text.count(":") != 1 + count * len(self._names):
            _refuse_duplicates(text)
        return rows

    def _misshapen(self, instances: list[Any]) -> RequestError:
        expected = set(self._names)
        for index, instance in enumerate(instances):
            if type(instance) is not dict:
                return RequestError(
                    f"expected an object with the features, got {describe(instance)}",
                    code="invalid_row",
                    row=index,
                )
            for name in self._names:
                if name not in instance:
                    return _missing(name, index)
            for key in instance:
                if key not in expected:
                    return _unexpected(key, index)
        return RequestError("the rows do not match the features", code="invalid_row")

    def _read_csv(self, text: str) -> list[Row]:
        table = _csv_table(text)
        header = [name.strip() for name in table[0]]
        self._check_header(header)
        cells = table[1:]
        _check_count(cells)
        for index, row in enumerate(cells):
            if len(row) != len(header):
                raise RequestError(
                    f"expected {len(header)} columns as in the header, got {len(row)}",
                    code="invalid_row",
                    row=index,
                )
        columns = dict(zip(header, zip(*cells, strict=True), strict=True))
        typed = [_typed_column(spec.type, columns[spec.name]) for spec in self._order]
        return list(zip(*typed, strict=True))

    def _check_header(self, header: list[str]) -> None:
        for name in self._names:
            if name not in header:
                raise _missing(name, None)
        for position, name in enumerate(header):
            if name not in self._names:
                raise _unexpected(name, None)
            if name in header[:position]:
                raise RequestError(
                    "the header names a column twice", code="duplicate_key", feature=name
                )


def _value_getter(names: tuple[str, ...]) -> Callable[[Any], Row]:
    if len(names) == 1:
        only = names[0]
        return lambda instance: (instance[only],)
    return itemgetter(*names)


def _parse(decoder: json.JSONDecoder, text: str) -> Any:
    try:
        return decoder.decode(text)
    except _NotJsonError:
        message = "NaN and Infinity are not JSON, send null for a missing value"
    except RecursionError:
        message = "the body is nested too deeply, expected an object with instances"
    except json.JSONDecodeError as error:
        message = f"the body is not JSON, at character {error.pos}"
    except ValueError:
        message = "the body holds a number with too many digits"
    raise RequestError(message, code="invalid_json")


def _instances(document: Any) -> list[Any]:
    if type(document) is not dict:
        raise RequestError(
            f"expected an object with instances, got {describe(document)}", code="invalid_body"
        )
    if "instances" not in document:
        raise RequestError("the body lacks the key instances", code="missing_instances")
    if len(document) > 1:
        unexpected = next(key for key in document if key != "instances")
        raise _unexpected(unexpected, None)
    instances = document["instances"]
    if type(instances) is not list:
        raise RequestError(
            f"expected instances to be a list, got {describe(instances)}", code="invalid_body"
        )
    _check_count(instances)
    return instances


def _check_count(rows: list[Any]) -> None:
    if not rows:
        raise RequestError("there are no rows, expected at least one", code="no_instances")
    if len(rows) > MAX_ROWS:
        raise PayloadTooLargeError(
            f"{len(rows)} rows, expected at most {MAX_ROWS}: split the request",
            code="too_many_rows",
        )


def _refuse_duplicates(text: str) -> None:
    document = _parse(_DUPLICATE_DECODER, text)
    if isinstance(document, _DuplicateKey):
        raise RequestError("the body repeats a key", code="duplicate_key", feature=document.key)
    for index, instance in enumerate(document["instances"]):
        if isinstance(instance, _DuplicateKey):
            raise RequestError(
                "the row repeats a key", code="duplicate_key", row=index, feature=instance.key
            )


def _missing(name: str, row: int | None) -> RequestError:
    return RequestError(
        "the feature is missing, every row needs it", code="missing_feature", row=row, feature=name
    )


def _unexpected(name: str, row: int | None) -> RequestError:
    return RequestError(
        "the key is not expected, leave it out", code="unexpected_key", row=row, feature=name
    )


_DESCRIPTIONS: Final[dict[type, str]] = {
    type(None): "null",
    bool: "a boolean",
    int: "a number",
    float: "a number",
    str: "a string",
    list: "a list",
    dict: "an object",
    _DuplicateKey: "an object",
}


def describe(value: Any) -> str:
    """What a JSON value is, in words that hold nothing of the value itself."""
    return _DESCRIPTIONS.get(type(value), "something else")


def _csv_table(text: str) -> list[list[str]]:
    try:
        table = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error as error:
        raise RequestError("the body is not CSV", code="invalid_csv") from error
    while table and not table[-1]:
        table.pop()
    if not table:
        raise RequestError("the body is empty, expected a header row", code="empty_body")
    if not all(table):
        raise RequestError(
            "there is an empty line between the rows", code="invalid_row", row=table.index([]) - 1
        )
    return table


def _typed_column(kind: str, cells: tuple[str, ...]) -> list[Any]:
    """Cells as the values they spell; one that spells none stays text, for the check to refuse."""
    if kind in {"float", "double"}:
        return [_number(cell) for cell in cells]
    if kind in {"integer", "long"}:
        return [_integer(cell) for cell in cells]
    if kind == "boolean":
        words: dict[str, Any] = {"true": True, "false": False, "": None}
        return [words.get(cell.lower(), cell) for cell in cells]
    return [cell or None for cell in cells]


def _number(cell: str) -> Any:
    if not cell:
        return None
    if not _NUMBER_CHARACTERS.issuperset(cell):
        return cell
    try:
        return float(cell)
    except ValueError:
        return cell


def _integer(cell: str) -> Any:
    if cell and _INTEGER_CHARACTERS.issuperset(cell):
        try:
            return int(cell)
        except ValueError:
            return cell
    return _number(cell)
