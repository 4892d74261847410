"""What a request asks for beside its rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from forecast_inference.contract.values import describe
from forecast_inference.errors import RequestError
from forecast_inference.requests.batch import Parameters
from forecast_inference.requests.json_text import DuplicateKey
from forecast_inference.requests.problems import shown

if TYPE_CHECKING:
    from forecast_inference.contract.schema import FeatureSchema


def read_parameters(schema: FeatureSchema, document: Any) -> Parameters:
    """The parameters of their JSON document.

    Raises:
        RequestError: one is unknown, has the wrong type, or asks for what the model has not.
    """
    if isinstance(document, DuplicateKey):
        raise RequestError(
            "a parameter is repeated", code="duplicate_key", feature=shown(document.key)
        )
    if type(document) is not dict:
        raise _invalid("parameters", f"expected an object, got {describe(document)}")
    for name in document:
        if name not in {"levels", "horizon"}:
            raise RequestError(
                "the parameter is not expected, use levels or horizon",
                code="unexpected_parameter",
                feature=shown(name),
            )
    return Parameters(
        _read_levels(schema, document["levels"]) if "levels" in document else None,
        _read_horizon(schema, document["horizon"]) if "horizon" in document else None,
    )


def _read_levels(schema: FeatureSchema, levels: Any) -> tuple[float, ...]:
    offered = ", ".join(map(repr, schema.levels)) or "none, the model has no intervals"
    if type(levels) is not list or not levels:
        raise _invalid("levels", f"expected a list of levels among {offered}")
    for level in levels:
        if type(level) not in {int, float}:
            raise _invalid("levels", f"expected numbers, got {describe(level)}")
        if level not in schema.levels:
            raise RequestError(
                f"a level is unknown, expected levels among {offered}",
                code="unknown_level",
                feature="levels",
            )
    if len(set(levels)) != len(levels):
        raise _invalid("levels", "a level is asked for twice")
    return tuple(map(float, levels))


def _read_horizon(schema: FeatureSchema, steps: Any) -> int:
    if schema.horizon is None:
        raise _invalid("horizon", "the model forecasts one step per row, leave it out")
    maximum = schema.horizon.maximum
    # In JSON 7.0 is a whole number too.
    if type(steps) not in {int, float} or steps not in range(1, maximum + 1):
        raise _invalid("horizon", f"expected a whole number of steps from 1 to {maximum}")
    return int(steps)


def _invalid(name: str, message: str) -> RequestError:
    return RequestError(message, code="invalid_parameter", feature=name)
