"""The fast codec: JSON bodies decoded by msgspec straight into the types of the contract.

It gives the values of a body in the common layout, ``instances`` of objects, when every value is of
its type; it gives nothing for any other body, which the strict reader then reads or explains.
"""

from __future__ import annotations

from itertools import chain
from types import GenericAlias
from typing import TYPE_CHECKING, Annotated, Any, Final

import numpy as np

from forecast_inference.contract.values import INTEGER_BOUNDS, MEASURED_TYPES, NUMBER_LIMIT
from forecast_inference.errors import RequestError
from forecast_inference.requests.batch import PLAIN
from forecast_inference.requests.columns import InvalidValueError, read_block
from forecast_inference.requests.content import MAX_ROWS
from forecast_inference.requests.json_text import parse
from forecast_inference.requests.parameters import read_parameters
from forecast_inference.requests.rows import Rows
from forecast_inference.requests.single import CheckedRow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forecast_inference.contract.schema import FeatureSchema
    from forecast_inference.requests.batch import Parameters
    from forecast_inference.requests.columns import Block, Group
    from forecast_inference.requests.rows import Row

_FLOATS: Final = frozenset({"float", "double"})
_TEXTS: Final = frozenset({"string", "date", "datetime"})


class TypedReader:
    """Reads the JSON bodies of one schema.

    Args:
        schema: the contract.
        groups: its inputs in groups.

    Raises:
        ImportError: msgspec is not installed.
    """

    def __init__(self, schema: FeatureSchema, groups: Sequence[Group]) -> None:
        import msgspec  # noqa: PLC0415 - optional, and imported only where it is asked for

        inputs = [spec for group in groups for spec in group.inputs]
        self._schema = schema
        self._groups = groups
        self._decode = _decoder(msgspec, groups)
        self._error = msgspec.MsgspecError
        self._values = msgspec.structs.astuple
        self._width = len(inputs)
        # No row is shorter: its keys, their quotes and colons, a character for each value.
        self._most_bytes = MAX_ROWS * sum(len(spec.name) + 5 for spec in inputs)
        texts = [spec.type in _TEXTS for spec in inputs]
        self._texts = sum(texts)
        nulls = [group.takes_null for group in groups for _ in group.inputs]
        self._null_texts = [place for place in range(len(inputs)) if texts[place] and nulls[place]]
        self._has_nothing_to_check = all(
            spec.type == "boolean" or (spec.type in MEASURED_TYPES and not spec.has_range)
            for spec in inputs
        ) and not any(spec.may_be_absent for spec in inputs)

    def __call__(self, body: bytes) -> Rows | None:
        """The rows of a body that is valid for certain, apart from the policies of its inputs."""
        if len(body) > self._most_bytes:
            return None
        try:
            document = self._decode(body)
            raw = document.parameters
            parameters = self._parameters(bytes(raw)) if raw else PLAIN
            rows = list(map(self._values, document.instances))
            if not rows or self._quotes(rows, raw) != body.count(b'"'):
                return None
            if len(rows) == 1:
                checked = CheckedRow(rows[0]) if self._has_nothing_to_check else None
                return Rows(1, rows, {}, parameters, None, None, checked)
            return Rows(len(rows), [], parameters=parameters, blocks=self._blocks(rows))
        except (self._error, RequestError, InvalidValueError, RecursionError, ValueError):
            return None

    def _quotes(self, rows: list[Row], parameters: bytes) -> int:
        """The quotes that cost these rows: two for each key and string, when no key is repeated.

        There are more in the body when one is, or when a quote is escaped in a string.
        """
        texts = len(rows) * (self._width + self._texts)
        if self._null_texts:
            texts -= sum([row[place] is None for row in rows for place in self._null_texts])
        if not parameters:
            return 2 * (texts + 1)
        return 2 * (texts + 2) + bytes(parameters).count(b'"')

    def _parameters(self, document: bytes) -> Parameters:
        parameters = read_parameters(self._schema, parse(document.decode()))
        if parameters.horizon is not None:
            raise InvalidValueError  # rows are continued by the strict reader
        return parameters

    def _blocks(self, rows: list[Row]) -> list[Block]:
        if len(self._groups) == 1 and self._is_typed(self._groups[0]):
            flat = np.fromiter(chain.from_iterable(rows), np.float64, len(rows) * self._width)
            return [flat.reshape(len(rows), -1).T]
        columns = list(zip(*rows, strict=True))
        return [self._block(group, columns[group.start : group.stop]) for group in self._groups]

    def _block(self, group: Group, columns: list[tuple[Any, ...]]) -> Block:
        if not self._is_typed(group):
            return read_block(group, columns)
        size = len(columns) * len(columns[0])
        flat = np.fromiter(chain.from_iterable(columns), np.float64, size)
        return flat.reshape(len(columns), -1)

    @staticmethod
    def _is_typed(group: Group) -> bool:
        """Whether the group's values are known to be floats within the limit."""
        return group.type in _FLOATS and not group.takes_null


def _decoder(msgspec: Any, groups: Sequence[Group]) -> Any:
    fields: list[tuple[str, Any]] = []
    names: dict[str, str] = {}
    for group in groups:
        kind = _type_of(msgspec, group.type)
        for spec in group.inputs:
            field = f"f{len(fields)}"
            fields.append((field, kind | None if group.takes_null else kind))
            names[field] = spec.name
    row = msgspec.defstruct("Row", fields, rename=names, forbid_unknown_fields=True, gc=False)
    body = msgspec.defstruct(
        "Body",
        [("instances", GenericAlias(list, (row,))), ("parameters", msgspec.Raw, msgspec.Raw())],
        forbid_unknown_fields=True,
    )
    return msgspec.json.Decoder(body).decode


def _type_of(msgspec: Any, kind: str) -> Any:
    if kind in _FLOATS:
        return Annotated[float, msgspec.Meta(ge=-NUMBER_LIMIT, le=NUMBER_LIMIT)]
    if kind in INTEGER_BOUNDS:
        lowest, highest = INTEGER_BOUNDS[kind]
        return Annotated[int, msgspec.Meta(ge=lowest, le=highest)]
    return bool if kind == "boolean" else str
