"""Checked inputs put together as the model's features, in training order."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from forecast_inference.contract.schema import NUMBER_TYPES
from forecast_inference.errors import ArtifactError
from forecast_inference.features.rules import compile_rule

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from forecast_inference.contract.schema import FeatureSchema, FeatureSpec
    from forecast_inference.requests.validate import Block, Column, Group

_DTYPES: Final = {
    "boolean": np.dtype(bool),
    "integer": np.dtype(np.int32),
    "long": np.dtype(np.int64),
    "float": np.dtype(np.float32),
    "double": np.dtype(np.float64),
}


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a feature comes from: a column of a block, and the rule that derives it, if any."""

    group: int
    column: int
    rule: Callable[[Column], NDArray[Any]] | None

    def read(self, blocks: Sequence[Block]) -> NDArray[Any]:
        column = blocks[self.group][self.column]
        return column if self.rule is None else self.rule(column)


class FeatureAssembler:
    """Puts the blocks of checked inputs together as what the model takes."""

    def __init__(self, schema: FeatureSchema, groups: Sequence[Group]) -> None:
        sources = {
            spec.name: (number, column)
            for number, group in enumerate(groups)
            for column, spec in enumerate(group.inputs)
        }
        self._features = schema.features
        self._places = tuple(_place(schema, spec, sources) for spec in schema.features)
        self._as_is = len(groups) == 1 and [
            (place.group, place.column, place.rule) for place in self._places
        ] == [(0, column, None) for column in range(len(groups[0].inputs))]

    def check_array(self) -> None:
        """Check that every feature is a number, as a model that takes an array needs.

        Raises:
            ArtifactError: a feature is text or a date.
        """
        for spec in self._features:
            if spec.type not in NUMBER_TYPES:
                raise ArtifactError(
                    f"feature {spec.name!r} is {spec.type}: the model takes an array of numbers"
                )

    def array(self, blocks: Sequence[Block], count: int) -> NDArray[np.float64]:
        """The features as float64, rows by features, contiguous; null is NaN."""
        if self._as_is:
            matrix = np.asarray(blocks[0], dtype=np.float64)
        else:
            matrix = np.empty((len(self._places), count))
            for number, place in enumerate(self._places):
                matrix[number] = place.read(blocks)
        return np.ascontiguousarray(matrix.T)

    def frame(self, blocks: Sequence[Block], _: int) -> Any:
        """The features as a pandas DataFrame with the names and types of the schema."""
        pandas = importlib.import_module("pandas")
        return pandas.DataFrame(
            {
                spec.name: _as_declared(spec, place.read(blocks))
                for spec, place in zip(self._features, self._places, strict=True)
            }
        )


def _place(schema: FeatureSchema, spec: FeatureSpec, sources: dict[str, tuple[int, int]]) -> _Place:
    if spec.derive is None:
        return _Place(*sources[spec.name], None)
    source = schema.input(spec.derive["source"])
    rule = compile_rule(spec.derive, categories=source.categories or ())
    return _Place(*sources[source.name], rule)


def _as_declared(spec: FeatureSpec, column: NDArray[Any]) -> NDArray[Any]:
    dtype = _DTYPES.get(spec.type)
    if dtype is None:
        return column
    if dtype.kind in "ib" and column.dtype.kind == "f" and np.isnan(column).any():
        return column  # null has no place among integers: pandas keeps such a column as floats too
    return column.astype(dtype, copy=False)
