"""Inputs: what a request row holds, and how tolerantly each value is read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from forecast_inference.contract.reading import (
    take,
    take_bounds,
    take_choice,
    take_flag,
    take_text,
)
from forecast_inference.contract.values import (
    EXPECTED,
    INPUT_TYPES,
    INTEGER_BOUNDS,
    MEASURED_TYPES,
    check_value,
)
from forecast_inference.errors import ArtifactError

if TYPE_CHECKING:
    from collections.abc import Mapping

RANGE_POLICIES: Final = frozenset({"accept", "refuse", "clip", "impute"})
POLICIES: Final = frozenset({"refuse", "impute"})


@dataclass(frozen=True, slots=True)
class InputSpec:
    """One value that a request row must hold.

    Attributes:
        name: its key in a row.
        type: one of ``values.INPUT_TYPES``.
        nullable: whether null is a value of its own, which the model takes as missing.
        unit: what a number counts.
        minimum, maximum: the range that a number should be in, bounds included.
        out_of_range: what happens outside of it: ``accept``, ``refuse``, ``clip`` (the nearest
            bound) or ``impute``.
        categories: the strings that the model knows, in their order.
        known: the same as a set.
        unknown_category: what happens to any other string: ``refuse`` or ``impute``.
        missing: what happens to null in an input that is not nullable: ``refuse`` or ``impute``;
            with the latter its key may also be left out.
        impute: the value that stands in for one that cannot be used, as in a request.
    """

    name: str
    type: str
    nullable: bool = False
    unit: str | None = None
    minimum: float | None = None
    maximum: float | None = None
    out_of_range: str = "accept"
    categories: tuple[str, ...] | None = None
    known: frozenset[str] | None = field(default=None, compare=False)
    unknown_category: str = "refuse"
    missing: str = "refuse"
    impute: Any = None

    @property
    def has_range(self) -> bool:
        """Whether the input has a minimum or a maximum."""
        return self.minimum is not None or self.maximum is not None

    @property
    def may_be_absent(self) -> bool:
        """Whether a row may lack the input's key."""
        return self.missing == "impute"

    @property
    def is_lenient(self) -> bool:
        """Whether a value of the input may be replaced by another, which the answer reports."""
        return "impute" in {self.missing, self.unknown_category, self.out_of_range} or (
            self.out_of_range == "clip"
        )


def read_input(entry: Mapping[str, Any]) -> InputSpec:
    """The input of its JSON document, which has a name.

    Raises:
        ArtifactError: a key is unknown or contradicts another.
    """
    where = f"input {entry['name']!r}"
    take(
        entry,
        where,
        {"name", "type"},
        {
            "nullable", "unit", "range", "out_of_range", "categories", "unknown_category",
            "missing", "impute",
        },
    )  # fmt: skip
    kind = take_choice(entry, "type", where, INPUT_TYPES)
    minimum, maximum = _read_range(entry, where)
    categories = _read_categories(entry, where)
    spec = InputSpec(
        name=entry["name"],
        type=kind,
        nullable=take_flag(entry, "nullable", where),
        unit=take_text(entry, "unit", where),
        minimum=minimum,
        maximum=maximum,
        out_of_range=_policy(entry, "out_of_range", "range", where),
        categories=categories,
        known=None if categories is None else frozenset(categories),
        unknown_category=_policy(entry, "unknown_category", "categories", where),
        missing=_policy(entry, "missing", "type", where),
        impute=entry.get("impute"),
    )
    if spec.nullable and "missing" in entry:
        raise ArtifactError(f"{where} has a policy for missing values and is nullable")
    _check_impute(spec, where)
    return spec


def _read_range(entry: Mapping[str, Any], where: str) -> tuple[float | None, float | None]:
    if entry.get("range") is None:
        return None, None
    if entry["type"] not in MEASURED_TYPES:
        raise ArtifactError(f"{where} has a range, which only numbers have")
    where = f"{where}: range"
    bounds = take(entry["range"], where, (), {"minimum", "maximum"})
    minimum, maximum = take_bounds(bounds, where)
    if minimum is None and maximum is None:
        raise ArtifactError(f"{where} needs a minimum, a maximum or both")
    return minimum, maximum


def _read_categories(entry: Mapping[str, Any], where: str) -> tuple[str, ...] | None:
    categories = entry.get("categories")
    if categories is None:
        return None
    if entry["type"] != "string" or not isinstance(categories, list) or not categories:
        raise ArtifactError(f"{where}: categories must be a list of strings on a string input")
    if not all(isinstance(item, str) for item in categories):
        raise ArtifactError(f"{where}: categories must be strings")
    if len(set(categories)) != len(categories):
        raise ArtifactError(f"{where} lists a category twice")
    return tuple(categories)


def _policy(entry: Mapping[str, Any], key: str, needs: str, where: str) -> str:
    if key not in entry:
        return "accept" if key == "out_of_range" else "refuse"
    if entry.get(needs) is None:
        raise ArtifactError(f"{where} has {key}, which means nothing without {needs}")
    choices = RANGE_POLICIES if key == "out_of_range" else POLICIES
    return take_choice(entry, key, where, choices)


def _check_impute(spec: InputSpec, where: str) -> None:
    needed = "impute" in {spec.out_of_range, spec.unknown_category, spec.missing}
    value = spec.impute
    if value is None:
        if needed:
            raise ArtifactError(f"{where} has a policy that imputes, and no value to impute")
    elif check_value(spec.type, value) is not None:
        raise ArtifactError(f"{where}: impute is {value!r}, expected {EXPECTED[spec.type]}")
    elif spec.known is not None and value not in spec.known:
        raise ArtifactError(f"{where}: impute is {value!r}, which is none of its categories")
    elif spec.out_of_range != "accept" and not _is_inside(spec, value):
        raise ArtifactError(f"{where}: impute is {value!r}, which is outside its range")
    if spec.type in INTEGER_BOUNDS and spec.out_of_range == "clip":
        bounds = [bound for bound in (spec.minimum, spec.maximum) if bound is not None]
        if any(check_value(spec.type, bound) is not None for bound in bounds):
            raise ArtifactError(f"{where} is clipped to its range, whose bounds must be whole")


def _is_inside(spec: InputSpec, value: float) -> bool:
    return (spec.minimum is None or value >= spec.minimum) and (
        spec.maximum is None or value <= spec.maximum
    )
