"""The contract between a request, the model and its answer, read from ``feature_schema.json``."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from forecast_inference.errors import ArtifactError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

SCHEMA_VERSION: Final = 1
NUMBER_TYPES: Final = frozenset({"boolean", "integer", "long", "float", "double"})
FEATURE_TYPES: Final = NUMBER_TYPES | {"string", "datetime"}
INPUT_TYPES: Final = FEATURE_TYPES | {"date"}
TRANSFORMS: Final = frozenset({"identity", "exp", "expm1"})
CALENDAR_KINDS: Final = frozenset(
    {
        "day_of_week",
        "day_of_month",
        "day_of_year",
        "week_of_year",
        "month",
        "year",
        "is_weekend",
        "days_to_event",
        "annual_sine",
        "annual_cosine",
    }
)
DERIVE_KINDS: Final = CALENDAR_KINDS | {"category_index"}


@dataclass(frozen=True, slots=True)
class InputSpec:
    """One value that a request row must hold."""

    name: str
    type: str
    nullable: bool = False
    categories: tuple[str, ...] | None = None
    known: frozenset[str] | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class FeatureSpec:
    """One column that the model sees: an input as it is, or derived from one."""

    name: str
    type: str
    derive: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class OutputSpec:
    """One column of the model's output."""

    name: str
    minimum: float | None = None
    transform: str = "identity"


@dataclass(frozen=True, slots=True)
class IntervalSpec:
    """The offsets of one output's prediction interval: added (absolute) or scaled (relative)."""

    kind: str
    lower: float
    upper: float


@dataclass(frozen=True, slots=True)
class FeatureSchema:
    """Inputs of a request, features of the model in training order, outputs and their intervals.

    ``level`` is the share of outcomes that the intervals cover; it is ``None`` without intervals.
    """

    inputs: tuple[InputSpec, ...]
    features: tuple[FeatureSpec, ...]
    outputs: tuple[OutputSpec, ...]
    level: float | None = None
    intervals: Mapping[str, IntervalSpec] = field(default_factory=dict)

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
        top = _take(
            document,
            "the schema",
            {"schema_version", "inputs", "features", "outputs"},
            {"interval"},
        )
        if top["schema_version"] != SCHEMA_VERSION:
            raise ArtifactError(
                f"schema_version is {top['schema_version']!r}, this runtime reads {SCHEMA_VERSION}"
            )
        inputs = tuple(_read_input(entry) for entry in _entries(top, "inputs"))
        by_name = {spec.name: spec for spec in inputs}
        features = tuple(_read_feature(entry, by_name) for entry in _entries(top, "features"))
        outputs = tuple(_read_output(entry) for entry in _entries(top, "outputs"))
        level, intervals = _read_interval(top.get("interval"), {spec.name for spec in outputs})
        return cls(inputs, features, outputs, level, intervals)

    def input(self, name: str) -> InputSpec:
        """The input of that name; the schema guarantees that a feature's source exists."""
        return next(spec for spec in self.inputs if spec.name == name)


def read_json(path: Path) -> Any:
    """The JSON document in a file of the archive.

    Raises:
        ArtifactError: the file is missing or is not JSON.
    """
    try:
        return json.loads(path.read_bytes())
    except FileNotFoundError:
        raise ArtifactError(f"{path.name} is missing from the model archive") from None
    except ValueError as error:
        raise ArtifactError(f"{path.name} is not JSON: {error}") from None


def _take(
    entry: Any, where: str, required: Collection[str], optional: Collection[str] = ()
) -> dict[str, Any]:
    """The entry itself, once it is an object with the required keys and no unknown ones."""
    if not isinstance(entry, dict):
        raise ArtifactError(f"{where} is {type(entry).__name__}, expected an object")
    missing = sorted(set(required) - entry.keys())
    if missing:
        raise ArtifactError(f"{where} lacks {', '.join(missing)}")
    unknown = sorted(entry.keys() - set(required) - set(optional))
    if unknown:
        raise ArtifactError(f"{where} has unknown keys: {', '.join(unknown)}")
    return entry


def _entries(top: Mapping[str, Any], key: str) -> list[Any]:
    entries = top[key]
    if not isinstance(entries, list) or not entries:
        raise ArtifactError(f"{key} must be a list with at least one entry")
    names = [entry.get("name") if isinstance(entry, dict) else None for entry in entries]
    if not all(isinstance(name, str) and name for name in names):
        raise ArtifactError(f"every entry of {key} needs a name")
    if len(set(names)) != len(names):
        raise ArtifactError(f"{key} holds a name twice")
    return entries


def _read_input(entry: Any) -> InputSpec:
    where = f"input {entry['name']!r}"
    _take(entry, where, {"name", "type"}, {"nullable", "categories"})
    if entry["type"] not in INPUT_TYPES:
        raise ArtifactError(
            f"{where} has type {entry['type']!r}, expected one of {sorted(INPUT_TYPES)}"
        )
    categories = entry.get("categories")
    if categories is None:
        return InputSpec(entry["name"], entry["type"], bool(entry.get("nullable", False)))
    if entry["type"] != "string" or not isinstance(categories, list) or not categories:
        raise ArtifactError(f"{where}: categories must be a list of strings on a string input")
    if not all(isinstance(item, str) for item in categories):
        raise ArtifactError(f"{where}: categories must be strings")
    if len(set(categories)) != len(categories):
        raise ArtifactError(f"{where} lists a category twice")
    return InputSpec(
        entry["name"],
        entry["type"],
        bool(entry.get("nullable", False)),
        tuple(categories),
        frozenset(categories),
    )


def _read_feature(entry: Any, inputs: Mapping[str, InputSpec]) -> FeatureSpec:
    where = f"feature {entry['name']!r}"
    _take(entry, where, {"name", "type"}, {"nullable", "derive"})
    if entry["type"] not in FEATURE_TYPES:
        raise ArtifactError(
            f"{where} has type {entry['type']!r}, expected one of {sorted(FEATURE_TYPES)}"
        )
    derive = entry.get("derive")
    if derive is None:
        source = inputs.get(entry["name"])
        if source is None or source.type != entry["type"]:
            raise ArtifactError(f"{where} needs an input of its name and type, or a derive rule")
    else:
        _check_derive(derive, where, inputs)
        if entry["type"] not in NUMBER_TYPES - {"boolean"}:
            raise ArtifactError(f"{where} is derived and must have a number type")
    return FeatureSpec(entry["name"], entry["type"], derive)


def _check_derive(derive: Any, where: str, inputs: Mapping[str, InputSpec]) -> None:
    _take(derive, f"{where}: derive", {"kind", "source"}, {"events", "limit", "harmonic"})
    kind, source = derive["kind"], inputs.get(derive["source"])
    if kind not in DERIVE_KINDS:
        raise ArtifactError(f"{where} derives {kind!r}, expected one of {sorted(DERIVE_KINDS)}")
    if source is None:
        raise ArtifactError(f"{where} derives from {derive['source']!r}, which is no input")
    if kind == "category_index":
        if source.categories is None:
            raise ArtifactError(f"{where} needs categories on its source {source.name!r}")
    elif source.type not in {"date", "datetime"}:
        raise ArtifactError(f"{where} needs a date as its source, {source.name!r} is {source.type}")
    if kind == "days_to_event":
        check_events(derive, where)
    harmonic = derive.get("harmonic", 1)
    if not _is_number(harmonic) or harmonic <= 0:
        raise ArtifactError(f"{where}: harmonic is {harmonic!r}, expected a number above 0")


def check_events(derive: Mapping[str, Any], where: str) -> None:
    """Check the events and the limit of a ``days_to_event`` rule.

    Raises:
        ArtifactError: no sorted ISO dates, or a limit that is no whole number above 0.
    """
    events, limit = derive.get("events"), derive.get("limit")
    try:
        days = [date.fromisoformat(event) for event in events or ()]
    except (TypeError, ValueError):
        days = []
    if not days or days != sorted(days):
        raise ArtifactError(f"{where}: events must be a sorted list of ISO dates")
    if not isinstance(limit, int) or isinstance(limit, bool) or limit <= 0:
        raise ArtifactError(f"{where}: limit is {limit!r}, expected a whole number of days above 0")


def _read_output(entry: Any) -> OutputSpec:
    where = f"output {entry['name']!r}"
    _take(entry, where, {"name"}, {"minimum", "transform"})
    minimum, transform = entry.get("minimum"), entry.get("transform", "identity")
    if minimum is not None and not _is_number(minimum):
        raise ArtifactError(f"{where}: minimum is {minimum!r}, expected a finite number")
    if transform not in TRANSFORMS:
        raise ArtifactError(
            f"{where}: transform is {transform!r}, expected one of {sorted(TRANSFORMS)}"
        )
    return OutputSpec(entry["name"], None if minimum is None else float(minimum), transform)


def _read_interval(
    entry: Any, outputs: Collection[str]
) -> tuple[float | None, dict[str, IntervalSpec]]:
    if entry is None:
        return None, {}
    _take(entry, "interval", {"level", "outputs"})
    level, offsets = entry["level"], entry["outputs"]
    if not _is_number(level) or not 0 < level < 1:
        raise ArtifactError(f"interval: level is {level!r}, expected a share between 0 and 1")
    _take(offsets, "interval: outputs", (), outputs)
    return float(level), {name: _read_offsets(name, value) for name, value in offsets.items()}


def _read_offsets(name: str, entry: Any) -> IntervalSpec:
    where = f"interval of {name!r}"
    _take(entry, where, {"kind", "lower", "upper"})
    kind, lower, upper = entry["kind"], entry["lower"], entry["upper"]
    if kind not in {"absolute", "relative"}:
        raise ArtifactError(f"{where}: kind is {kind!r}, expected absolute or relative")
    if not (_is_number(lower) and _is_number(upper) and lower <= 0 <= upper):
        raise ArtifactError(f"{where} is {lower!r} to {upper!r}, expected lower <= 0 <= upper")
    return IntervalSpec(kind, float(lower), float(upper))


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
