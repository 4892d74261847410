"""`artifacts/training_profile.json`: what the training data held of each input."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from forecast_packaging.declarations.base import Declaration, Name, Number, read_declaration
from forecast_packaging.declarations.inputs import NUMBER_TYPES, WHOLE_TYPES, Imputed, Range

PROFILE_FILE = "artifacts/training_profile.json"
MAX_CATEGORIES = 1000
"""Most distinct texts that are taken for the categories of an input; more are free text."""

Count = Annotated[int, Field(ge=0)]


class Observed(Declaration):
    """One input in the training data; numbers and texts have different entries."""

    missing: Count = 0
    minimum: Number | None = None
    maximum: Number | None = None
    mean: Number | None = None
    standard_deviation: Number | None = None
    median: Number | None = None
    quantiles: dict[str, Number] = Field(default_factory=dict)
    categories: dict[str, Count] | None = None

    def range(self, kind: str) -> Range | None:
        """The smallest and the largest value; None for what has no order or no value."""
        if kind not in NUMBER_TYPES or self.minimum is None or self.maximum is None:
            return None
        return Range(minimum=self.minimum, maximum=self.maximum)

    def known(self, kind: str) -> list[str] | None:
        """The categories of a text, sorted; None when they are too many to be all there are."""
        if kind != "string" or not self.categories or len(self.categories) > MAX_CATEGORIES:
            return None
        return sorted(self.categories)

    def typical(self, kind: str) -> Imputed | None:
        """The median of a number, the most frequent of the categories; None when neither is."""
        if kind in NUMBER_TYPES and self.median is not None:
            return round(self.median) if kind in WHOLE_TYPES else self.median
        counts = self.categories
        if kind == "string" and counts:
            return min(counts, key=lambda text: (-counts[text], text))
        return None


class Profile(Declaration):
    """The whole document; empty when the run logged none."""

    schema_version: Literal[2] = 2
    rows: Count = 0
    inputs: dict[Name, Observed] = Field(default_factory=dict)


def read_profile(snapshot: Path) -> Profile:
    """The training profile in a snapshot; an empty one when the run logged none.

    Raises:
        ModelError: The file breaks a rule; every broken one is named.
    """
    return read_declaration(snapshot, PROFILE_FILE, Profile) or Profile()
