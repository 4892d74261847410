"""Edges: generated rows at which a converted model would differ if it does anywhere.

They are made of what the feature schema allows: bounds, categories, missing values, extremes, and
the thresholds of the model's own trees with the numbers right beside them.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

SEED = 20230630
MIXED_ROWS = 500
VALUES_IN_ALL = 1500
FEWEST_VALUES = 12
"""Per feature, however many features there are: what is left out of more is drawn at random."""

_EXTREMES = (0.0, -0.0, 1.0, -1.0, 1e-30, 1e6, -1e6, 1e30, -1e30)
_WHOLE_EXTREMES = {
    "integer": (0, 1, -1, 2**31 - 1, -(2**31)),
    "long": (0, 1, -1, 2**53 - 1, -(2**53) + 1),
}
_CALENDAR = {
    "day_of_week": (0, 6),
    "day_of_month": (1, 31),
    "day_of_year": (1, 366),
    "week_of_year": (1, 53),
    "month": (1, 12),
    "year": (1970, 2100),
    "is_weekend": (0, 1),
    "annual_sine": (-1, 1),
    "annual_cosine": (-1, 1),
}


def edge_rows(
    schema: Any, example: NDArray[np.float64], thresholds: Mapping[str, NDArray[np.float64]]
) -> NDArray[np.float64]:
    """Rows of features, in training order; the same for the same arguments.

    Args:
        schema: The runtime's `FeatureSchema`; all its features are numbers.
        example: The features of the logged example, rows by features.
        thresholds: What the model's trees compare a feature with, where that is known.

    Returns:
        Rows in which one feature has an edge value, and then rows of mixed edge values.
    """
    random = np.random.default_rng(SEED)
    most = max(FEWEST_VALUES, VALUES_IN_ALL // len(schema.features))
    pools = []
    for place, feature in enumerate(schema.features):
        around = _around(thresholds.get(feature.name, ()))
        values = _allowed(schema, feature, [*example[:, place], *around])
        pools.append(_thin(values, most, random))
    rows = []
    for place, pool in enumerate(pools):
        block = example[random.integers(0, len(example), len(pool))].copy()
        block[:, place] = pool
        rows.append(block)
    mixed = np.column_stack([random.choice(pool, MIXED_ROWS) for pool in pools])
    return np.concatenate([*rows, mixed])


def _around(thresholds: Iterable[float]) -> list[float]:
    """Thresholds, and the numbers right beside them in double and in single precision."""
    values = np.unique(np.asarray(list(thresholds), dtype=np.float64))
    values = values[np.isfinite(values)]
    near = [values]
    for direction in (-np.inf, np.inf):
        near.append(np.nextafter(values, direction))
        single = values.astype(np.float32)
        near.append(np.nextafter(single, np.float32(direction)).astype(np.float64))
    return [float(value) for value in np.concatenate(near)]


def _allowed(schema: Any, feature: Any, seen: Sequence[float]) -> list[float]:
    """What the schema lets through to the model, of a feature's edge values and of those seen."""
    if feature.derive is not None:
        low, high = _derived_bounds(schema, feature.derive)
        return _fitted([*seen, low, high], feature.type, low, high)
    spec = schema.input(feature.name)
    low = -math.inf if spec.minimum is None else float(spec.minimum)
    high = math.inf if spec.maximum is None else float(spec.maximum)
    bounds = [value for value in (low, high) if math.isfinite(value)]
    extremes = _WHOLE_EXTREMES.get(feature.type, _EXTREMES)
    if feature.type == "boolean":
        return [0.0, 1.0, *([math.nan] if spec.nullable else [])]
    if spec.out_of_range == "accept":
        bounds += [value + step for value in bounds for step in (-1.0, 1.0)]
        low, high = -math.inf, math.inf
    values = _fitted([*seen, *bounds, *map(float, extremes)], feature.type, low, high)
    return [*values, *([math.nan] if spec.nullable else [])]


def _derived_bounds(schema: Any, derive: Mapping[str, Any]) -> tuple[float, float]:
    kind = derive["kind"]
    if kind == "category_index":
        return 0.0, float(len(schema.input(derive["source"]).categories) - 1)
    if kind == "days_to_event":
        return -float(derive["limit"]), float(derive["limit"])
    low, high = _CALENDAR[kind]
    return float(low), float(high)


def _fitted(values: Iterable[float], kind: str, low: float, high: float) -> list[float]:
    """The values within the bounds; whole ones for a feature of whole numbers."""
    known = [value for value in values if not math.isnan(value)]
    if kind in _WHOLE_EXTREMES:
        known = [whole for value in known for whole in (math.floor(value), math.ceil(value))]
        whole = _WHOLE_EXTREMES[kind]
        low, high = max(low, float(min(whole))), min(high, float(max(whole)))
    if kind == "float":
        known = [float(np.float32(value)) for value in known]
    return sorted({float(value) for value in known if low <= value <= high})


def _thin(values: Sequence[float], most: int, random: np.random.Generator) -> NDArray[np.float64]:
    pool = np.asarray(values, dtype=np.float64)
    return pool if len(pool) <= most else random.choice(pool, most, replace=False)
