"""Declared outputs: the columns that the model gives, what an answer holds, and how sure it is."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from forecast_packaging.declarations.base import Declaration, Name, Number


def _check_level(text: str) -> str:
    try:
        level = float(text)
    except ValueError:
        level = 0.0
    if not 0 < level < 1 or repr(level) != text:
        raise ValueError("expected a level between 0 and 1 as in '0.9'")
    return text


Level = Annotated[str, AfterValidator(_check_level)]
"""The share of outcomes that an interval covers, in the shortest text that is the same number."""

Below = Annotated[Number, Field(le=0)]
Above = Annotated[Number, Field(ge=0)]
Pair = Annotated[list[Number], Field(min_length=2, max_length=2)]


class DeclaredModel(Declaration):
    """A model file that the run logged beside its MLflow model, or inside it."""

    file: Name
    flavor: Literal["xgboost", "lightgbm", "catboost", "onnx", "sklearn"]
    columns: Annotated[list[Name], Field(min_length=1)]
    features: Annotated[list[Name], Field(min_length=1)] | None = None


class DeclaredOutput(Declaration):
    """One value of a prediction, and the column of the model's output that it is made of."""

    name: Name
    column: Name | None = None
    unit: Name | None = None
    minimum: Number | None = None
    maximum: Number | None = None
    transform: Literal["identity", "exp", "expm1"] = "identity"

    @property
    def source(self) -> str:
        """The column that the output is made of."""
        return self.name if self.column is None else self.column


class Offsets(Declaration):
    """Intervals by calibrated offsets, added to the prediction or in shares of it."""

    kind: Literal["absolute", "relative"]
    offsets: Annotated[dict[Level, Pair], Field(min_length=1)]

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        for level, (lower, upper) in self.offsets.items():
            if not lower <= 0 <= upper:
                raise ValueError(
                    f"has the offsets {lower:g} and {upper:g} at level {level}, expected the first "
                    "at most 0 and the second at least 0"
                )
        return self

    @property
    def levels(self) -> set[str]:
        """The levels that the output has intervals at."""
        return set(self.offsets)


class Quantiles(Declaration):
    """Intervals between two columns of the model's output, widened by calibrated margins."""

    kind: Literal["quantiles"]
    columns: Annotated[
        dict[Level, Annotated[list[Name], Field(min_length=2, max_length=2)]], Field(min_length=1)
    ]
    margins: dict[Level, Number] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _check_margins(self) -> Self:
        unknown = sorted(self.margins.keys() - self.columns.keys())
        if unknown:
            raise ValueError(f"has margins at {', '.join(unknown)}, where it has no columns")
        return self

    @property
    def levels(self) -> set[str]:
        """The levels that the output has intervals at."""
        return set(self.columns)


Band = Annotated[Offsets | Quantiles, Field(discriminator="kind")]


class Intervals(Declaration):
    """Calibrated prediction intervals of some outputs, all at the same levels."""

    default_level: Annotated[Number, Field(gt=0, lt=1)]
    outputs: Annotated[dict[Name, Band], Field(min_length=1)]

    def document(self) -> dict[str, Any]:
        """The intervals as the feature schema holds them."""
        return self.model_dump(exclude_defaults=True)


class OneLevelBand(Declaration):
    """Offsets of one output's prediction interval: `lower` ≤ 0 ≤ `upper`."""

    kind: Literal["absolute", "relative"]
    lower: Below
    upper: Above


class OneLevel(Declaration):
    """Prediction intervals at a single level, the short form of `Intervals`."""

    level: Annotated[Number, Field(gt=0, lt=1)]
    outputs: Annotated[dict[Name, OneLevelBand], Field(min_length=1)]

    def written_out(self) -> Intervals:
        """The same intervals in the form for several levels."""
        return Intervals(
            default_level=self.level,
            outputs={
                name: Offsets(
                    kind=band.kind, offsets={repr(float(self.level)): [band.lower, band.upper]}
                )
                for name, band in self.outputs.items()
            },
        )


class Horizon(Declaration):
    """Forecasts of several steps from one row.

    Attributes:
        date_input: The input that moves on by one step at a time.
        step: How far it moves.
        maximum: Most steps in one request.
        carry: Inputs that take an output of the step before, such as the last price.
    """

    date_input: Name
    step: Literal["day", "week"] = "day"
    maximum: Annotated[int, Field(ge=1, le=10_000)]
    carry: dict[Name, Name] = Field(default_factory=dict)
