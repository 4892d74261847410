"""JSON Schemas of requests: exactly what the contract takes, as far as JSON Schema can say it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from forecast_packaging.declarations.inputs import BOUNDS, WHOLE_TYPES

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_ROWS = 10_000
"""Most rows in one request, as the runtime counts them (`forecast_inference.requests.content`)."""

MAX_TEXT_CHARACTERS = 10_000
"""Longest text of an input without categories (`forecast_inference.contract.values`)."""

_SHAPES = ("Instances", "Columns", "DataframeSplit")
_FORMATS = {"integer": "int32", "long": "int64", "float": "float", "double": "double"}
_DATE = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"

Schema = dict[str, Any]


def request_schemas(schema: Mapping[str, Any]) -> dict[str, Schema]:
    """The schemas of requests by name: `Row`, `RowArray`, and the shapes of `request_shapes`.

    Those whose names begin with `Horizon` ask for several steps: a value of a row may then be a
    list, whose length is that of the horizon, which JSON Schema cannot say.

    Args:
        schema: The content of `feature_schema.json`.
    """
    inputs, horizon, levels = schema["inputs"], schema.get("horizon"), levels_of(schema)
    cells = {item["name"]: _value(item) for item in inputs}
    beside = {"levels": _levels(levels)} if levels else {}
    schemas = _shapes("", inputs, cells)
    if beside:
        schemas["Parameters"] = _object(beside, [])
        _add_parameters("", schemas, required=False)
    if horizon is not None:
        several = {
            name: value if name == horizon["date_input"] else _known_future(value, horizon)
            for name, value in cells.items()
        }
        schemas |= _shapes("Horizon", inputs, several)
        schemas["HorizonParameters"] = _object({"horizon": _steps(horizon), **beside}, ["horizon"])
        _add_parameters("Horizon", schemas, required=True)
    return schemas


def request_shapes(schema: Mapping[str, Any]) -> list[str]:
    """Names of the schemas that a JSON body may have."""
    prefixes = ["", "Horizon"] if "horizon" in schema else [""]
    return [f"{prefix}{shape}" for prefix in prefixes for shape in _SHAPES]


def _shapes(
    prefix: str, inputs: list[dict[str, Any]], cells: Mapping[str, Schema]
) -> dict[str, Schema]:
    """Rows of given values and the bodies that hold them."""
    names = list(cells)
    row, array = f"{prefix}Row", f"{prefix}RowArray"
    table = {
        "columns": _tuple([{"const": name} for name in names]),
        "data": rows_of(array),
    }
    place = f"#/components/schemas/{row}/properties"
    return {
        row: {
            **_object(
                dict(cells),
                [item["name"] for item in inputs if item.get("missing") != "impute"],
            ),
            "description": "The values of one row by the names of the inputs.",
        },
        array: {
            **_tuple([{"$ref": f"{place}/{_escaped(name)}"} for name in names]),
            "description": f"The values of one row in the order {', '.join(names)}.",
        },
        f"{prefix}Instances": _object(
            {"instances": {"anyOf": [rows_of(row), rows_of(array)]}}, ["instances"]
        ),
        f"{prefix}Columns": _object(dict(table), list(table)),
        f"{prefix}DataframeSplit": _object(
            {"dataframe_split": _object(table, list(table))}, ["dataframe_split"]
        ),
    }


def _add_parameters(prefix: str, schemas: dict[str, Schema], *, required: bool) -> None:
    for shape in _SHAPES:
        body = schemas[f"{prefix}{shape}"]
        body["properties"]["parameters"] = reference(f"{prefix}Parameters")
        if required:
            body["required"].append("parameters")


def _value(item: Mapping[str, Any]) -> Schema:
    """The schema of one input's value; null only where it is read as a missing value."""
    value = _typed(item)
    if item["nullable"] or item.get("missing") == "impute":
        value["type"] = [value["type"], "null"]
        if "enum" in value:
            value["enum"] = [*value["enum"], None]
    description = _description(item)
    return {**value, "description": description} if description else value


def _known_future(value: Schema, horizon: Mapping[str, Any]) -> Schema:
    known = {"type": "array", "items": value, "minItems": 1, "maxItems": horizon["maximum"]}
    return {"anyOf": [value, {**known, "description": "One value per step of the horizon."}]}


def _typed(item: Mapping[str, Any]) -> Schema:
    kind = item["type"]
    if kind == "boolean":
        return {"type": "boolean"}
    if kind == "string":
        return _text(item)
    if kind == "date":
        return {"type": "string", "format": "date", "pattern": _DATE}
    if kind == "datetime":
        return {"type": "string", "format": "date-time"}
    low, high = BOUNDS[kind]
    if item.get("out_of_range") == "refuse":
        low = max(low, item["range"].get("minimum", low))
        high = min(high, item["range"].get("maximum", high))
    return {
        "type": "integer" if kind in WHOLE_TYPES else "number",
        "format": _FORMATS[kind],
        "minimum": low,
        "maximum": high,
    }


def _text(item: Mapping[str, Any]) -> Schema:
    known = item.get("categories")
    if known is None:
        return {"type": "string", "maxLength": MAX_TEXT_CHARACTERS}
    if item.get("unknown_category") == "impute":
        return {"type": "string"}
    return {"type": "string", "enum": list(known)}


def _description(item: Mapping[str, Any]) -> str:
    """Unit and policies of an input, as far as its schema does not say them."""
    parts = []
    if "unit" in item:
        parts.append(f"in {item['unit']}")
    limits = item.get("range")
    if limits is not None and item["out_of_range"] != "refuse":
        shown = " to ".join(f"{limits[key]:g}" for key in ("minimum", "maximum") if key in limits)
        done = {
            "accept": "other values are answered as they are",
            "clip": "other values are set to the nearest bound, which the answer reports",
            "impute": "other values are replaced, which the answer reports",
        }[item["out_of_range"]]
        parts.append(f"usually {shown}: {done}")
    if item.get("unknown_category") == "impute":
        parts.append("an unknown category is replaced, which the answer reports")
    if item.get("missing") == "impute":
        parts.append("a missing value is replaced, which the answer reports")
    text = "; ".join(parts)
    return f"{text[:1].upper()}{text[1:]}." if text else ""


def _levels(levels: list[float]) -> Schema:
    return {
        "type": "array",
        "description": "Levels of the prediction intervals, in place of the default one.",
        "items": {"enum": levels},
        "minItems": 1,
        "maxItems": len(levels),
        "uniqueItems": True,
    }


def _steps(horizon: Mapping[str, Any]) -> Schema:
    return {
        "type": "integer",
        "description": f"Steps of one {horizon['step']} to forecast from each row. Rows times "
        f"steps may be at most {MAX_ROWS}. Prediction intervals are calibrated for one step, the "
        "row's own, and do not widen over a horizon: later steps are covered less.",
        "minimum": 1,
        "maximum": horizon["maximum"],
    }


def levels_of(schema: Mapping[str, Any]) -> list[float]:
    """The levels that the outputs have intervals at, ascending."""
    intervals = schema.get("intervals")
    if intervals is None:
        return []
    band = next(iter(intervals["outputs"].values()))
    return sorted(map(float, band.get("offsets") or band["columns"]))


def rows_of(name: str) -> Schema:
    """The rows of one request, each of the schema of that name."""
    return {"type": "array", "items": reference(name), "minItems": 1, "maxItems": MAX_ROWS}


def reference(name: str) -> Schema:
    """A reference to the schema of that name."""
    return {"$ref": f"#/components/schemas/{name}"}


def _tuple(items: list[Schema]) -> Schema:
    count = len(items)
    return {
        "type": "array",
        "prefixItems": items,
        "items": False,
        "minItems": count,
        "maxItems": count,
    }


def _object(properties: dict[str, Schema], required: list[str]) -> Schema:
    return {
        "type": "object",
        "required": required,
        "properties": properties,
        "additionalProperties": False,
    }


def _escaped(name: str) -> str:
    """A key as a JSON pointer in a URI fragment spells it (RFC 6901)."""
    return quote(name.replace("~", "~0").replace("/", "~1"), safe="")
