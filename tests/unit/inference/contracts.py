"""Contracts of every kind, and predictors whose model shows what it was given."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np

from forecast_inference.contract.schema import FeatureSchema
from forecast_inference.handler import Predictor

if TYPE_CHECKING:
    from collections.abc import Callable

TOLERANT = [
    {
        "name": "date",
        "type": "date",
        "nullable": False,
        "missing": "impute",
        "impute": "2024-02-29",
    },
    {
        "name": "item",
        "type": "string",
        "nullable": False,
        "categories": ["yam", "leek", "kale"],
        "unknown_category": "impute",
        "missing": "impute",
        "impute": "kale",
    },
    {
        "name": "seen",
        "type": "double",
        "nullable": True,
        "range": {"minimum": 0.0, "maximum": 10.0},
        "out_of_range": "accept",
    },
    {
        "name": "cost",
        "type": "double",
        "nullable": False,
        "unit": "RMB/kg",
        "range": {"minimum": 0.5, "maximum": 80.0},
        "out_of_range": "clip",
        "missing": "impute",
        "impute": 4.25,
    },
    {
        "name": "stock",
        "type": "long",
        "nullable": False,
        "range": {"minimum": 0},
        "out_of_range": "impute",
        "impute": 7,
    },
    {
        "name": "boxes",
        "type": "integer",
        "nullable": False,
        "range": {"maximum": 100},
        "out_of_range": "refuse",
    },
    {"name": "promoted", "type": "boolean", "nullable": False, "missing": "impute", "impute": True},
]
"""Inputs with a policy of each kind."""

TOLERANT_ROW = {
    "date": "2023-06-30",
    "item": "leek",
    "seen": 3.5,
    "cost": 3.0,
    "stock": 40,
    "boxes": 2,
    "promoted": False,
}


def document(inputs: list[dict[str, Any]], **parts: Any) -> dict[str, Any]:
    """A schema of those inputs: numbers are features as they are, others are derived from."""
    features: list[dict[str, Any]] = []
    for item in inputs:
        name, kind = item["name"], item["type"]
        if kind in {"date", "datetime"}:
            rule = {"kind": "day_of_year", "source": name}
            features.append({"name": f"{name}_day", "type": "long", "derive": rule})
        elif kind == "string" and "categories" in item:
            rule = {"kind": "category_index", "source": name}
            features.append({"name": f"{name}_index", "type": "long", "derive": rule})
        elif kind != "string":
            features.append({"name": name, "type": kind})
    return {
        "schema_version": 2,
        "inputs": inputs,
        "features": features or [{"name": inputs[0]["name"], "type": inputs[0]["type"]}],
        "outputs": [{"name": "total"}, {"name": "first"}],
        **parts,
    }


def numbers(names: list[str]) -> list[dict[str, Any]]:
    """Inputs that are plain numbers."""
    return [{"name": name, "type": "double", "nullable": False} for name in names]


class Model:
    """A model that answers with the sum and the first of its features, and keeps what it saw."""

    def __init__(self) -> None:
        self.seen: list[Any] = []

    def __call__(self, features: Any) -> Any:
        self.seen.append(features)
        return np.column_stack([np.nansum(features, axis=1), np.nan_to_num(features[:, 0])])


def predictor(
    schema: dict[str, Any],
    *,
    codec: str = "standard",
    predict: Callable[[Any], Any] | None = None,
    recorder: Any = None,
) -> Predictor:
    """A predictor of that schema."""
    info: Any = SimpleNamespace(version="7", input="array")
    contract = FeatureSchema.from_document(schema)
    return Predictor(info, contract, predict or Model(), codec=codec, recorder=recorder)
