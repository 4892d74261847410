"""JSON bodies and JSON Lines read as rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from forecast_inference.contract.values import describe
from forecast_inference.errors import RequestError
from forecast_inference.requests.batch import PLAIN
from forecast_inference.requests.content import MAX_ROWS
from forecast_inference.requests.json_text import DuplicateKey, check_structure, parse
from forecast_inference.requests.parameters import read_parameters
from forecast_inference.requests.problems import (
    check_count,
    invalid_row,
    shown,
    too_many_rows,
    unexpected,
)

if TYPE_CHECKING:
    from forecast_inference.contract.schema import FeatureSchema
    from forecast_inference.requests.rows import Row, RowReader, Rows

_INSTANCES: Final = "instances"
_SPLIT: Final = "dataframe_split"
_TABLE: Final = frozenset({"columns", "data"})


class JsonReader:
    """Reads JSON bodies in each of their layouts.

    Args:
        schema: what may be asked for beside the rows.
        rows: what makes rows of instances and tables.
    """

    def __init__(self, schema: FeatureSchema, rows: RowReader) -> None:
        self._schema = schema
        self._rows = rows

    def read(self, text: str) -> Rows:
        """The rows of ``instances``, of ``dataframe_split``, or of bare ``columns`` and ``data``.

        Raises:
            RequestError: the body or its rows do not have the shape of the contract.
            PayloadTooLargeError: there are more than ``MAX_ROWS`` rows.
        """
        check_structure(text, len(self._rows.names))
        body = self._object(parse(text), "instances")
        layout = next((key for key in (_INSTANCES, _SPLIT) if key in body), None)
        expected = _TABLE if layout is None else {layout}
        if layout is None and not body.keys() & _TABLE:
            raise RequestError("the body lacks the key instances", code="missing_instances")
        for key in body:
            if key not in expected and key != "parameters":
                raise unexpected(key)
        parameters = PLAIN
        if "parameters" in body:
            parameters = read_parameters(self._schema, body["parameters"])
        if layout == _INSTANCES:
            return self._rows.read_instances(_list(body, _INSTANCES), parameters)
        table = body if layout is None else self._object(body[_SPLIT], "columns and data")
        for key in table:
            if layout is not None and key not in _TABLE:
                raise unexpected(key)
        header = _list(table, "columns")
        if not all(type(name) is str for name in header):
            raise RequestError("expected columns to be names", code="invalid_body")
        self._rows.check_header(header)
        return self._rows.read_table(header, _list(table, "data"), parameters)

    def read_lines(self, text: str) -> Rows:
        """The rows of JSON Lines: an object or an array on each.

        Raises:
            RequestError: a line is no row of the contract, and rows are not reported.
            PayloadTooLargeError: there are more than ``MAX_ROWS`` rows.
        """
        if text.count("\n") > MAX_ROWS:
            raise too_many_rows(f"{text.count(chr(10))} lines")
        check_structure(text, len(self._rows.names))
        lines = text.removesuffix("\n").split("\n")
        check_count(len(lines))
        return self._rows.read_each(map(self._read_line, lines, range(len(lines))), len(lines))

    def _read_line(self, line: str, index: int) -> Row | RequestError:
        if not line.strip():
            return invalid_row("there is an empty line between the rows", index)
        try:
            instance = parse(line, index)
        except RequestError as error:
            return error
        return self._rows.read_instance(instance, index)

    @staticmethod
    def _object(document: Any, content: str) -> dict[str, Any]:
        if isinstance(document, DuplicateKey):
            raise RequestError(
                "the body repeats a key", code="duplicate_key", feature=shown(document.key)
            )
        if type(document) is not dict:
            raise RequestError(
                f"expected an object with {content}, got {describe(document)}", code="invalid_body"
            )
        return document


def _list(body: dict[str, Any], key: str) -> list[Any]:
    if key not in body:
        raise RequestError(f"the body lacks the key {key}", code="missing_instances")
    found = body[key]
    if type(found) is not list:
        raise RequestError(
            f"expected {key} to be a list, got {describe(found)}", code="invalid_body"
        )
    return found
