"""`artifacts/serving.json`: what a run declares of its requests beyond the model's signature."""

from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from forecast_packaging.declarations.base import Declaration, Name, read_declaration
from forecast_packaging.declarations.inputs import DeclaredInput, Derivation
from forecast_packaging.declarations.outputs import (
    DeclaredModel,
    DeclaredOutput,
    Horizon,
    Intervals,
    OneLevel,
)

SERVING_FILE = "artifacts/serving.json"


class RequestExample(Declaration):
    """A request that the model answers."""

    instances: Annotated[list[dict[str, Any]], Field(min_length=1)]


class Serving(Declaration):
    """The whole declaration; empty for a model whose requests are its columns."""

    models: Annotated[list[DeclaredModel], Field(min_length=1)] | None = None
    columns: Annotated[list[Name], Field(min_length=1)] | None = None
    inputs: list[DeclaredInput] = Field(default_factory=list)
    derived: dict[Name, Derivation] = Field(default_factory=dict)
    outputs: Annotated[list[DeclaredOutput], Field(min_length=1)] | None = None
    interval: OneLevel | None = None
    intervals: Intervals | None = None
    horizon: Horizon | None = None
    input_example: RequestExample | None = None

    @model_validator(mode="after")
    def _check_intervals(self) -> Self:
        if self.interval is not None and self.intervals is not None:
            raise ValueError("expected interval or intervals, got both")
        return self

    @property
    def all_intervals(self) -> Intervals | None:
        """The prediction intervals, whichever form they were declared in."""
        return self.intervals if self.interval is None else self.interval.written_out()


def read_serving(snapshot: Path) -> Serving:
    """The declaration in a snapshot; an empty one when the run logged none.

    Raises:
        ModelError: The file breaks a rule; every broken one is named.
    """
    return read_declaration(snapshot, SERVING_FILE, Serving) or Serving()
