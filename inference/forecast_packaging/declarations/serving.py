"""`artifacts/serving.json`: what a run declares of its requests beyond the model's signature."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from forecast_packaging.documents import read_json
from forecast_packaging.errors import ModelError

if TYPE_CHECKING:
    from pathlib import Path

SERVING_FILE = "artifacts/serving.json"

InputType = Literal["boolean", "integer", "long", "float", "double", "string", "datetime", "date"]
Name = Annotated[str, Field(min_length=1)]
Number = Annotated[float, Field(allow_inf_nan=False)]


class _Declaration(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


class DeclaredInput(_Declaration):
    """A value of a request row that is no column of the model."""

    name: Name
    type: InputType
    nullable: bool = False
    categories: list[str] | None = None

    @model_validator(mode="after")
    def _check_categories(self) -> Self:
        if self.categories is None:
            return self
        if self.type != "string":
            raise ValueError(f"has categories and the type {self.type!r}, expected 'string'")
        if not self.categories or len(set(self.categories)) != len(self.categories):
            raise ValueError("expected categories that are there and differ")
        return self


class CategoryIndex(_Declaration):
    """A feature that is the position of a string in its source's categories."""

    kind: Literal["category_index"]
    source: Name


class Calendar(_Declaration):
    """A feature that is read off a date."""

    kind: Literal[
        "day_of_week", "day_of_month", "day_of_year", "week_of_year", "month", "year", "is_weekend"
    ]
    source: Name


class DaysToEvent(_Declaration):
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


class AnnualWave(_Declaration):
    """A feature that is a sine or cosine over the year."""

    kind: Literal["annual_sine", "annual_cosine"]
    source: Name
    harmonic: Annotated[int, Field(ge=1)] = 1


Derivation = Annotated[
    CategoryIndex | Calendar | DaysToEvent | AnnualWave, Field(discriminator="kind")
]


class DeclaredOutput(_Declaration):
    """One column of the answer, in the model's order."""

    name: Name
    minimum: Number | None = None
    transform: Literal["identity", "exp", "expm1"] = "identity"


class Band(_Declaration):
    """Offsets of one output's prediction interval: `lower` ≤ 0 ≤ `upper`."""

    kind: Literal["absolute", "relative"]
    lower: Annotated[Number, Field(le=0)]
    upper: Annotated[Number, Field(ge=0)]


class Interval(_Declaration):
    """Calibrated prediction intervals at one level."""

    level: Annotated[Number, Field(gt=0, lt=1)]
    outputs: Annotated[dict[str, Band], Field(min_length=1)]


class RequestExample(_Declaration):
    """A request that the model answers."""

    instances: Annotated[list[dict[str, Any]], Field(min_length=1)]


class Serving(_Declaration):
    """The whole declaration; empty for a model whose requests are its columns."""

    inputs: list[DeclaredInput] = Field(default_factory=list)
    derived: dict[str, Derivation] = Field(default_factory=dict)
    outputs: list[DeclaredOutput] | None = None
    interval: Interval | None = None
    input_example: RequestExample | None = None


def read_serving(snapshot: Path) -> Serving:
    """The declaration in a snapshot; an empty one when the run logged none.

    Raises:
        ModelError: The file breaks a rule; every broken one is named.
    """
    path = snapshot / SERVING_FILE
    if not path.is_file():
        return Serving()
    document = read_json(path, SERVING_FILE)
    try:
        return Serving.model_validate(document)
    except ValidationError as error:
        lines = [_explain(problem) for problem in error.errors(include_url=False)]
        raise ModelError("\n".join(lines)) from None


def _explain(problem: Any) -> str:
    place = ".".join(str(part) for part in problem["loc"])
    message = problem["msg"].removeprefix("Value error, ")
    message = f"{message[:1].lower()}{message[1:]}"
    got = problem["input"]
    shown = f", got {got!r}" if isinstance(got, str | int | float) else ""
    return f"{SERVING_FILE}: {place}: {message}{shown}"
