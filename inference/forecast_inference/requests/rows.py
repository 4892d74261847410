"""Rows of a request in the one form that all of its formats lead to."""

from __future__ import annotations

from dataclasses import dataclass, field
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from forecast_inference.contract.values import describe
from forecast_inference.errors import RequestError
from forecast_inference.requests.batch import PLAIN, Parameters
from forecast_inference.requests.json_text import DuplicateKey
from forecast_inference.requests.problems import (
    check_count,
    invalid_row,
    missing,
    shown,
    unexpected,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from forecast_inference.contract.inputs import InputSpec
    from forecast_inference.requests.single import CheckedRow

Row = tuple[Any, ...]
"""The values of a row as they were sent, in the order of the reader; null is ``None``."""


@dataclass(slots=True)
class Rows:
    """The rows of a request, read and not yet checked.

    Attributes:
        count: rows in the request.
        rows: those that have the shape of one.
        refused: the errors of the others, by their index in the request.
        parameters: what else is asked for.
        blocks: the values as blocks, when a fast reader has checked their types already; ``rows``
            is empty then, and none is refused.
        reread: what reads the same body the strict way, when there are blocks.
        checked: the only row, when a fast reader has checked it already.
    """

    count: int
    rows: list[Row]
    refused: dict[int, RequestError] = field(default_factory=dict)
    parameters: Parameters = PLAIN
    blocks: Sequence[Any] | None = None
    reread: Callable[[], Rows] | None = None
    checked: CheckedRow | None = None


class RowReader:
    """Turns JSON objects, arrays and tables into rows.

    Args:
        inputs: what a row must hold, in the order of arrays, in which errors name it too.
        order: the same inputs in the order in which the values of a row are wanted.
        reports_rows: whether rows of a wrong shape are told apart from the others.
    """

    def __init__(
        self, inputs: Sequence[InputSpec], order: Sequence[InputSpec], *, reports_rows: bool
    ) -> None:
        self.names = tuple(spec.name for spec in inputs)
        self.order = tuple(order)
        self.reports_rows = reports_rows
        self._known = frozenset(self.names)
        self._optional = frozenset(spec.name for spec in inputs if spec.may_be_absent)
        self._key_count = {len(self.names)}
        self._from_object = _getter([spec.name for spec in order])
        self._from_array = self.picker(self.names)

    def picker(self, header: Sequence[str]) -> Callable[[Sequence[Any]], Row]:
        """What puts the cells of a row under that header in order; a column may be absent."""
        positions = {name: position for position, name in enumerate(header)}
        absent = len(header)
        wanted = [positions.get(spec.name, absent) for spec in self.order]
        if absent not in wanted:
            return tuple if wanted == list(range(absent)) else _getter(wanted)
        pick = _getter(wanted)
        return lambda cells: pick([*cells, None])

    def check_header(self, header: Sequence[str]) -> None:
        """Check that the header names every input once and nothing else.

        Raises:
            RequestError: it does not.
        """
        for name in self.names:
            if name not in header and name not in self._optional:
                raise missing(name)
        seen: set[str] = set()
        for name in header:
            if name not in self._known:
                raise unexpected(name)
            if name in seen:
                raise RequestError(
                    "the header names a column twice", code="duplicate_key", feature=name
                )
            seen.add(name)

    def read_instances(self, instances: list[Any], parameters: Parameters = PLAIN) -> Rows:
        """The rows of JSON objects or arrays.

        Raises:
            RequestError: there is none, or one has the wrong shape and rows are not reported.
            PayloadTooLargeError: there are more than ``MAX_ROWS``.
        """
        count = len(instances)
        check_count(count)
        types = set(map(type, instances))
        if len(types) == 1 and set(map(len, _sized(instances, types))) == self._key_count:
            read = self._from_object if types == {dict} else self._from_array
            try:
                return Rows(count, list(map(read, instances)), parameters=parameters)
            except KeyError:
                pass
        return self.read_each(map(self.read_instance, instances, range(count)), count, parameters)

    def read_instance(self, instance: Any, index: int) -> Row | RequestError:
        """The row of one JSON object or array, or what is wrong with its shape."""
        if type(instance) is list:
            return self._read_array(instance, index)
        if isinstance(instance, DuplicateKey):
            return RequestError(
                "the row repeats a key",
                code="duplicate_key",
                row=index,
                feature=shown(instance.key),
            )
        if type(instance) is not dict:
            return invalid_row(
                f"expected an object with the features, got {describe(instance)}", index
            )
        for name in self.names:
            if name not in instance and name not in self._optional:
                return missing(name, index)
        for key in instance:
            if key not in self._known:
                return unexpected(key, index)
        return tuple([instance.get(spec.name) for spec in self.order])

    def _read_array(self, instance: list[Any], index: int) -> Row | RequestError:
        if len(instance) != len(self.names):
            return invalid_row(
                f"expected {len(self.names)} values, one for each feature, got {len(instance)}",
                index,
            )
        return self._from_array(instance)

    def read_table(
        self, header: Sequence[str], data: list[Any], parameters: Parameters = PLAIN
    ) -> Rows:
        """The rows of a table: lists of cells under a header that has been checked.

        Raises:
            RequestError: there is none, or one has the wrong shape and rows are not reported.
            PayloadTooLargeError: there are more than ``MAX_ROWS``.
        """
        count, width = len(data), len(header)
        check_count(count)
        pick = self.picker(header)
        if set(map(type, data)) == {list} and set(map(len, data)) == {width}:
            return Rows(count, list(map(pick, data)), parameters=parameters)

        def read(cells: Any, index: int) -> Row | RequestError:
            if type(cells) is not list:
                return invalid_row(f"expected a list of values, got {describe(cells)}", index)
            if len(cells) != width:
                return invalid_row(
                    f"expected {width} columns as in the header, got {len(cells)}", index
                )
            return pick(cells)

        return self.read_each(map(read, data, range(count)), count, parameters)

    def read_each(
        self, found: Iterable[Row | RequestError], count: int, parameters: Parameters = PLAIN
    ) -> Rows:
        """Rows and errors told apart.

        Raises:
            RequestError: the first error, when rows are not reported.
        """
        rows = Rows(count, [], parameters=parameters)
        for index, row in enumerate(found):
            if not isinstance(row, RequestError):
                rows.rows.append(row)
            elif self.reports_rows:
                rows.refused[index] = row
            else:
                raise row
        return rows


def _sized(instances: list[Any], types: set[type]) -> list[Any]:
    return instances if types <= {dict, list} else []


def _getter(keys: Sequence[Any]) -> Callable[[Any], Row]:
    if len(keys) == 1:
        only = keys[0]
        return lambda values: (values[only],)
    return itemgetter(*keys)
