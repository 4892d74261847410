"""JSON Schemas of answers, and the errors with their codes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from forecast_packaging.publishing.request_schemas import levels_of, reference

if TYPE_CHECKING:
    from collections.abc import Mapping

ERRORS = {
    400: (
        "The body or a value in it is not what the contract says.",
        (
            "duplicate_key",
            "empty_body",
            "incomplete_body",
            "invalid_body",
            "invalid_csv",
            "invalid_date",
            "invalid_datetime",
            "invalid_encoding",
            "invalid_gzip",
            "invalid_json",
            "invalid_length",
            "invalid_parameter",
            "invalid_request",
            "invalid_row",
            "invalid_steps",
            "invalid_type",
            "invalid_value",
            "missing_feature",
            "missing_instances",
            "no_instances",
            "not_integral",
            "null_value",
            "out_of_range",
            "unexpected_key",
            "unexpected_parameter",
            "unknown_category",
            "unknown_level",
        ),
    ),
    408: ("The body took too long to arrive.", ("request_timeout",)),
    411: ("The request has no Content-Length.", ("length_required",)),
    413: (
        "Too many bytes, rows or values, or an answer that would have too many bytes.",
        ("answer_too_large", "payload_too_large", "too_many_rows", "too_many_values"),
    ),
    415: (
        "A content type, charset or encoding that is not read.",
        (
            "unsupported_charset",
            "unsupported_content_encoding",
            "unsupported_content_type",
            "unsupported_encoding",
        ),
    ),
    500: ("The model failed; its log says why.", ("internal_error", "prediction_failed")),
    503: (
        "The model is not loaded yet, or the server is busy or stops.",
        ("model_not_ready", "server_busy", "too_many_connections"),
    ),
    504: ("The model took too long.", ("invocation_timeout",)),
}
"""What each status of `/invocations` means, and the codes that come with it."""

Schema = dict[str, Any]


def answer_schemas(schema: Mapping[str, Any], version: str) -> dict[str, Schema]:
    """The schemas of answers by name, with `Predictions` and `Error`.

    Args:
        schema: The content of `feature_schema.json`.
        version: The model version that every prediction names.
    """
    predictions = reference("Prediction")
    if schema["row_errors"] == "report_rows":
        predictions = {"anyOf": [predictions, reference("Error")]}
    return {
        "Predictions": {
            "type": "object",
            "required": ["predictions"],
            "properties": {"predictions": {"type": "array", "minItems": 1, "items": predictions}},
            "additionalProperties": False,
        },
        "Prediction": _prediction(schema, version),
        "Error": _error(),
    }


def _prediction(schema: Mapping[str, Any], version: str) -> Schema:
    properties: dict[str, Schema] = {
        output["name"]: _output(output) for output in schema["outputs"]
    }
    required = list(properties)
    if "intervals" in schema:
        interval = _interval(schema)
        properties["confidence_interval"] = interval
        properties["confidence_intervals"] = {
            "type": "array",
            "description": "In place of confidence_interval, when parameters.levels was given.",
            "items": interval,
        }
    properties["adjusted"] = {
        "type": "array",
        "description": "What was changed of the row before it was predicted.",
        "items": {
            "type": "object",
            "required": ["feature", "action"],
            "properties": {
                "feature": {"type": "string"},
                "action": {"enum": ["clipped", "imputed"]},
            },
        },
    }
    horizon = schema.get("horizon")
    if horizon is not None:
        properties["row"] = {"type": "integer", "description": "Index of the row in the request."}
        properties[horizon["date_input"]] = {"type": "string", "format": "date"}
    properties["model_version"] = {"const": version}
    properties["prediction_timestamp"] = {"type": "string", "format": "date-time"}
    return {
        "type": "object",
        "required": [*required, "model_version", "prediction_timestamp"],
        "properties": properties,
        "additionalProperties": False,
    }


def _output(output: Mapping[str, Any]) -> Schema:
    described: Schema = {"type": "number"}
    described |= {key: output[key] for key in ("minimum", "maximum") if key in output}
    if "unit" in output:
        described["description"] = f"In {output['unit']}."
    return described


def _interval(schema: Mapping[str, Any]) -> Schema:
    pair = {
        "type": "array",
        "description": "The lower and the upper bound.",
        "items": {"type": "number"},
        "minItems": 2,
        "maxItems": 2,
    }
    names = list(schema["intervals"]["outputs"])
    return {
        "type": "object",
        "required": ["level", *names],
        "properties": {"level": {"enum": levels_of(schema)}, **dict.fromkeys(names, pair)},
        "additionalProperties": False,
    }


def _error() -> Schema:
    return {
        "type": "object",
        "required": ["error"],
        "properties": {
            "error": {
                "type": "object",
                "required": ["code", "message"],
                "properties": {
                    "code": {"enum": sorted({c for _, codes in ERRORS.values() for c in codes})},
                    "message": {"type": "string"},
                    "row": {"type": "integer", "minimum": 0},
                    "feature": {"type": "string"},
                },
                "additionalProperties": False,
            }
        },
        "additionalProperties": False,
    }
