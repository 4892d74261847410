"""Outputs: what a prediction holds, the model columns it is made of, and its intervals."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from forecast_inference.contract.reading import (
    is_number,
    take,
    take_bounds,
    take_choice,
    take_number,
    take_text,
)
from forecast_inference.errors import ArtifactError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

TRANSFORMS: Final = frozenset({"identity", "exp", "expm1"})
INTERVAL_KINDS: Final = frozenset({"absolute", "relative", "quantiles"})
_PAIR: Final = 2


@dataclass(frozen=True, slots=True)
class OutputSpec:
    """One value of a prediction.

    Attributes:
        name: its key in an answer.
        column: the column of the model's raw output that it is made of.
        unit: what it counts.
        minimum, maximum: what a prediction and its bounds are clipped to.
        transform: what is done to the raw value: ``identity``, ``exp`` or ``expm1``.
    """

    name: str
    column: str
    unit: str | None = None
    minimum: float | None = None
    maximum: float | None = None
    transform: str = "identity"


@dataclass(frozen=True, slots=True)
class IntervalSpec:
    """The prediction intervals of one output, by level.

    Attributes:
        kind: ``absolute`` (offsets are added), ``relative`` (the prediction is scaled by one plus
            the offset) or ``quantiles`` (two columns of the model).
        offsets: by level, lower <= 0 <= upper; those of a level contain those of any lower level.
        columns: by level, the names of the lower and the upper column.
        margins: by level, how far the columns are widened on both sides; absent is 0.
    """

    kind: str
    offsets: Mapping[float, tuple[float, float]] = field(default_factory=dict)
    columns: Mapping[float, tuple[str, str]] = field(default_factory=dict)
    margins: Mapping[float, float] = field(default_factory=dict)

    @property
    def levels(self) -> tuple[float, ...]:
        """The levels, in ascending order."""
        return tuple(sorted(self.offsets or self.columns))


def read_columns(top: Mapping[str, Any], outputs: Collection[str]) -> tuple[str, ...]:
    """The columns of the model's raw output, in their order; by default they are the outputs.

    Raises:
        ArtifactError: they are no list of names that differ.
    """
    columns = top.get("columns")
    if columns is None:
        return tuple(outputs)
    if not isinstance(columns, list) or not columns:
        raise ArtifactError("columns must be a list with at least one name")
    if not all(isinstance(name, str) and name for name in columns):
        raise ArtifactError("columns must be names")
    if len(set(columns)) != len(columns):
        raise ArtifactError("columns holds a name twice")
    return tuple(columns)


def read_output(entry: Mapping[str, Any], columns: Collection[str]) -> OutputSpec:
    """The output of its JSON document, which has a name.

    Raises:
        ArtifactError: a key is unknown or contradicts another.
    """
    name = entry["name"]
    where = f"output {name!r}"
    take(entry, where, {"name"}, {"column", "unit", "minimum", "maximum", "transform"})
    column = entry.get("column", name)
    _check_column(column, where, columns)
    minimum, maximum = take_bounds(entry, where)
    transform = entry.get("transform", "identity")
    take_choice({"transform": transform}, "transform", where, TRANSFORMS)
    unit = take_text(entry, "unit", where)
    return OutputSpec(name, column, unit, minimum, maximum, transform)


def read_intervals(
    entry: Any, outputs: Collection[str], columns: Collection[str]
) -> tuple[float | None, dict[str, IntervalSpec]]:
    """The default level and the intervals by output; ``None`` and none when there are none.

    Raises:
        ArtifactError: an interval contradicts itself, another one or the outputs.
    """
    if entry is None:
        return None, {}
    take(entry, "intervals", {"default_level", "outputs"})
    take(entry["outputs"], "intervals: outputs", (), outputs)
    if not entry["outputs"]:
        raise ArtifactError("intervals: outputs must name at least one output")
    intervals = {
        name: _read_interval(value, f"interval of {name!r}", columns)
        for name, value in entry["outputs"].items()
    }
    (first, spec), *others = intervals.items()
    for name, other in others:
        if other.levels != spec.levels:
            raise ArtifactError(
                f"interval of {name!r} has the levels {_listed(other.levels)}, expected those of "
                f"{first!r}: {_listed(spec.levels)}"
            )
    default = entry["default_level"]
    if not is_number(default) or default not in spec.levels:
        raise ArtifactError(
            f"intervals: default_level is {default!r}, expected one of {_listed(spec.levels)}"
        )
    return float(default), intervals


def _read_interval(entry: Any, where: str, columns: Collection[str]) -> IntervalSpec:
    take(entry, where, {"kind"}, {"offsets", "columns", "margins"})
    kind = take_choice(entry, "kind", where, INTERVAL_KINDS)
    if kind == "quantiles":
        take(entry, where, {"kind", "columns"}, {"margins"})
        pairs = _by_level(entry, "columns", where)
        for name in (name for pair in pairs.values() for name in _pair(pair, where)):
            _check_column(name, where, columns)
        margins = {
            level: take_number({"margin": margin}, "margin", where) or 0.0
            for level, margin in _by_level(entry, "margins", where).items()
        }
        if not margins.keys() <= pairs.keys():
            raise ArtifactError(f"{where} has margins at a level without columns")
        return IntervalSpec(
            kind, columns={level: (pair[0], pair[1]) for level, pair in pairs.items()},
            margins=margins,
        )  # fmt: skip
    take(entry, where, {"kind", "offsets"})
    return IntervalSpec(kind, offsets=_read_offsets(_by_level(entry, "offsets", where), where))


def _read_offsets(by_level: Mapping[float, Any], where: str) -> dict[float, tuple[float, float]]:
    offsets: dict[float, tuple[float, float]] = {}
    lowest = highest = 0.0
    for level in sorted(by_level):
        lower, upper = _pair(by_level[level], where)
        if not (is_number(lower) and is_number(upper) and lower <= 0 <= upper):
            raise ArtifactError(
                f"{where} is {lower!r} to {upper!r} at level {level!r}, expected lower <= 0 <= "
                "upper"
            )
        # Levels are calibrated one by one: noise in the tails must not turn them inside out.
        lowest, highest = min(lowest, float(lower)), max(highest, float(upper))
        offsets[level] = (lowest, highest)
    return offsets


def _by_level(entry: Mapping[str, Any], key: str, where: str) -> dict[float, Any]:
    values = entry.get(key, {})
    if not isinstance(values, dict) or (key in entry and not values and key != "margins"):
        raise ArtifactError(f"{where}: {key} must be an object with at least one level")
    return {_level(text, where): value for text, value in values.items()}


def _level(text: str, where: str) -> float:
    try:
        level = float(text)
    except ValueError:
        level = 0.0
    if not 0 < level < 1 or repr(level) != text:
        raise ArtifactError(f"{where} has level {text!r}, expected one between 0 and 1 as in '0.9'")
    return level


def _pair(value: Any, where: str) -> tuple[Any, Any]:
    if not isinstance(value, list) or len(value) != _PAIR:
        raise ArtifactError(f"{where} needs a lower and an upper entry at every level")
    return value[0], value[1]


def _check_column(name: Any, where: str, columns: Collection[str]) -> None:
    if not isinstance(name, str) or name not in columns:
        raise ArtifactError(
            f"{where} has the column {name!r}, expected one of {', '.join(columns)}"
        )


def _listed(levels: tuple[float, ...]) -> str:
    return ", ".join(map(repr, levels))
