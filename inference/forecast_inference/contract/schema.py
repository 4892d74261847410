"""The contract between a request, the model and its answer, read from ``feature_schema.json``."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from forecast_inference.contract.features import FeatureSpec, read_feature
from forecast_inference.contract.horizon import HorizonSpec, read_horizon
from forecast_inference.contract.inputs import InputSpec, read_input
from forecast_inference.contract.outputs import (
    IntervalSpec,
    OutputSpec,
    read_columns,
    read_intervals,
    read_output,
)
from forecast_inference.contract.reading import named_entries, read_json, take, take_choice
from forecast_inference.errors import ArtifactError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = [
    "SCHEMA_VERSION",
    "FeatureSchema",
    "FeatureSpec",
    "HorizonSpec",
    "InputSpec",
    "IntervalSpec",
    "OutputSpec",
]

SCHEMA_VERSION: Final = 2
ROW_ERRORS: Final = frozenset({"refuse_request", "report_rows"})


@dataclass(frozen=True, slots=True)
class FeatureSchema:
    """Inputs of a request, features of the model in training order, outputs and their intervals.

    Attributes:
        inputs: what a row of a request holds, in the order of rows that are arrays.
        features: what the model sees, in training order.
        columns: what the model's raw output holds, in its order.
        outputs: what a prediction holds.
        row_errors: ``refuse_request``, or ``report_rows`` in place of their predictions.
        default_level: the level of the intervals that are answered unasked; ``None`` without any.
        intervals: by output; all of them have the same levels.
        horizon: how a row is continued into the future, if it may be.
    """

    inputs: tuple[InputSpec, ...]
    features: tuple[FeatureSpec, ...]
    columns: tuple[str, ...]
    outputs: tuple[OutputSpec, ...]
    row_errors: str = "refuse_request"
    default_level: float | None = None
    intervals: Mapping[str, IntervalSpec] = field(default_factory=dict)
    horizon: HorizonSpec | None = None

    @classmethod
    def load(cls, path: Path) -> FeatureSchema:
        """Read the schema file.

        Raises:
            ArtifactError: the file is missing, is not JSON or breaks a rule of the contract.
        """
        return cls.from_document(read_json(path))

    @classmethod
    def from_document(cls, document: Any) -> FeatureSchema:
        """Build the schema from its JSON document.

        Raises:
            ArtifactError: a key is missing or unknown, or the parts contradict each other.
        """
        top = take(
            document,
            "the schema",
            {"schema_version", "inputs", "features", "outputs"},
            {"row_errors", "columns", "intervals", "horizon"},
        )
        if top["schema_version"] != SCHEMA_VERSION:
            raise ArtifactError(
                f"schema_version is {top['schema_version']!r}, this runtime reads {SCHEMA_VERSION}"
            )
        inputs = tuple(read_input(entry) for entry in named_entries(top, "inputs"))
        by_name = {spec.name: spec for spec in inputs}
        features = tuple(read_feature(entry, by_name) for entry in named_entries(top, "features"))
        entries = named_entries(top, "outputs")
        names = [entry["name"] for entry in entries]
        columns = read_columns(top, names)
        level, intervals = read_intervals(top.get("intervals"), names, columns)
        return cls(
            inputs=inputs,
            features=features,
            columns=columns,
            outputs=tuple(read_output(entry, columns) for entry in entries),
            row_errors=take_choice(
                {"row_errors": "refuse_request", **top}, "row_errors", "the schema", ROW_ERRORS
            ),
            default_level=level,
            intervals=intervals,
            horizon=read_horizon(top.get("horizon"), by_name, names),
        )

    def input(self, name: str) -> InputSpec:
        """The input of that name; the schema guarantees that a feature's source exists."""
        return next(spec for spec in self.inputs if spec.name == name)

    @property
    def levels(self) -> tuple[float, ...]:
        """The levels at which there are intervals, in ascending order."""
        return next((spec.levels for spec in self.intervals.values()), ())

    @property
    def reports_rows(self) -> bool:
        """Whether a wrong row is answered with an error of its own beside the predictions."""
        return self.row_errors == "report_rows"

    @property
    def is_lenient(self) -> bool:
        """Whether an input's value may be replaced, which the answer then reports."""
        return any(spec.is_lenient for spec in self.inputs)
