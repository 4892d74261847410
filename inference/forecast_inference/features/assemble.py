"""Checked inputs put together as the model's features, in training order."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from forecast_inference.contract.values import NUMBER_TYPES
from forecast_inference.errors import ArtifactError
from forecast_inference.features.rules import compile_rule

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from forecast_inference.contract.schema import FeatureSchema, FeatureSpec, InputSpec
    from forecast_inference.requests.columns import Block, Column, Group

_DTYPES: Final = {
    "boolean": np.dtype(bool),
    "integer": np.dtype(np.int32),
    "long": np.dtype(np.int64),
    "float": np.dtype(np.float32),
    "double": np.dtype(np.float64),
}
_TIMES: Final = {"date": "datetime64[D]", "datetime": "datetime64[us]"}
_VALUES_KEPT: Final = 4096


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a feature comes from, and the rule that derives it, if any.

    Attributes:
        source: the input.
        group: the number of the input's block.
        column: the number of its column in the block.
        position: its position among the plain values of a row.
        rule: what derives the feature from a column.
        rule_of_one: the same for a plain value, remembered.
    """

    source: InputSpec
    group: int
    column: int
    position: int
    rule: Callable[[Column], NDArray[Any]] | None = None
    rule_of_one: Callable[[Any], float] | None = None

    def read(self, blocks: Sequence[Block]) -> NDArray[Any]:
        column = blocks[self.group][self.column]
        return column if self.rule is None else self.rule(column)


class FeatureAssembler:
    """Puts checked inputs together as what the model takes.

    Args:
        schema: the inputs and the features.
        groups: the inputs in the groups of the blocks.
    """

    def __init__(self, schema: FeatureSchema, groups: Sequence[Group]) -> None:
        places = {
            spec.name: _Place(spec, number, column, group.start + column)
            for number, group in enumerate(groups)
            for column, spec in enumerate(group.inputs)
        }
        self._features = schema.features
        self._places = tuple(_place(spec, places) for spec in schema.features)
        self._of_one = tuple((place.position, place.rule_of_one) for place in self._places)
        self._as_is = list(self._of_one) == [(place, None) for place in range(len(schema.inputs))]
        self._as_is_block = self._as_is and len(groups) == 1

    def ways(self, kind: str) -> tuple[Callable[..., Any], Callable[..., Any]]:
        """What makes the features of many rows and of a single one, for a kind of model input.

        Raises:
            ArtifactError: the model takes an array of numbers, and a feature is none.
        """
        if kind == "array":
            self._check_array()
            return self.array, self.array_of_one
        if kind == "columns":
            return self.columns, self.columns_of_one
        return self.frame, self.frame_of_one

    def _check_array(self) -> None:
        for spec in self._features:
            if spec.type not in NUMBER_TYPES:
                raise ArtifactError(
                    f"feature {spec.name!r} is {spec.type}: the model takes an array of numbers"
                )

    def array(self, blocks: Sequence[Block], count: int) -> NDArray[np.float64]:
        """The features as float64, rows by features, contiguous; null is NaN."""
        if self._as_is_block:
            matrix = np.asarray(blocks[0], dtype=np.float64)
        else:
            matrix = np.empty((len(self._places), count))
            for number, place in enumerate(self._places):
                matrix[number] = place.read(blocks)
        return np.ascontiguousarray(matrix.T)

    def array_of_one(self, row: Sequence[Any]) -> NDArray[np.float64]:
        """The same for the plain values of a single row."""
        if self._as_is:
            return np.array((row,), dtype=np.float64)
        return np.array(
            [[row[place] if rule is None else rule(row[place]) for place, rule in self._of_one]],
            dtype=np.float64,
        )

    def columns(self, blocks: Sequence[Block], _: int) -> dict[str, NDArray[Any]]:
        """The features as arrays by name, with the types of the schema."""
        return {
            spec.name: _as_declared(spec, place.read(blocks))
            for spec, place in zip(self._features, self._places, strict=True)
        }

    def columns_of_one(self, row: Sequence[Any]) -> dict[str, NDArray[Any]]:
        """The same for the plain values of a single row."""
        found = {}
        for spec, place in zip(self._features, self._places, strict=True):
            column = _column_of_one(place.source.type, row[place.position])
            derived = column if place.rule is None else place.rule(column)
            found[spec.name] = _as_declared(spec, derived)
        return found

    def frame(self, blocks: Sequence[Block], count: int) -> Any:
        """The features as a pandas DataFrame with the names and types of the schema."""
        return _pandas().DataFrame(self.columns(blocks, count))

    def frame_of_one(self, row: Sequence[Any]) -> Any:
        """The same for the plain values of a single row."""
        return _pandas().DataFrame(self.columns_of_one(row))


def _pandas() -> Any:
    return importlib.import_module("pandas")  # only models that take a DataFrame need it


def _place(spec: FeatureSpec, places: dict[str, _Place]) -> _Place:
    if spec.derive is None:
        return places[spec.name]
    place = places[spec.derive["source"]]
    source = place.source
    rule = compile_rule(spec.derive, categories=source.categories or ())

    def of_one(value: Any) -> float:
        return float(rule(_column_of_one(source.type, value))[0])

    return _Place(
        source, place.group, place.column, place.position, rule, lru_cache(_VALUES_KEPT)(of_one)
    )


def _column_of_one(kind: str, value: Any) -> NDArray[Any]:
    time = _TIMES.get(kind)
    if time is not None:
        return np.array(["NaT" if value is None else value], dtype=time)
    if kind == "string":
        return np.array([value], dtype=object)
    if value is None or kind in {"float", "double"}:
        return np.array([value], dtype=np.float64)
    return np.array([value])


def _as_declared(spec: FeatureSpec, column: NDArray[Any]) -> NDArray[Any]:
    dtype = _DTYPES.get(spec.type)
    if dtype is None:
        return column
    if dtype.kind in "ib" and column.dtype.kind == "f" and np.isnan(column).any():
        return column  # null has no place among integers: pandas keeps such a column as floats too
    return column.astype(dtype, copy=False)
