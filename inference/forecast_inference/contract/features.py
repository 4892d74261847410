"""Features: the columns that the model sees, each an input as it is or derived from one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from forecast_inference.contract.reading import is_number, take, take_choice, take_flag
from forecast_inference.contract.values import FEATURE_TYPES, MEASURED_TYPES
from forecast_inference.errors import ArtifactError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from forecast_inference.contract.inputs import InputSpec

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
class FeatureSpec:
    """One column that the model sees: an input as it is, or derived from one."""

    name: str
    type: str
    derive: Mapping[str, Any] | None = None


def read_feature(entry: Mapping[str, Any], inputs: Mapping[str, InputSpec]) -> FeatureSpec:
    """The feature of its JSON document, which has a name.

    Args:
        entry: the document.
        inputs: the inputs by name.

    Raises:
        ArtifactError: a key is unknown, or the feature does not follow from the inputs.
    """
    where = f"feature {entry['name']!r}"
    take(entry, where, {"name", "type"}, {"nullable", "derive"})
    take_flag(entry, "nullable", where)
    kind = take_choice(entry, "type", where, FEATURE_TYPES)
    derive = entry.get("derive")
    if derive is None:
        source = inputs.get(entry["name"])
        if source is None or source.type != kind:
            raise ArtifactError(f"{where} needs an input of its name and type, or a derive rule")
    else:
        _check_derive(derive, where, inputs)
        if kind not in MEASURED_TYPES:
            raise ArtifactError(f"{where} is derived and must have a number type")
    return FeatureSpec(entry["name"], kind, derive)


def _check_derive(derive: Any, where: str, inputs: Mapping[str, InputSpec]) -> None:
    take(derive, f"{where}: derive", {"kind", "source"}, {"events", "limit", "harmonic"})
    kind = take_choice(derive, "kind", f"{where}: derive", DERIVE_KINDS)
    source = inputs.get(derive["source"]) if isinstance(derive["source"], str) else None
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
    if not is_number(harmonic) or harmonic <= 0:
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
