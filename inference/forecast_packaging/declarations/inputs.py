"""Declared inputs: what a request row holds, how strictly it is read, and what follows from it."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from forecast_packaging.declarations.base import Declaration, Name, Number

InputType = Literal["boolean", "integer", "long", "float", "double", "string", "datetime", "date"]
Imputed = bool | int | Number | str
"""A value that stands in for one that a request lacks, in the type of its input."""

LARGEST_FLOAT32 = 3.4028234663852886e38
"""Largest magnitude of a number, as the runtime checks it: tree libraries keep 32-bit floats."""

BOUNDS = {
    "integer": (-(2**31), 2**31 - 1),
    "long": (-(2**53) + 1, 2**53 - 1),
    "float": (-LARGEST_FLOAT32, LARGEST_FLOAT32),
    "double": (-LARGEST_FLOAT32, LARGEST_FLOAT32),
}
"""The smallest and the largest number of each type of number that the runtime takes."""

NUMBER_TYPES = frozenset(BOUNDS)
WHOLE_TYPES = frozenset({"integer", "long"})


class Range(Declaration):
    """The values that an input should have, bounds included; one bound may be left out."""

    minimum: Number | None = None
    maximum: Number | None = None

    @model_validator(mode="after")
    def _check_bounds(self) -> Self:
        if self.minimum is None and self.maximum is None:
            raise ValueError("expected a minimum, a maximum or both")
        return self


class DeclaredInput(Declaration):
    """A value of a request row.

    Of a column of the model's signature everything but the name may be left out: the signature
    has its type and whether it may be null.
    """

    name: Name
    type: InputType | None = None
    unit: Name | None = None
    nullable: bool | None = None
    range: Range | None = None
    out_of_range: Literal["accept", "refuse", "clip", "impute"] | None = None
    categories: list[str] | None = None
    unknown_category: Literal["refuse", "impute"] | None = None
    missing: Literal["refuse", "impute"] | None = None
    impute: Imputed | None = None

    @property
    def imputes(self) -> bool:
        """Whether any policy puts a value in place of what the request holds."""
        return "impute" in {self.out_of_range, self.unknown_category, self.missing}


class CategoryIndex(Declaration):
    """A feature that is the position of a string in its source's categories."""

    kind: Literal["category_index"]
    source: Name


class Calendar(Declaration):
    """A feature that is read off a date."""

    kind: Literal[
        "day_of_week", "day_of_month", "day_of_year", "week_of_year", "month", "year", "is_weekend"
    ]
    source: Name


class DaysToEvent(Declaration):
    """A feature that is the signed number of days to the nearest of listed events."""

    kind: Literal["days_to_event"]
    source: Name
    events: Annotated[list[str], Field(min_length=1)]
    limit: Annotated[int, Field(ge=1)]

    @model_validator(mode="after")
    def _check_events(self) -> Self:
        for event in self.events:
            if date.fromisoformat(event).isoformat() != event:
                raise ValueError(f"has the event {event!r}, expected YYYY-MM-DD")
        if self.events != sorted(set(self.events)):
            raise ValueError("expected events in ascending order, each once")
        return self


class AnnualWave(Declaration):
    """A feature that is a sine or cosine over the year."""

    kind: Literal["annual_sine", "annual_cosine"]
    source: Name
    harmonic: Annotated[int, Field(ge=1)] = 1


Derivation = Annotated[
    CategoryIndex | Calendar | DaysToEvent | AnnualWave, Field(discriminator="kind")
]
